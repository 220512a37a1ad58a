"""The engine that lets ComfyUI draw: it sends a scene, queues a workflow, waits for it and takes its picture."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kroma_nb.blobs import sha256_bytes
from kroma_nb.errors import ProviderFailed, SettingsInvalid
from kroma_nb.images import encode_png
from kroma_nb.model.brief import Painted
from kroma_nb.providers.comfyui.asking import PROVIDER, chosen, queued
from kroma_nb.providers.comfyui.workflow import CHECKPOINT, Workflow, built_in
from kroma_nb.providers.home import (
    LOOK_S,
    TIMEOUT_S,
    Letter,
    Server,
    file_named,
    lay,
    notes_of,
    page_of,
    seed_for,
    turn_at,
)
from kroma_nb.settings.secrets import COMFYUI_AUTH, COMFYUI_URL, COMFYUI_WORKFLOW

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from kroma_nb.model.brief import Brief, Palette

FIRST: Final = "workflow"
"""The model's name that stands for the first checkpoint of the server, where a workflow asks for one."""
USUAL_URL: Final = "http://127.0.0.1:8188"
ADAPTER = "1"
"""Changes whenever other things are sent for the same brief."""
LOADER: Final = "CheckpointLoaderSimple"


@dataclass(frozen=True)
class ComfyPainter:
    """A customer of a ComfyUI that was met once: what was found then holds for every picture, in every process.

    Attributes
    ----------
    model : str
        Its name in the catalog.
    server : Server
    workflow : Workflow
    checkpoint : str
        What stands for ``{checkpoint}``; empty where the workflow does not ask.
    version : str
        Of the adapter, the server, its device, the workflow and the checkpoint.
    timeout_s : float, seconds
        How long a picture may take.
    """

    model: str
    server: Server
    workflow: Workflow
    checkpoint: str
    version: str
    timeout_s: float = TIMEOUT_S
    provider: str = PROVIDER

    def study(self, references: Iterable[NDArray[np.uint8]]) -> Palette | None:  # noqa: ARG002 - of the protocol
        """Read nothing off style references: the words and the workflow make the style."""
        return None

    def paint(self, scene: NDArray[np.uint8], brief: Brief) -> Painted:
        """Let ComfyUI draw a scene.

        Parameters
        ----------
        scene : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
            sRGB levels 0-255; its middle is cut to the shape of the page and resized.
        brief : Brief
            Words, seed and size.

        Returns
        -------
        Painted
            Of the brief's size.

        Raises
        ------
        ProviderBusy
            If the server cannot be reached, is out of order, or is not done in time.
        ProviderFailed
            If it refuses, a node fails, or what comes is no such picture.
        """
        laid, part = lay(scene, brief.size)
        with turn_at(self.server.address):
            values: dict[str, str | int] = {
                "prompt": brief.prompt,
                "seed": seed_for(brief.seeds.of(brief.stage)),
                "scene": self._uploaded(encode_png(laid)),
                "width": brief.size.width,
                "height": brief.size.height,
                CHECKPOINT: self.checkpoint,
            }
            outputs = queued(self.server, self.workflow.filled(values), self.timeout_s).outputs()
            picture = chosen(outputs, self.workflow.pages())
            data = self._fetched(picture)
        return Painted(page_of(PROVIDER, data, brief.size), notes_of(scene, part), part)

    def _fetched(self, picture: dict[str, str]) -> bytes:
        try:
            return self.server.fetch(Letter("/view", query=picture), self.timeout_s)
        except ProviderFailed as cause:
            if cause.code != "not_found":
                raise
        # It answers with what it has drawn before, also where somebody has deleted that.
        problem = f"its picture {picture['filename']} is not there any more; restart ComfyUI, and it draws anew"
        raise ProviderFailed(PROVIDER, problem, "picture_lost")

    def _uploaded(self, data: bytes) -> str:
        """Send the scene under a name of its content, so that the same scene lies there once, and give that name."""
        name = f"kroma-{sha256_bytes(data)[:16]}.png"
        letter = Letter("/upload/image", file=data, file_name=name, fields={"type": "input", "overwrite": "true"})
        said = self.server.ask(letter, self.timeout_s)
        stored = said.get("name") if isinstance(said, dict) else None
        if not isinstance(stored, str) or not stored:
            raise ProviderFailed(PROVIDER, "it does not say where it has put the scene", "bad_answer")
        folder = said.get("subfolder")
        return f"{folder}/{stored}" if isinstance(folder, str) and folder else stored


