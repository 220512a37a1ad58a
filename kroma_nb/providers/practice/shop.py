"""The practice shop: a server on this machine that draws with ink, bills play money, and can keep one waiting."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Final, Self

from kroma_nb import images
from kroma_nb.model.brief import Brief
from kroma_nb.providers.ink import InkPainter

if TYPE_CHECKING:
    from types import TracebackType

PROVIDER: Final = "practice"
MODEL: Final = "play-1"
PRICE_MICRO_USD: Final = 40_000
HOST: Final = "127.0.0.1"
URL: Final = "KROMA_PRACTICE_URL"
"""Where this process and its children find the shop."""
REQUEST, COST = "x-request-id", "x-cost-micro-usd"
LONGEST_S = 120.0
"""How long an answer is held at most."""


class PracticeShop:
    """A shop that is open until it is closed, or its process ends.

    It bills a call when the call has arrived, before it answers: as real providers do.
    """

    def __init__(self) -> None:
        self._server = _Server((HOST, 0), _Handler)
        self._before = os.environ.get(URL)
        os.environ[URL] = self.url
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def billed(self) -> tuple[str, ...]:
        """The id of every call that it has billed, in order; an id that stands twice was billed twice."""
        with self._server.news:
            return tuple(self._server.billed)

    def hold(self, call: int) -> None:
        """Bill every call from this one on, counted from 1, and answer only after `go_on`, or after two minutes."""
        with self._server.news:
            self._server.held_from = call

    def wait_for(self, call: int, *, timeout_s: float = LONGEST_S) -> None:
        """Wait until so many calls were billed.

        Raises
        ------
        TimeoutError
            If that takes too long.
        """
        with self._server.news:
            if not self._server.news.wait_for(lambda: len(self._server.billed) >= call, timeout_s):
                raise TimeoutError(f"{len(self._server.billed)} calls have arrived in {timeout_s:g} s, not {call}")

    def go_on(self) -> None:
        """Answer again."""
        with self._server.news:
            self._server.held_from = None
            self._server.news.notify_all()

    def close(self) -> None:
        """Close the shop; who waits for an answer gets it."""
        self.go_on()
        self._server.shutdown()
        self._server.server_close()
        if os.environ.get(URL) == self.url:
            os.environ.pop(URL)
            if self._before is not None:
                os.environ[URL] = self._before

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        here = f"A practice shop at {self.url}: {len(self.billed)} calls billed, in play money."
        return f"{here}\nIn another terminal: export {URL}={self.url}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.news = Condition()
        self.billed: list[str] = []
        self.held_from: int | None = None

    def bill(self, call_id: str) -> int:
        """Bill a call, and give which one it is."""
        with self.news:
            self.billed.append(call_id)
            self.news.notify_all()
            return len(self.billed)

    def wait(self, call: int) -> None:
        """Wait while answers are held."""
        with self.news:
            self.news.wait_for(lambda: self.held_from is None or call < self.held_from, LONGEST_S)

    def handle_error(self, *_: Any) -> None:
        """Say nothing where a caller has gone away: that is what is practised here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: object) -> None:
        """Keep the notebook's output to what the notebook shows."""

    def do_POST(self) -> None:
        """Bill a call, draw what it asks for, and answer."""
        try:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            brief, scene = Brief.model_validate(body["brief"], strict=False), base64.b64decode(body["scene"])
            call_id = str(body["call_id"])
        except (KeyError, TypeError, ValueError) as cause:
            self._answer(400, str(cause).encode(), "text/plain")
            return
        number = self.server.bill(call_id)
        self.server.wait(number)
        page = InkPainter().paint(images.load(scene), brief).picture
        facts = {REQUEST: f"{PROVIDER}-{number}", COST: str(PRICE_MICRO_USD)}
        self._answer(200, images.encode_png(page), "image/png", **facts)

    def _answer(self, status: int, data: bytes, kind: str, **headers: str) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            for name, value in {"content-type": kind, "content-length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
