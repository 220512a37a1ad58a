"""Models that are opened once in a process, when they are first asked."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


@dataclass(slots=True)
class _Place:
    """Where a session stands once it is open."""

    session: Any = None
    opening: threading.Lock = field(default_factory=threading.Lock)


_PLACES: dict[tuple[int, Hashable], _Place] = {}
_CHOOSING = threading.Lock()


def session_of(key: Hashable, start: Callable[[], Any]) -> Any:
    """Give the session of a model, and open it where this process has none yet.

    Threads that ask together wait for one session; those that ask for another model do not wait. A process that was
    forked off opens its own: native sessions survive no fork.

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
    with _CHOOSING:
        place = _PLACES.setdefault((os.getpid(), key), _Place())
    with place.opening:
        if place.session is None:
            place.session = start()
        return place.session
