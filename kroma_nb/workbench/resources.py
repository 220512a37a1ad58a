"""Where the demo universe and the example files lie, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

from kroma_nb.errors import FileMissing

_PACKAGE = Path(__file__).parents[1]


def shipped(name: str) -> Path:
    """Give a folder that travels with kroma_nb: ``demo``, ``config`` or ``notebooks``.

    Raises
    ------
    FileMissing
        If the installation is incomplete.
    """
    checkout = {"demo": _PACKAGE.parent / "data" / "demo"}.get(name, _PACKAGE.parent / name)
    for folder in (_PACKAGE / "data" / name, checkout):
        if folder.is_dir():
            return folder
    raise FileMissing(_PACKAGE / "data" / name, f"the shipped {name} files", "the installation is incomplete")
