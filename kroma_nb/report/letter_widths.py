"""About how wide a text is where nobody can measure it, and how it is shortened to fit."""

from __future__ import annotations

import re
import unicodedata

# Advances of common sans-serif fonts at 12 pixels, rounded up: what is said to fit does fit.
_NARROW, _WIDE = frozenset("fijlrtI.,:;'|!()[]/ "), frozenset("mwMW@%&…<>=+~^#")
NARROW_PX, USUAL_PX, DIGIT_PX, CAPITAL_PX, WIDE_PX, FULL_PX = 4.2, 7.0, 7.7, 8.4, 11.0, 12.5
MOST_SIGNS = 80
"""Where many signs take no room, as marks above letters, this many are enough."""

_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def unturned(text: str) -> str:
    r"""Show the marks that turn the direction of what follows: with them one name can look like another.

    Examples
    --------
    >>> unturned("page\u202egnp.exe")
    'page�gnp.exe'
    """
    return _TURNS.sub("\N{REPLACEMENT CHARACTER}", text)


def width_of(text: str) -> float:
    """Give about the width of a text in pixels, set in 12 pixels.

    Examples
    --------
    >>> width_of("till") < width_of("quay") < width_of("QUAY") < width_of("港の夜景")
    True
    """
    return sum(map(_advance, text))


def _advance(sign: str) -> float:
    if sign in _NARROW:
        return NARROW_PX
    if sign in _WIDE:
        return WIDE_PX
    if unicodedata.combining(sign) or unicodedata.category(sign) == "Cf":
        return 0.0
    if unicodedata.east_asian_width(sign) in {"W", "F"}:
        return FULL_PX
    if sign.isdigit():
        return DIGIT_PX
    return CAPITAL_PX if sign.isupper() else USUAL_PX


def fitted(text: str, width_px: float) -> str:
    """Shorten a text in its middle: what tells two files apart stands at the ends of their names.

    Examples
    --------
    >>> fitted("style_1_quay__c2_cinematic_warm.png", 160)
    'style_1_q…atic_warm.png'
    >>> fitted("quay.png", 160)
    'quay.png'
    """
    if len(text) <= MOST_SIGNS and width_of(text) <= width_px:
        return text
    for kept in range(min(len(text) - 1, MOST_SIGNS), 0, -1):
        head = kept * 9 // 20
        short = f"{text[:head]}…{text[len(text) - (kept - head) :]}"
        if width_of(short) <= width_px:
            return short
    return "…"
