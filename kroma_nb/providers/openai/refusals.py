"""What OpenAI's refusals and broken connections mean for money, in words that never hold a key."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from kroma_nb.errors import AnswerLost, ProviderBusy, ProviderFailed
from kroma_nb.settings.secrets import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai import APIConnectionError, APIStatusError

    from kroma_nb.settings.secrets import Found

PROVIDER: Final = "openai"
QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "credit_balance_exhausted"})
"""What is said with HTTP 429 and does not go away by waiting; OpenAI's page "Error codes"."""
# By name: the SDK moved from httpx to httpx2, and takes either.
NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"})
NO_ADDRESS = frozenset({"UnsupportedProtocol", "LocalProtocolError", "InvalidURL"})
GATEWAY_TIMEOUTS = frozenset({504, 524})
"""Something between here and the provider has stopped waiting: the picture may have been made, and billed."""
LONGEST_SAID = 300
_LIKE_A_KEY = re.compile(r"(?i)\bsk-[\w*.-]{3,}|\bbearer\s+\S+")


def refusal_of(cause: Exception, key: Found) -> ProviderFailed:
    """Give the error of ours that an error of the SDK means; it is raised alone, since the other holds the headers."""
    import openai  # noqa: PLC0415 - it is loaded when a picture is asked for

    if isinstance(cause, openai.APIStatusError):
        return _of_status(cause, key)
    if isinstance(cause, openai.APIConnectionError):
        return _of_connection(cause, key)
    return AnswerLost(PROVIDER, f"no usable answer came: {type(cause).__name__}")


def hidden(text: str, key: Found) -> str:
    """Blot out a key, and whatever looks like one, and cut a text to a sensible length."""
    return _LIKE_A_KEY.sub(HIDDEN, key.secret.hidden_in(text))[:LONGEST_SAID]


def _of_connection(cause: APIConnectionError, key: Found) -> ProviderFailed:
    kind, said = type(cause.__cause__).__name__, hidden(str(cause.__cause__ or cause), key)
    if kind in NEVER_SENT:
        return ProviderBusy(PROVIDER, f"{cause.request.url.host} cannot be reached: {said or kind}", "unreachable")
    if kind in NO_ADDRESS:
        return ProviderFailed(PROVIDER, f"its address cannot be used: {said or kind}; correct OPENAI_BASE_URL")
    return AnswerLost(PROVIDER, f"the request was sent, and no answer came: {kind}")


def _of_status(cause: APIStatusError, key: Found) -> ProviderFailed:
    status, request_id = cause.status_code, hidden(cause.request_id or "", key)
    code, said = _code_of(cause, key), hidden(_said_by(cause), key)
    if status in GATEWAY_TIMEOUTS:
        return AnswerLost(PROVIDER, f"HTTP {status}: the answer was not waited for on its way", "", request_id)
    if status in {401, 403}:
        where = f"with {key.name} from {key.where}"
        return ProviderFailed(PROVIDER, f"HTTP {status} {where}: {said}", code, request_id)
    waits = status == 429 and not {code, cause.type} & QUOTA
    if waits or status >= 500:
        wait_s = retry_after_s(cause.response.headers)
        return ProviderBusy(PROVIDER, f"HTTP {status}: {said}", code, wait_s, request_id)
    if status < 400:
        said = "it sends the request elsewhere, which is not followed; correct OPENAI_BASE_URL"
    return ProviderFailed(PROVIDER, f"HTTP {status}: {said}", code, request_id)


def _said_by(cause: APIStatusError) -> str:
    """Give the provider's own sentence; the SDK's where it gives none."""
    said = cause.body.get("message") if isinstance(cause.body, dict) else None
    return said if isinstance(said, str) and said else cause.message


def _code_of(cause: APIStatusError, key: Found) -> str:
    """Give the provider's own word, as one word; its kind, or the status, where there is none."""
    word = cause.code or getattr(cause, "type", None) or f"http_{cause.status_code}"
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", hidden(str(word), key))[:60]


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Give how long a provider asks to wait; None where it does not say so.

    References
    ----------
    RFC 9110, section 10.2.3; ``retry-after-ms`` is OpenAI's own, in milliseconds.

    Examples
    --------
    >>> retry_after_s({"retry-after-ms": "1500", "retry-after": "2"}), retry_after_s({"retry-after": "2"})
    (1.5, 2.0)
    >>> retry_after_s({"retry-after": "soon"})
    """
    for name, each_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers.get(name, "")) * each_s)
        except ValueError:
            continue
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
