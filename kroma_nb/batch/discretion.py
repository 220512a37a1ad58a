"""Which parameters look like secrets: everything that a notebook is given stays readable in its file."""

from __future__ import annotations

import re
from itertools import pairwise

from kroma_nb.errors import SecretRefused

# Words of a name that mean a secret wherever they stand.
_SECRET_WORDS = {
    "secret", "secrets", "password", "passwords", "passwd", "pwd", "passphrase", "credential", "credentials",
    "apikey", "apikeys", "accesskey", "privatekey", "token", "bearer", "authorization",
}  # fmt: skip
# ... and only as the last word: a key light, a token count and a keyframe are none.
_SECRET_LAST = {"key", "keys", "tokens", "auth", "pat"}
# Before such a last word, these say that a person counts, sorts, colours or lights with it.
_HARMLESS_BEFORE = {
    "chroma", "color", "colour", "sort", "primary", "foreign", "group", "scene", "job", "index", "light", "lighting",
    "music", "low", "high", "luma", "page", "style", "cache", "max", "min", "num", "prompt", "output", "input",
}  # fmt: skip
_HARMLESS_AFTER = {"count", "limit", "budget", "size", "length"}

_SIGNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b[sprw]k-[A-Za-z0-9_-]{16,}",  # OpenAI and its like
        r"\b[sr]k_(live|test|prod)_[A-Za-z0-9]{10,}",
        r"\b(AKIA|ASIA)[A-Z0-9]{16}\b",  # AWS
        r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}",
        r"\bxox[abeoprs]-[\w-]{10,}|\bhf_[A-Za-z0-9]{20,}|\bAIza[\w-]{30,}|\bpypi-[\w-]{40,}|\bnpm_[A-Za-z0-9]{30,}",
        r"-----BEGIN [A-Z0-9 ]+-----",
        r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",  # JSON web tokens
        r"(?i)\bbearer\s+[\w.~+/-]{16,}",
        r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@",  # a password in an address
    )
)
# A random text of this many letters and digits changes between small, large and digit at most places; words do not.
_LONG = 24
_RESTLESS = 0.45
_KNOWN = re.compile(r"\b[0-9a-fA-F]+\b|\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z(-[0-9a-f]{6})?")


def refuse_secret(name: str, value: object) -> None:
    """Refuse a parameter whose name or value looks like a secret.

    Parameters
    ----------
    name : str
    value : JSON types
        Empty texts and None are no secrets, whatever the name.

    Raises
    ------
    SecretRefused
        Never with the value in it.
    """
    texts = [text for text in _texts(value) if text.strip()]
    if texts and _is_secret_name(name):
        raise SecretRefused(name, "is called like a secret")
    for text in texts:
        if any(sign.search(text) for sign in _SIGNS) or _is_random(text):
            raise SecretRefused(name, "holds what looks like a key or token")
    if isinstance(value, dict):
        for key, item in value.items():
            if _is_secret_name(str(key)) and any(text.strip() for text in _texts(item)):
                raise SecretRefused(f"{name}.{key}", "is called like a secret")


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in _texts(item)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list | tuple) else []


def _is_secret_name(name: str) -> bool:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    words = [word for word in words if not word.isdigit()]
    if not words or words[-1] in _HARMLESS_AFTER:
        return False
    if _SECRET_WORDS & set(words):
        return True
    return words[-1] in _SECRET_LAST and not (len(words) > 1 and words[-2] in _HARMLESS_BEFORE)


def _is_random(text: str) -> bool:
    """Tell a long random text from words, paths, ids and hashes."""
    plain = _KNOWN.sub(" ", text)
    runs = re.split(r"[^A-Za-z0-9_+=-]+", plain)
    whole = [plain] if re.fullmatch(r"[A-Za-z0-9+/]{30,}={0,2}", plain) else []  # base 64 holds what divides paths
    return any(_is_random_run(run) for run in (*runs, *whole))


def _is_random_run(run: str) -> bool:
    signs = [sign for sign in run if sign.isalnum()]
    kinds = ["0" if sign.isdigit() else "A" if sign.isupper() else "a" for sign in signs]
    if len(signs) < _LONG or len(set(kinds)) < len("0Aa") or kinds.count("0") < 2:
        return False
    changes = sum(before != after for before, after in pairwise(kinds))
    return changes / (len(signs) - 1) >= _RESTLESS
