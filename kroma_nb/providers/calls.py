"""What every call to a server needs: an end in time, an end in size, and whether the server is this machine."""

from __future__ import annotations

import contextlib
import socket
from ipaddress import ip_address
from threading import Timer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx


def is_here(url: str) -> bool:
    """Tell whether an address is one of this machine's own.

    Examples
    --------
    >>> is_here("http://127.0.0.1:80/v1"), is_here("http://127.0.0.1.example/")
    (True, False)
    """
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Clock:
    """Ends a call when its time is up: httpx's own limits begin anew with every byte that comes."""

    def __init__(self, timeout_s: float) -> None:
        self._timer = Timer(timeout_s, self._end)
        self._timer.daemon = True
        self._socket: socket.socket | None = None
        self.has_rung = False

    def hear(self, event: str, told: Mapping[str, Any]) -> None:
        """Learn of the connection from httpx's trace of its steps."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._socket = told["return_value"].get_extra_info("socket")

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.has_rung = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def read_up_to(answer: httpx.Response, most_bytes: int) -> tuple[bytes, bool]:
    """Read an answer up to a limit, and tell whether that was all of it."""
    pieces, size = [], 0
    for piece in answer.iter_bytes():
        pieces.append(piece[: most_bytes - size])
        size += len(piece)
        if size > most_bytes:
            return b"".join(pieces), False
    return b"".join(pieces), True
