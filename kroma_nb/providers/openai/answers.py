"""From the body of OpenAI's answer to a picture's bytes and what is recorded of the call."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from kroma_nb.errors import AnswerLost, AnswerUnusable
from kroma_nb.model.money import Money
from kroma_nb.model.paid import PaidAnswer
from kroma_nb.providers.openai.refusals import PROVIDER, hidden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai import APIResponse
    from openai.types import ImagesResponse

    from kroma_nb.model.offer import TokenRates
    from kroma_nb.settings.secrets import Found

LARGEST_BODY_BYTES = 90_000_000
"""A picture of 64 MB as base64, and the words around it."""
LONGEST_PROMPT = 4_000
SAID_OF_THE_PICTURE = ("size", "quality", "background", "output_format")


@dataclass(frozen=True)
class Answered:
    """A body as it came; a key that it repeats is blotted out.

    Attributes
    ----------
    model : str
        Which model says that it has answered, where the headers say so.
    """

    body: bytes
    request_id: str
    model: str


def received(response: APIResponse[ImagesResponse], timeout_s: float, key: Found) -> Answered:
    """Read a body that is neither larger nor slower than allowed.

    Parameters
    ----------
    response : APIResponse
        Whose body was not read yet.
    timeout_s : float, seconds
        How long it may take from its first byte to its last: what has begun to arrive late is not thrown away.

    Raises
    ------
    AnswerLost
        If it breaks off, or is not there in time.
    AnswerUnusable
        If it is too large.
    """
    headers = response.headers
    request_id = hidden(headers.get("x-request-id", ""), key)
    parts, problem, size, until = [], "", 0, monotonic() + timeout_s
    try:
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            problem = "it took too long" if monotonic() > until else ""
            if size > LARGEST_BODY_BYTES or problem:
                break
    except Exception as cause:  # noqa: BLE001 - the SDK lets through whatever its transport raises
        problem = type(cause).__name__
    if size > LARGEST_BODY_BYTES:
        said = f"it sent more than {LARGEST_BODY_BYTES:,} bytes"
        raise AnswerUnusable(PROVIDER, said, "answer_too_large", request_id=request_id)
    if problem:
        raise AnswerLost(PROVIDER, f"the answer broke off: {problem}", "", request_id)
    body = key.secret.hidden_in_bytes(b"".join(parts))
    return Answered(body, request_id, hidden(headers.get("openai-model", ""), key))


def read_answer(answered: Answered, rates: TokenRates | None) -> PaidAnswer:
    """Give the picture that lies in an answer; an address in its place is not followed.

    Raises
    ------
    AnswerUnusable
        If there is none; what came is kept.
    """
    said = _json_of(answered.body)
    if not isinstance(said, dict):
        raise _unusable("the answer is no JSON object", answered)
    first = _first(said)
    if not isinstance(first.get("b64_json"), str):
        instead = "an address in place of a picture" if first.get("url") else "no picture"
        raise _unusable(f"the answer holds {instead}", answered)
    data = _bytes_of(first["b64_json"])
    if not data:
        raise _unusable("the picture is no base64", answered)
    usage = _usage(said, first)
    cost = rates.cost_of(usage) if rates is not None else None
    return PaidAnswer(
        data,
        request_id=answered.request_id,
        answered_by=answered.model,
        usage=usage,
        cost=None if cost is None else Money(micro_usd=cost),
        notes=_notes(usage),
    )


def _json_of(body: bytes) -> Any:
    # What is raised here holds the body, so that it ends here.
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _first(said: dict[str, Any]) -> Mapping[str, Any]:
    pictures = said.get("data")
    first = pictures[0] if isinstance(pictures, list) and pictures else None
    return first if isinstance(first, dict) else {}


def _usage(said: dict[str, Any], first: Mapping[str, Any]) -> dict[str, Any]:
    """Give the tokens as the provider counts them, and what it says of the picture."""
    counted = said.get("usage")
    usage: dict[str, Any] = dict(counted) if isinstance(counted, dict) else {}
    usage |= {name: said[name] for name in SAID_OF_THE_PICTURE if isinstance(said.get(name), str)}
    revised = first.get("revised_prompt")
    if isinstance(revised, str) and revised:
        usage["revised_prompt"] = revised[:LONGEST_PROMPT]
    return usage


def _notes(usage: dict[str, Any]) -> tuple[str, ...]:
    revised = usage.get("revised_prompt")
    return (f"OpenAI has drawn after words of its own: {revised}",) if revised else ()


def _unusable(problem: str, answered: Answered) -> AnswerUnusable:
    return AnswerUnusable(PROVIDER, problem, "", answered.body, answered.request_id)
