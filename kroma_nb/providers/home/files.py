"""The JSON files in which an artist says how a server at home shall draw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kroma_nb.errors import SettingsInvalid

if TYPE_CHECKING:
    from kroma_nb.providers.home.server import Server

LARGEST_FILE_BYTES = 4 << 20
"""A larger file of options or nodes is some other file."""


def file_named(server: Server, variable: str) -> tuple[str, Any] | None:
    """Read the JSON file that a variable names, relative to the workspace; None where there is none.

    Returns
    -------
    str, object
        The file's path, and what stands in it.

    Raises
    ------
    SettingsInvalid
        If it cannot be read, or is no JSON.
    """
    found = server.found(variable)
    if found is None:
        return None
    path = (server.home or Path()) / Path(found.text).expanduser()
    file, way_out = str(path), f"correct it, or {variable} from {found.where}"
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise SettingsInvalid(file, "", f"it is larger than {LARGEST_FILE_BYTES:,} bytes", way_out)
        return file, json.loads(path.read_bytes())
    except OSError as cause:
        problem = f"it cannot be read: {cause.strerror or cause}"
    except (ValueError, RecursionError) as cause:
        problem = f"it is no JSON: {cause}"
    raise SettingsInvalid(file, "", problem, way_out)
