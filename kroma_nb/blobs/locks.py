"""Advisory locks on files and folders: each ends with the process that holds it, however that ends."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
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

    Whoever has a copy of an open file, as a forked process does, holds its lock too: so unlocking comes before
    closing, and holds for every copy.
    """
    file = opening()
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

    def fileno(self) -> int:
        return self._number

    def close(self) -> None:
        number, self._number = self._number, -1
        if number >= 0:
            os.close(number)


def _let_go(file: Lockable) -> None:
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
    file.close()
