"""OpenAI's image endpoints on this machine: a real HTTP server that takes what is documented and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread

from loopback import picture
from openai.types import ImagesResponse

KEY = "sk-test-4f9c2a77b1de8e05"
ORDINARY = ("1024x1024", "1536x1024", "1024x1536", "auto")
FREE = frozenset(
    {"gpt-image-2", *(f"gpt-image-{one}-{kind}" for one in ("2.5", "2.6") for kind in ("flare", "sunburst"))}
)
# What each model takes, as the docstrings of the SDK's `images.edit` say it; written down apart from the catalog.
FIDELITIES = {"gpt-image-1.5": {"low", "high"}, "gpt-image-1-mini": {"low"}}
QUALITIES = {name: {"low", "medium", "high", "auto"} for name in ("gpt-image-2", "gpt-image-1.5", "gpt-image-1-mini")}
QUALITIES |= {name: {"low", "medium", "high", "xhigh", "max", "auto"} for name in FREE - {"gpt-image-2"}}
ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
COMMON = {"model", "prompt", "size", "quality", "background", "output_format", "n"}
FILES = {"image[]": {"image/png", "image/jpeg", "image/webp"}, "mask": {"image/png"}}
REFUSALS = {
    "limit": (429, "rate_limit_exceeded", "requests", "Rate limit reached", {"retry-after": "0"}),
    "limit-ms": (429, "rate_limit_exceeded", "requests", "Rate limit reached", {"retry-after-ms": "10"}),
    "wait": (429, "rate_limit_exceeded", "requests", "Rate limit reached", {"retry-after": "3600"}),
    "quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota", {}),
    "credit": (429, "credit_balance_exhausted", "insufficient_quota", "No balance left", {"retry-after": "0"}),
    "moderation": (400, "moderation_blocked", "image_generation_user_error", "Your request was rejected", {}),
    "down": (503, None, "server_error", "The engine is currently overloaded", {"retry-after": "0"}),
    "broken": (500, None, "server_error", "The server had an error", {}),
    "gateway": (504, None, None, "upstream timed out", {}),
    "elsewhere": (307, None, None, "", {"location": "/v1/stolen"}),
    "echo": (401, "invalid_api_key", "invalid_request_error", f"Incorrect API key provided: {KEY}. Bearer {KEY}", {}),
    "verify": (403, None, "invalid_request_error", "Your organization must be verified", {}),
}


@dataclass(frozen=True)
class Part:
    """One part of a form, in the order in which it was sent."""

    name: str
    filename: str | None
    media_type: str
    data: bytes


@dataclass
class Call:
    """What has arrived, and whether a picture was made and billed for it."""

    path: str
    fields: dict[str, str]
    parts: list[Part] = field(default_factory=list)
    raw: bytes = b""
    billed: bool = False


class OpenAIServer(ThreadingHTTPServer):
    """The server. What it does with the next calls is a list of words; without one it answers well.

    The keys of `REFUSALS` · ``cut`` bills and closes the connection · ``half`` bills and breaks off within the answer ·
    ``hang`` bills and never answers · ``slowly`` an answer whose bytes drip · ``late`` one
    that begins after 0.6 s and drips for 0.8 s · ``nothing``, ``url``, ``rubbish``,
    ``html``, ``list`` a billed answer without a usable picture, each with the key in it · ``revised`` with words of its
    own · ``uncounted`` without usage.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: deque[str] = deque()
        self.lock = Lock()
        self.calls: list[Call] = []
        self.closing = Event()
        self.key = KEY

    def handle_error(self, *_: object) -> None:
        """A client that does not wait is no fault of the server's."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def bills(self) -> int:
        """How many pictures it has billed."""
        return sum(call.billed for call in self.calls)


class _Handler(BaseHTTPRequestHandler):
    server: OpenAIServer
    number = 0

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self._word() in REFUSALS or not self._is_known():
            return
        name = self.path.removeprefix("/v1/models/")
        if name not in QUALITIES:
            self._refuse(404, "model_not_found", "invalid_request_error", f"The model '{name}' does not exist", {})
            return
        shut = "2026-12-01" if name == "gpt-image-1.5" else None
        self._json(200, {"id": name, "object": "model", "created": 1, "owned_by": "openai", "shutdown_date": shut})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        parts = _parts(self.headers["content-type"], raw)
        fields = {one.name: one.data.decode() for one in parts if one.filename is None}
        call = Call(self.path, fields, parts, raw)
        with self.server.lock:
            self.server.calls.append(call)
            self.number = len(self.server.calls)
        word = self._word()
        if word in REFUSALS or not self._is_known():
            return
        problem = _problem(call)
        if problem is not None:
            self._refuse(400, *problem)
            return
        call.billed = True
        self._perform(word, call)

    def _word(self) -> str:
        """Take the next word, and refuse where it says so."""
        with self.server.lock:
            word = self.server.script.popleft() if self.server.script else "ok"
        if word in REFUSALS:
            self._refuse(*REFUSALS[word])
        return word

    def _is_known(self) -> bool:
        if self.headers["authorization"] == f"Bearer {self.server.key}":
            return True
        said = self.headers["authorization"].removeprefix("Bearer ")
        self._refuse(401, "invalid_api_key", "invalid_request_error", f"Incorrect API key provided: {said}.", {})
        return False

    def _perform(self, word: str, call: Call) -> None:
        if word == "hang":
            self.server.closing.wait(30)
        elif word == "cut":
            self.close_connection = True
        elif word == "html":
            self._answer(200, f"<html>{KEY}</html>".encode(), "text/html", {})
        else:
            answer = _answer_to(call, word)
            body = json.dumps(answer).encode()
            if word in {"half", "slowly", "late"}:
                self._dribble(body, word)
            else:
                self._answer(200, body, "application/json", {"openai-model": f"{call.fields['model']}-2026-11-01"})

    def _dribble(self, body: bytes, word: str) -> None:
        time.sleep(0.6 if word == "late" else 0)
        self.send_response(200)
        head = {"content-type": "application/json", "content-length": str(len(body)), "x-request-id": self._id()}
        for name, value in head.items():
            self.send_header(name, value)
        self.end_headers()
        step = 1 + len(body) // 20
        for start in range(0, len(body) if word == "late" else len(body) // 2, step):
            self.wfile.write(body[start : start + step])
            self.wfile.flush()
            time.sleep({"slowly": 0.15, "late": 0.04}.get(word, 0))
        self.close_connection = True

    def _refuse(self, status: int, code: str | None, kind: str | None, message: str, more: dict[str, str]) -> None:
        error = {"message": message, "type": kind, "param": None, "code": code}
        self._answer(status, json.dumps({"error": error}).encode(), "application/json", more)

    def _json(self, status: int, answer: object) -> None:
        self._answer(status, json.dumps(answer).encode(), "application/json", {})

    def _id(self) -> str:
        return f"req_{self.number}"

    def _answer(self, status: int, data: bytes, kind: str, more: dict[str, str]) -> None:
        self.send_response(status)
        head = {"content-type": kind, "content-length": str(len(data)), "x-request-id": self._id(), **more}
        for name, value in head.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()


def _parts(content_type: str, raw: bytes) -> list[Part]:
    """Read a form, or a JSON object as if it were one."""
    if content_type.startswith("application/json"):
        return [Part(name, None, "", str(value).encode()) for name, value in json.loads(raw).items()]
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + raw)
    return [
        Part(
            one.get_param("name", header="content-disposition"),
            one.get_filename(),
            one.get_content_type(),
            one.get_payload(decode=True),
        )
        for one in form.iter_parts()
    ]


def _problem(call: Call) -> tuple[str, str, str, dict[str, str]] | None:
    """Say what is wrong with a request, by the documented fields and their values."""
    edits = call.path == "/v1/images/edits"
    model = call.fields.get("model", "")
    allowed = COMMON | ({"input_fidelity"} if edits else set())
    taken = {
        "size": ORDINARY,
        "quality": QUALITIES.get(model, set()),
        "background": {"transparent", "opaque", "auto"},
        "output_format": {"png", "webp", "jpeg"},
        "input_fidelity": FIDELITIES.get(model, set()),
    }
    names = [name for name in call.fields if name not in allowed]
    values = [name for name, known in taken.items() if name in call.fields and call.fields[name] not in known]
    if "size" in values and model in FREE and _is_free(call.fields["size"]):
        values.remove("size")
    files = [one for one in call.parts if one.filename is not None]
    wrong = [one.name for one in files if not edits or one.media_type not in FILES.get(one.name, set())]
    wrong += [one.name for one in files if not one.filename.endswith(ENDINGS.get(one.media_type, "none"))]
    if edits and not 1 <= sum(one.name == "image[]" for one in files) <= 16:
        wrong.append("image")
    if len(call.fields) + len(files) != len(call.parts):
        wrong.append("a field stands twice")
    if model not in QUALITIES:
        return "model_not_found", "invalid_request_error", f"The model '{model}' does not exist", {}
    found = [*names, *values, *wrong, *([] if call.fields.get("prompt") else ["prompt"])]
    return ("unknown_parameter", "invalid_request_error", f"Wrong: {found}", {}) if found else None


def _is_free(size: str) -> bool:
    width, height = map(int, size.split("x"))
    in_shape = max(width, height) <= min(3840, 3 * min(width, height))
    return width % 16 == height % 16 == 0 and in_shape and 655_360 <= width * height <= 3840 * 2160


def _answer_to(call: Call, word: str) -> object:
    """Draw, and answer in the shape that the SDK's own types describe."""
    size = call.fields.get("size", "auto")
    width, height = map(int, ("1024x1024" if size == "auto" else size).split("x"))
    data = picture(int(hashlib.sha256(call.raw).hexdigest()[:8], 16), width, height)
    drawn: dict[str, object] = {"b64_json": base64.b64encode(data).decode()}
    if word == "revised":
        drawn["revised_prompt"] = "A lamp, drawn in ink."
    answer: dict[str, object] = {
        "created": int(time.time()),
        "data": [drawn],
        "size": f"{width}x{height}",
        "quality": call.fields.get("quality", "high"),
        "background": "opaque",
        "output_format": "png",
        "usage": {
            "input_tokens": 540,
            "input_tokens_details": {"text_tokens": 40, "image_tokens": 500},
            "output_tokens": 1000,
            "output_tokens_details": {"text_tokens": 0, "image_tokens": 1000},
            "total_tokens": 1540,
        },
    }
    ImagesResponse.model_validate(answer, strict=True)
    if word == "uncounted":
        del answer["usage"]
    bad = {"nothing": {"said": KEY}, "url": {"url": f"http://127.0.0.1:9/{KEY}"}, "rubbish": {"b64_json": f"%{KEY}"}}
    answer["data"] = [bad.get(word, drawn)]
    return [KEY] if word == "list" else answer


@contextmanager
def openai_server() -> Iterator[OpenAIServer]:
    """Run the server."""
    with OpenAIServer() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
