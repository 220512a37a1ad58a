"""What other people's engines give back, brought into bounds before anything is written."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

from kroma_nb.errors import AnswerLost
from kroma_nb.model.money import Money
from kroma_nb.model.paid import PaidAnswer

LARGEST_BYTES = 64_000_000
"""The largest file that is looked into as a picture; a larger one is kept, and is none."""
LONGEST = 500
"""How many signs a name or a note of a provider may have."""
MOST_NOTES = 20
USAGE_BYTES = 16_000
"""How long what a provider says of its usage may be, as JSON."""
USAGE_DEPTH = 32
"""How deep that may be nested; what is far deeper could not be written, or not be read again."""
DEAREST = Money(micro_usd=1_000_000_000_000)
"""A call that is said to cost more is not believed."""


def bounded(answer: object, provider: str) -> PaidAnswer:
    """Give an answer whose every field is what it should be; the bytes stay as they came.

    A field that is something else counts as not said.

    Raises
    ------
    AnswerLost
        If there are no bytes in it: the call was made, and nobody knows what became of it.
    """
    if not isinstance(answer, PaidAnswer):
        raise AnswerLost(provider, f"its engine gave a {type(answer).__name__} in place of an answer")
    if not isinstance(answer.data, bytes | bytearray | memoryview):
        raise AnswerLost(provider, f"its engine gave a {type(answer.data).__name__} in place of a picture's bytes")
    notes = answer.notes if isinstance(answer.notes, tuple | list) else ()
    return replace(
        answer,
        data=bytes(answer.data),
        request_id=words(answer.request_id),
        answered_by=words(answer.answered_by),
        usage=_usage(answer.usage),
        cost=_cost(answer.cost),
        notes=tuple(words(note) for note in notes[:MOST_NOTES] if isinstance(note, str)),
    )


def wait_of(retry_after_s: object) -> float | None:
    """Give how long a provider asks to wait; None where it says nothing that can be waited for."""
    if isinstance(retry_after_s, bool) or not isinstance(retry_after_s, int | float) or math.isnan(retry_after_s):
        return None
    return float(retry_after_s)


def code_of(error: BaseException) -> str:
    """Give an error's code, also where an engine has put something else there."""
    return words(getattr(error, "error_code", "bug")) or "unknown"


def said_by(error: BaseException) -> str:
    """Say what somebody else's code has raised, also where that cannot say it itself."""
    try:
        said = words(str(error))
    except Exception:  # noqa: BLE001 - it is not ours, and what became of the call is to be written all the same
        said = "it does not say why"
    return f"{type(error).__name__}: {said}"


def words(text: object) -> str:
    """Give a name or a note in characters that a file can hold, cut to a sensible length; empty where it is no text."""
    return text[:LONGEST].encode("utf-8", "backslashreplace").decode() if isinstance(text, str) else ""


def _usage(usage: object) -> dict[str, Any]:
    try:
        text = json.dumps(usage, allow_nan=False, ensure_ascii=False).encode("utf-8", "replace")
        said = json.loads(text) if len(text) <= USAGE_BYTES else {}
    except (TypeError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) and _depth(said) <= USAGE_DEPTH else {}


def _depth(value: object) -> int:
    depth, layer = 0, [value]
    while layer:
        depth += 1
        layer = [
            inner
            for one in layer
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return depth


def _cost(cost: object) -> Money | None:
    # An engine may build its values without their checks.
    if not isinstance(cost, Money) or type(cost.micro_usd) is not int:
        return None
    return cost if 0 <= cost.micro_usd <= DEAREST.micro_usd else None
