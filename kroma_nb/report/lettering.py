"""Fonts for the contact sheet: which one can write a text, and how it is cut to a width."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageFont, features

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.ImageDraw import ImageDraw

_DRAWN_BY_NOBODY = "\U0010ffff"
_INSTALLED = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansDevanagari-Regular.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "msyh.ttc",
    "msgothic.ttc",
    "malgun.ttf",
    "Arial Unicode.ttf",
)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@cache
def fonts(size_px: int) -> tuple[Font, ...]:
    """Give the fonts at hand: matplotlib's DejaVu Sans, wide-ranging ones of the system, Pillow's own.

    Parameters
    ----------
    size_px : int, pixels
    """
    return (*_found(size_px), ImageFont.load_default(size_px))


def _found(size_px: int) -> Iterator[Font]:
    # Finding a package does not import it, so no plotting comes in by this door.
    spec = find_spec("matplotlib")
    home = Path(spec.origin).parent if spec is not None and spec.origin is not None else Path()
    for name in (home / "mpl-data/fonts/ttf/DejaVuSans.ttf", *_INSTALLED):
        try:
            yield ImageFont.truetype(name, size_px)
        except OSError:
            continue


def font_for(text: str, size_px: int) -> Font | None:
    """Give the first font that can write every letter and digit of a text; None where there is none."""
    if not features.check("raqm") and any(unicodedata.bidirectional(char) in {"R", "AL"} for char in text):
        return None
    needed = {char for char in text if unicodedata.category(char)[0] in "LNM"}
    return next((font for font in fonts(size_px) if all(_covers(font, char) for char in needed)), None)


@cache
def _covers(font: Font, char: str) -> bool:
    return bytes(font.getmask(char)) != bytes(font.getmask(_DRAWN_BY_NOBODY))


def plain(text: str) -> str:
    r"""Give a text as one line without control characters.

    Examples
    --------
    >>> plain("Harbour\n at\tdawn\x07")
    'Harbour at dawn'
    """
    kept = (char if unicodedata.category(char) not in {"Cc", "Cs", "Co", "Cn"} else " " for char in text)
    return " ".join("".join(kept).split())


def label(name: str, fallback: str, size_px: int) -> tuple[str, Font]:
    """Choose how to write a name: itself where a font can, else what stands for it.

    Parameters
    ----------
    name, fallback : str
        What people call it, and a plain id.
    size_px : int, pixels

    Returns
    -------
    tuple of str and font
        Signs that the font lacks, such as an emoji, are left out.
    """
    for text in (plain(name), plain(fallback)):
        font = font_for(text, size_px)
        if text and font is not None:
            drawn = "".join(char for char in text if char == " " or _covers(font, char)).strip()
            if drawn:
                return drawn, font
    return "unnamed", fonts(size_px)[0]


def cut(draw: ImageDraw, text: str, font: Font, width_px: int) -> str:
    """Shorten a text to a width, with an ellipsis where something is lost."""
    if draw.textlength(text[:1000], font=font) <= width_px and len(text) <= 1000:
        return text
    low, high = 0, min(len(text), 1000)
    while low < high:
        middle = (low + high + 1) // 2
        fits = draw.textlength(f"{text[:middle]}…", font=font) <= width_px
        low, high = (middle, high) if fits else (low, middle - 1)
    return f"{text[:low].rstrip()}…"
