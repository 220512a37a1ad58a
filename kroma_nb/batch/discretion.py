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
# A number under one of these is how many there are; under any other secret name, one of four digits may be the secret.
_COUNTED = {"keys", "tokens"}
_SHORTEST_NUMBER = 1000

# In a text, these words before a colon or an equals sign leave no doubt; the others are also words of stories.
_TOLD = {
    "password", "passwords", "passwd", "pwd", "passphrase", "apikey", "accesskey", "privatekey", "secretkey",
    "clientsecret", "accesstoken", "authtoken", "authorization",
}  # fmt: skip
_PAIR = re.compile(r"""([A-Za-z][\w-]*)["']?\s{0,3}([:=])\s{0,3}["']?([^\s"']+)""")
_CODE = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])\S{6,}")
_QUERY = re.compile(r"[?&;#]([\w.%-]+)=[^&;#\s]")
_SIGNED = {"sig", "signature"}

_SIGNS = tuple(
    re.compile(pattern)
    for pattern in (
        # OpenAI and its like; a folder may be called so too, but seldom with a digit
        r"\b[sprw]k-(?=[\w-]*\d)[\w-]{16,}|(?<![\w/\\-])[sprw]k-[\w-]{16,}(?![\w-]*[/\\])",
        r"\b[sr]k_(live|test|prod)_[A-Za-z0-9]{10,}",
        r"\b(AKIA|ASIA)[A-Z0-9]{16}\b",  # AWS
        r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}",
        r"\bdckr_[a-z]{2,4}_[\w-]{10,}|\bdop_v1_\w{20,}|\bglsa_\w{20,}|\br8_[A-Za-z0-9]{20,}",
        r"\bSG\.[\w-]{16,}\.[\w-]{16,}",
        r"\bxox[abeoprs]-[\w-]{10,}|\bhf_[A-Za-z0-9]{20,}|\bAIza[\w-]{30,}|\bpypi-[\w-]{40,}|\bnpm_[A-Za-z0-9]{30,}",
        r"-----BEGIN [A-Z0-9 ]+-----",
        r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",  # JSON web tokens
        r"(?i)\bbearer\s+[\w.~+/-]{16,}",
        r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@",  # a password in an address
    )
)
# A random text of this many letters and digits changes between small, large and digit at most places; words do not.
_LONG, _RESTLESS = 24, 0.45
# With letters of one size only there is less to change, so it has to be longer.
_LONG_IN_ONE_SIZE, _RESTLESS_IN_ONE_SIZE = 28, 0.2
# Where more than this much of it can be spoken, it is a name: of 2000 random texts of 32 signs, about 100 can.
_SPEAKABLE = 0.5
_WORD = re.compile(r"(?:19|20)\d\d(?!\d)|[A-Z]?[a-z]{2,}|[A-Z]{3,}")
_VOWELS = "aeiouy"
_KNOWN = re.compile(r"\b[0-9a-fA-F]+\b|\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z(-[0-9a-f]{6})?")


def refuse_secret(name: str, value: object) -> None:
    """Refuse a parameter whose name or value looks like a secret, at any depth of it.

    Parameters
    ----------
    name : str
    value : JSON types
        Empty texts, booleans, small numbers and None are no secrets, whatever the name.

    Raises
    ------
    SecretRefused
        Never with the value in it.
    """
    _refuse(name, value, called=name if _is_secret_name(name) else "")


def _refuse(path: str, value: object, *, called: str) -> None:
    """Look at a value and all that is in it, below a name that means a secret or below none."""
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_text(path, str(key))
            _refuse(f"{path}.{key}", item, called=str(key) if _is_secret_name(str(key)) else called)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            _refuse(f"{path}[{place}]", item, called=called)
    elif called and _is_said(called, value):
        raise SecretRefused(path, "is called like a secret")
    elif isinstance(value, str):
        _refuse_text(path, value)


def _refuse_text(path: str, text: str) -> None:
    looks = any(sign.search(text) for sign in _SIGNS) or _names_a_secret(text) or _is_random(text)
    if looks:
        raise SecretRefused(path, "holds what looks like a key, password or token")


def _is_said(name: str, value: object) -> bool:
    """Tell whether what stands under a secret's name can be one."""
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) >= _SHORTEST_NUMBER and not _COUNTED & set(_words(name)[-1:])


def _words(name: str) -> list[str]:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    return [word for word in words if not word.isdigit()]


def _is_secret_name(name: str) -> bool:
    words = _words(name)
    if not words or words[-1] in _HARMLESS_AFTER:
        return False
    if _SECRET_WORDS & set(words):
        return True
    return words[-1] in _SECRET_LAST and not (len(words) > 1 and words[-2] in _HARMLESS_BEFORE)


def _names_a_secret(text: str) -> bool:
    """Find ``password: …`` and ``DB_TOKEN=…`` in a text, and ``?token=…`` in an address."""
    if any(_is_secret_name(name) or _SIGNED & set(_words(name)) for name in _QUERY.findall(text)):
        return True
    return any(_is_secret_name(name) and _is_told(name, *said) for name, *said in _PAIR.findall(text))


def _is_told(name: str, sign: str, value: str) -> bool:
    words = _words(name)
    if any(told in "".join(words) for told in _TOLD):
        return True
    return (sign == "=" and bool(_SECRET_WORDS & set(words))) or _CODE.match(value) is not None


def _is_random(text: str) -> bool:
    """Tell a long random text from words, paths, ids and hashes."""
    plain = _KNOWN.sub(" ", text)
    runs = re.split(r"[^A-Za-z0-9_+=-]+", plain)
    whole = [plain] if re.fullmatch(r"[A-Za-z0-9+/]{30,}={0,2}", plain) else []  # base 64 holds what divides paths
    return any(_is_random_run(run) for run in (*runs, *whole))


def _is_random_run(run: str) -> bool:
    kinds = ["0" if sign.isdigit() else "A" if sign.isupper() else "a" for sign in run if sign.isalnum()]
    if len(kinds) < _LONG or kinds.count("0") < 2 or _speakable(run) > _SPEAKABLE * len(kinds):
        return False
    changes = sum(before != after for before, after in pairwise(kinds)) / (len(kinds) - 1)
    if len(set(kinds)) == len("0Aa"):
        return changes >= _RESTLESS
    one_size = len(set(kinds)) == len("0A") and len(kinds) >= _LONG_IN_ONE_SIZE
    return one_size and run.isalnum() and changes >= _RESTLESS_IN_ONE_SIZE


def _speakable(run: str) -> int:
    """Count the signs of a text that stand in words and years."""
    return sum(len(word) for word in _WORD.findall(run) if word.isdigit() or _is_word(word.lower()))


def _is_word(word: str) -> bool:
    vowels = sum(sign in _VOWELS for sign in word) / len(word)
    return len(word) > 2 and 0.2 <= vowels <= 0.7 and re.search(rf"[^{_VOWELS}]{{4}}", word) is None
