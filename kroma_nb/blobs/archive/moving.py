"""Moves a file so that at any moment it is whole at its old place, at its new one, or at both."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb.blobs.store import copy_bytes, sha256_file
from kroma_nb.blobs.writing import PART, reason, settle, settle_name
from kroma_nb.errors import ContentDamaged, FileMissing, PathRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Look:
    """A file as it was when it was read."""

    sha256: str
    size_bytes: int
    mtime_ns: int
    device: int
    inode: int

    def is_still(self, path: Path) -> bool:
        """Tell, without reading it, whether this very file is at a path and unchanged."""
        with contextlib.suppress(OSError):
            found = path.lstat()
            return (self.size_bytes, self.mtime_ns, self.device, self.inode) == (
                *(found.st_size, found.st_mtime_ns),
                *(found.st_dev, found.st_ino),
            )
        return False


def regular(path: Path, role: str) -> os.stat_result:
    """Look at a file that must be there and be no link.

    Raises
    ------
    PathRefused
        If it is a link.
    FileMissing
        If it is not there, or no file.
    """
    try:
        found = path.lstat()
    except (OSError, ValueError) as cause:
        raise FileMissing(path, role, reason(cause) if isinstance(cause, OSError) else str(cause)) from cause
    if stat.S_ISLNK(found.st_mode):
        raise PathRefused(str(path), role, "this is a link")
    if not stat.S_ISREG(found.st_mode):
        kind = "this is a folder, not a file" if stat.S_ISDIR(found.st_mode) else "this is no regular file"
        raise FileMissing(path, role, kind)
    return found


def look(path: Path, role: str) -> Look:
    """Read a file once, and say what was seen.

    Raises
    ------
    PathRefused, FileMissing
        If it is a link, is not there, is no file, or cannot be read.
    """
    regular(path, role)
    try:
        # Whatever has come to the path since: a link is not followed, and a pipe is not waited for.
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(number, "rb") as file:  # noqa: PTH123 - a descriptor has no path
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            found = os.fstat(file.fileno())
    except OSError as cause:
        raise FileMissing(path, role, reason(cause)) from cause
    return Look(digest, found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino)


def claim(place: Path) -> bool:
    """Take a name with an empty file, and tell whether it was free; of several that try, exactly one gets it."""
    try:
        # Without a permission, so that it cannot be taken for an empty file that was moved there.
        os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0))
    except FileExistsError:
        return False
    return True


def is_claim(place: Path) -> bool:
    """Tell whether at a place nothing is but a name that was taken."""
    with contextlib.suppress(OSError):
        found = place.lstat()
        return stat.S_ISREG(found.st_mode) and (found.st_size, stat.S_IMODE(found.st_mode)) == (0, 0)
    return False


def size_of(place: Path) -> int | None:
    """Give a file's size; None where there is none, or only a name that was taken."""
    with contextlib.suppress(OSError, ValueError):
        found = place.lstat()
        if stat.S_ISREG(found.st_mode) and not is_claim(place):
            return found.st_size
    return None


def move_to_claim(source: Path, place: Path, seen: Look, role: str) -> Look:
    """Move a file to a name that was claimed, and say what has arrived there.

    Raises
    ------
    OSError
        If the system refuses; the file is then where it was.
    ContentDamaged
        If it changed while it was copied to another file system; it is then where it was.
    """
    try:
        source.replace(place)
    except OSError as cause:
        if cause.errno != errno.EXDEV:
            raise
        _copy_to_claim(source, place, seen)
        return seen
    _settle_both(place, source)
    return seen if seen.is_still(place) else look(place, role)


def move_to_free(source: Path, place: Path, seen: Look) -> None:
    """Move a file to where nothing is yet.

    Raises
    ------
    FileExistsError
        If something is there.
    OSError
        If the system refuses; the file is then where it was, or at both places.
    """
    try:
        place.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:
        # Another file system, or one without links, or a file that somebody else owns.
        with _copied(source, part_of(place.parent, source), seen) as part:
            _put_free(part, place)
    settle_name(place)
    leave(source, seen)


def leave(source: Path, seen: Look) -> None:
    """Remove a file from its old place; whatever else has come there meanwhile stays."""
    if seen.is_still(source):
        source.unlink()
        with contextlib.suppress(OSError):
            settle_name(source)


def part_of(folder: Path, archived: Path) -> Path:
    """Name a copy that is being written after its file in the archive, so that what a kill leaves is found."""
    return folder / f".{archived.name}{PART}"


def _copy_to_claim(source: Path, place: Path, seen: Look) -> None:
    with _copied(source, part_of(place.parent, place), seen) as part:
        part.replace(place)
    settle_name(place)
    try:
        leave(source, seen)
    except OSError:
        # It cannot go from its old place: then it is not moved.
        place.unlink()
        raise


@contextlib.contextmanager
def _copied(source: Path, part: Path, seen: Look) -> Iterator[Path]:
    """Make a copy, on the disk and checked, that is gone at the end unless it was moved away."""
    part.unlink(missing_ok=True)
    try:
        with source.open("rb") as original, part.open("xb") as copy:
            digest, _ = copy_bytes(original, copy)
            if digest != seen.sha256:
                raise ContentDamaged(source, seen.sha256, digest)
            settle(copy, durable=True)
        _liken(part, source)
        found = sha256_file(part)
        if found != seen.sha256:
            raise ContentDamaged(part, seen.sha256, found)
        yield part
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _liken(part: Path, source: Path) -> None:
    # Some file systems know no permissions.
    with contextlib.suppress(OSError):
        found = source.stat()
        os.utime(part, ns=(found.st_atime_ns, found.st_mtime_ns))
        part.chmod(stat.S_IMODE(found.st_mode))


def _put_free(part: Path, place: Path) -> None:
    try:
        place.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links: nothing better can be asked of it than to look first.
        if os.path.lexists(place):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place)) from None
        part.replace(place)


def _settle_both(place: Path, source: Path) -> None:
    settle_name(place)
    # After a power cut the file may be found at its old place as well, never at none.
    with contextlib.suppress(OSError):
        settle_name(source)
