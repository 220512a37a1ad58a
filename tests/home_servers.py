"""What servers on this machine have in common that stand in for those at an artist's home."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

import cv2
import numpy as np


def drawn(seed: int, told: object, scene: bytes, width: int, height: int) -> bytes:
    """Draw a page that hangs on everything it is told: the scene in black and white, and a grain of the seed."""
    grey = cv2.imdecode(np.frombuffer(scene, np.uint8), cv2.IMREAD_GRAYSCALE)
    page = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA).astype(np.int16)
    digest = hashlib.sha256(json.dumps([seed, told], sort_keys=True).encode()).digest()
    grain = np.random.default_rng(int.from_bytes(digest[:8], "big")).integers(-40, 41, page.shape)
    return cv2.imencode(".png", np.where(page + grain > 128, 255, 0).astype(np.uint8))[1].tobytes()


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    body: Any
    headers: Message


class HomeServer(ThreadingHTTPServer):
    """What both servers have: a script of words for the next pictures, and what has arrived."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.script: deque[str] = deque()
        self.seen: list[Seen] = []
        self.lock = Lock()
        self.closing = Event()
        self.auth = ""
        self.pictures = 0

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no fault of the server's."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def die(self) -> None:
        """Go away, as a server does whose machine has no memory left."""
        self.closing.set()
        self.shutdown()
        self.server_close()

    def word(self) -> str:
        with self.lock:
            return self.script.popleft() if self.script else "ok"

    def paths(self, method: str) -> list[str]:
        return [one.path for one in self.seen if one.method == method]


class HomeHandler(BaseHTTPRequestHandler):
    server: Any

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._served("GET", b"")

    def do_POST(self) -> None:
        self._served("POST", self.rfile.read(int(self.headers["content-length"])))

    def _served(self, method: str, raw: bytes) -> None:
        kind = self.headers.get("content-type", "")
        body = json.loads(raw) if kind == "application/json" else raw
        self.server.seen.append(Seen(method, self.path, body, self.headers))
        wanted = f"Basic {base64.b64encode(self.server.auth.encode()).decode()}"
        if self.server.auth and self.headers.get("authorization") != wanted:
            self.answer(401, {"detail": f"Not authenticated, not even with {self.headers.get('authorization')}"})
        else:
            self.serve(method, body)

    def serve(self, method: str, body: Any) -> None:
        raise NotImplementedError

    def answer(self, status: int, said: object, kind: str = "application/json") -> None:
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def drop(self) -> None:
        self.close_connection = True


@contextmanager
def running(server: HomeServer) -> Iterator[Any]:
    """Let a server answer until the end of the block."""
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join(5)
