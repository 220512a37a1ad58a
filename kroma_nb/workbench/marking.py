"""Small files in a run's folder that say something of it beside its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from kroma_nb.errors import RecordInvalid
from kroma_nb.model.marks import Archived, Marks
from kroma_nb.model.parsing import dotted

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.value import Value

M = TypeVar("M", bound="Value")

ARCHIVED = "archived.json"


def is_archived(folder: Path) -> bool:
    """Tell whether a run is put away."""
    return (folder / ARCHIVED).exists()


def read_marks(folder: Path) -> Marks:
    """Read what is said of a run beside its record.

    Raises
    ------
    RecordInvalid
        If one of the files is damaged.
    """
    return Marks(archived=_read(folder / ARCHIVED, Archived))


def _read(path: Path, kind: type[M]) -> M | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as cause:
        raise RecordInvalid(str(path), "", f"cannot be read: {cause.strerror}", "check its permissions") from cause
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        raise RecordInvalid(str(path), dotted(first["loc"]), first["msg"], "restore or delete the file") from None
