"""Ctrl-C and a signal to end, passed on to a kernel at a moment when it listens."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# After so many requests the cell is no longer asked: the kernel is ended.
PATIENCE = 3


class Interrupts:
    """Remembers that somebody wants to end, and interrupts the cell that is being executed.

    A kernel passes over an interrupt while no cell runs in it, and dies of one while it starts. So it is sent when
    the kernel has said that it began with a cell; between cells, the next one is not begun.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._send: Callable[[], None] | None = None
        self._passed_on = False

    def ask(self, *_: object) -> None:
        """Hear a signal.

        Raises
        ------
        KeyboardInterrupt
            Once, when it was asked so often that the cell shall not be waited for; the kernel is ended meanwhile.
        """
        self.asked += 1
        if self.asked == PATIENCE + 1:
            raise KeyboardInterrupt
        if self._send is not None:
            self._send()
            self._passed_on = True

    def began(self, send: Callable[[], None]) -> None:
        """Say that the kernel executes a cell, and how to interrupt it."""
        self._send = send
        if self.asked and not self._passed_on:
            send()
            self._passed_on = True

    def ended(self) -> None:
        """Say that the kernel is idle."""
        self._send = None

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Take Ctrl-C and the signal to end, in the main thread; elsewhere signals are not ours."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = [signal.SIGINT, signal.SIGTERM]
        before = {name: signal.signal(name, self.ask) for name in names}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)
