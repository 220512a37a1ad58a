"""The atomic writer that every file of kroma_nb goes through."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from typing import IO, TYPE_CHECKING

from kroma_nb.errors import WriteFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PART = ".part"
READ_ONLY = 0o444


def write_atomic(path: Path, data: bytes, *, durable: bool = False, read_only: bool = False) -> None:
    """Put bytes at a path in one step: a reader sees the old file or the new one, never a part.

    Missing folders are made. A failed or killed write leaves what stood there before.

    Parameters
    ----------
    path : Path
        Where the bytes go.
    data : bytes
        The whole content.
    durable : bool
        Whether to return only when the disk says that file and name are safe from a power cut.
    read_only : bool
        Whether nobody may write into the file afterwards.

    Raises
    ------
    WriteFailed
        If the disk is full, the folder cannot be written, or the like.
    """
    with atomic_file(path, durable=durable) as file:
        file.write(data)
        if read_only:
            os.fchmod(file.fileno(), READ_ONLY)


def create_atomic(path: Path, data: bytes) -> bool:
    """Put bytes at a path where nothing is yet, whole and safe from a power cut; tell whether this call did it.

    Of several that try at once, exactly one does.

    Raises
    ------
    WriteFailed
        If the disk is full, the folder cannot be written, or the like.
    """
    with writing(path):
        make_folder(path.parent, durable=True)
        with part_file(path.parent, path.name[:64]) as (part, file):
            file.write(data)
            settle(file, durable=True)
            try:
                path.hardlink_to(part)
            except FileExistsError:
                return False
        settle_name(path)
    return True


@contextlib.contextmanager
def atomic_file(path: Path, *, durable: bool = False) -> Iterator[IO[bytes]]:
    """Open a file to be written piece by piece, which is at its path only once the block has ended well.

    Missing folders are made. A failed or killed write leaves what stood there before.

    Parameters
    ----------
    path : Path
        Where the bytes go.
    durable : bool
        Whether to leave the block only when the disk says that file and name are safe from a power cut.

    Raises
    ------
    WriteFailed
        If the disk is full, the folder cannot be written, or the like.
    """
    with writing(path):
        make_folder(path.parent, durable=durable)
        with part_file(path.parent, path.name[:64]) as (part, file):
            yield file
            settle(file, durable=durable)
            move(part, path, durable=durable)


def reason(error: OSError) -> str:
    """Give what the system said."""
    return error.strerror or type(error).__name__


@contextlib.contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn what the system says while a file is written into `WriteFailed`."""
    try:
        yield
    except OSError as error:
        raise WriteFailed(target, reason(error)) from error


@contextlib.contextmanager
def part_file(folder: Path, stem: str) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a new temporary file that is gone at the end unless it was moved away."""
    part = folder / f".{stem}.{os.getpid()}-{secrets.token_hex(6)}{PART}"
    try:
        with part.open("xb") as file:
            yield part, file
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def make_folder(folder: Path, *, durable: bool) -> None:
    """Make a folder and those above it, where they are missing."""
    if not durable:
        folder.mkdir(parents=True, exist_ok=True)
    elif not folder.is_dir():
        make_folder(folder.parent, durable=True)
        folder.mkdir(exist_ok=True)
        settle_name(folder)


def settle(file: IO[bytes], *, durable: bool) -> None:
    """Hand everything written to the system, and wait for the disk where it shall be durable."""
    file.flush()
    if durable:
        os.fsync(file.fileno())


def move(part: Path, place: Path, *, durable: bool) -> None:
    """Put a temporary file at its place in one step."""
    part.replace(place)
    if durable:
        settle_name(place)


def settle_name(place: Path) -> None:
    """Wait until the disk knows a file's name."""
    if sys.platform != "win32":
        # The name lives in the folder: without this, a power cut may keep the bytes and lose the name.
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
