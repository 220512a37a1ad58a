"""Paper and ink of a style: read off its references, kept at a contrast that reads.

References
----------
W3C, Web Content Accessibility Guidelines 2.2: relative luminance, contrast ratio; 7:1 is criterion 1.4.6 (AAA).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.model.brief import Palette
from kroma_nb.providers.ink.frame import over_white
from kroma_nb.providers.ink.levels import histogram, level_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Rgb = tuple[int, int, int]

LEAST_CONTRAST = 7.0
PLAIN = Palette(paper=(255, 255, 255), ink=(0, 0, 0))


def contrast_ratio(one: Rgb, other: Rgb) -> float:
    """Compute the WCAG contrast ratio of two colours, 1 to 21.

    Parameters
    ----------
    one, other : tuple of three int
        sRGB levels 0-255.

    Examples
    --------
    >>> round(contrast_ratio((255, 255, 255), (0, 0, 0)), 1)
    21.0
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def read_palette(references: Iterable[NDArray[np.uint8]]) -> Palette | None:
    """Read paper and ink off style references: the colours around their lightest and darkest twentieth.

    Parameters
    ----------
    references : iterable of uint8 arrays, each of shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255.

    Returns
    -------
    Palette or None
        With a contrast of at least 7:1; None without references.

    Examples
    --------
    >>> sheet = np.full((8, 8, 3), (244, 236, 220), np.uint8)
    >>> sheet[2:5, 2:6] = (20, 24, 40)
    >>> read_palette([sheet]).paper
    (244, 236, 220)
    """
    samples = [_sample(over_white(reference)) for reference in references]
    if not samples:
        return None
    pixels = np.concatenate(samples)
    light = (pixels @ np.array([54, 183, 19])) // 256
    counts = histogram(light.astype(np.uint8))
    paper_level, ink_level = level_at(counts, 0.93), level_at(counts, 0.05)
    paper = _middle(pixels[np.abs(light - paper_level) <= 10])
    ink = _middle(pixels[np.abs(light - ink_level) <= 10])
    return with_contrast(Palette(paper=paper, ink=ink))


def with_contrast(palette: Palette) -> Palette:
    """Darken the ink and then lighten the paper until they stand 7:1 apart.

    Examples
    --------
    >>> with_contrast(Palette(paper=(200, 200, 200), ink=(120, 120, 120))).ink[0] < 60
    True
    """
    paper, ink = palette.paper, palette.ink
    if _luminance(paper) < _luminance(ink):
        paper, ink = ink, paper
    for step in range(256):
        if contrast_ratio(paper, ink) >= LEAST_CONTRAST:
            break
        ink = _towards(ink, 0) if any(ink) else ink
        paper = _towards(paper, 255) if step >= 32 else paper
    return Palette(paper=paper, ink=ink)


def _towards(colour: Rgb, end: int) -> Rgb:
    red, green, blue = (c + (end - c) // 8 if abs(end - c) >= 8 else end for c in colour)
    return red, green, blue


def _luminance(colour: Rgb) -> float:
    def linear(level: int) -> float:
        part = level / 255.0
        return float(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(c) for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _sample(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    step = max(1, max(picture.shape[:2]) // 512)
    return picture[::step, ::step].reshape(-1, 3).astype(np.int64)


def _middle(pixels: NDArray[np.int64]) -> Rgb:
    """Take the median of each channel, which needs no sums."""
    ordered = np.sort(pixels, axis=0)[len(pixels) // 2]
    return int(ordered[0]), int(ordered[1]), int(ordered[2])
