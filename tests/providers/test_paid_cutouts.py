"""Paid cut-outs against servers on this machine that are as strict as the documents of both services."""

from __future__ import annotations

import email
import email.policy
import json
import pickle
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import numpy as np
import pytest

from kroma_nb.errors import AnswerLost, AnswerUnusable, ProviderBusy, ProviderFailed, RequestInvalid
from kroma_nb.images import encode, encode_png
from kroma_nb.model.paid import Attachment, PaidAnswer, Repeats
from kroma_nb.model.paid_finishing import LARGEST_ANSWER_BYTES, PaidCutter
from kroma_nb.model.postprocess import CutoutBackend, PictureFormat
from kroma_nb.providers.photoroom import Photoroom
from kroma_nb.providers.remote_cutout import CONNECT_S, TIMEOUT_S
from kroma_nb.providers.removebg import RemoveBg
from kroma_nb.run.answers import LARGEST_BYTES

SECRET = "sk-very-secret-0123456789"
CALL = "00112233445566778899aabbccddeeff"
PICTURE = Attachment("scene.png", "image/png", encode_png(np.zeros((4, 6), np.uint8)))
FIGURE = encode_png(np.full((4, 6, 4), 128, np.uint8))
# What each service documents: path, header, fields with their values.
DOCUMENTED = {
    "/v1/segment": ("x-api-key", {"size": {"preview", "full"}, "format": {"png", "jpg", "webp"}, "crop": {"true"}}),
    "/v1.0/removebg": ("X-Api-Key", {"size": {"preview", "full"}, "format": {"png", "jpg", "zip"}, "crop": {"true"}}),
}
ACCOUNTS = {
    "/v2/account": {"images": {"available": 83, "subscription": 100}, "plan": "basic"},
    "/v1.0/account": {
        "data": {
            "attributes": {
                "credits": {"total": 200, "subscription": 150, "payg": 50, "enterprise": 0},
                "api": {"free_calls": 50, "sizes": "all"},
            }
        }
    },
}


@dataclass(frozen=True)
class Given:
    """A key as tests give it; `asked` of a resolver would look the same."""

    secret: str = SECRET

    def __call__(self) -> str:
        return self.secret


@dataclass
class Arrived:
    headers: list[tuple[str, str]]
    body: bytes


