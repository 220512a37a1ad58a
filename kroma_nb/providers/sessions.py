"""Models that are opened once in a process, when they are first asked."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_OPEN: dict[tuple[int, Hashable], Any] = {}
_OPENING = threading.Lock()


def session_of(key: Hashable, start: Callable[[], Any]) -> Any:
    """Give the session of a model, and open it where this process has none yet.

    Threads that ask together wait for one session. A process that was forked off opens its own: native sessions
    survive no fork.

    Parameters
    ----------
    key : hashable
        The engine, the model and the options.
    start : callable
        Opens a session; what it raises is raised, and the next one who asks tries again.

    Examples
    --------
    >>> session_of("example", object) is session_of("example", object)
    True
    """
    mine = (os.getpid(), key)
    with _OPENING:
        if mine not in _OPEN:
            _OPEN[mine] = start()
        return _OPEN[mine]
