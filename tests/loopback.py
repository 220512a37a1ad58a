"""A paid provider on this machine: a real HTTP server that bills, hangs and lies, and the engine that calls it."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread

import cv2
import httpx
import numpy as np

from kroma_nb.errors import AnswerLost, AnswerUnusable, ProviderBusy, ProviderFailed
from kroma_nb.model.money import ModelCard, Money
from kroma_nb.model.paid import PaidAnswer, PaidRequest, Repeats

URL = "LOOPBACK_URL"
PRICES = {"plain": 40_000, "keyed": 40_000, "asked": 40_000, "odd": 33_333}


def picture(seed: int, width: int, height: int, ending: str = ".png") -> bytes:
    """Draw a page that differs for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, 6), dtype=np.uint8)
    grey = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(ending, np.where(grey > 127, 255, 0).astype(np.uint8))[1].tobytes()


class Provider(ThreadingHTTPServer):
    """The server. What it does with the next calls is a list of words; without one it answers well.

    ``busy`` 429 with retry-after 0 · ``wait`` 429 with retry-after 3600 · ``down`` 503 · ``refuse`` 400 ·
    ``drop`` bills and closes the connection · ``hang`` bills and never answers · ``half`` half a picture ·
    ``html`` a page · ``error`` 200 with an error in it · ``jpeg`` a JPEG · ``cheap`` names a cost of its own ·
    ``kill before``, ``kill within``, ``kill after`` its answer end the process that has called.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: deque[str] = deque()
        self.lock = Lock()
        self.arrived: list[str] = []
        self.billed: dict[str, bytes] = {}
        self.closing = Event()
        self.slow_s = 0.0

    def handle_error(self, *_: object) -> None:
        """A client that was killed is no fault of the server's."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def bills(self) -> int:
        """How many calls it has billed."""
        return len(self.billed)


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        known = self.server.billed.get(self.path.rpartition("/")[2])
        if known is None:
            self._answer(404, b"unknown", "text/plain")
        else:
            self._answer(200, known, "image/png")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        call_id, key = body["call_id"], self.headers.get("idempotency-key")
        with self.server.lock:
            self.server.arrived.append(call_id)
            word = self.server.script.popleft() if self.server.script else "ok"
        if word == "kill before":
            os.kill(body["pid"], signal.SIGKILL)
            return
        refused = {"busy": (429, "0"), "wait": (429, "3600"), "down": (503, "0"), "refuse": (400, "0")}.get(word)
        if refused:
            named = {"retry-after": refused[1], "x-request-id": f"req-{call_id[:8]}"}
            self._answer(refused[0], b'{"error": "no"}', "application/json", named)
            return
        data = picture(body["seed"], body["width"], body["height"], ".jpg" if word == "jpeg" else ".png")
        time.sleep(self.server.slow_s)
        with self.server.lock:
            # A provider that takes a key bills once under it; any other bills every call.
            name = key or (call_id if call_id not in self.server.billed else f"{call_id}-{len(self.server.arrived)}")
            data = self.server.billed.setdefault(name, data)
        self._perform(word, data, body)

    def _perform(self, word: str, data: bytes, body: dict) -> None:
        if word == "hang":
            self.server.closing.wait(30)
        elif word == "drop":
            self.close_connection = True
        elif word in {"half", "kill within"}:
            self.send_response(200)
            self.send_header("content-type", "image/png")
            self.send_header("content-length", str(len(data) if word == "kill within" else len(data) // 2))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            if word == "kill within":
                os.kill(body["pid"], signal.SIGKILL)
        elif word == "html":
            self._answer(200, b"<html><body>Sign in</body></html>", "text/html")
        elif word == "error":
            named = {"x-request-id": f"req-{body['call_id'][:8]}"}
            self._answer(200, b'{"error": "overloaded"}', "application/json", named)
        else:
            cost = {"x-cost-micro": "12345"} if word == "cheap" else {}
            self._answer(200, data, "image/png", {"x-request-id": f"req-{body['call_id'][:8]}", **cost})
            if word == "kill after":
                os.kill(body["pid"], signal.SIGKILL)

    def _answer(self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()


@contextmanager
def provider() -> Iterator[Provider]:
    """Run the server, and let this process and its children find it."""
    with Provider() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        before = os.environ.get(URL)
        os.environ[URL] = server.url
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            os.environ.pop(URL) if before is None else os.environ.update({URL: before})


@dataclass(frozen=True)
class LoopbackPainter:
    """The engine: one call where it is asked for one."""

    model: str = "plain"
    provider: str = "loopback"
    version: str = "1"

    @property
    def repeats(self) -> Repeats:
        return {"keyed": Repeats.KEY, "asked": Repeats.ASK}.get(self.model, Repeats.NOTHING)

    def send(self, request: PaidRequest) -> PaidAnswer:
        body = {
            "call_id": request.call_id,
            "pid": os.getpid(),
            "seed": request.brief.seeds.of(request.brief.stage),
            "width": request.brief.size.width,
            "height": request.brief.size.height,
            "scene": base64.b64encode(request.scene.data).decode(),
            "references": [reference.name for reference in request.references],
        }
        headers = {"idempotency-key": request.call_id} if self.repeats is Repeats.KEY else {}
        try:
            answer = httpx.post(f"{os.environ[URL]}/pictures", json=body, headers=headers, timeout=request.timeout_s)
        except (httpx.ConnectError, httpx.ConnectTimeout) as cause:
            raise ProviderBusy(self.provider, f"it cannot be reached: {cause}") from cause
        except httpx.HTTPError as cause:
            raise AnswerLost(self.provider, f"no answer came: {type(cause).__name__}") from cause
        return self._read(answer)

    def ask(self, request: PaidRequest) -> PaidAnswer | None:
        answer = httpx.get(f"{os.environ[URL]}/pictures/{request.call_id}", timeout=request.timeout_s)
        return None if answer.status_code == 404 else PaidAnswer(answer.content, "asked")

    def _read(self, answer: httpx.Response) -> PaidAnswer:
        named = answer.headers.get("x-request-id", "")
        if answer.status_code in {429, 503}:
            wait_s = float(answer.headers["retry-after"])
            raise ProviderBusy(self.provider, f"HTTP {answer.status_code}", "rate_limited", wait_s, named)
        if answer.status_code != 200:
            raise ProviderFailed(self.provider, f"HTTP {answer.status_code}", "moderation_blocked", named)
        if answer.headers["content-type"] == "application/json":
            raise AnswerUnusable(self.provider, "an error in place of a picture", "", answer.content, named)
        cost = answer.headers.get("x-cost-micro")
        return PaidAnswer(
            answer.content,
            request_id=answer.headers.get("x-request-id", ""),
            answered_by="loopback-2026",
            usage={"output_tokens": len(answer.content)},
            cost=Money(micro_usd=int(cost)) if cost else None,
        )


def painter(card: ModelCard) -> LoopbackPainter:
    """Give the engine of a card, as the entry point does."""
    return LoopbackPainter(model=card.model)


def write_catalog(home: Path, *, first: str = "plain", price_micro: int | None = None, **limits: float) -> None:
    """Let a workspace know the provider: its models, one of them first, their prices, how its calls are paced."""
    pace = {"tries": 4, "concurrency": 2, "per_minute": 100_000, "timeout_s": 20.0, "backoff_s": 0.01, **limits}
    lines = ["as_of = 2026-11-01"]
    for model, usual in sorted(PRICES.items(), key=lambda one: one[0] != first):
        price = usual if price_micro is None else price_micro
        lines += ["[[models]]", 'provider = "loopback"', f'model = "{model}"', "paid = true"]
        lines += [f"price_per_picture = {{ micro_usd = {price} }}"]
    lines += ["[limits.loopback]", *(f"{name} = {value}" for name, value in pace.items())]
    path = home / "config" / "models.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
