"""Keys and what else a service wants to know: the environment before the workspace's ``.env``, never shown."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from kroma_nb.errors import SettingsInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

API_KEY: Final = "OPENAI_API_KEY"
BASE_URL: Final = "OPENAI_BASE_URL"
IMAGE_MODEL: Final = "OPENAI_IMAGE_MODEL"
IMAGE_SIZE: Final = "OPENAI_IMAGE_SIZE"
IMAGE_QUALITY: Final = "OPENAI_IMAGE_QUALITY"
SDAPI_URL: Final = "SDAPI_URL"
SDAPI_AUTH: Final = "SDAPI_AUTH"
SDAPI_OPTIONS: Final = "SDAPI_OPTIONS"
COMFYUI_URL: Final = "COMFYUI_URL"
COMFYUI_AUTH: Final = "COMFYUI_AUTH"
COMFYUI_WORKFLOW: Final = "COMFYUI_WORKFLOW"

ENV_FILE: Final = ".env"
ENVIRONMENT: Final = "the environment"
HIDDEN: Final = "[hidden]"
SHORTEST_SIGNS = 12
"""Services on one's own machine take any word as a key, such as ``none``; those stand in other texts by chance."""
SIZE_LIMIT_BYTES = 1 << 20
"""A larger ``.env`` is some other file."""

_EXPORT = re.compile(r"^export\s+")


class Secret:
    """A text that does not show itself: not in a repr, a string, a log or a traceback; nor is it pickled.

    Examples
    --------
    >>> key = Secret("sk-1234567890")
    >>> key, f"{key:>12}", str(key)
    (Secret([hidden]), '    [hidden]', '[hidden]')
    >>> key.reveal(), key.hidden_in("wrong key: sk-1234567890")
    ('sk-1234567890', 'wrong key: [hidden]')
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text itself, for the one who sends it."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """Give a text in which this secret is blotted out; one that is too short to be told from other words stays."""
        return text.replace(self._text, HIDDEN) if len(self._text) >= SHORTEST_SIGNS else text

    def hidden_in_bytes(self, data: bytes) -> bytes:
        """Give bytes in which this secret is blotted out."""
        return data.replace(self._text.encode(), HIDDEN.encode()) if len(self._text) >= SHORTEST_SIGNS else data

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled; send what finds it, and find it there")


@dataclass(frozen=True)
class Found:
    """A value that was found.

    Attributes
    ----------
    name : str
        The variable.
    secret : Secret
    where : str
        Where it stands: ``the environment``, or a file's path.
    """

    name: str
    secret: Secret
    where: str

    @property
    def text(self) -> str:
        """The value, of a variable that holds no secret."""
        return self.secret.reveal()


@dataclass(frozen=True)
class Source:
    """One place where values stand.

    Attributes
    ----------
    where : str
        In words that follow "from".
    values : mapping of str to Secret
        By variable; one that is empty or blank counts as not there.
    """

    where: str
    values: Mapping[str, Secret] = field(repr=False)


def sources_of(home: Path | None) -> tuple[Source, ...]:
    """Give where values stand in a workspace, strongest first; who has further places puts them behind these.

    Parameters
    ----------
    home : Path or None
        The workspace; None takes the environment alone.

    Raises
    ------
    SettingsInvalid
        If there is a ``.env`` that cannot be read.
    """
    environment = Source(ENVIRONMENT, _secrets(os.environ))
    if home is None:
        return (environment,)
    path = home / ENV_FILE
    text = _text_of(path)
    return (environment,) if text is None else (environment, Source(str(path), _secrets(parse_env(text))))


def look_up(name: str, sources: tuple[Source, ...]) -> Found | None:
    """Give a value from the first place that has one; an empty variable hides nothing.

    Examples
    --------
    >>> places = (Source("here", {"KEY": Secret(" ")}), Source("there", {"KEY": Secret("k")}))
    >>> look_up("KEY", places)
    Found(name='KEY', secret=Secret([hidden]), where='there')
    """
    for source in sources:
        value = source.values.get(name)
        if value is not None and value.reveal().strip():
            return Found(name, Secret(value.reveal().strip()), source.where)
    return None


def parse_env(text: str) -> dict[str, str]:
    """Read the lines of a ``.env``.

    Blank lines, lines that begin with ``#`` and lines without ``=`` say nothing; ``export`` may stand before a name;
    quotes around a value are taken away, and `` #`` begins a remark outside of them. The last line of a name counts.

    Examples
    --------
    >>> parse_env('export A="x # y"  # a remark' + chr(10) + "B = b # c" + chr(10) + "# C=1" + chr(10) + "D='")
    {'A': 'x # y', 'B': 'b', 'D': "'"}
    """
    found: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        name, equals, value = line.partition("=")
        if not line.startswith("#") and equals:
            found[_EXPORT.sub("", name.strip())] = _bare(value.strip())
    return found


def _bare(value: str) -> str:
    """Take quotes, or a remark, away from a value."""
    quote = value[:1]
    if quote in {'"', "'"}:
        inner, closing, rest = value[1:].rpartition(quote) if " #" not in value else value[1:].partition(quote)
        if closing and (not rest.strip() or rest.lstrip().startswith("#")):
            return inner
    return "" if value.startswith("#") else value.partition(" #")[0].rstrip()


def _secrets(values: Mapping[str, Any]) -> dict[str, Secret]:
    return {name: Secret(value) for name, value in values.items()}


def _text_of(path: Path) -> str | None:
    file = str(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return None  # where other tools keep a Python environment
        if not stat.S_ISREG(status.st_mode) or status.st_size > SIZE_LIMIT_BYTES:
            way_out = "put a text file with lines such as NAME=value there, or remove it"
            raise SettingsInvalid(file, "", "this is no file of variables", way_out)
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise SettingsInvalid(file, "", "the link leads nowhere", "restore its target or remove the link") from None
        return None
    except OSError as cause:
        raise SettingsInvalid(file, "", f"cannot be read: {cause.strerror}", "check its permissions") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        place = cause.start
    # Outside of the handler: what was raised there would show the bytes.
    raise SettingsInvalid(file, "", f"byte {place} is not UTF-8", "save the file as UTF-8")
