"""Puts a new file in the place of an old one, which goes into the archive once the new one is whole."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from kroma_nb.blobs.archive.putting import archive_file, restore
from kroma_nb.blobs.writing import make_folder, part_file, settle, settle_name, writing
from kroma_nb.errors import FileMissing, KromaError
from kroma_nb.model.archive import ArchiveTag

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.archive import Move


def replace_file(path: Path, data: bytes, *, root: Path, reason: str = "") -> tuple[Move, ...]:
    """Put bytes at a path; what stands there goes to ``archive/replaced/`` once all bytes are on the disk.

    Nothing that others put there meanwhile is overwritten: it goes to the archive as well. Where the new file cannot
    take its place after all, the old one is moved back.

    Parameters
    ----------
    path : Path
        Where the bytes go; missing folders are made.
    data : bytes
    root : Path
        The folder that has the archive.
    reason : str
        Why, for people.

    Returns
    -------
    tuple of Move
        What was archived: nothing, or usually one file.

    Raises
    ------
    WriteFailed
        If the disk refuses the new file; what stood there stands there.
    PathRefused, FileMissing, InUse
        If what stands there cannot go to the archive, as a link, a folder, or a project's record.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> root = Path(tempfile.mkdtemp())
    >>> replace_file(root / "page.png", b"old", root=root)
    ()
    >>> (move,) = replace_file(root / "page.png", b"new", root=root)
    >>> (root / "page.png").read_bytes(), (root / move.target).read_bytes()
    (b'new', b'old')
    """
    with writing(path):
        make_folder(path.parent, durable=True)
        with part_file(path.parent, path.name[:64]) as (part, file):
            file.write(data)
            settle(file, durable=True)
            moves = _put(part, path, root, reason)
        settle_name(path)
    return moves


def _put(part: Path, path: Path, root: Path, reason: str) -> tuple[Move, ...]:
    moves: list[Move] = []
    try:
        while True:
            if os.path.lexists(path):
                moves += _archived(path, root, reason)
            if _placed(part, path):
                return tuple(moves)
    except OSError:
        for move in moves[:1]:
            with contextlib.suppress(KromaError):
                restore(move, root=root, to=path)
        raise


def _archived(path: Path, root: Path, reason: str) -> list[Move]:
    try:
        return [archive_file(path, root=root, tag=ArchiveTag.REPLACED, reason=reason)]
    except FileMissing as missing:
        if not isinstance(missing.__cause__, FileNotFoundError):
            raise
        return []  # somebody else took it away first


def _placed(part: Path, path: Path) -> bool:
    """Give a file its name; tell whether the name was free."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return False
    except OSError:
        # A file system without links, as on many a stick: between this look and the move somebody may be overwritten.
        if os.path.lexists(path):
            return False
        part.replace(path)
    return True