class Service(ThreadingHTTPServer):
    """Answers well, unless it is told what to answer with; it refuses what its documents do not know."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.arrived: list[Arrived] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.closing = Event()

    def handle_error(self, *_: object) -> None:
        pass

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.server.answer is not None:
            self.server.answer(self)
        elif self.path not in ACCOUNTS:
            reply(self, 404, b"{}")
        elif self.headers["x-api-key"] != SECRET:
            reply(self, 403, json.dumps({"errors": [{"title": f"Invalid key {self.headers['x-api-key']}"}]}).encode())
        else:
            reply(self, 200, json.dumps(ACCOUNTS[self.path]).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.arrived.append(Arrived(list(self.headers.items()), body))
        if self.server.answer is not None:
            self.server.answer(self)
            return
        problem = self._problem(body)
        if problem:
            reply(self, 400, json.dumps({"errors": [{"code": "invalid_field", "title": problem}]}).encode())
        else:
            reply(self, 200, FIGURE, "image/png", {"X-Credits-Charged": "1.0", "X-Width": "6", "X-Height": "4"})

    def _problem(self, body: bytes) -> str:
        if self.path not in DOCUMENTED:
            return f"no such path {self.path}"
        _, known = DOCUMENTED[self.path]
        head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + body, policy=email.policy.HTTP)
        names = []
        for part in parts.iter_parts():
            name = part.get_param("name", header="content-disposition")
            names.append(name)
            value = part.get_payload(decode=True)
            if name == "image_file":
                if part.get_content_type() != "image/png" or value != PICTURE.data:
                    return "the file is not what was given"
            elif name not in known or value.decode() not in known[name]:
                return f"unknown field {name}={value!r}"
        return "" if names.count("image_file") == 1 and len(set(names)) == len(names) else f"fields {names}"


def reply(
    handler: BaseHTTPRequestHandler,
    status: int,
    data: bytes,
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
) -> None:
    handler.send_response(status)
    for name, value in {"content-type": kind, "content-length": str(len(data)), **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with Service() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        monkeypatch.setenv("PHOTOROOM_API_URL", server.url)
        monkeypatch.setenv("REMOVE_BG_API_URL", server.url)
        yield server
        server.closing.set()
        server.shutdown()
        thread.join(5)


def cutters() -> list[PaidCutter]:
    return [Photoroom(Given()), RemoveBg(Given())]


both = pytest.mark.parametrize("cutter", cutters(), ids=["photoroom", "removebg"])


def answering(status: int, data: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: reply(handler, status, data, named.pop("content-type", "application/json"), named)


# ---------------------------------------------------------------- what is sent

BORDER = b"--kroma-00112233445566778899aabbccddeeff"
SIZE = BORDER + b'\r\nContent-Disposition: form-data; name="size"\r\n\r\nfull\r\n'
FORMAT = BORDER + b'\r\nContent-Disposition: form-data; name="format"\r\n\r\npng\r\n'
CROP = BORDER + b'\r\nContent-Disposition: form-data; name="crop"\r\n\r\ntrue\r\n'
FILE = BORDER + b'\r\nContent-Disposition: form-data; name="image_file"; filename="scene.png"\r\n'
FILE += b"Content-Type: image/png\r\n\r\n" + PICTURE.data + b"\r\n" + BORDER + b"--\r\n"


@both
def test_a_call_is_the_multipart_body_that_the_documents_describe(service, cutter) -> None:
    replace(cutter, size="full", crop=True).send(CALL, PICTURE, 5.0)

    assert service.arrived[0].body == SIZE + FORMAT + CROP + FILE


@both
def test_a_blank_or_automatic_size_and_no_crop_are_not_sent(service, cutter) -> None:
    for size in ("auto", ""):
        replace(cutter, size=size).send(CALL, PICTURE, 5.0)

    assert [arrived.body for arrived in service.arrived] == [FORMAT + FILE] * 2


def test_the_key_travels_in_the_header_that_each_service_names(service) -> None:
    for cutter, header in zip(cutters(), ("x-api-key", "X-Api-Key"), strict=True):
        cutter.send(CALL, PICTURE, 5.0)

        assert [(name, value) for name, value in service.arrived[-1].headers if value == SECRET] == [(header, SECRET)]
        assert "authorization" not in {name.lower() for name, _ in service.arrived[-1].headers}


def test_endpoints_time_limits_and_words_are_those_of_the_facts() -> None:
    photoroom, removebg = cutters()

    assert photoroom.endpoint == "https://sdk.photoroom.com/v1/segment"
    assert removebg.endpoint == "https://api.remove.bg/v1.0/removebg"
    assert (TIMEOUT_S, CONNECT_S) == (60.0, 15.0)
    assert [cutter.provider for cutter in cutters()] == [CutoutBackend.PHOTOROOM, CutoutBackend.REMOVEBG]
    assert {cutter.repeats for cutter in cutters()} == {Repeats.NOTHING}
    # The engine looks into no larger file.
    assert LARGEST_ANSWER_BYTES == LARGEST_BYTES


# ---------------------------------------------------------------- what comes back


def test_a_cut_out_comes_back_as_it_was_sent(service) -> None:
    photoroom, removebg = (cutter.send(CALL, PICTURE, 5.0) for cutter in cutters())

    assert photoroom == PaidAnswer(FIGURE)
    assert removebg == PaidAnswer(FIGURE, usage={"credits_charged": 1.0, "width": 6.0, "height": 4.0})


def test_a_cut_out_that_is_smaller_than_its_picture_is_said_so(service) -> None:
    large = replace(PICTURE, data=encode_png(np.zeros((800, 600), np.uint8)))
    service.answer = answering(200, FIGURE, content_type="image/png")

    answer = RemoveBg(Given(), size="auto").send(CALL, large, 5.0)

    assert "a cut-out of 6 x 4 pixels for a picture of 600 x 800; ask for size full" in answer.notes[0]
    assert RemoveBg(Given(), crop=True).send(CALL, large, 5.0).notes == ()


@both
def test_a_webp_holds_transparency_too(service, cutter) -> None:
    webp = encode(np.full((4, 6, 4), 128, np.uint8), format=PictureFormat.WEBP)
    service.answer = answering(200, webp, content_type="image/webp", x_request_id="req-1")

    assert cutter.send(CALL, PICTURE, 5.0).data == webp
    assert cutter.send(CALL, PICTURE, 5.0).request_id == "req-1"


@both
@pytest.mark.parametrize(
    ("status", "headers", "meant"),
    [
        (400, {}, (ProviderFailed, "unknown_foreground", None)),
        (401, {}, (ProviderFailed, "bad_key", None)),
        (402, {}, (ProviderFailed, "no_credits", None)),
        (403, {}, (ProviderFailed, "bad_key", None)),
        (429, {"retry_after": "17"}, (ProviderBusy, "rate_limited", 17.0)),
        (429, {"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, (ProviderBusy, "rate_limited", 0.0)),
        (429, {"retry_after": "soon"}, (ProviderBusy, "rate_limited", None)),
        (500, {}, (ProviderBusy, "provider_down", None)),
        (503, {"retry_after": "2"}, (ProviderBusy, "provider_down", 2.0)),
        (504, {}, (AnswerLost, "in_doubt", None)),
        (302, {"location": "http://127.0.0.1:9/"}, (ProviderFailed, "unknown_foreground", None)),
    ],
)
def test_a_status_says_what_it_means_for_money(service, cutter, status, headers, meant) -> None:
    body = {"errors": [{"code": "unknown_foreground", "title": f"No figure for {SECRET}", "detail": "See the page."}]}
    service.answer = answering(status, json.dumps(body).encode(), x_request_id="req-9", **headers)

    with pytest.raises(ProviderFailed) as raised:
        cutter.send(CALL, PICTURE, 5.0)

    found = raised.value
    assert (type(found), found.error_code, getattr(found, "retry_after_s", None)) == meant
    assert found.request_id == "req-9"
    assert "No figure for ***: See the page" in str(raised.value)
    assert len(service.arrived) == 1


@both
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (json.dumps({"error": {"message": f"overloaded, {SECRET}"}}).encode(), "application/json"),
        (b"<html>Sign in</html>", "text/html"),
        (b"", "image/png"),
        (encode(np.zeros((4, 6, 3), np.uint8), format=PictureFormat.JPG), "image/jpeg"),
        (b"RIFF____WAVE", "image/webp"),
    ],
)
def test_an_answer_that_can_be_no_cut_out_was_billed_and_is_kept(service, cutter, data, kind) -> None:
    service.answer = answering(200, data, content_type=kind)

    with pytest.raises(AnswerUnusable) as raised:
        cutter.send(CALL, PICTURE, 5.0)

    assert raised.value.data == data.replace(SECRET.encode(), b"***")
    assert kind in str(raised.value)


@both
def test_an_answer_without_end_is_read_no_further_than_the_limit(service, cutter) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "image/png")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        piece = b"100000\r\n" + FIGURE.ljust(1 << 20, b"\0") + b"\r\n"
        while not service.closing.is_set():
            handler.wfile.write(piece)

    service.answer = flood

    with pytest.raises(AnswerUnusable, match="larger than 64,000,000 bytes") as raised:
        cutter.send(CALL, PICTURE, 30.0)

    assert len(raised.value.data) == LARGEST_ANSWER_BYTES


# ---------------------------------------------------------------- what does not come back


@both
def test_a_service_that_cannot_be_reached_has_billed_nothing(cutter, monkeypatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        for variable in ("PHOTOROOM_API_URL", "REMOVE_BG_API_URL"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{taken.getsockname()[1]}")

        for ask in (lambda: cutter.send(CALL, PICTURE, 2.0), lambda: cutter.check(2.0)):
            with pytest.raises(ProviderBusy, match="cannot be reached"):
                ask()


def silent(handler: BaseHTTPRequestHandler) -> None:
    handler.server.closing.wait(10)


def dropping(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def halving(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", str(len(FIGURE)))
    handler.end_headers()
    handler.wfile.write(FIGURE[:20])
    handler.close_connection = True


def trickling(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    while not handler.server.closing.wait(0.1):
        handler.wfile.write(b"\x89")


def hesitating(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.server.closing.wait(0.1):
        handler.wfile.write(b"x-a: b\r\n")


def unmeasured(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("connection", "close")
    handler.end_headers()
    handler.wfile.write(FIGURE[:20])
    handler.server.closing.wait(10)


@both
@pytest.mark.parametrize("answer", [silent, dropping, halving, trickling, hesitating, unmeasured])
def test_a_call_whose_answer_is_lost_is_in_doubt_and_is_not_repeated(service, cutter, answer) -> None:
    service.answer, begun = answer, time.monotonic()

    with pytest.raises(AnswerLost):
        cutter.send(CALL, PICTURE, 0.5)

    assert len(service.arrived) == 1
    assert time.monotonic() - begun < 3


# ---------------------------------------------------------------- keys and addresses


@both
@pytest.mark.parametrize("secret", ["", "  ", "two words", "clé", "a\nb"])
def test_a_key_that_is_none_is_refused_before_anything_is_sent_and_is_not_shown(service, cutter, secret) -> None:
    with pytest.raises(ProviderFailed, match="_API_KEY") as raised:
        replace(cutter, key=Given(secret)).send(CALL, PICTURE, 5.0)

    assert raised.value.error_code == ("bad_key" if secret.strip() else "missing_key")
    assert not secret.strip() or secret not in "".join(traceback.format_exception(raised.value))
    assert service.arrived == []


@both
def test_no_error_and_no_repr_shows_the_key(service, cutter) -> None:
    def echoing(handler: BaseHTTPRequestHandler) -> None:
        reply(handler, 401, json.dumps({"detail": f"The key {SECRET} is unknown"}).encode())

    service.answer = echoing
    shown = [repr(cutter), str(cutter.settings)]

    for ask in (lambda: cutter.send(CALL, PICTURE, 5.0), lambda: cutter.check(5.0)):
        with pytest.raises(ProviderFailed, match=r"The key \*\*\* is unknown; check \w+_API_KEY") as raised:
            ask()
        shown += ["".join(traceback.format_exception(raised.value)), repr(pickle.loads(pickle.dumps(raised.value)))]

    assert [words for words in shown if SECRET in words] == []


@both
def test_a_cutter_travels_and_two_with_other_keys_ask_for_the_same(cutter) -> None:
    assert pickle.loads(pickle.dumps(cutter)) == cutter
    assert replace(cutter, key=Given("other")) == cutter
    assert replace(cutter, size="preview") != cutter


@both
@pytest.mark.parametrize(
    "address", ["http://example.org", "ftp://127.0.0.1", "http://127.0.0.1.example.org", "http://["]
)
def test_a_key_is_never_sent_in_the_open_to_another_machine(cutter, monkeypatch, address) -> None:
    for variable in ("PHOTOROOM_API_URL", "REMOVE_BG_API_URL"):
        monkeypatch.setenv(variable, address)

    for ask in (lambda: cutter.send(CALL, PICTURE, 1.0), lambda: cutter.check(1.0)):
        with pytest.raises(ProviderFailed, match="a key would travel in the open; correct") as raised:
            ask()
        assert raised.value.error_code == "bad_address"


@pytest.mark.parametrize("kind", [Photoroom, RemoveBg])
def test_a_format_without_transparency_is_refused_with_the_way_out(kind) -> None:
    with pytest.raises(RequestInvalid, match=r"bg_remove\.format: jpg has no transparency.*; take png"):
        kind(Given(), format=PictureFormat.JPG)
    with pytest.raises(RequestInvalid, match=r"bg_remove\.size"):
        kind(Given(), size="as large as can be")
    with pytest.raises(RequestInvalid, match="webp is not written by removebg"):
        RemoveBg(Given(), format=PictureFormat.WEBP)


# ---------------------------------------------------------------- accounts


def test_an_account_says_what_is_left_and_no_picture_is_made(service) -> None:
    photoroom, removebg = (cutter.check(5.0) for cutter in cutters())

    assert str(photoroom) == "photoroom (plan basic): 83 pictures left"
    assert str(removebg) == "removebg: 200 credits left"
    assert service.arrived == []


@both
@pytest.mark.parametrize("said", [b"no json", b"[]", b'{"images": {}, "data": null}'])
def test_an_account_that_says_something_else_is_one_clear_error(service, cutter, said) -> None:
    service.answer = answering(200, said)

    with pytest.raises(ProviderFailed, match=r"account is no JSON|does not say how many"):
        cutter.check(5.0)


@both
@pytest.mark.parametrize(("status", "error"), [(403, ProviderFailed), (429, ProviderBusy), (504, ProviderBusy)])
def test_an_account_that_is_not_shown_is_never_a_call_in_doubt(service, cutter, status, error) -> None:
    service.answer = answering(status, b"{}")

    with pytest.raises(ProviderFailed) as raised:
        cutter.check(5.0)

    assert type(raised.value) is error
