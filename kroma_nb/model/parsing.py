"""From text that people wrote to values: one place that names the field and the way out."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic_core import ErrorDetails

    from kroma_nb.errors import FieldInvalid
    from kroma_nb.model.value import Value

V = TypeVar("V", bound="Value")


def parse_json(text: str | bytes, *, file: str, error: type[FieldInvalid]) -> Any:
    """Parse JSON; refuse a key that stands twice and numbers that JSON does not have.

    Raises
    ------
    FieldInvalid
        Of the given kind, with line and column of a syntax error, or the dotted path of the repeated key or number.
    """
    repeated: dict[int, tuple[dict[str, Any], str]] = {}
    constants: list[str] = []

    def note_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            # The object is kept beside its id, so that no other object can take the id over.
            repeated[id(made)] = made, next(key for key in made if counts[key] > 1)
        return made

    def note_constant(name: str) -> float:
        constants.append(name)
        return float(name)

    decoded = _decoded(text, file=file, error=error)
    try:
        data = json.loads(decoded, object_pairs_hook=note_repeated, parse_constant=note_constant)
    except json.JSONDecodeError as cause:
        where = f"line {cause.lineno}, column {cause.colno}"
        raise error(file, "", f"not JSON: {cause.msg} at {where}", "correct the syntax there") from None
    except (RecursionError, ValueError) as cause:
        raise error(file, "", f"not usable JSON: {cause}", "nest less deeply and write shorter numbers") from None
    if repeated or constants:
        raise error(file, *_flaw(data, repeated))
    return data


def _decoded(text: str | bytes, *, file: str, error: type[FieldInvalid]) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise error(file, "", f"byte {cause.start} is not UTF-8", "save the file as UTF-8") from None


def _flaw(data: Any, repeated: dict[int, tuple[dict[str, Any], str]]) -> tuple[str, str, str]:
    """Find the outermost repeated key or non-number: its dotted path, what is wrong, the way out."""
    waiting: deque[tuple[tuple[str | int, ...], Any]] = deque([((), data)])
    while waiting:
        path, node = waiting.popleft()
        if id(node) in repeated:
            key = repeated[id(node)][1]
            return dotted((*path, key)), "the key stands twice in one object", "keep one of the two"
        if isinstance(node, float) and not math.isfinite(node):
            return dotted(path), f"{json.dumps(node)} is no JSON number", "write a finite number"
        inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        waiting.extend(((*path, key), child) for key, child in inner)
    raise AssertionError("the flaw was noted while the data was read")


def parse_value(model: type[V], data: Any, *, file: str, error: type[FieldInvalid], under: str = "") -> V:
    """Validate JSON types against a value class and report the first wrong field.

    Parameters
    ----------
    model : type
        A subclass of `Value`.
    data : JSON types
        What `parse_json` gave.
    file : str
        How the error names the file.
    error : type
        The kind of `FieldInvalid` to raise.
    under : str
        Dotted path of ``data`` inside the file, put before every field.

    Raises
    ------
    FieldInvalid
        With the dotted path of the field, what is there and what would be right.
    """
    if not isinstance(data, dict):
        raise error(file, under, f"expected an object, found {describe(data)}", "write it in braces: { … }")
    try:
        return model.model_validate_json(json.dumps(data))
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
    field = dotted((under, *first["loc"]) if under else first["loc"])
    problem, way_out = _sentence(first, model)
    raise error(file, field, problem, way_out) from None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give a hint such as ``did you mean 'candidates'?``, or the list of what is known."""
    known = sorted(known)
    close = _closest(word, known)
    return f"did you mean {close!r}?" if close else f"known here: {', '.join(known)}"


def is_close(word: str, known: Iterable[str]) -> bool:
    """Tell whether a word is close enough to a known one to be meant as it."""
    return bool(_closest(word, sorted(known)))


def _closest(word: str, known: list[str]) -> str:
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.6)), "")


def plain_word(text: str) -> str:
    """Make a part of a slug or file name out of any text, as the predecessor did; empty where nothing can stand there.

    Lower case; ``a-z 0-9 - _`` stay, each run of other characters becomes one ``_``, and both ends are stripped of it.

    Examples
    --------
    >>> plain_word("My Fancy Project"), plain_word("a _ b"), plain_word("Über Held"), plain_word("夜")
    ('my_fancy_project', 'a___b', 'ber_held', '')
    """
    return re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_")


def describe(value: Any) -> str:
    """Name a JSON value and its type in a few words."""
    if value is None:
        return "null"
    kind = {bool: "the boolean", int: "the number", float: "the number", str: "the string", list: "a list"}
    name = kind.get(type(value))
    if name is None:
        return "an object"
    text = json.dumps(value, ensure_ascii=False)
    return name if name == "a list" else f"{name} {text if len(text) <= 60 else text[:57] + '…'}"


def dotted(path: Sequence[str | int]) -> str:
    """Join a path of keys and positions: ``scenes[2].ref``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _known_at(model: type[Value], path: Sequence[str | int]) -> list[str]:
    """Give the field names of the object that a path leads to."""
    schema: dict[str, Any] = model.model_json_schema()
    node = schema
    for part in path:
        node = _resolve(node, schema)
        node = node.get("items", {}) if isinstance(part, int) else node.get("properties", {}).get(part, {})
    return list(_resolve(node, schema).get("properties", {}))


def _resolve(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow references and optional types to the object that they mean."""
    for option in node.get("anyOf", ()):
        if option.get("type") != "null":
            node = option
            break
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


_EXPECTED = {
    "string_type": "a string",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def _sentence(detail: ErrorDetails, model: type[Value]) -> tuple[str, str]:
    kind, found, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known_at(model, detail["loc"][:-1])
        return "the key is not known", did_you_mean(str(detail["loc"][-1]), known)
    if kind == "missing":
        return "the key is missing", "add it"
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {describe(found)}", f"write {_EXPECTED[kind]}"
    if kind == "enum":
        return f"{describe(found)} is not in the list", f"choose from {context['expected']}"
    if kind in {"value_error", "assertion_error"}:
        problem, _, way_out = str(context["error"]).partition("; ")
        return problem, way_out or "correct the value"
    return f"{describe(found)} cannot stand here", detail["msg"].removeprefix("Input ")
