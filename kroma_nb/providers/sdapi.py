"""The engine that lets AUTOMATIC1111's web UI, or Forge, draw a scene anew: one `img2img` a candidate."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kroma_nb.blobs import sha256_bytes
from kroma_nb.errors import ProviderFailed, SettingsInvalid
from kroma_nb.images import encode_png
from kroma_nb.model.brief import Painted
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
from kroma_nb.settings.secrets import SDAPI_AUTH, SDAPI_OPTIONS, SDAPI_URL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from kroma_nb.model.brief import Brief, Palette

PROVIDER: Final = "sdapi"
LOADED: Final = "img2img"
"""The model's name that stands for whatever checkpoint the server has loaded."""
USUAL_URL: Final = "http://127.0.0.1:7860"
ADAPTER = "1"
"""Changes whenever other things are sent for the same brief."""
USUAL: Mapping[str, Any] = {
    "negative_prompt": "",
    "sampler_name": "Euler",
    "steps": 30,
    "cfg_scale": 7,
    "denoising_strength": 0.6,
    "resize_mode": 0,
    "override_settings_restore_afterwards": True,
}
"""What is sent where `SDAPI_OPTIONS` does not say otherwise; the server's own names."""
OWN = frozenset(
    {"init_images", "prompt", "seed", "width", "height", "batch_size", "n_iter", "subseed", "subseed_strength"}
    | {"send_images", "save_images"}
)
"""What a run says, so that no file can."""
OF_FILES_AND_FORMS = ("samples_", "grid_", "save_", "outdir_", "ui_", "js_", "gallery_", "show_", "notification_")
"""How settings of the server begin that no pixel depends on."""


@dataclass(frozen=True)
class SdapiPainter:
    """A customer of a web UI that was met once: what was found then holds for every picture, in every process.

    Attributes
    ----------
    model : str
        Its name in the catalog.
    server : Server
    checkpoint : str
        The title of the checkpoint that draws; each request asks for it, whatever was loaded since.
    short_hash : str
        What the server calls its content; empty where it has not said that.
    options : str
        What is sent besides the scene, the words, the seed and the size, as JSON.
    version : str
        Of the adapter, the checkpoint, the options and the server's settings.
    timeout_s : float, seconds
        How long a picture may take.
    """

    model: str
    server: Server
    checkpoint: str
    short_hash: str
    options: str = field(repr=False)
    version: str
    timeout_s: float = TIMEOUT_S
    provider: str = PROVIDER

    def study(self, references: Iterable[NDArray[np.uint8]]) -> Palette | None:  # noqa: ARG002 - of the protocol
        """Read nothing off style references: the words and the checkpoint make the style."""
        return None

    def paint(self, scene: NDArray[np.uint8], brief: Brief) -> Painted:
        """Let the server draw a scene anew.

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
            If the server cannot be reached, does not answer in time, or is out of order.
        ProviderFailed
            If it refuses, or answers with something else than such a picture.
        """
        laid, part = lay(scene, brief.size)
        seed = seed_for(brief.seeds.of(brief.stage))
        body = json.loads(self.options) | {
            "init_images": [base64.b64encode(encode_png(laid)).decode()],
            "prompt": brief.prompt,
            "seed": seed,
            "width": brief.size.width,
            "height": brief.size.height,
        }
        with turn_at(self.server.address):
            said = self.server.ask(Letter("/sdapi/v1/img2img", body), self.timeout_s)
        page = page_of(PROVIDER, self._picture(said), brief.size)
        self._refuse_other(said, seed)
        return Painted(page, notes_of(scene, part), part)

    def _picture(self, said: Any) -> bytes:
        pictures = said.get("images") if isinstance(said, dict) else None
        first = pictures[0] if isinstance(pictures, list) and pictures else None
        if not isinstance(first, str):
            raise ProviderFailed(PROVIDER, "its answer holds no picture", "answer_unusable")
        # Some versions write it as an address that holds its own data.
        text = first.partition(",")[2] if first.startswith("data:") else first
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            pass
        raise ProviderFailed(PROVIDER, "the picture in its answer is no base64", "answer_unusable")

    def _refuse_other(self, said: dict[str, Any], seed: int) -> None:
        """Refuse a picture that says of itself that it was drawn with another seed or checkpoint."""
        try:
            info = json.loads(said.get("info") or "{}")
        except (TypeError, ValueError):
            info = {}
        told = info if isinstance(info, dict) else {}
        if told.get("seed", seed) != seed:
            problem = f"it drew with the seed {told['seed']} in place of {seed}, so that the picture would not repeat"
            raise ProviderFailed(PROVIDER, problem, "other_seed")
        drawn_by = told.get("sd_model_hash")
        if self.short_hash and isinstance(drawn_by, str) and drawn_by and drawn_by != self.short_hash:
            problem = f"it drew with the checkpoint {drawn_by} in place of {self.checkpoint}"
            raise ProviderFailed(PROVIDER, f"{problem}; load that one, and run again", "other_checkpoint")


