"""Advisory locks on files and folders: each ends with the process that holds it, however that ends."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Protocol, TypeVar

from kroma_nb.errors import LockHeld, WriteFailed

try:
    import fcntl
except ImportError:  # pragma: no cover - no advisory locks on this system
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE_S = 60.0
"""How long a lock is waited for that is only ever held for a moment: a process that holds it longer was stopped."""
LONGEST_NAP_S = 0.02


class Lockable(Protocol):
    """An open file."""

    @property
    def closed(self) -> bool:
        """Whether it is open no more."""

    def fileno(self) -> int:
        """Give its descriptor."""

    def close(self) -> None:
        """Close it; once more does nothing."""


F = TypeVar("F", bound=Lockable)


def take_lock(file: Lockable, *, shared: bool = False) -> bool:
    """Take a lock at once; tell whether it was free. Where there are no locks, it always is."""
    if fcntl is None:  # pragma: no cover
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def await_lock(file: Lockable, path: Path, *, within_s: float | None = None) -> None:
    """Wait until nobody else holds a lock, and take it.

    Parameters
    ----------
    file : file
        The open file.
    path : Path
        Where it is.
    within_s : float, optional
        How long to wait; without it, for as long as it takes.

    Raises
    ------
    LockHeld
        If somebody else has held it all that time.
    """
    if fcntl is None:  # pragma: no cover
        return
    if within_s is None:
        fcntl.flock(file, fcntl.LOCK_EX)
        return
    end, nap_s = time.monotonic() + within_s, 0.001
    while not take_lock(file):
        if time.monotonic() >= end:
            raise LockHeld(path, within_s)
        time.sleep(nap_s)
        nap_s = min(2 * nap_s, LONGEST_NAP_S)


@contextmanager
def lockable(opening: Callable[[], F]) -> Iterator[F]:
    """Open a file that will be locked; in the end it is unlocked and closed.

    Whoever has a copy of an open file holds its lock too. So a process that is forked meanwhile closes its copy at
    once, and unlocking comes before closing: it holds for copies that nobody could close.

    Parameters
    ----------
    opening : callable
        Opens the file, and does nothing else: this process cannot be forked meanwhile.
    """
    _watch_forks()
    with _open_here.gate:
        file = opening()
        _open_here.files.add(file)
    try:
        yield file
    finally:
        _let_go(file)


@contextmanager
def held(opening: Callable[[], F], path: Path, *, within_s: float | None = None) -> Iterator[F]:
    """Open a file as `lockable` does, and hold it once nobody else does.

    Raises
    ------
    LockHeld
        If somebody else has held it all that time.
    """
    with lockable(opening) as file:
        await_lock(file, path, within_s=within_s)
        yield file


@contextmanager
def locked_folder(path: Path, *, within_s: float | None = None) -> Iterator[bool]:
    """Hold a folder, so that others who want to hold it wait; tells whether there are locks here at all.

    Raises
    ------
    WriteFailed
        If the folder cannot be made.
    LockHeld
        If somebody else has held it all that time.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise WriteFailed(path, cause.strerror or str(cause)) from cause
    if fcntl is None:  # pragma: no cover
        yield False
        return
    with held(lambda: _Folder(path), path, within_s=within_s):
        yield True


class _Folder:
    """An open folder, which Python has no file for."""

    def __init__(self, path: Path) -> None:
        try:
            self._number = os.open(path, os.O_RDONLY)
        except OSError as cause:
            raise WriteFailed(path, cause.strerror or str(cause)) from cause

    @property
    def closed(self) -> bool:
        return self._number < 0

    def fileno(self) -> int:
        return self._number

    def close(self) -> None:
        number, self._number = self._number, -1
        if number >= 0:
            os.close(number)


class _OpenHere:
    """What this process has open to lock, and a gate that lets no fork come between opening and noting it."""

    def __init__(self) -> None:
        self.files: set[Lockable] = set()
        self.gate = RLock()

    def before_fork(self) -> None:
        self.gate.acquire()

    def after_fork_here(self) -> None:
        # A fork that had begun before this was asked for has not passed the gate.
        with suppress(RuntimeError):
            self.gate.release()

    def after_fork_there(self) -> None:
        files, self.files, self.gate = self.files, set(), RLock()
        for file in files:
            with suppress(OSError):
                file.close()


_open_here = _OpenHere()


@cache
def _watch_forks() -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_open_here.before_fork,
            after_in_parent=_open_here.after_fork_here,
            after_in_child=_open_here.after_fork_there,
        )


def _let_go(file: Lockable) -> None:
    if file.closed:
        # Closed by a fork, it must not be unlocked: that would take the lock from the process that has it.
        return
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
    with _open_here.gate:
        _open_here.files.discard(file)
    file.close()
