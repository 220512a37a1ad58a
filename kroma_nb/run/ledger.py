"""The ledger of a project: a line for every paid call before it is made, and one for what became of it."""

from __future__ import annotations

import contextlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import ValidationError

from kroma_nb.blobs import PATIENCE_S, create_atomic, held
from kroma_nb.errors import RecordInvalid, WriteFailed
from kroma_nb.model.ledger import Ended, Reserved, entry_adapter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path

    from kroma_nb.model.ledger import LedgerEntry

LEDGER = "ledger.jsonl"
LONGEST_BYTES = 1 << 20
"""No line is longer than this."""
RESTORE = "restore the file from a copy; until then nothing is paid for"


class Ledger:
    """A project's ledger.

    Parameters
    ----------
    root : Path
        The project root.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / LEDGER

    @contextmanager
    def held(self) -> Iterator[Book]:
        """Hold the ledger, so that no other process of this machine writes into it meanwhile.

        Raises
        ------
        WriteFailed
            If the file cannot be made or written.
        LockHeld
            If another process holds it and does not let it go.
        """
        while True:
            if not self.path.exists():
                create_atomic(self.path, b"")
            with held(self._opened, self.path, within_s=PATIENCE_S) as file:
                if self._is_in_place(file):
                    yield Book(self.path, file)
                    return
            # Somebody has put another file there while this process waited for its turn.

    def _opened(self) -> FileIO:
        try:
            return self.path.open("r+b", buffering=0)
        except OSError as cause:
            raise WriteFailed(self.path, cause.strerror or str(cause)) from cause

    def _is_in_place(self, file: FileIO) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except OSError:
            return False

    def entries(self, start: int = 0) -> Iterator[tuple[LedgerEntry, int]]:
        """Give the lines from a place on, each with the place after it; a torn last line is passed over.

        Raises
        ------
        RecordInvalid
            If a line is not what was written.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        except OSError as cause:
            raise RecordInvalid(str(self.path), "", f"cannot be read: {cause.strerror}", RESTORE) from cause
        with file:
            file.seek(start)
            place = start
            for line in file:
                if not line.endswith(b"\n"):
                    return
                place += len(line)
                yield _parsed(line, self.path, place), place

    def calls_of(self, run_id: str) -> tuple[tuple[Reserved, Ended | None], ...]:
        """Give the calls of a run, in order, each with what became of it; None where nobody has written that."""
        calls: dict[str, tuple[Reserved, Ended | None]] = {}
        for entry, _ in self.entries():
            match entry:
                case Reserved() if entry.run_id == run_id:
                    calls[entry.call_id] = entry, None
                case Ended() if entry.call_id in calls:
                    calls[entry.call_id] = calls[entry.call_id][0], entry
        return tuple(calls.values())

    def call(self, call_id: str) -> Reserved:
        """Give a call by its id.

        Raises
        ------
        KeyError
            If there is none.
        """
        for entry, _ in self.entries():
            if isinstance(entry, Reserved) and entry.call_id == call_id:
                return entry
        raise KeyError(call_id)

    def size_bytes(self) -> int:
        """Give the size of the file; 0 where there is none."""
        return self.path.stat().st_size if self.path.exists() else 0

    def line_before(self, place: int) -> bytes:
        """Give the line that ends at a place; empty where none does."""
        if place <= 0 or place > self.size_bytes():
            return b""
        with self.path.open("rb") as file:
            start = max(0, place - LONGEST_BYTES)
            file.seek(start)
            lines = file.read(place - start).splitlines(keepends=True)
        return lines[-1] if lines and lines[-1].endswith(b"\n") else b""


class Book:
    """A ledger that this process holds."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path, self._file = path, file

    def append(self, entry: LedgerEntry) -> None:
        """Write a line, and return when it is on the disk itself.

        Raises
        ------
        WriteFailed
            If the disk refuses; the ledger is then as it was.
        """
        line = entry_adapter.dump_json(entry, by_alias=True) + b"\n"
        whole = self._whole_bytes()
        try:
            # What a killed process has torn was never acted upon.
            self._file.truncate(whole)
            self._file.seek(whole)
            rest = memoryview(line)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as cause:
            # A line that cannot be taken back stays charged.
            with contextlib.suppress(OSError):
                self._file.truncate(whole)
            raise WriteFailed(self.path, cause.strerror or str(cause)) from cause

    def _whole_bytes(self) -> int:
        end = self._file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - 4096)
            self._file.seek(start)
            found = self._file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
        return 0


def _parsed(line: bytes, path: Path, place: int) -> LedgerEntry:
    try:
        return entry_adapter.validate_json(line)
    except ValidationError as cause:
        problem = f"the line that ends at byte {place} is no entry: {cause.errors(include_url=False)[0]['msg']}"
        raise RecordInvalid(str(path), "", problem, RESTORE) from None