def server_at(home: Path | None = None) -> Server:
    """Say where ComfyUI is looked for."""
    return Server(PROVIDER, USUAL_URL, COMFYUI_URL, COMFYUI_AUTH, "start ComfyUI (python main.py)", home)


def meet(model: str = FIRST, home: Path | None = None, timeout_s: float = TIMEOUT_S) -> ComfyPainter:
    """Ask ComfyUI what would draw, and give the engine for it.

    Parameters
    ----------
    model : str
        ``workflow`` takes the server's first checkpoint where the workflow asks for one; any other name is that of
        a checkpoint.
    home : Path or None
        The workspace, whose ``.env`` counts.
    timeout_s : float, seconds
        How long a picture may take.

    Raises
    ------
    ProviderBusy, ProviderFailed
        If the server does not answer, or has no such checkpoint.
    SettingsInvalid
        If the workflow cannot be used.
    """
    server = server_at(home)
    own = file_named(server, COMFYUI_WORKFLOW)
    workflow = built_in() if own is None else Workflow.of(*own)
    system, devices = _stats(server, LOOK_S)
    asks = CHECKPOINT in workflow.words
    if model != FIRST and not asks:
        way_out = f"write {{{CHECKPOINT}}} into the title of the node that loads it, or take the model {FIRST}"
        raise SettingsInvalid(workflow.file, "nodes", f"no node takes the checkpoint {model}", way_out)
    checkpoint = _checkpoint(server, model) if asks else ""
    told = json.dumps([workflow.text, system.get("pytorch_version"), devices, checkpoint], sort_keys=True)
    version = f"{ADAPTER} ComfyUI {system.get('comfyui_version', '')} {sha256_bytes(told.encode())[:12]}"
    return ComfyPainter(model, server, workflow, checkpoint, version, timeout_s)


def look(home: Path | None = None, timeout_s: float = LOOK_S) -> str:
    """Ask ComfyUI whether it is there, and give what it says in a few words; no picture is made.

    Raises
    ------
    ProviderBusy, ProviderFailed
        If it is not.
    """
    server = server_at(home)
    system, _ = _stats(server, timeout_s)
    return f"{server.address} answers, ComfyUI {system.get('comfyui_version', 'of a version that it does not say')}"


def _stats(server: Server, timeout_s: float) -> tuple[dict[str, Any], list[str]]:
    """Give what the server says of its programs, and the names of its devices."""
    said = server.ask(Letter("/system_stats"), timeout_s)
    system = said.get("system") if isinstance(said, dict) else None
    if not isinstance(system, dict):
        raise ProviderFailed(PROVIDER, f"what answers at {server.address} is not ComfyUI", "bad_answer")
    devices = said.get("devices")
    listed = devices if isinstance(devices, list) else []
    return system, [str(one.get("name", "")) for one in listed if isinstance(one, dict)]


def _checkpoint(server: Server, model: str) -> str:
    said = server.ask(Letter(f"/object_info/{LOADER}"), LOOK_S)
    try:
        listed = said[LOADER]["input"]["required"]["ckpt_name"][0]
        # Newer servers name the kind of the list, and the list behind it.
        listed = listed if isinstance(listed, list) else said[LOADER]["input"]["required"]["ckpt_name"][1]["options"]
        known = [name for name in listed if isinstance(name, str)]
    except (KeyError, IndexError, TypeError):
        raise ProviderFailed(PROVIDER, "it does not say which checkpoints it has", "bad_answer") from None
    if not known:
        problem = "it has no checkpoint; put one into models/checkpoints"
        raise ProviderFailed(PROVIDER, problem, "no_checkpoint")
    if model == FIRST:
        return known[0]
    for name in known:
        if model in {name, name.rpartition(".")[0]}:
            return name
    problem = f"it has no checkpoint {model}; it has {', '.join(known[:8])}"
    raise ProviderFailed(PROVIDER, problem, "no_checkpoint")
