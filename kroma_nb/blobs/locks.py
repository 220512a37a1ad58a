"""Advisory locks on files and folders: each ends with the process that holds it, however that ends."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kroma_nb.errors import LockHeld, WriteFailed

try:
    import fcntl
except ImportError:  # pragma: no cover - no advisory locks on this system
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

PATIENCE_S = 60.0
"""How long a lock is waited for that is only ever held for a moment: a process that holds it longer was stopped."""
LONGEST_NAP_S = 0.02


def take_lock(file: IO[bytes] | IO[str] | int, *, shared: bool = False) -> bool:
    """Take a lock at once; tell whether it was free. Where there are no locks, it always is."""
    if fcntl is None:  # pragma: no cover
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def await_lock(file: IO[bytes] | IO[str] | int, path: Path, *, within_s: float | None = None) -> None:
    """Wait until nobody else holds a lock, and take it.

    Parameters
    ----------
    file : file or int
        The open file, or its descriptor.
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
        held = os.open(path, os.O_RDONLY) if fcntl is not None else None
    except OSError as cause:
        raise WriteFailed(path, cause.strerror or str(cause)) from cause
    if held is None:  # pragma: no cover
        yield False
        return
    try:
        await_lock(held, path, within_s=within_s)
        yield True
    finally:
        os.close(held)
