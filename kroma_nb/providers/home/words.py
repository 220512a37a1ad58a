"""What servers at home say of an error, in few words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAID = 300


def words_of(data: bytes) -> str:
    """Give what a server says of an error, shortened: of FastAPI's form, of AUTOMATIC1111's and of ComfyUI's.

    Examples
    --------
    >>> words_of(b'{"detail": [{"loc": ["body", "steps"], "msg": "value is not a valid integer"}]}')
    'body.steps: value is not a valid integer'
    >>> words_of(b'{"error": {"message": "Prompt outputs failed validation"}, "node_errors": {"3": '
    ...          b'{"class_type": "KSampler", "errors": [{"message": "Value not in list", "details": "sampler"}]}}}')
    'Prompt outputs failed validation; node 3 (KSampler): Value not in list: sampler'
    """
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    parts = list(_parts(said)) if isinstance(said, dict) else []
    return " ".join("; ".join(part for part in parts if part).split())[:_SAID].rstrip(".")


def _parts(said: dict[str, Any]) -> Iterator[str]:
    for name in ("error", "detail", "errors"):
        yield from _of_field(said.get(name))
    nodes = said.get("node_errors")
    for key, node in (nodes if isinstance(nodes, dict) else {}).items():
        yield from _of_node(key, node)


def _of_field(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield _joined(value.get("message"), value.get("details"))
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict):
            place = one.get("loc")
            yield _joined(".".join(map(str, place)) if isinstance(place, list) else "", one.get("msg"))


def _of_node(key: str, node: Any) -> Iterator[str]:
    listed = node.get("errors") if isinstance(node, dict) else None
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict):
            yield _joined(f"node {key} ({node.get('class_type', '')})", one.get("message"), one.get("details"))


def _joined(*words: object) -> str:
    return ": ".join(word for word in words if isinstance(word, str) and word)
