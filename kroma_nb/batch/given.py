"""What is given to a notebook: known names, values of the declared types, and no secrets."""

from __future__ import annotations

import json
import math
import re
import shlex
from typing import TYPE_CHECKING, Any

from kroma_nb.batch.declared import KINDS, named
from kroma_nb.batch.discretion import refuse_secret
from kroma_nb.errors import ParameterInvalid
from kroma_nb.model.notebook import Kind, Parameter
from kroma_nb.model.parsing import describe, did_you_mean, is_close, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_EXAMPLES = {
    Kind.TEXT: "a text",
    Kind.INTEGER: "a whole number such as 3",
    Kind.NUMBER: "a number such as 0.5",
    Kind.BOOLEAN: "true or false",
    Kind.LIST: 'a JSON list such as ["a.jpg", "b.jpg"]',
    Kind.OBJECT: 'a JSON object such as {"a": 1}',
    Kind.ANY: "a JSON value",
}
# Words of the command line and of `Project.plan`, and how a notebook may call the same thing.
_ALIASES = {
    "input": ("photographs", "scenes"),
    "inputs": ("photographs", "scenes"),
    "scenes": ("photographs",),
    "photographs": ("scenes",),
    "home": ("workspace",),
}
MOST_NAMES = 6
_ARTICLES = {Kind.INTEGER: "a ", Kind.NUMBER: "a ", Kind.LIST: "a ", Kind.OBJECT: "an "}


class Typed(str):
    """A value as it was typed in a command line: its meaning depends on the parameter."""

    __slots__ = ()


def checked(parameters: Iterable[Parameter], given: Mapping[str, object], *, file: str) -> dict[str, Any]:
    """Check what was given against what is declared, and give the values.

    Parameters
    ----------
    parameters : iterable of Parameter
    given : mapping
        Name to value; a `Typed` one is read as the parameter's type asks for.
    file : str
        How errors name the notebook.

    Raises
    ------
    ParameterInvalid
        If a name is unknown, or a value is of another type.
    SecretRefused
        If a name or value looks like a secret, also where it is a default.
    """
    known = named(parameters)
    for name in given:
        if name not in known:
            raise ParameterInvalid(file, name, "the notebook has no such parameter", _meant(name, known, file))
    values = {name: _value(known[name], value, file) for name, value in given.items()}
    for parameter in known.values():
        refuse_secret(parameter.name, values.get(parameter.name, parameter.default))
    return values


def _meant(name: str, known: Mapping[str, Parameter], file: str) -> str:
    """Say which parameter was meant; where none is close, name some and the way to see all."""
    if not known:
        return "the notebook has no parameters"
    alias = next((other for other in _ALIASES.get(name, ()) if other in known), None)
    if alias is not None or is_close(name, known):
        return did_you_mean(alias or name, known)
    first = list(known)[:MOST_NAMES]
    rest = len(known) - len(first)
    more = f" and {rest} more" if rest else ""
    return f"it has {', '.join(first)}{more}; `kroma notebook run {shlex.quote(file)} --help-notebook` explains them"


def _value(parameter: Parameter, given: object, file: str) -> Any:
    value = _read(parameter, given) if isinstance(given, Typed) else given
    refuse_secret(parameter.name, value)
    if isinstance(value, int) and not isinstance(value, bool) and parameter.kind is Kind.NUMBER:
        value = float(value)
    if not _fits(parameter, value):
        refuse_secret(parameter.name, given)  # as it was typed, because the message quotes it
        problem = f"expected {_ARTICLES.get(parameter.kind, '')}{parameter.expected}, found {_told(given)}"
        meaning = f" ({parameter.meaning})" if parameter.meaning else ""
        raise ParameterInvalid(file, parameter.name, problem, f"write {_EXAMPLES[parameter.kind]}{meaning}")
    return value


def _read(parameter: Parameter, text: str) -> Any:
    """Read a typed text as the parameter's type; what cannot be read stays a text."""
    if parameter.kind is Kind.TEXT:
        return str(text)
    if parameter.kind is Kind.BOOLEAN:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        value = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return str(text)
    return str(text) if parameter.kind is Kind.INTEGER and re.fullmatch(r"[+-]?\d+", text) is None else value


def _fits(parameter: Parameter, value: object) -> bool:
    if value is None:
        return parameter.optional
    if parameter.kind is Kind.ANY:
        return _is_json(value)
    if KINDS.get(type(value)) is not parameter.kind or not _is_json(value):
        return False
    if isinstance(value, list) and parameter.items is not Kind.ANY:
        wanted = {parameter.items, Kind.INTEGER} if parameter.items is Kind.NUMBER else {parameter.items}
        return all(KINDS.get(type(item)) in wanted for item in value)
    return True


def _is_json(value: object) -> bool:
    """Tell whether a file can hold a value: finite numbers, and texts that UTF-8 can spell."""
    if isinstance(value, str):
        return not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(key) and _is_json(item) for key, item in value.items())
    return value is None or type(value) in KINDS


def _told(value: object) -> str:
    if isinstance(value, Typed):
        return repr(str(value)[:60])
    return (
        describe(value)
        if _is_json(value) and not isinstance(value, dict)
        else f"a value of type {type(value).__name__}"
    )


def read_parameters_file(path: Path) -> dict[str, object]:
    """Read parameters from a JSON or YAML file: one object, name to value.

    Raises
    ------
    ParameterInvalid
        If it cannot be read, or holds something else.
    """
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise ParameterInvalid(str(path), "", cause.strerror or str(cause), "name a JSON or YAML file") from cause
    is_yaml = path.suffix.lower() in {".yaml", ".yml"}
    given = _yaml(data, str(path)) if is_yaml else parse_json(data, file=str(path), error=ParameterInvalid)
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        raise ParameterInvalid(str(path), "", "it holds no object", "write name and value of each parameter")
    return given


def _yaml(data: bytes, file: str) -> Any:
    import yaml

    try:
        node = yaml.compose(data, yaml.SafeLoader)
        names = [key.value for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
        for name in names:
            if names.count(name) > 1:  # the last one would silently win
                raise ParameterInvalid(file, str(name), "it stands there twice", "keep one of them")
        return yaml.safe_load(data)
    except yaml.YAMLError as cause:
        mark = getattr(cause, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        problem = f"not YAML: {getattr(cause, 'problem', None) or 'unreadable'}{where}"
        raise ParameterInvalid(file, "", problem, "correct the syntax there") from None
    except RecursionError:
        raise ParameterInvalid(file, "", "it is nested too deeply", "write it flatter") from None
