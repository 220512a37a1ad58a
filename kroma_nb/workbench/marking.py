"""Small files in a run's folder that say something of it beside its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from kroma_nb.errors import RecordInvalid
from kroma_nb.model.marks import Archived
from kroma_nb.model.notebook import NotebookRecord
from kroma_nb.model.parsing import dotted
from kroma_nb.store import Beside

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.value import Value

M = TypeVar("M", bound="Value")

ARCHIVED, NOTEBOOK = "archived.json", "notebook.json"
FILES = ("run.json", "plan.json", "journal.jsonl", ARCHIVED, NOTEBOOK)


def is_archived(folder: Path) -> bool:
    """Tell whether a run is put away."""
    return (folder / ARCHIVED).exists()


def beside(folder: Path) -> Beside:
    """Read what is known of a run beside its record.

    Raises
    ------
    RecordInvalid
        If one of the files is damaged.
    """
    looks = seen(folder)  # first: what changes while it is read is then read again
    archived = _read(folder / ARCHIVED, Archived)
    return Beside(seen=looks, archived_at=archived.at if archived else None, notebook=read_notebook(folder))


def read_notebook(folder: Path) -> NotebookRecord | None:
    """Read which notebook made a run; None where it was made in another way.

    Raises
    ------
    RecordInvalid
        If the file is damaged.
    """
    return _read(folder / NOTEBOOK, NotebookRecord)


def seen(folder: Path) -> str:
    """Say what a run's files look like, without reading them: another text, and they may say something else."""
    return "; ".join(text for name in FILES if (text := state(folder / name)))


def state(path: Path) -> str:
    """Say what a file looks like, without reading it; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{path.name} {found.st_size} {found.st_mtime_ns}"


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
