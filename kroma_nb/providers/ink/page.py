"""From layers to a page: what covers what, and paper and ink at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.pixels import Gray, cv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.model.brief import Palette


@dataclass(frozen=True)
class Layers:
    """The layers of one page, all of the page's size.

    Attributes
    ----------
    lines, black, tone, hatch : uint8 arrays, shape (H, W)
        Ink 0-255: contours, spotted blacks, flat washes, hatching.
    light : uint8 array, shape (H, W)
        Illumination; 255 everywhere by day.
    rim : uint8 array, shape (H, W)
        Paper left open in the blacks where forms face the light; 0 by day.
    rain : uint8 array, shape (H, W)
        Coverage of streaks and splashes; 0 without rain.
    wet, mirrored : uint8 arrays, shape (H, W)
        Where the ground mirrors, and the ink that it shows.
    """

    lines: Gray
    black: Gray
    tone: Gray
    hatch: Gray
    light: Gray
    rim: Gray
    rain: Gray
    wet: Gray
    mirrored: Gray


def dry_ink(lines: Gray, black: Gray, tone: Gray, hatch: Gray, rim: Gray) -> Gray:
    """Compose all layers but the rain: the darkest wins, and rims stay open.

    Returns
    -------
    uint8 array, shape (H, W)
        Ink, 0-255.
    """
    ink = cv.max(cv.max(lines, black), cv.max(tone, hatch))
    # A line on the border of a black opens as a whole, or half of it would stay as a hairline.
    dark = cv.dilate(black, cv.getStructuringElement(cv.MORPH_ELLIPSE, (9, 9))) if rim.any() else black
    return np.asarray(cv.subtract(ink, cv.min(rim, dark)), np.uint8)


def wet_ink(dry: Gray, layers: Layers, unit: float) -> Gray:
    """Lay reflections and rain over a dry page: paper streaks over dark, ink streaks over light.

    Parameters
    ----------
    dry : uint8 array, shape (H, W)
        What `dry_ink` gave.
    layers : Layers
        Of the same page.
    unit : float, pixels
        The length unit on the page.
    """
    ink = dry
    if layers.wet.any():
        ground = cv.max(layers.mirrored, layers.lines)
        ink = np.where(layers.wet > 127, ground, ink)
    if layers.rain.any():
        wide = max(3, round(14 * unit)) | 1
        around = cv.blur(ink, (wide, wide))
        towards = np.where(around > 105, np.uint8(0), np.uint8(255))
        # Light streaks on paper would be noise: ink streaks get thinner and grey out less.
        streaks = np.where(towards > 0, cv.convertScaleAbs(layers.rain, alpha=0.85), layers.rain)
        ink = _mix(ink, towards, streaks)
    return np.asarray(ink, np.uint8)


def in_colours(ink: Gray, palette: Palette) -> NDArray[np.uint8]:
    """Turn ink into paper and ink colours.

    Parameters
    ----------
    ink : uint8 array, shape (H, W)
        0 is paper, 255 is ink.
    palette : Palette
        sRGB levels.

    Returns
    -------
    uint8 array, shape (H, W) or (H, W, 3)
        One channel if both colours are neutral.

    Examples
    --------
    >>> from kroma_nb.model.brief import Palette
    >>> plain = Palette(paper=(255, 255, 255), ink=(0, 0, 0))
    >>> in_colours(np.array([[0, 255]], np.uint8), plain).tolist()
    [[255, 0]]
    """
    amount = np.arange(256)
    tables = [
        ((p * (255 - amount) + i * amount + 127) // 255).astype(np.uint8)
        for p, i in zip(palette.paper, palette.ink, strict=True)
    ]
    if len(set(palette.paper)) == 1 and len(set(palette.ink)) == 1:
        return np.asarray(cv.LUT(ink, tables[0]), np.uint8)
    return np.asarray(cv.merge([cv.LUT(ink, table) for table in tables]), np.uint8)


def _mix(below: Gray, above: Gray, coverage: Gray) -> Gray:
    """Blend two planes by coverage, in integers."""
    part = coverage.astype(np.uint16)
    return ((below * (255 - part) + above * part + 127) // 255).astype(np.uint8)
