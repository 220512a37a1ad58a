"""What is installed and works here, and what each missing piece would give."""

from __future__ import annotations

import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import numpy as np

from kroma_nb.errors import KromaError, SettingsInvalid
from kroma_nb.model.brief import Brief, Seeds, Size
from kroma_nb.model.value import Value
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.planning import backend_options_of, load_catalog
from kroma_nb.settings.secrets import API_KEY, BASE_URL, ENV_FILE, look_up, sources_of
from kroma_nb.workbench.at_home import looked_for
from kroma_nb.workbench.backends import examine_backends
from kroma_nb.workbench.painters import painter_for
from kroma_nb.workbench.workbench import open_workbench

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.brief import Painter

MIN_FREE_BYTES = 1 << 30
LOOK_S = 0.8
"""How long a server at home may take to say that it is there."""
AT_HOME_GIVES = {
    "sdapi": "pages of AUTOMATIC1111's web UI, or Forge",
    "comfyui": "pages of your own workflow in ComfyUI",
}


class Finding(Value):
    """One piece that was looked for.

    Attributes
    ----------
    fine : bool
        Whether it is there and works.
    optional : bool
        Whether everything else works without it.
    """

    piece: str
    fine: bool
    optional: bool
    found: str
    gives: str


def examine(home: Path | None = None) -> tuple[Finding, ...]:
    """Look at the installation and at a workspace; nothing is kept on the disk.

    Parameters
    ----------
    home : Path, optional
        The workspace, as for `open_workbench`.
    """
    return (_python(), *_libraries(), _ink(), _workspace(home), _openai_key(home), *_at_home(home), *_backends(home))


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    return Finding(piece="Python", fine=sys.version_info >= (3, 11), optional=False, found=found, gives="everything")


def _libraries() -> list[Finding]:
    gives = {
        "numpy": "pictures in memory",
        "opencv-python-headless": "pixels at speed",
        "pillow": "unusual picture files",
        "scikit-image": "measures",
        "pandas": "tables in notebooks",
        "jupyterlab": "notebooks",
        "papermill": "notebooks as runs",
    }
    return [_library(name, use) for name, use in gives.items()]


def _library(name: str, use: str) -> Finding:
    try:
        return Finding(piece=name, fine=True, optional=False, found=version(name), gives=use)
    except PackageNotFoundError:
        found = f"not installed: pip install {name}"
        return Finding(piece=name, fine=False, optional=False, found=found, gives=use)


def _ink() -> Finding:
    """Draw a small scene twice: the engine must work and give the same pixels again."""
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    scene = np.dstack([np.tile(ramp, (64, 1))] * 3)
    card = load_catalog().find("ink")
    assert card is not None
    brief = Brief(
        stage=Stage.STYLE,
        time=TimeOfDay.DAY,
        weather=Weather.CLEAR,
        prompt="",
        seeds=Seeds(style=1, time=1, weather=1),
        size=Size(width=64, height=64),
    )
    painter = cast("Painter", painter_for(card))
    first, second = (painter.paint(scene, brief).picture for _ in range(2))
    same = first.tobytes() == second.tobytes()
    found = f"{painter.model} {painter.version}, " + ("repeatable" if same else "gives other pixels each time")
    return Finding(piece="ink engine", fine=same, optional=False, found=found, gives="pages without key or network")


def _workspace(home: Path | None) -> Finding:
    folder = open_workbench(home).home
    gives = "a place for projects and runs"
    try:
        with tempfile.TemporaryFile(dir=folder):
            free_bytes = shutil.disk_usage(folder).free
    except OSError as cause:
        found = f"{folder} cannot be written: {cause.strerror}"
        return Finding(piece="workspace", fine=False, optional=False, found=found, gives=gives)
    found = f"{folder}, {free_bytes / 1e9:.1f} GB free"
    return Finding(piece="workspace", fine=free_bytes > MIN_FREE_BYTES, optional=False, found=found, gives=gives)


def _backends(home: Path | None) -> list[Finding]:
    """Look for the backends of the finishing passes, as the workspace's ``config/backends.toml`` says."""
    try:
        options = backend_options_of(open_workbench(home).home)
    except KromaError as error:
        gives = "cut-outs and enlarged pages by other backends"
        return [Finding(piece="config/backends.toml", fine=False, optional=True, found=str(error), gives=gives)]
    return [
        Finding(piece=f"backend {one.backend}", fine=one.there, optional=True, found=one.found, gives=one.gives)
        for one in examine_backends(options)
    ]


def _at_home(home: Path | None) -> list[Finding]:
    """Ask the servers that artists run at home whether they are there; no picture is made."""
    return [
        Finding(piece=f"{provider} server", fine=fine, optional=True, found=found, gives=AT_HOME_GIVES[provider])
        for provider, found, fine in looked_for(open_workbench(home).home, LOOK_S)
    ]


def _openai_key(home: Path | None) -> Finding:
    """Say where the key would come from, and to whom else it would go; it is neither shown nor tried."""
    gives = "pictures of OpenAI's models, which cost money"
    file = open_workbench(home).home / ENV_FILE
    try:
        key, address = (look_up(name, sources_of(file.parent)) for name in (API_KEY, BASE_URL))
    except SettingsInvalid as cause:
        return Finding(piece="OpenAI key", fine=False, optional=True, found=str(cause), gives=gives)
    there = f"{API_KEY} from {key.where}" if key else f"{API_KEY} is neither in the environment nor in {file}"
    if address is not None:
        there += f"; {BASE_URL} from {address.where} leads to {urlsplit(address.text).hostname or 'no address'}"
    return Finding(piece="OpenAI key", fine=key is not None, optional=True, found=there, gives=gives)
