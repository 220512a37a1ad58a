"""A server that draws at home: where it is met, how it is asked, and how it is said that it did not answer."""

from __future__ import annotations

import base64
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from kroma_nb.errors import ProviderBusy, ProviderFailed, SettingsInvalid
from kroma_nb.providers.calls import Clock, is_here, read_up_to
from kroma_nb.providers.home.words import words_of
from kroma_nb.settings.secrets import HIDDEN, look_up, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from kroma_nb.settings.secrets import Found

TIMEOUT_S = 600.0
"""How long a picture may take where nobody says otherwise."""
LOOK_S = 15.0
"""How long a server may take to say something of itself."""
CONNECT_S = 5.0
LARGEST_ANSWER_BYTES = 90_000_000
"""A picture of 64 MB as base64, and the words around it."""
_WORDS_BYTES = 256 << 10
_turns: dict[tuple[int, str], Lock] = {}
"""By process too: a forked one would find a lock held that nobody there gives back."""


@dataclass(frozen=True)
class Letter:
    """One request.

    Attributes
    ----------
    path : str
        Such as ``/prompt``.
    body : object
        Is sent as JSON; None sends none, so that the request is a GET.
    query : mapping of str to str
    file : bytes or None
        Is sent as the field ``image`` of a form, under `file_name`, together with `fields`.
    """

    path: str
    body: Any = field(default=None, repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    file: bytes | None = field(default=None, repr=False)
    file_name: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def sent(self) -> dict[str, Any]:
        """What httpx is told of it."""
        if self.file is not None:
            files = {"image": (self.file_name, self.file, "image/png")}
            return {"method": "POST", "files": files, "data": dict(self.fields)}
        if self.body is not None:
            return {"method": "POST", "json": self.body}
        return {"method": "GET", "params": dict(self.query)}


@dataclass(frozen=True)
class Server:
    """Where a server is met; it holds no password, and looks for one where a call is made.

    Attributes
    ----------
    provider : str
    usual : str
        Its address where nobody says another.
    address_variable, auth_variable : str
        The variables that say another address, and ``user:password``.
    start : str
        How one starts it, as a clause.
    home : Path or None
        The workspace whose ``.env`` counts.
    """

    provider: str
    usual: str
    address_variable: str
    auth_variable: str
    start: str
    home: Path | None = None

    @property
    def address(self) -> str:
        """Its address, without a slash at the end.

        Raises
        ------
        ProviderFailed
            If it is no address of a server, or a password would travel in the open.
        """
        found = self.found(self.address_variable)
        url, auth = (found.text if found else self.usual).rstrip("/"), self.found(self.auth_variable)
        try:
            parts = urlsplit(url)
            known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            known = False
        where = f"{self.address_variable} from {found.where}" if found else self.address_variable
        if not known:
            raise self._failed(f"{where} is no address; write it as {self.usual}", "bad_address")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            way_out = f"put user:password into {self.auth_variable}, where it is not shown"
            raise self._failed(f"{where} holds more than an address; {way_out}", "bad_address")
        if auth is not None and parts.scheme != "https" and not is_here(url):
            problem = f"{url} is neither https nor on this machine, and {self.auth_variable} would travel in the open"
            raise self._failed(f"{problem}; correct {self.address_variable}", "bad_address")
        return url

    def found(self, name: str) -> Found | None:
        """Look a variable up; where that fails, the error says that nothing was asked.

        Raises
        ------
        ProviderFailed
            If the workspace's ``.env`` cannot be read.
        """
        try:
            return look_up(name, sources_of(self.home))
        except SettingsInvalid as cause:
            problem = str(cause)
        raise self._failed(problem, SettingsInvalid.error_code)

    def ask(self, letter: Letter, timeout_s: float) -> Any:
        """Ask, and give the JSON that is answered; None for an empty answer.

        Raises
        ------
        ProviderBusy, ProviderFailed
            As `fetch`; or if the answer is no JSON.
        """
        data = self.fetch(letter, timeout_s)
        try:
            return json.loads(data) if data.strip() else None
        except (ValueError, RecursionError):
            pass
        raise self._failed(f"what {self.address} answers to {letter.path} is no JSON", "bad_answer")

    def fetch(self, letter: Letter, timeout_s: float) -> bytes:
        """Ask, and give the bytes that are answered.

        Raises
        ------
        ProviderBusy
            If it cannot be reached, breaks off, has not answered in time or is out of order.
        ProviderFailed
            If it refuses, or answers without end.
        """
        url, auth = self.address, self._auth()
        limits = httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s))
        headers = {"authorization": f"Basic {_basic(auth)}"} if auth else {}
        problem: ProviderFailed | None
        try:
            with (
                Clock(timeout_s) as clock,
                _client(url, limits) as client,
                client.stream(
                    url=url + letter.path, headers=headers, extensions={"trace": clock.hear}, **letter.sent
                ) as answer,
            ):
                fine = answer.is_success
                data, is_whole = read_up_to(answer, LARGEST_ANSWER_BYTES if fine else _WORDS_BYTES)
        except (httpx.HTTPError, httpx.InvalidURL) as cause:
            problem = self._unanswered(url, cause, timeout_s, has_rung=clock.has_rung)
        else:
            problem = self._judged(letter, answer.status_code, data, auth)
            if problem is None and clock.has_rung:
                problem = self._late(url, timeout_s)
            if problem is None and not is_whole:
                problem = self._failed(f"its answer is larger than {LARGEST_ANSWER_BYTES:,} bytes", "answer_too_large")
        # Outside of the handler: what httpx has raised holds the request with its headers, and stays behind.
        if problem is not None:
            raise problem
        return data

    def _auth(self) -> Found | None:
        auth = self.found(self.auth_variable)
        if auth is not None and ":" not in auth.text:
            raise self._failed(f"{self.auth_variable} from {auth.where} is not user:password", "bad_key")
        return auth

    def _unanswered(self, url: str, cause: Exception, timeout_s: float, *, has_rung: bool) -> ProviderBusy:
        if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError | httpx.InvalidURL):
            problem = f"no server answers at {url}; {self.start}, or say in {self.address_variable} where it is"
            return ProviderBusy(self.provider, problem, "unreachable")
        if has_rung or isinstance(cause, httpx.TimeoutException):
            return self._late(url, timeout_s)
        return ProviderBusy(self.provider, f"{url} broke off: {type(cause).__name__}", "broken_off")

    def _late(self, url: str, timeout_s: float) -> ProviderBusy:
        problem = f"{url} had not answered after {timeout_s:g} s"
        way_out = f"timeout_s under [limits.{self.provider}] in config/models.toml says how long it may take"
        return ProviderBusy(self.provider, f"{problem}; {way_out}", "timed_out")

    def _judged(self, letter: Letter, status: int, data: bytes, auth: Found | None) -> ProviderFailed | None:
        if 200 <= status < 300:
            return None
        said = _hidden(words_of(data), auth)
        said = f": {said}" if said else ""
        if status in {401, 403}:
            way_out = f"set {self.auth_variable}=user:password" if auth is None else f"check {self.auth_variable}"
            return self._failed(f"it does not let us in{said}; {way_out}", "bad_key")
        if status == 404:
            problem = f"{self.address} does not know {letter.path}{said}; {self.start}"
            return self._failed(problem, "not_found")
        if status >= 500 or status in {408, 429}:
            return ProviderBusy(self.provider, f"HTTP {status}{said}", "server_error")
        return self._failed(f"it refuses with HTTP {status}{said}", "refused")

    def _failed(self, problem: str, code: str) -> ProviderFailed:
        return ProviderFailed(self.provider, problem, code)


@contextmanager
def turn_at(address: str) -> Iterator[None]:
    """Wait until no other thread draws at an address: a server draws one picture after the other.

    Who waits in the server's own queue would spend the time there that the picture may take.
    """
    with _turns.setdefault((os.getpid(), address), Lock()):
        yield


def _client(url: str, limits: httpx.Timeout) -> httpx.Client:
    # The proxies of this machine are for other machines. A redirection would take the password along. Certificates are
    # read where there may be some to check: that takes longer than a question to this machine.
    here = is_here(url)
    secure = not here or url.startswith("https:")
    return httpx.Client(timeout=limits, verify=secure, trust_env=not here, follow_redirects=False)


def _basic(auth: Found) -> str:
    return base64.b64encode(auth.text.encode()).decode()


def _hidden(words: str, auth: Found | None) -> str:
    if auth is None:
        return words
    for secret in (auth.text, _basic(auth), auth.text.partition(":")[2]):
        words = words.replace(secret, HIDDEN) if secret else words
    return words
