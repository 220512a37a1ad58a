"""Pages of one bit: line art by a threshold, tones by a screen of clustered dots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.images import resize
from kroma_nb.images.luminance import as_gray, light_of_levels
from kroma_nb.model.printing import Dot, Halftone

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.images import Picture

    Ink = NDArray[np.bool_]

SMALLEST_CELL_PX, LARGEST_CELL_PX = 4.0, 64.0
"""How many pixels a side a screen's cell has: with fewer dots have no shape, with more a tile holds too few of them."""
_TILE_PX = range(65, 769)
# Nearer to what was asked for need no screen be: in an angle, this is 0.06 degrees.
_CLOSE = 1e-3
_MIDDLE = 128


def line_art(picture: Picture, threshold: int | None = None, *, size: tuple[int, int] | None = None) -> Ink:
    """Make a page of ink and paper by one threshold.

    A page that is enlarged is enlarged first, with all its levels, and then divided: an edge's grey levels say where
    between two pixels it lies, so that contours come out smooth at 600 or 1200 dots an inch.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255; alpha is laid over white, colours count by their light.
    threshold : int, 1 to 255, or None
        Levels below it are ink; None takes `otsu`.
    size : (width, height), pixels, optional
        The page's size; by default the picture's.

    Returns
    -------
    bool array, shape (height, width)
        True is ink.

    Raises
    ------
    ValueError
        If the array is no picture, or the size is below one pixel.

    Examples
    --------
    >>> line_art(np.array([[0, 100, 200]], np.uint8), 128).tolist()
    [[True, True, False]]
    """
    gray = as_gray(picture)
    limit = otsu(gray) if threshold is None else threshold
    return (gray if size is None else resize(gray, size)) < limit


def otsu(picture: Picture) -> int:
    """Find the threshold between ink and paper: the one that parts levels into the two most distinct classes.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255.

    Returns
    -------
    int
        Levels below it are ink. A picture of one level has no two classes, and is parted in the middle, at 128.

    References
    ----------
    N. Otsu, A threshold selection method from gray-level histograms, IEEE Transactions on Systems, Man, and Cybernetics
    9 (1979), 62-66.

    Examples
    --------
    >>> otsu(np.array([[30, 30, 220, 220]], np.uint8))
    31
    """
    gray = as_gray(picture)
    low, high, *_ = cv2.minMaxLoc(gray)
    if low == high:
        return _MIDDLE
    found, _ = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return int(found) + 1


