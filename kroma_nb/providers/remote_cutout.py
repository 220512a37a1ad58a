"""One call to a paid cut-out service: what is sent, what may come back, and which error says what was billed."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import httpx

from kroma_nb.errors import AnswerLost, AnswerUnusable, ProviderBusy, ProviderFailed, RequestInvalid
from kroma_nb.model.paid_finishing import LARGEST_ANSWER_BYTES
from kroma_nb.model.postprocess import PictureFormat
from kroma_nb.providers.calls import Clock, is_here, read_up_to

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kroma_nb.model.paid import Attachment

    Key = Callable[[], str]

TIMEOUT_S = 60.0
"""How long an answer may take where nobody says otherwise."""
CONNECT_S = 15.0
"""How long it may take to reach a service."""
_WORDS_BYTES = 64 << 10
_SAID = 300
_PNG, _WEBP = b"\x89PNG\r\n\x1a\n", (b"RIFF", b"WEBP")
_REQUEST_ID = "x-request-id"


@dataclass(frozen=True)
class Service:
    """A service, and where it is met.

    Attributes
    ----------
    provider : str
    endpoint : str
        Where pictures go.
    account : str
        Where it says what is left.
    header : str
        That carries the key.
    key_variable : str
        Where the key usually stands, for what errors say.
    address_variable : str
        An environment variable that holds another server, such as ``http://127.0.0.1:8080``, for both addresses.
    """

    provider: str
    endpoint: str
    account: str
    header: str
    key_variable: str
    address_variable: str

    def at(self, address: str) -> str:
        """Give an address as the environment has it.

        Raises
        ------
        ProviderFailed
            If a key would travel unencrypted to another machine.
        """
        other = os.environ.get(self.address_variable, "").strip()
        url = other.rstrip("/") + urlsplit(address).path if other else address
        try:
            scheme = httpx.URL(url).scheme
            safe = scheme == "https" or (scheme == "http" and is_here(url))
        except httpx.InvalidURL:
            safe = False
        if not safe:
            problem = f"its address {url} is neither https nor on this machine, and a key would travel in the open"
            raise ProviderFailed(self.provider, f"{problem}; correct {self.address_variable}", "bad_address")
        return url


@dataclass(frozen=True)
class Parcel:
    """What is sent in one call.

    Attributes
    ----------
    call_id : str
        Parts the fields, so that the same call has the same bytes; the service gives it no meaning.
    picture : Attachment
    fields : mapping of str to str
    timeout_s : float, seconds
    """

    call_id: str
    picture: Attachment
    fields: Mapping[str, str]
    timeout_s: float


@dataclass(frozen=True)
class Reply:
    """A picture's file, and what its headers say."""

    data: bytes = field(repr=False)
    headers: httpx.Headers = field(repr=False)

    @property
    def request_id(self) -> str:
        """The service's name for the call; empty where it gives none."""
        return str(self.headers.get(_REQUEST_ID, ""))


def fields_of(size: str, format: PictureFormat, *, crop: bool) -> dict[str, str]:  # noqa: A002
    """Give the fields that say what is wanted: ``size`` unless it is blank or ``auto``, ``crop`` only where it is on.

    Examples
    --------
    >>> fields_of("auto", PictureFormat.PNG, crop=False)
    {'format': 'png'}
    """
    fields = {"size": size, "format": format.value, "crop": "true" if crop else ""}
    return {name: value for name, value in fields.items() if value and (name, value) != ("size", "auto")}


def refuse(provider: str, size: str, format: PictureFormat, *, known: tuple[PictureFormat, ...]) -> None:  # noqa: A002
    """Refuse what could not be a cut-out, before anything is bought.

    Raises
    ------
    RequestInvalid
        If the format has no transparency, the service does not write it, or the size is no word.
    """
    if format not in known:
        why = "has no transparency" if format is PictureFormat.JPG else f"is not written by {provider}"
        right = " or ".join(known)
        raise RequestInvalid("request", "bg_remove.format", f"{format} {why}, so there is no cut-out", f"take {right}")
    if not re.fullmatch(r"[A-Za-z0-9]{0,16}", size):
        raise RequestInvalid(
            "request", "bg_remove.size", f"{size!r} is no size of {provider}", "take full, or leave it"
        )


def buy(service: Service, key: Key, parcel: Parcel) -> Reply:
    """Send a picture, and give what comes back.

    Raises
    ------
    ProviderBusy, ProviderFailed, AnswerLost, AnswerUnusable
        As `PaidCutter.send` says.
    """
    secret, url = _opened(service, key), service.at(service.endpoint)
    headers = {service.header: secret, "content-type": f"multipart/form-data; boundary=kroma-{parcel.call_id}"}
    picture = parcel.picture
    files = {"image_file": (picture.name, picture.data, picture.media_type)}
    try:
        with (
            Clock(parcel.timeout_s) as clock,
            _client(url, parcel.timeout_s) as client,
            client.stream(
                "POST", url, headers=headers, data=dict(parcel.fields), files=files, extensions={"trace": clock.hear}
            ) as answer,
        ):
            is_fine = answer.is_success
            data, is_whole = read_up_to(answer, LARGEST_ANSWER_BYTES if is_fine else _WORDS_BYTES)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as cause:
        raise ProviderBusy(service.provider, f"it cannot be reached: {_hidden(str(cause), secret)}") from cause
    except httpx.HTTPError as cause:
        raise AnswerLost(service.provider, f"no answer came: {type(cause).__name__}") from cause
    if not is_fine:
        _refused(service, answer, _said(data, secret), data)
    if clock.has_rung:
        # An answer of unknown length ends where its connection does.
        raise AnswerLost(service.provider, f"its answer had not ended after {parcel.timeout_s:g} s")
    return _picture(service, answer, data, secret=secret, is_whole=is_whole)


