"""Reading the files that people write: size, kind and encoding checked, legacy keys set aside, null refused."""

from __future__ import annotations

import stat
from importlib import resources
from typing import TYPE_CHECKING, Any

from kroma_nb.errors import FileMissing
from kroma_nb.model.parsing import dotted, parse_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from kroma_nb.errors import FieldInvalid

MAX_BYTES = 64 << 20
MAX_DEPTH = 32
BUILT_IN = "built-in"

Where = tuple[str | int, ...]


def read_document(path: Path, *, file: str, role: str, error: type[FieldInvalid]) -> Any:
    """Read a JSON file, of any root type, that a person wrote.

    Parameters
    ----------
    path : Path
        The file.
    file : str
        How errors about its content name it.
    role : str
        Who refers to it, for errors about the file itself.
    error : type
        The kind of `FieldInvalid` to raise.

    Raises
    ------
    FileMissing
        If it is not there, is no regular file or cannot be opened.
    FieldInvalid
        Of the given kind: more than 64 MiB, not UTF-8, not JSON, a repeated key.
    """
    return parse_json(read_text_bytes(path, file=file, role=role, error=error), file=file, error=error)


def read_text_bytes(path: Path, *, file: str, role: str, error: type[FieldInvalid]) -> bytes:
    """Read a regular file of at most 64 MiB."""
    try:
        status = path.stat()
        # A pipe or a device would keep the reader waiting for ever.
        if not stat.S_ISREG(status.st_mode):
            raise FileMissing(path, role, "this is no regular file")
        if status.st_size > MAX_BYTES:
            raise error(file, "", f"{status.st_size:,} bytes are more than {MAX_BYTES:,}", "split the file")
        return path.read_bytes()
    except FileNotFoundError:
        raise FileMissing(path, role) from None
    except (OSError, ValueError) as cause:
        raise FileMissing(path, role, reason(cause)) from cause


def reason(cause: OSError | ValueError) -> str:
    """Say what the system said, in its own words."""
    return (getattr(cause, "strerror", None) or str(cause) or type(cause).__name__).lower()


def printable(text: str) -> str:
    """Write what is not UTF-8 as escapes, so that any terminal can show the text."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def read_built_in(name: str) -> str:
    """Read a text file of the package's own data."""
    return (resources.files("kroma_nb") / "data" / name).read_text(encoding="utf-8")


def set_aside(data: Any, legacy: Collection[str]) -> tuple[Any, tuple[str, ...]]:
    """Take known legacy keys out of a document.

    Returns
    -------
    JSON types
        The document without them; the argument stays as it is.
    tuple of str
        Dotted paths of what was taken out, sorted.

    Examples
    --------
    >>> set_aside({"policy": {"old": None, "new": 1}}, {"policy.old"})
    ({'policy': {'new': 1}}, ('policy.old',))
    """
    found: list[str] = []

    def without(node: Any, prefix: str) -> Any:
        if not isinstance(node, dict):
            return node
        kept = {}
        for key, value in node.items():
            path = f"{prefix}{key}"
            if path in legacy and "." not in key:
                found.append(path)
            else:
                kept[key] = without(value, f"{path}.") if prefix.count(".") < MAX_DEPTH else value
        return kept

    return without(data, ""), tuple(sorted(found))


def refuse_unusable(data: Any, *, file: str, error: type[FieldInvalid]) -> None:
    """Refuse what no key of any of these files can hold: null, broken text, deep nesting.

    Raises
    ------
    FieldInvalid
        With the dotted path of the first such place.
    """
    for where, value in _walk(data):
        fault = _fault(where, value)
        if fault is not None:
            raise error(file, printable(dotted(where)), *fault)


def _walk(data: Any) -> Iterator[tuple[Where, Any]]:
    """Visit every node in the order of the file; what lies too deep is visited but not entered."""
    stack: list[tuple[Where, Any]] = [((), data)]
    while stack:
        where, value = stack.pop()
        yield where, value
        if len(where) > MAX_DEPTH:
            continue
        if isinstance(value, dict):
            stack.extend(((*where, key), child) for key, child in reversed(value.items()))
        elif isinstance(value, list):
            stack.extend(((*where, index), value[index]) for index in reversed(range(len(value))))


def _fault(where: Where, value: Any) -> tuple[str, str] | None:
    if len(where) > MAX_DEPTH:
        return f"more than {MAX_DEPTH} levels of brackets lie here", "nest less deeply"
    if value is None:
        return "null cannot stand here", "leave the key out or give it a value"
    texts = [value] if isinstance(value, str) else [where[-1]] if where and isinstance(where[-1], str) else []
    if any(not _is_text(text) for text in texts):
        return "the text holds a character that no file can hold", "write it as plain UTF-8"
    return None


def _is_text(text: str) -> bool:
    """Tell whether a text can be written as UTF-8 and named to the system."""
    if text.isascii():
        return "\0" not in text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text
