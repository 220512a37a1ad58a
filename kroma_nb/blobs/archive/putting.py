"""Moves files into the archive and back, each with a line in its record before it moves."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC
from typing import TYPE_CHECKING

from kroma_nb.blobs.archive import moving
from kroma_nb.blobs.archive.book import open_book
from kroma_nb.blobs.archive.places import (
    ROLE,
    back_place,
    held_place,
    make_folder,
    real_place,
    recorded,
    refuse_records,
    targets,
)
from kroma_nb.blobs.writing import reason as said
from kroma_nb.blobs.writing import writing
from kroma_nb.errors import ContentDamaged, FileMissing, InUse, KromaError, WriteFailed
from kroma_nb.errors.root import shown
from kroma_nb.model.archive import ARCHIVE, Act, Move
from kroma_nb.model.run import now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from kroma_nb.blobs.archive.book import MoveBook
    from kroma_nb.model.archive import ArchiveTag


def archive_file(path: Path, *, root: Path, tag: ArchiveTag, reason: str = "", at: datetime | None = None) -> Move:
    """Move a file into ``archive/<tag>/`` under a name that nothing else has, and write down where it came from.

    At any moment, also after a kill, the file is whole at its old place, at its new one, or at both; asking again
    finishes what was cut off. The line is on the disk before the file moves. Several processes may archive at once.
    To another file system the file is copied, read again, and only then removed.

    Parameters
    ----------
    path : Path
        The file. It may lie outside of the root.
    root : Path
        The folder that has the archive; the record's paths are relative to it.
    tag : ArchiveTag
        Why: ``replaced`` or ``bad``.
    reason : str
        More of it, for people.
    at : datetime, optional
        When; now by default.

    Returns
    -------
    Move

    Raises
    ------
    FileMissing
        If the file or the root is not there.
    PathRefused
        If the file is a link, or a link on the way leads out of the root.
    InUse
        If the file belongs to a project's record, or is in the archive.
    WriteFailed
        If the disk or the permissions do not allow it; the file is then where it was.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from kroma_nb.model.archive import ArchiveTag
    >>> root = Path(tempfile.mkdtemp())
    >>> page = root / "page.png"
    >>> _ = page.write_bytes(b"ink")
    >>> move = archive_file(page, root=root, tag=ArchiveTag.BAD, reason="blank")
    >>> move.source, page.exists(), (root / move.target).read_bytes()
    ('page.png', False, b'ink')
    """
    place = real_place(path, root)
    refuse_records(place, path, root)
    moving.regular(place, ROLE)
    make_folder(root, tag)
    with open_book(root) as book:
        _undo_if_cut_off(book, root, book.last())
        seen = moving.look(place, ROLE)
        source, exact = recorded(place, root)
        # While its disk was away nobody could tell that it had not moved.
        _undo_if_cut_off(book, root, book.last_of(source))
        move = Move(
            at=(at or now()).astimezone(UTC),
            target=f"{ARCHIVE}/{tag.value}/_",
            tag=tag,
            sha256=seen.sha256,
            size_bytes=seen.size_bytes,
            reason=reason,
            source=source,
            source_hex=exact,
        )
        return _finished(book, place, root, seen, move) or _moved(book, place, root, seen, move)


def restore(move: Move, *, root: Path, to: Path | None = None) -> Move:
    """Move a file from the archive back to its old place, if nothing is there.

    Parameters
    ----------
    move : Move
        The file, as `listed` or `archive_file` gave it.
    root : Path
        The folder that has the archive.
    to : Path, optional
        Where to instead. A file that came from outside of the root goes nowhere else: what a record says must not
        decide where outside of its own folder something is written.

    Returns
    -------
    Move

    Raises
    ------
    FileMissing, ContentDamaged
        If the archive does not have the file any more, or it is no longer what was moved there.
    InUse
        If something else is at the place, or it is in the record of a project.
    RequestInvalid
        If the file came from outside of the root, and no place was named.
    PathRefused
        If a link leads out of the root.
    WriteFailed
        If the disk or the permissions do not allow it; the file is then in the archive.
    """
    archived = held_place(root / move.target, root)
    place = back_place(move, root) if to is None else real_place(to, root)
    refuse_records(place, root / move.old_place if to is None else to, root)
    moving.regular(archived, ROLE)
    with open_book(root) as book:
        _undo_if_cut_off(book, root, book.last())
        seen = moving.look(archived, ROLE)
        if seen.sha256 != move.sha256:
            raise ContentDamaged(archived, move.sha256, seen.sha256)
        if os.path.lexists(place) and not _holds(place, seen.sha256):
            raise _taken(archived, place)
        source, exact = recorded(place, root)
        changes = {"act": Act.RESTORED, "at": now(), "source": source, "source_hex": exact}
        back = move.model_copy(update=changes)
        book.append(back)
        with writing(place):
            _put_back(archived, place, seen)
        return back


def _moved(book: MoveBook, place: Path, root: Path, seen: moving.Look, move: Move) -> Move:
    for target in targets(place, move):
        if os.path.lexists(root / target):
            continue
        move = move.model_copy(update={"target": target})
        book.append(move)
        try:
            with _refused_moves(place, root / target):
                if moving.claim(root / target):
                    return _arrived(book, place, root, seen, move)
        except KromaError as cause:
            _undo(book, root, move, str(cause))
            raise
        _undo(book, root, move, "another file has come to this name")
    raise AssertionError("names do not end")


def _arrived(book: MoveBook, place: Path, root: Path, seen: moving.Look, move: Move) -> Move:
    found = moving.move_to_claim(place, root / move.target, seen, ROLE)
    if found.sha256 == move.sha256:
        return move
    # Somebody wrote to it between its line and its move: the newest line says what is there.
    move = move.model_copy(update={"sha256": found.sha256, "size_bytes": found.size_bytes})
    book.append(move)
    return move


@contextlib.contextmanager
def _refused_moves(place: Path, archived: Path) -> Iterator[None]:
    try:
        yield
    except OSError as cause:
        if not os.path.lexists(place) and moving.size_of(archived) is None:
            raise FileMissing(place, ROLE, said(cause)) from cause
        refusing = archived if os.access(place.parent, os.W_OK) else place
        raise WriteFailed(refusing, said(cause)) from cause


def _undo(book: MoveBook, root: Path, move: Move, why: str) -> None:
    """Write down that a move did not take place; where it has, or the disk refuses also this, nothing is said."""
    archived = root / move.target
    with contextlib.suppress(OSError):
        if moving.is_claim(archived):
            archived.unlink()
    with contextlib.suppress(WriteFailed):
        if moving.size_of(archived) != move.size_bytes or os.path.lexists(root / move.old_place):
            book.append(move.model_copy(update={"act": Act.UNDONE, "at": now(), "reason": why}))


def _undo_if_cut_off(book: MoveBook, root: Path, move: Move | None) -> None:
    """Clear away what a killed move has left; whoever adds a line does it for the newest one before."""
    if move is None or move.act is not Act.ARCHIVED:
        return
    archived = root / move.target
    claimed = moving.is_claim(archived)
    with writing(archived):
        moving.part_of(archived.parent, archived).unlink(missing_ok=True)
        if claimed:
            archived.unlink()
    if claimed or (not os.path.lexists(archived) and _holds(root / move.old_place, move.sha256)):
        book.append(move.model_copy(update={"act": Act.UNDONE, "at": now(), "reason": "it was cut off"}))


def _finished(book: MoveBook, place: Path, root: Path, seen: moving.Look, move: Move) -> Move | None:
    """Finish a move to another file system that was cut off when the copy was whole; None where there is none."""
    earlier = book.last_of(move.source)
    if earlier is None or earlier.act is not Act.ARCHIVED:
        return None
    if (earlier.tag, earlier.sha256, earlier.source_hex) != (move.tag, move.sha256, move.source_hex):
        return None
    archived = root / earlier.target
    if not os.path.lexists(archived) or archived.lstat().st_mtime_ns != seen.mtime_ns:
        return None
    # The copy has the file's own time, and so may a file that was put back since: but that one came after the copy.
    if place.lstat().st_ctime_ns >= archived.lstat().st_ctime_ns:
        return None
    if not _holds(archived, earlier.sha256):
        return None
    with _refused_moves(place, archived):
        moving.leave(place, seen)
    return earlier


def _put_back(archived: Path, place: Path, seen: moving.Look) -> None:
    if os.path.lexists(place):
        # An earlier try was cut off when the file was back.
        moving.part_of(place.parent, archived).unlink(missing_ok=True)
        moving.leave(archived, seen)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        moving.move_to_free(archived, place, seen)
    except FileExistsError as cause:
        raise _taken(archived, place) from cause


def _taken(archived: Path, place: Path) -> InUse:
    return InUse(shown(archived), f"something else is at {shown(place)}", "move that away first, or name another place")


def _holds(path: Path, sha256: str) -> bool:
    try:
        return moving.look(path, ROLE).sha256 == sha256
    except KromaError:
        return False
