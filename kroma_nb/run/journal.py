"""The journal: events appended to a file, one JSON object a line, and found again by job."""

from __future__ import annotations

import contextlib
import os
import time
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from pydantic import ValidationError

from kroma_nb.blobs import held, lockable, settle_name, take_lock
from kroma_nb.errors import InUse, RecordInvalid, WriteFailed
from kroma_nb.model.money import Money
from kroma_nb.model.run import (
    CallEnded,
    CallStarted,
    CandidateFinished,
    CandidatesAdded,
    CandidateStarted,
    InputStored,
    JobFinished,
    RunResumed,
    RunStarted,
    event_adapter,
)
from kroma_nb.run.folder import RESTORE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path
    from typing import BinaryIO, Literal

    from kroma_nb.model.run import Event, Player
    from kroma_nb.run.folder import RunFolder


LOOKS = 20
"""How often it is tried to hold a journal, a twentieth of a second apart."""


class Journal:
    """An open journal; the process that holds it is the one that plays the run. Threads may share it."""

    def __init__(self, file: FileIO, path: Path, *, whole_bytes: int = 0) -> None:
        self._file, self.path = file, path
        self._whole_bytes = whole_bytes
        self._one_at_a_time = Lock()

    def append(self, event: Event) -> None:
        """Write one event and hand it to the system, so that a killed process loses nothing.

        Raises
        ------
        WriteFailed
            If the disk refuses; the journal then ends with the line before.
        """
        line = event_adapter.dump_json(event, by_alias=True) + b"\n"
        with self._one_at_a_time:
            rest = memoryview(line)
            try:
                while rest:
                    rest = rest[self._file.write(rest) :]
            except OSError as cause:
                # What is written next must not be glued to a torn line.
                with contextlib.suppress(OSError):
                    self._file.seek(self._file.truncate(self._whole_bytes))
                raise WriteFailed(self.path, cause.strerror or str(cause)) from cause
            self._whole_bytes += len(line)

    def sync(self) -> None:
        """Wait until everything so far is on the disk itself.

        Raises
        ------
        WriteFailed
            If the disk refuses.
        """
        try:
            os.fsync(self._file.fileno())
        except OSError as cause:
            raise WriteFailed(self.path, cause.strerror or str(cause)) from cause


@contextmanager
def open_journal(path: Path) -> Iterator[Journal]:
    """Start a journal and hold it: a reader can tell that its run is being played.

    Raises
    ------
    WriteFailed
        If the file cannot be made.
    """
    with held(lambda: _opened_to_write(path, "xb"), path) as file:
        try:
            settle_name(path)
        except OSError as cause:
            raise WriteFailed(path, cause.strerror or str(cause)) from cause
        yield Journal(file, path)


@contextmanager
def reopen_journal(path: Path) -> Iterator[Journal]:
    """Hold a journal again and go on with it, after its last whole line.

    Raises
    ------
    InUse
        If a living process plays the run.
    RecordInvalid
        If there is no such file.
    WriteFailed
        If it cannot be written.
    """
    if not path.exists():
        raise RecordInvalid(str(path), "", "there is no such file, so nothing says what was done", RESTORE)
    with lockable(lambda: _opened_to_write(path, "r+b")) as file:
        if not _locked(file):
            raise InUse(f"run {path.parent.name}", f"{player_of(path)} plays it", "wait for its end, or stop it")
        whole = _whole_bytes(path)
        file.truncate(whole)
        file.seek(whole)
        yield Journal(file, path, whole_bytes=whole)


def _locked(file: FileIO) -> bool:
    for _ in range(LOOKS):
        if take_lock(file):
            return True
        # It may only be somebody who looks whether the run is played.
        time.sleep(0.05)
    return False


def player_of(path: Path) -> str:
    """Say which process plays a run, as its journal has it."""
    players: list[Player | None] = []
    # It may not have come to its first line yet.
    with contextlib.suppress(RecordInvalid):
        players = [event.player for event in JournalIndex(path).head if isinstance(event, RunStarted | RunResumed)]
    last = players[-1] if players else None
    return f"process {last.pid} on {last.host}" if last else "another process"


