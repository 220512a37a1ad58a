"""Where a file may go and may come from: its place without links, as the record writes it, and its new name."""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kroma_nb.blobs.writing import settle_name, writing
from kroma_nb.errors import FileMissing, InUse, PathRefused, RequestInvalid
from kroma_nb.errors.root import shown
from kroma_nb.model.archive import ARCHIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.model.archive import ArchiveTag, Move

ROLE: Final = "archive"
_STEM_BYTES = 120
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a project, a folder that has `.kroma`, keeps as its record: within it nothing moves.
_RECORDS = frozenset({".kroma", "inputs", "originals", "runs", "review", "baselines", "ledger.jsonl", ARCHIVE})


def real_place(path: Path, root: Path) -> Path:
    """Give a path without links on the way; one that is named inside of the root must lie there."""
    if not root.is_dir():
        raise FileMissing(root, ROLE, "there is no such folder")
    if "\0" in str(path):
        raise PathRefused(repr(str(path)), ROLE, "the path holds a NUL character")
    named = Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow the links that are looked for
    inside = named.is_relative_to(os.path.abspath(root))  # noqa: PTH100
    return held_place(path, root) if inside else _place(path)


def held_place(path: Path, root: Path) -> Path:
    """Give a path without links on the way, if it lies in the root."""
    place = _place(path)
    if not (_resolved(path) if path.is_dir() else place).is_relative_to(_resolved(root)):
        raise PathRefused(str(path), ROLE, f"a link on the way leads out of {root}")
    return place


def _place(path: Path) -> Path:
    # The last part may be a link itself, which is for others to refuse.
    return _resolved(path) if path.name in {"", ".."} else _resolved(path.parent) / path.name


def _resolved(path: Path) -> Path:
    # `Path.resolve` raises where links lead in a circle.
    return Path(os.path.realpath(path))


def refuse_records(place: Path, named: Path, root: Path) -> None:
    """Refuse what has its place for a reason.

    Parameters
    ----------
    place : Path
        Without links on the way.
    named : Path
        The same place as it was asked for.
    root : Path
        The folder that has the archive. Projects are looked for wherever the place is, not only there.

    Raises
    ------
    InUse
        If it is in the archive, or in the record of a project.
    """
    if place.is_relative_to(_resolved(root) / ARCHIVE):
        raise InUse(shown(place), "it is a place in the archive", "name one outside of it")
    # A project may have its `runs` elsewhere, behind a link: then only the name leads past the project.
    for way in (place, Path(os.path.abspath(named))):  # noqa: PTH100
        if (project := project_with(way)) is not None:
            problem = f"it belongs to the record of the project in {shown(project)}"
            raise InUse(shown(place), problem, "`kroma runs delete` takes a whole run away")


def project_with(way: Path) -> Path | None:
    """Find the nearest project that has a path in its record; None where there is none."""
    for folder in way.parents:
        if way.relative_to(folder).parts[0] in _RECORDS and os.path.isdir(folder / ".kroma"):  # noqa: PTH112 - never raises
            return folder
    return None


def make_folder(root: Path, tag: ArchiveTag) -> None:
    """Make the folder of a tag, and refuse one that leads out of the root."""
    folder = root / ARCHIVE / tag
    held_place(root / ARCHIVE, root)
    if not folder.is_dir():
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            settle_name(folder)
            settle_name(folder.parent)
    held_place(folder, root)


def recorded(place: Path, root: Path) -> tuple[str, str]:
    """Say where a place is, in characters that a file can hold, and in bytes where those are not enough."""
    inside = place.is_relative_to(_resolved(root))
    text = place.relative_to(_resolved(root)).as_posix() if inside else str(place)
    readable = shown(text)
    return readable, "" if readable == text else os.fsencode(text).hex()


def targets(place: Path, move: Move) -> Iterator[str]:
    """Give names for a file in the archive, the usual one first."""
    clean = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", shown(place.stem))).strip("._-")
    stem = clean.encode()[:_STEM_BYTES].decode(errors="ignore") or "file"
    ending = place.suffix if re.fullmatch(r"\.\w{1,16}", place.suffix) else ""
    seconds, milliseconds = divmod((move.at - _EPOCH) // timedelta(milliseconds=1), 1000)
    for number in itertools.count(1):
        another = f"-{number}" if number > 1 else ""
        yield f"{ARCHIVE}/{move.tag.value}/{stem}_{move.tag.value}_{seconds}-{milliseconds:03d}{another}{ending}"


def back_place(move: Move, root: Path) -> Path:
    """Give the old place of a file, if a record may decide on it."""
    old = move.old_place
    if "\0" in old or ".." in Path(old).parts:
        raise PathRefused(shown(repr(old)), "archive.jsonl: from", "it leads out of the folder")
    if Path(old).is_absolute():
        raise RequestInvalid("request", "to", f"{shown(old)} is outside of {shown(root)}", "name the place to put it")
    return held_place(root / old, root)
