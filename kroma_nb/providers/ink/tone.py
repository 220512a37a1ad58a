"""Spotted blacks and flat washes out of a flattened lightness, and where the sky stays quiet.

References
----------
H. Winnemöller, J. E. Kyprianidis, S. C. Olsen: XDoG: an extended difference-of-Gaussians compendium.
Computers & Graphics 36 (2012): sharpening by a difference of Gaussians before the threshold makes blacks that
keep a light rim along edges.
N. Otsu: A threshold selection method from gray-level histograms. IEEE Trans. SMC 9 (1979), with two thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.levels import (
    clean_shapes,
    histogram,
    share_below,
    smooth_threshold,
    split_at,
)
from kroma_nb.providers.ink.pixels import Gray, cv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.providers.ink.flatten import Flattened
    from kroma_nb.providers.ink.flow import Walker
    from kroma_nb.providers.ink.frame import Grid
    from kroma_nb.providers.ink.hand import Grip


_LEAST_SPAN = 8  # levels between the two thresholds
_LIFT = 24.0  # levels, so that the sharpened darkest shadows are not all cut off at 0
_DEEP = 44  # levels of lightness below which a shadow is not evened out
_SHARPEN = 2.2
_MARGIN = 20  # levels
_BLACK_SHARE = (0.20, 0.46)  # of the page, whatever the scene's own darkness
_MIDDLE_SHARE = (0.19, 0.30)
_SPOTTING = 0.045  # share of the page that a hand may move between blacks and hatching


@dataclass(frozen=True)
class Scale:
    """The thresholds of a page's tones, as levels of the tone field.

    Attributes
    ----------
    black : int
        Below it is solid ink.
    middle : int
        Below it are washes and hatching; above it is paper.
    """

    black: int
    middle: int


@dataclass(frozen=True)
class DayTones:
    """What a scene's tones are cut from by day.

    Attributes
    ----------
    field : uint8 array, shape (work_height, work_width)
        See `tone_field`.
    scale : Scale
        See `day_scale`.
    sky : uint8 array, shape (work_height, work_width)
        See `find_sky`.
    """

    field: Gray
    scale: Scale
    sky: Gray


def tone_field(flat: Flattened, walker: Walker, grip: Grip, grid: Grid) -> Gray:
    """Compute the field that tones are cut from: flattened, sharpened at edges, evened out widely.

    Parameters
    ----------
    flat : Flattened
        The scene on the working plane.
    walker : Walker
        Its flow; the edges of blacks follow it.
    grip : Grip
        The hand, which evens out the wide surroundings more or less.
    grid : Grid
        Page and working plane.

    Returns
    -------
    uint8 array, shape (work_height, work_width)
        128 is the middle.
    """
    plane = flat.broad.astype(np.float32)
    near = cv.GaussianBlur(plane, (0, 0), 1.3 * grid.unit)
    around = cv.GaussianBlur(plane, (0, 0), 4.2 * grid.unit)
    sharp = cv.addWeighted(near, 1.0 + _SHARPEN, around, -_SHARPEN, 0.0)
    small = cv.resize(flat.broad, grid.coarse(16), interpolation=cv.INTER_AREA)
    wide = cv.GaussianBlur(small.astype(np.float32), (0, 0), 110.0 * grid.unit / 16)
    wide = cv.resize(np.rint(wide).astype(np.uint8), grid.work, interpolation=cv.INTER_LINEAR).astype(np.float32)
    even = cv.addWeighted(sharp, 1.0, wide, -grip.evening, 128.0 * grip.evening + _LIFT)
    # Deep shadow stays deep, however dark its surroundings are.
    even = cv.subtract(even, cv.subtract(np.full_like(flat.broad, _DEEP), flat.broad).astype(np.float32))
    return np.asarray(np.clip(np.rint(walker.smooth(even, 2.2 * grid.unit, 2)), 0, 255), np.uint8)


def day_scale(flat: Flattened, field: Gray, sky: Gray, grip: Grip) -> Scale:
    """Choose the thresholds of a page by daylight from the histogram of all that is not sky."""
    below = sky < 128
    if np.count_nonzero(below) * 8 < field.size:
        below = np.ones_like(below)
    # The shares come from the scene alone, so that candidates spend the same amount of ink.
    scene, counts = histogram(flat.broad[below]), histogram(field[below])
    first, second = two_thresholds(scene)
    lean = 1.0 + 1.2 * (grip.threshold - 0.5)
    black = min(max(share_below(scene, first), _BLACK_SHARE[0]), _BLACK_SHARE[1])
    middle = min(max(share_below(scene, second) - black, _MIDDLE_SHARE[0]), _MIDDLE_SHARE[1])
    # A solid spends about two and a half times the ink of washes and hatching.
    moved = _SPOTTING * grip.spotting
    black, middle = (black + moved) * lean, middle - 2.5 * moved
    split = split_at(counts, black)
    return Scale(split, max(split + _LEAST_SPAN, split_at(counts, min(0.95, black + middle))))


def two_thresholds(counts: NDArray[np.int64]) -> tuple[int, int]:
    """Split a histogram into three classes of greatest variance between them.

    Parameters
    ----------
    counts : int64 array, shape (256,)

    Returns
    -------
    tuple of int
        The first levels of the second and third class.
    """
    levels = np.arange(256)
    mass = np.concatenate([[0], np.cumsum(counts)])
    moment = np.concatenate([[0], np.cumsum(counts * levels)])

    def gain(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.float64]:
        weight, sums = mass[high] - mass[low], (moment[high] - moment[low]).astype(np.float64)
        return np.asarray(sums * sums / np.maximum(weight, 1), np.float64)

    cuts = np.arange(0, 257, 2)
    first, second = np.meshgrid(cuts, cuts, indexing="ij")
    zero, full = np.zeros_like(first), np.full_like(first, 256)
    total = gain(zero, first) + gain(first, second) + gain(second, full)
    total[first >= second] = -1.0
    best = int(np.argmax(total))
    return int(first.flat[best]), int(second.flat[best])


def cut_black(tones: DayTones, grid: Grid) -> Gray:
    """Cut the spotted blacks: big shapes with smooth edges, no crumbs and no pinholes.

    Returns
    -------
    uint8 array, shape (page height, page width)
        Ink, 0-255.
    """
    return _cut(np.asarray(cv.max(tones.field, tones.sky), np.uint8), tones.scale.black, grid, crumb=240.0)


def cut_washes(tones: DayTones, grip: Grip, grid: Grid) -> Gray:
    """Lay the flat values between paper and ink.

    Parameters
    ----------
    tones : DayTones
        The tone field, its thresholds, and the sky, where the paper stays clean.
    grip : Grip
        The hand; ``tones - 2`` washes are laid.
    grid : Grid
        Page and working plane.

    Returns
    -------
    uint8 array, shape (page height, page width)
        Ink, 0-255; flat apart from the smooth edges.
    """
    shares = {2: (), 3: ((1.0, 50),), 4: ((1.0, 34), (0.45, 84))}[grip.tones]
    half = cv.resize(cv.max(tones.field, tones.sky), grid.coarse(2), interpolation=cv.INTER_AREA)
    calm = cv.medianBlur(half, 5)
    scale = tones.scale
    page = np.zeros((grid.height, grid.width), np.uint8)
    for share, ink in shares:
        level = scale.black + round((scale.middle - scale.black) * share)
        shape = _cut(calm, level, grid, crumb=200.0)
        page = cv.max(page, cv.convertScaleAbs(shape, alpha=ink / 255.0))
    return np.asarray(page, np.uint8)


def _cut(field: Gray, level: int, grid: Grid, *, crumb: float) -> Gray:
    """Threshold a field with its small regions and holes taken out first."""
    mask = field < level
    clean = clean_shapes(field, level, crumb * grid.unit * grid.unit, _MARGIN)
    dark = cv.bitwise_not(field)
    ink_level = 255 - level
    dark = np.where((clean > 0) & ~mask, np.uint8(min(255, ink_level + 12)), dark)
    dark = np.where((clean == 0) & mask, np.uint8(max(0, ink_level - 12)), dark)
    return smooth_threshold(np.ascontiguousarray(dark), ink_level, grid.page)