def read_events(path: Path) -> Iterator[Event]:
    """Give every event of a journal, in order; a torn last line is passed over.

    Raises
    ------
    RecordInvalid
        With the line's number, or if there is no such file.
    """
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            yield _parsed(line, path, f"line {number}")


def _whole_bytes(path: Path) -> int:
    """Give how many bytes there are up to the last whole line: a kill may have torn the one after it."""
    return path.read_bytes().rfind(b"\n") + 1


def is_played(path: Path) -> bool:
    """Tell whether a living process holds the journal.

    Raises
    ------
    RecordInvalid
        If there is no such file.
    """
    with lockable(lambda: _opened(path)) as file:
        return not take_lock(file, shared=True)


def refuse_played(path: Path) -> None:
    """Refuse to touch a run that a living process plays.

    Raises
    ------
    InUse
        With the process.
    RecordInvalid
        If there is no such file.
    """
    if is_played(path):
        raise InUse(f"run {path.parent.name}", f"{player_of(path)} plays it", "wait for its end, or stop it")


def is_abandoned(folder: RunFolder) -> bool:
    """Tell whether a run has begun, has no end, and no living process plays it."""
    if folder.log_path.exists() or not folder.journal_path.exists() or is_played(folder.journal_path):
        return False
    # It may have ended just before its journal was let go.
    return folder.journal_path.stat().st_size > 0 and not folder.log_path.exists()


def has_begun(folder: RunFolder) -> bool:
    """Tell whether the first line of a run's journal is whole: a kill may have come before.

    Raises
    ------
    RecordInvalid
        If that line is no event.
    """
    return next(read_events(folder.journal_path), None) is not None


INPUTS = ""
"""The key under which an index keeps the events of the run's inputs; no job has it as its id."""


class JournalIndex:
    """Where in a journal each job's events stand, so that a long run is folded job by job.

    A torn last line is what a kill in the middle of a write leaves; it is passed over. A broken line before it
    means that somebody changed the file, and nothing is guessed.

    Raises
    ------
    RecordInvalid
        With the line's number, or if there is no such file.

    Attributes
    ----------
    head : list of Event
        The events of the run as a whole, in order.
    spent : Money
        What its paid calls are charged with.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head: list[Event] = []
        charged: dict[str, Money] = {}
        self._places: dict[str, list[int]] = {}
        place = 0
        with _opened(path) as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                event = _parsed(line, path, f"line {number}")
                key = _key_of(event)
                if key is None:
                    self.head.append(event)
                else:
                    self._places.setdefault(key, []).append(place)
                if isinstance(event, CallStarted | CallEnded):
                    charged[event.call_id] = event.upper if isinstance(event, CallStarted) else event.cost
                place += len(line)
        self.spent = sum(charged.values(), Money())

    def events_of(self, key: str) -> Iterator[Event]:
        """Give the events of a job by its id, or those of the inputs, in order."""
        with _opened(self.path) as file:
            for place in self._places.get(key, ()):
                file.seek(place)
                yield _parsed(file.readline(), self.path, f"byte {place}")


def _key_of(event: Event) -> str | None:
    match event:
        case InputStored():
            return INPUTS
        case CandidateStarted() | JobFinished() | CallStarted() | CallEnded() | CandidatesAdded():
            return event.job_id
        case CandidateFinished():
            return event.outcome.job_id
        case _:
            return None


def _opened_to_write(path: Path, mode: Literal["xb", "r+b"]) -> FileIO:
    try:
        # Without a buffer, nothing is left that closing the file could fail to write.
        return path.open(mode, buffering=0)
    except OSError as cause:
        raise WriteFailed(path, cause.strerror or str(cause)) from cause


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as cause:
        raise RecordInvalid(str(path), "", f"cannot be read: {cause.strerror}", RESTORE) from cause


def _parsed(line: bytes, path: Path, where: str) -> Event:
    try:
        return event_adapter.validate_json(line)
    except ValidationError as cause:
        problem = f"{where} is no event: {cause.errors(include_url=False)[0]['msg']}"
        raise RecordInvalid(str(path), "", problem, RESTORE) from None