def account(service: Service, key: Key, timeout_s: float) -> Any:
    """Ask a service about the account, and give the JSON that it answers.

    Raises
    ------
    ProviderBusy, ProviderFailed
        As `PaidCutter.check` says.
    """
    secret, url = _opened(service, key), service.at(service.account)
    try:
        with (
            Clock(timeout_s) as clock,
            _client(url, timeout_s) as client,
            client.stream("GET", url, headers={service.header: secret}, extensions={"trace": clock.hear}) as answer,
        ):
            data, _ = read_up_to(answer, _WORDS_BYTES)
    except httpx.HTTPError as cause:
        problem = f"it cannot be reached: {_hidden(str(cause), secret) or type(cause).__name__}"
        raise ProviderBusy(service.provider, problem) from cause
    if not answer.is_success:
        try:
            _refused(service, answer, _said(data, secret), data)
        except AnswerLost as cause:
            raise ProviderBusy(service.provider, cause.cause, "provider_down") from None
    try:
        return json.loads(data)
    except ValueError:
        raise ProviderFailed(service.provider, "what it says of the account is no JSON", "bad_answer") from None


def number_in(headers: httpx.Headers, name: str) -> float | None:
    """Give a header's number; None where there is none."""
    try:
        return float(headers[name])
    except (KeyError, ValueError):
        return None


def _client(url: str, timeout_s: float) -> httpx.Client:
    limits = httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s))
    # The proxies of this machine are for other machines. A redirection would take the key along.
    return httpx.Client(timeout=limits, trust_env=not is_here(url), follow_redirects=False)


def _opened(service: Service, key: Key) -> str:
    secret = key().strip()
    if not secret:
        raise ProviderFailed(service.provider, f"it has no key; set {service.key_variable}", "missing_key")
    # A header could not hold it, and the complaint about that would show it.
    if not (secret.isascii() and secret.isprintable() and " " not in secret):
        problem = f"its key holds a character that no key has; copy it to {service.key_variable} again"
        raise ProviderFailed(service.provider, problem, "bad_key")
    return secret


def _picture(service: Service, answer: httpx.Response, data: bytes, *, secret: str, is_whole: bool) -> Reply:
    request_id = answer.headers.get(_REQUEST_ID, "")
    if not is_whole:
        problem = f"its answer is larger than {LARGEST_ANSWER_BYTES:,} bytes and was not read further"
        raise AnswerUnusable(service.provider, problem, "answer_too_large", data, request_id)
    if not (data.startswith(_PNG) or (data[:4], data[8:12]) == _WEBP):
        what = answer.headers.get("content-type", "something without a name")[:_SAID]
        problem = f"it answered with {what} in place of a picture that can hold transparency"
        kept = data.replace(secret.encode(), b"***")
        raise AnswerUnusable(service.provider, f"{problem}{_said(data, secret)}", "", kept, request_id)
    return Reply(data, answer.headers)


def _refused(service: Service, answer: httpx.Response, said: str, data: bytes) -> NoReturn:
    """Say what a status means for money: an answer with an error was not billed, as both services promise."""
    status, named = answer.status_code, answer.headers.get(_REQUEST_ID, "")
    if status in {401, 403}:
        problem = f"it does not take the key{said}; check {service.key_variable}"
        raise ProviderFailed(service.provider, problem, "bad_key", named)
    if status == 402:
        raise ProviderFailed(service.provider, f"the account has no credits left{said}", "no_credits", named)
    if status in {408, 429}:
        raise ProviderBusy(service.provider, f"it asks to wait{said}", "rate_limited", _wait_s(answer), named)
    if status == 504:
        # A gateway says that it has waited in vain for whoever does the work (RFC 9110, 15.6.5).
        raise AnswerLost(service.provider, f"its gateway has lost the answer{said}", "", named)
    if status >= 500:
        raise ProviderBusy(service.provider, f"HTTP {status}{said}", "provider_down", _wait_s(answer), named)
    raise ProviderFailed(service.provider, f"it refuses with HTTP {status}{said}", _code(data), named)


def _wait_s(answer: httpx.Response) -> float | None:
    """Read Retry-After: seconds, or a date (RFC 9110, 10.2.3)."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isdigit():
        return float(said[:9])
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _first_error(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, dict) and isinstance(found.get("errors"), list) and found["errors"]:
        found = found["errors"][0]
    if isinstance(found, dict) and isinstance(found.get("error"), dict):
        found = found["error"]
    return found if isinstance(found, dict) else {}


def _said(data: bytes, secret: str) -> str:
    """Give what a service says of an error, as the end of a clause, without the key."""
    error = _first_error(data)
    words = [error[name] for name in ("title", "message", "error", "detail") if isinstance(error.get(name), str)]
    said = _hidden(" ".join(": ".join(words).split()), secret)[:_SAID].rstrip(".")
    return f": {said}" if said else ""


def _code(data: bytes) -> str:
    code = _first_error(data).get("code")
    return code if isinstance(code, str) and re.fullmatch(r"[a-z][a-z0-9_]{1,63}", code) else ""


def _hidden(words: str, secret: str) -> str:
    return words.replace(secret, "***")
