"""The list of pictures that an import has left beside the runs of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.errors import RecordInvalid
from kroma_nb.model.imported import ImportedAssets
from kroma_nb.model.parsing import parse_json, parse_value

if TYPE_CHECKING:
    from pathlib import Path

FOLDER, INDEX = "imported", "assets.json"


def read_assets(root: Path) -> ImportedAssets:
    """Read what earlier imports took into a project; nothing where there was none.

    Raises
    ------
    RecordInvalid
        If the file is damaged.
    """
    path = root / FOLDER / INDEX
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ImportedAssets()
    except OSError as cause:
        problem = f"cannot be read: {cause.strerror or cause}"
        raise RecordInvalid(str(path), "", problem, "check its permissions") from cause
    parsed = parse_json(data, file=str(path), error=RecordInvalid)
    return parse_value(ImportedAssets, parsed, file=str(path), error=RecordInvalid)
