"""The record of an archive, ``archive/archive.jsonl``: one line a move, written before the file moves."""

from __future__ import annotations

import errno
import json
import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from pydantic import ValidationError

from kroma_nb.blobs.locks import await_lock, lockable
from kroma_nb.blobs.writing import reason, settle_name, writing
from kroma_nb.errors import FileMissing, PathRefused, WriteFailed
from kroma_nb.model.archive import ARCHIVE, Move

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path

BOOK = f"{ARCHIVE}/archive.jsonl"
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


class MoveBook:
    """An open record; whoever holds it is the only one who moves files of its archive."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self.path = file, path
        file.seek(0)
        # Nobody else writes to it meanwhile, so that it is read once.
        self._data = file.read()
        self._mend()

    def append(self, move: Move) -> None:
        """Write a line, and wait until it is on the disk.

        Raises
        ------
        WriteFailed
            If the disk refuses; the record then ends with the line before.
        """
        self._write(json.dumps(move.to_json(), ensure_ascii=False).encode() + b"\n")

    def last(self) -> Move | None:
        """Give the newest line; None where there is none, or it cannot be read."""
        return parsed(self._data.rstrip(b"\n").rpartition(b"\n")[2])

    def last_of(self, source: str) -> Move | None:
        """Give the newest line about a file's old place."""
        needle = json.dumps(source, ensure_ascii=False).encode()
        # Ten thousand lines are searched faster than a hundred are parsed.
        for line in reversed(self._data.split(b"\n")) if needle in self._data else ():
            if needle in line and (move := parsed(line)) is not None and move.source == source:
                return move
        return None

    def _mend(self) -> None:
        """Cut off what a kill in the middle of a line has left: its file had not moved."""
        whole, _, rest = self._data.rpartition(b"\n")
        if rest and parsed(rest) is not None:
            self._write(b"\n")
        elif rest:
            with writing(self.path):
                self._data = self._data[: self._file.truncate(len(whole) + 1 if whole else 0)]

    def _write(self, data: bytes) -> None:
        before, rest = self._file.seek(0, os.SEEK_END), memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as cause:
            # What is written next must not be glued to a torn line.
            self._file.truncate(before)
            raise WriteFailed(self.path, reason(cause)) from cause
        self._data += data


@contextmanager
def open_book(root: Path) -> Iterator[MoveBook]:
    """Open the record of a folder's archive, once nobody else holds it.

    Raises
    ------
    PathRefused
        If it is a link.
    WriteFailed
        If it cannot be written.
    """
    path = root / BOOK
    with lockable(lambda: _opened(path)) as file:
        with writing(path):
            await_lock(file, path)
            settle_name(path)
        yield MoveBook(file, path)


def _opened(path: Path) -> FileIO:
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _NO_LINK, 0o666)
    except OSError as cause:
        if cause.errno == errno.ELOOP:
            raise PathRefused(str(path), "archive", "this is a link") from cause
        raise WriteFailed(path, reason(cause)) from cause
    # Without a buffer, nothing is left that closing the file could fail to write.
    return open(number, "r+b", buffering=0)  # noqa: PTH123 - a descriptor has no path


def read_book(root: Path) -> tuple[list[Move], tuple[int, ...]]:
    """Read all lines, and the numbers of those that cannot be read; a torn last one is passed over.

    Raises
    ------
    PathRefused
        If the record is a link.
    FileMissing
        If it is there and cannot be read.
    """
    path = root / BOOK
    try:
        with open(os.open(path, os.O_RDONLY | _NO_LINK), "rb") as file:  # noqa: PTH123 - a descriptor has no path
            data = file.read()
    except FileNotFoundError:
        return [], ()
    except OSError as cause:
        if cause.errno == errno.ELOOP:
            raise PathRefused(str(path), "archive", "this is a link") from cause
        raise FileMissing(path, "archive", reason(cause)) from cause
    lines = data.split(b"\n")
    torn = lines.pop()
    if torn and parsed(torn) is not None:
        lines.append(torn)
    moves = [parsed(line) for line in lines]
    broken = tuple(number for number, move in enumerate(moves, 1) if move is None and lines[number - 1].strip())
    return [move for move in moves if move is not None], broken


def parsed(line: bytes) -> Move | None:
    """Read a line; None where it is no move."""
    try:
        return Move.model_validate_json(line)
    except ValidationError:
        return None