def server_at(home: Path | None = None) -> Server:
    """Say where the web UI is looked for."""
    start = "start the web UI with --api (COMMANDLINE_ARGS=--api, or ./webui.sh --api)"
    return Server(PROVIDER, USUAL_URL, SDAPI_URL, SDAPI_AUTH, start, home)


def meet(model: str = LOADED, home: Path | None = None, timeout_s: float = TIMEOUT_S) -> SdapiPainter:
    """Ask the web UI what would draw, and give the engine for it.

    Parameters
    ----------
    model : str
        ``img2img`` takes the checkpoint that is loaded; any other name is that of a checkpoint.
    home : Path or None
        The workspace, whose ``.env`` counts.
    timeout_s : float, seconds
        How long a picture may take.

    Raises
    ------
    ProviderBusy, ProviderFailed
        If the server does not answer, or has no such checkpoint.
    SettingsInvalid
        If the file of options cannot be used.
    """
    server = server_at(home)
    options = _options(server)
    settings = server.ask(Letter("/sdapi/v1/options"), LOOK_S)
    known = server.ask(Letter("/sdapi/v1/sd-models"), LOOK_S)
    if not isinstance(settings, dict) or not isinstance(known, list):
        raise ProviderFailed(PROVIDER, f"what answers at {server.address} is not this web UI", "bad_answer")
    found = _checkpoint(model, settings, [one for one in known if isinstance(one, dict)])
    checkpoint, short_hash = _text(found, "title"), _text(found, "hash")
    overridden = options.get("override_settings", {})
    asked = options | {
        "batch_size": 1,
        "n_iter": 1,
        "subseed_strength": 0,
        "send_images": True,
        "save_images": False,
        "override_settings": overridden | {"sd_model_checkpoint": checkpoint},
    }
    text = json.dumps(asked, sort_keys=True)
    depends = {name: value for name, value in settings.items() if _counts(name) and name not in overridden}
    told = json.dumps([options, depends], sort_keys=True).encode()
    # The title gains the hash when it is known for the first time; the name stays.
    name = f"{_text(found, 'model_name') or checkpoint} {_text(found, 'sha256')[:12] or short_hash}".strip()
    version = f"{ADAPTER} {name} {sha256_bytes(told)[:12]}"
    return SdapiPainter(model, server, checkpoint, short_hash, text, version, timeout_s)


def look(home: Path | None = None, timeout_s: float = LOOK_S) -> str:
    """Ask the web UI whether it is there, and give what it says in a few words; no picture is made.

    Raises
    ------
    ProviderBusy, ProviderFailed
        If it is not.
    """
    server = server_at(home)
    settings = server.ask(Letter("/sdapi/v1/options"), timeout_s)
    if not isinstance(settings, dict):
        raise ProviderFailed(PROVIDER, f"what answers at {server.address} is not this web UI", "bad_answer")
    return f"{server.address} answers, checkpoint {_text(settings, 'sd_model_checkpoint') or 'none'}"


def _options(server: Server) -> dict[str, Any]:
    found = file_named(server, SDAPI_OPTIONS)
    if found is None:
        return dict(USUAL)
    file, said = found
    if not isinstance(said, dict) or not isinstance(said.get("override_settings", {}), dict):
        raise SettingsInvalid(file, "", "it holds no fields of img2img", 'write them as {"steps": 30, …}')
    for name in sorted(OWN & said.keys()):
        raise SettingsInvalid(file, name, "that is said by the run", "take it out")
    if "sd_model_checkpoint" in said.get("override_settings", {}):
        way_out = "take it out, and load it, or name it as the model in config/models.toml"
        raise SettingsInvalid(file, "override_settings.sd_model_checkpoint", "the run says which checkpoint", way_out)
    return {**USUAL, **said}


def _checkpoint(model: str, settings: Mapping[str, Any], known: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = _text(settings, "sd_model_checkpoint") if model == LOADED else model
    if not wanted:
        raise ProviderFailed(PROVIDER, "it has no checkpoint loaded; choose one in the web UI", "no_checkpoint")
    for one in known:
        if wanted in {_text(one, name) for name in ("title", "model_name", "hash", "sha256")}:
            return one
        # The setting may hold a title from before its hash was known.
        if wanted.partition(" [")[0] == _text(one, "title").partition(" [")[0]:
            return one
    names = ", ".join(_text(one, "model_name") for one in known[:8]) or "none"
    raise ProviderFailed(PROVIDER, f"it has no checkpoint {wanted}; it has {names}", "no_checkpoint")


def _counts(name: str) -> bool:
    return not name.startswith(OF_FILES_AND_FORMS) and name not in {"sd_model_checkpoint", "sd_checkpoint_hash"}


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""
