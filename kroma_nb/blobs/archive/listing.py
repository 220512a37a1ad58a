"""What an archive holds, by its record and by its folders."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kroma_nb.blobs.archive.book import read_book
from kroma_nb.blobs.archive.moving import size_of
from kroma_nb.blobs.archive.places import ROLE, held_place
from kroma_nb.blobs.writing import PART
from kroma_nb.errors import FileMissing
from kroma_nb.model.archive import ARCHIVE, Act, ArchivedFile, ArchiveListing, ArchiveTag, Whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kroma_nb.model.archive import Move


def listed(root: Path) -> ArchiveListing:
    """List what was moved into a folder's archive, and whatever else lies in it; the files are not read.

    Raises
    ------
    FileMissing
        If there is no such folder, or its record cannot be read.
    PathRefused
        If the archive leads out of the root.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> listed(Path(tempfile.mkdtemp()))
    ArchiveListing(files=(), broken_lines=())
    """
    if not root.is_dir():
        raise FileMissing(root, ROLE, "there is no such folder")
    held_place(root / ARCHIVE, root)
    moves, broken = read_book(root)
    newest = {move.target: move for move in moves}
    files = [found for path, move in newest.items() if (found := _found(root, path, move)) is not None]
    files += [ArchivedFile(path=path, state=Whereabouts.UNRECORDED, size_bytes=n) for path, n in _others(root, newest)]
    return ArchiveListing(files=tuple(files), broken_lines=broken)


def _found(root: Path, path: str, move: Move) -> ArchivedFile | None:
    """Say where a file is that a line is about; None for a move that did not take place."""
    size_bytes = size_of(root / path)
    if move.act is Act.UNDONE:
        unrecorded = ArchivedFile(path=path, state=Whereabouts.UNRECORDED, size_bytes=size_bytes)
        return None if size_bytes is None else unrecorded
    if size_bytes is not None:
        state = Whereabouts.ARCHIVED if size_bytes == move.size_bytes else Whereabouts.CHANGED
    elif move.act is Act.RESTORED:
        state = Whereabouts.RESTORED
    else:
        is_at_home = size_of(root / move.old_place) == move.size_bytes
        state = Whereabouts.UNMOVED if is_at_home else Whereabouts.GONE
    return ArchivedFile(path=path, state=state, size_bytes=size_bytes, move=move)


def _others(root: Path, known: dict[str, Move]) -> Iterator[tuple[str, int]]:
    for tag in ArchiveTag:
        folder = root / ARCHIVE / tag
        held_place(folder, root)
        names = sorted(entry.name for entry in os.scandir(folder)) if folder.is_dir() else []
        for name in names:
            path, size_bytes = f"{ARCHIVE}/{tag.value}/{name}", size_of(folder / name)
            is_part = name.startswith(".") and name.endswith(PART)
            if size_bytes is not None and path not in known and not is_part:
                yield path, size_bytes