def halftone(picture: Picture, screen: Halftone, *, dpi: float) -> Ink:
    """Turn tones into clustered dots of one size grid and changing area.

    The light that comes back from the page is the picture's: a level whose light is Y (IEC 61966-2-1; paper is 1, ink
    is 0) gets dots over ``a = 1 - Y ** (1 / n)`` of the paper. Without dot gain n is 1, and that is the formula of
    Murray and Davies. With it, n is what makes dots over half of the paper print darker by `screen.dot_gain`:
    Yule's and Nielsen's ``Y = (1 - a) ** n``.

    Over one tile of the screen (`tile_of`) the share of ink differs from that by at most 1/4000, at every level.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255, already of the page's size; alpha is laid over white, colours count by their light.
    screen : Halftone
    dpi : float, dots per inch
        Of the page.

    Returns
    -------
    bool array, shape (H, W)
        True is ink.

    Raises
    ------
    ValueError
        If the array is no picture, or a cell of the screen has less than 4 or more than 64 dots a side.

    References
    ----------
    A. Murray, Monochrome reproduction in photoengraving, Journal of the Franklin Institute 221 (1936), 721-744.
    J. A. C. Yule, W. J. Nielsen, The penetration of light into paper and its effect on halftone reproduction, TAGA
    Proceedings 3 (1951), 65-76.

    Examples
    --------
    >>> halftone(np.full((64, 64), 188, np.uint8), Halftone(), dpi=600).mean().round(1)
    np.float64(0.5)
    """
    gray = as_gray(picture)
    tile, coverage = tile_of(screen, dpi), coverage_of(screen.dot_gain)
    height, width = gray.shape
    rows = np.tile(tile, (1, -(-width // tile.shape[1])))[:, :width]
    ink = np.empty(gray.shape, np.bool_)
    for top in range(0, height, len(tile)):
        strip = gray[top : top + len(tile)]
        np.greater(coverage[strip], rows[: len(strip)], out=ink[top : top + len(tile)])
    return ink


def coverage_of(dot_gain: float) -> NDArray[np.uint16]:
    """Give how much of the paper each sRGB level's dots cover, 65535 for all of it, shape (256,)."""
    exponent = 1.0 / -math.log2(0.5 - dot_gain)
    return np.rint(65535.0 * (1.0 - light_of_levels() ** exponent)).astype(np.uint16)


def refuse_cell(screen: Halftone, dpi: float) -> None:
    """Refuse a screen that so many dots an inch cannot draw.

    Raises
    ------
    ValueError
        If a cell of the screen has less than 4 or more than 64 dots a side; after a semicolon with the way out.
    """
    if not SMALLEST_CELL_PX <= dpi / screen.lpi <= LARGEST_CELL_PX:
        least, most = math.ceil(dpi / LARGEST_CELL_PX), math.floor(dpi / SMALLEST_CELL_PX)
        problem = f"{screen.lpi:g} lines an inch cannot be drawn with {dpi:g} dots an inch"
        raise ValueError(f"{problem}; take {least} to {most} lines, or other dots")


def tile_of(screen: Halftone, dpi: float) -> NDArray[np.uint16]:
    """Give the thresholds that repeat over a page: a pixel is ink where its coverage is above.

    A whole number of the screen's waves fits both sides, so that dots go on over every border and no moire can arise
    there. The smallest tile is taken in which frequency and angle are off by at most a thousandth; where none is, the
    closest. Every threshold from 0 to 65535 is equally frequent (rational tangent screening in a supercell).

    Raises
    ------
    ValueError
        If a cell of the screen has less than 4 or more than 64 dots a side.

    References
    ----------
    T. M. Holladay, An optimum algorithm for halftone generation for displays and hard copies, Proceedings of the
    Society for Information Display 21 (1980), 185-192.
    H. R. Kang, Digital Color Halftoning, SPIE Press 1999, chapters 7 and 8.
    """
    refuse_cell(screen, dpi)
    return _tile(screen.lpi / dpi, screen.angle_deg % 180.0, screen.dot)


@dataclass(frozen=True, slots=True)
class _Waves:
    """How many waves lie along the sides of a square tile."""

    side_px: int
    across: int
    down: int


def _waves(frequency: float, angle_deg: float) -> _Waves:
    """Find the smallest tile in which the screen fits closely, or the closest of all."""
    angle = math.radians(angle_deg)
    # Rows count downwards, angles upwards.
    along, up = frequency * math.cos(angle), frequency * math.sin(angle)
    best, least = _Waves(_TILE_PX[0], 1, 0), math.inf
    for side in _TILE_PX:
        across, down = round(side * along), round(-side * up)
        off = math.hypot(across - side * along, down + side * up) / (side * frequency)
        if (across or down) and off < least:
            best, least = _Waves(side, across, down), off
        if least <= _CLOSE:
            break
    return best


@lru_cache(maxsize=4)
def _tile(frequency: float, angle_deg: float, dot: Dot) -> NDArray[np.uint16]:
    waves = _waves(frequency, angle_deg)
    side = waves.side_px
    rows, columns = (axis.ravel() for axis in np.mgrid[:side, :side])
    # Whole numbers until here, so that a tile's last pixel and its first are neighbours exactly.
    along, across = waves.across * columns + waves.down * rows, waves.across * rows - waves.down * columns
    height = _spot((along + 0.5) / side, (across + 0.5) / side, dot)
    is_dot = height > np.median(height)
    # A dot grows around its top, a hole closes around its bottom, half a wave away in both directions.
    shift = np.where(is_dot, side // 2, 0)
    places, turns = _places(waves, (along + shift) // side, (across + shift) // side, is_dot)
    ranks = np.empty(side * side, np.int64)
    ranks[np.argsort(_growth(places, turns, height, is_dot), kind="stable")] = np.arange(side * side)
    return (ranks * 65535 // (side * side)).astype(np.uint16).reshape(side, side)


def _spot(along: NDArray[np.float64], across: NDArray[np.float64], dot: Dot) -> NDArray[np.float64]:
    """Give the height of a dot's hill: ink comes down from the tops. Chains and lines run along the rows."""
    lean = {Dot.ROUND: 1.0, Dot.ELLIPSE: 0.7, Dot.LINE: 0.0}[dot]
    return np.asarray(lean * np.cos(2.0 * np.pi * along) + np.cos(2.0 * np.pi * across))


def _places(
    waves: _Waves, first: NDArray[np.int64], second: NDArray[np.int64], is_dot: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Name the dot or hole that each pixel is part of, the same on both sides of the tile's border, and give its turn.

    The turns are of low discrepancy over the plane (M. Roberts, The unreasonable effectiveness of quasirandom
    sequences, 2018): neighbours grow far apart in time, and no pattern shows.
    """
    a, b = waves.across, waves.down
    count = a * a + b * b
    x, y = (a * first - b * second) % count, (b * first + a * second) % count
    at, to = (a * x + b * y) // count, (a * y - b * x) // count
    turn = (0.7548776662466927 * at + 0.5698402909980532 * to) % 1.0
    return (x * count + y) * 2 + is_dot, turn


def _growth(
    places: NDArray[np.int64], turns: NDArray[np.float64], height: NDArray[np.float64], is_dot: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Say when each pixel becomes ink, from 0 to 1, so that every dot has its share of every tone."""
    order = np.lexsort((-height.round(9), places))
    _, starts, counts = np.unique(places[order], return_index=True, return_counts=True)
    when = np.empty(len(places))
    step = np.arange(len(places)) - np.repeat(starts, counts)
    when[order] = 0.5 * (step + turns[order]) / np.repeat(counts, counts)
    return np.where(is_dot, when, 0.5 + when)
