"""The journal: events appended to a file, one JSON object a line, and read back."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import ValidationError

from kroma_nb.errors import RecordInvalid, WriteFailed
from kroma_nb.model.run import event_adapter

try:
    import fcntl
except ImportError:  # pragma: no cover - no advisory locks on this system
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from kroma_nb.model.run import Event


class Journal:
    """An open journal; the process that holds it is the one that plays the run."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self.path = file, path

    def append(self, event: Event) -> None:
        """Write one event and hand it to the system, so that a killed process loses nothing.

        Raises
        ------
        WriteFailed
            If the disk refuses; the line may then be torn, which readers accept at the end of the file.
        """
        try:
            self._file.write(event_adapter.dump_json(event, by_alias=True) + b"\n")
            self._file.flush()
        except OSError as cause:
            raise WriteFailed(self.path, cause.strerror or str(cause)) from cause

    def sync(self) -> None:
        """Wait until everything so far is on the disk itself."""
        os.fsync(self._file.fileno())


@contextmanager
def open_journal(path: Path) -> Iterator[Journal]:
    """Start a journal and hold it: a reader can tell that its run is being played.

    Raises
    ------
    WriteFailed
        If the file cannot be made.
    """
    try:
        file = path.open("xb")
    except OSError as cause:
        raise WriteFailed(path, cause.strerror or str(cause)) from cause
    with file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield Journal(file, path)


def is_played(path: Path) -> bool:
    """Tell whether a living process holds the journal."""
    if fcntl is None:  # pragma: no cover
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def read_journal(path: Path) -> Iterator[Event]:
    """Read the events back, in order.

    A torn last line is what a kill in the middle of a write leaves; it is passed over. A broken line before it
    means that somebody changed the file, and nothing is guessed.

    Raises
    ------
    RecordInvalid
        With the line's number, or if there is no such file.
    """
    try:
        file = path.open("rb")
    except OSError as cause:
        raise RecordInvalid(str(path), "", f"cannot be read: {cause.strerror}", "restore the file") from cause
    with file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield event_adapter.validate_json(line)
            except ValidationError as cause:
                problem = f"line {number} is no event: {cause.errors(include_url=False)[0]['msg']}"
                raise RecordInvalid(str(path), "", problem, "restore the file from a copy of the run") from None
