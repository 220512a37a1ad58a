"""Technical measures of one picture: sharpness, clipping, noise, contrast, ink, and whether anything is drawn."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.model.quality import Measures
from kroma_nb.qa.grain import noise
from kroma_nb.qa.sight import Plane, Sight, above, counts, local_span, look, up_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kroma_nb.images import Gray8, Picture

VERSION = 1
"""Changes whenever the same picture would get other measures; remembered measures of another version are not used."""

BLANK_BELOW = 0.001
"""Fraction of drawn cells below which a picture is blank: under 25 of a page's 24,576 cells of 8 by 8 pixels."""

_INK_BELOW = 64
_TAIL = 0.0005
_RICH = 0.5

_TILE, _ROWS_OF_TILE = 16, 8
_LEAST_ENERGY = 1.0
_AMONG_STRONGEST = 0.1
_SHARPEST = 0.25

_SMOOTH_RANGE = 40
_NEAR_END = slice(1, 5)
_FAR_FROM_END = slice(24, 64)
_MIDDLE = slice(48, 208)
_GROUP = 4

_STEP_SEEN = 3.0


def measure(picture: Picture) -> Measures:
    """Measure a picture; each measure falls for its own fault and for no other.

    Parameters
    ----------
    picture : uint8 array, C-contiguous, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255, straight alpha. Pixels with alpha 0 do not count.

    Returns
    -------
    Measures
        Rounded to 4 decimals, so that machines agree.

    Examples
    --------
    >>> page = np.full((64, 64), 255, np.uint8)
    >>> page[16:48, 30:34] = 0
    >>> seen = measure(page)
    >>> seen.noise, seen.clipping, seen.contrast, seen.blank
    (0.0, 0.0, 1.0, False)
    >>> measure(np.full((64, 64), 255, np.uint8)).blank
    True
    """
    sight = look(picture)
    height, width = picture.shape[:2]
    grain = noise(sight)
    crispness = sharpness(sight, grain=grain)
    filled = drawn(sight.eighth, grain=grain)
    spread, dark = tones(sight, filled=filled)
    return Measures(
        width=width,
        height=height,
        channels=1 if picture.ndim == 2 else picture.shape[2],
        sharpness=round(crispness, 4),
        clipping=round(clipping(sight, crispness=crispness), 4),
        noise=round(grain, 4),
        contrast=round(spread, 4),
        ink=round(dark, 4),
        drawn=round(filled, 6),
        blank=filled < BLANK_BELOW,
    )


def sharpness(sight: Sight, *, grain: float) -> float:
    """Tell how crisp the edges are, 0 to 1: 1 minus the ratio of gradient energies at two scales.

    Across a step that is blurred by much more than a pixel, halving the picture twice instead of once doubles the
    gradient and halves the edge's area fourfold, so both energies agree (ratio 1); a crisp step gives one half and
    a thin line less. The energy that white grain would add is taken off first. The lower quartile over tiles with
    strong edges is taken, so that a sharp figure before a soft ground counts as sharp.

    Returns
    -------
    float, 0 to 1
        1.0 where there is no edge to judge.

    References
    ----------
    After S. Zhuo and T. Sim, "Defocus map estimation from a single image", Pattern Recognition 44 (2011), 1852-1858
    (gradient ratio of two scales at edges), with energies over tiles in place of single edge pixels.
    """
    # White grain of variance v leaves v / 4 and v / 16 in block means; the gradient's two halves add up to that again.
    fine = _edge_energy(sight.half, 2 * _TILE) - grain**2 / 4
    coarse_noise = grain**2 / 16
    coarse = _edge_energy(sight.quarter, _TILE) - coarse_noise
    strong = coarse > max(_LEAST_ENERGY, 4 * coarse_noise)
    if not strong.any():
        return 1.0
    strong &= coarse > _AMONG_STRONGEST * _ranked(coarse[strong], 0.9)
    # A tile has four times as many pixels at the finer scale.
    ratio = coarse[strong] / np.maximum(4 * fine[strong], 1e-6)
    return 1 - min(1.0, _ranked(ratio, _SHARPEST))


def clipping(sight: Sight, *, crispness: float) -> float:
    """Estimate the fraction of the picture whose photographic tones were cut off at an end of the scale.

    A saturated area counts only in a picture that has smooth tones all along the scale, and only if these lead up to
    the area and break off there. Flat paper and flat blacks end in
    hard edges, which have no smooth tones near the end; the soft edges of a blurred page do, but run out
    tangentially, which piles up tones right before the end, where cut tones stay level. In a picture that is out of
    focus the two cannot be told apart, and nothing counts. A drawing is saturated at both ends and exposure cuts at
    one, so what lies at the other end is taken off.

    Parameters
    ----------
    sight : Sight
    crispness : float, 0 to 1
        The picture's sharpness.

    Returns
    -------
    float, 0 to 1
    """
    light, dark = _saturated(sight.quarter)
    total = max(1, sum(sight.bands.histogram))
    ends = ((-1, light), (1, dark))
    if not any(_shoulder(sight.bands.histogram[::way], total, part) for way, part in ends):
        return 0.0  # the usual case, for a third of the price: not even with hard edges is there a shoulder
    smooth = counts(sight.bands.tones, _smooth(sight))
    lost_light = light * _cut_off(smooth[::-1], total, light) - dark
    lost_dark = dark * _cut_off(smooth, total, dark) - light
    lost = max(0.0, lost_light, lost_dark)
    return lost * _photographic(smooth, total) * _ramp(crispness, 0.42, 0.55)


def tones(sight: Sight, *, filled: float) -> tuple[float, float]:
    """Give the spread of luma between its outermost tones (0 to 1), and the fraction that is dark (luma below 64).

    Outermost are 0.05 % of what is drawn, so that a small drawing on a large paper has its full contrast. Both are
    read off rows at full resolution, which show fine lines at their full tone; if they show little contrast, the
    reduced picture, which shows all of the page, is counted too.

    Parameters
    ----------
    sight : Sight
    filled : float, 0 to 1
        Fraction of the picture in which something is drawn.
    """
    heights = np.cumsum(sight.bands.histogram)
    spread = _spread(heights, filled)
    if spread < _RICH:
        heights = heights + np.cumsum(sight.quarter.histogram)
        spread = _spread(heights, filled)
    return spread, int(heights[_INK_BELOW - 1]) / max(1, int(heights[-1]))


def drawn(eighth: Plane, *, grain: float) -> float:
    """Give the fraction of visible cells of 8 by 8 pixels that differ from a neighbour or lie on a cut-out's edge.

    Parameters
    ----------
    eighth : Plane
    grain : float, levels
        Standard deviation of the noise; differences that it explains do not count.
    """
    grain_span = (
        6 * grain / 8
    )  # block means of 64 pixels carry an eighth of the grain, nine of them span six times that
    if eighth.cover is None:
        step = local_span(eighth.tones, eighth.tones)
        return cv2.countNonZero(above(step, _STEP_SEEN + grain_span)) / step.size
    hidden = up_to(eighth.cover, 254)
    # Where a cell is hidden, it must be neither the lightest nor the darkest of its neighbourhood.
    step = local_span(np.asarray(cv2.subtract(eighth.tones, hidden)), np.asarray(cv2.max(eighth.tones, hidden)))
    marked = cv2.countNonZero(cv2.subtract(above(step, _STEP_SEEN + grain_span), hidden))
    visible = cv2.countNonZero(eighth.cover)
    outline = visible - (hidden.size - cv2.countNonZero(hidden))
    return (marked + outline) / visible if visible else 0.0


def _spread(heights: NDArray[np.int64], filled: float) -> float:
    total = int(heights[-1])
    if total == 0:
        return 0.0
    tail = int(_TAIL * filled * total)
    low, high = (int(np.searchsorted(heights, rank, side="right")) for rank in (tail, total - tail - 1))
    return (high - low) / 255


def _ranked(values: NDArray[np.float64], part: float) -> float:
    """Give the value that stands at a part of the way from the least to the greatest."""
    return float(np.sort(values)[int(part * (len(values) - 1))])


def _edge_energy(plane: Plane, tile: int) -> NDArray[np.float64]:
    """Give the mean squared gradient in each tile, in squared levels per cell, from a few rows of each."""
    luma, apart = plane.tones, tile // _ROWS_OF_TILE
    energy = np.zeros((luma.shape[0] // apart, luma.shape[1]), np.float32)
    if min(luma.shape) > 2:
        rows = len(range(1, luma.shape[0] - 1, apart))
        inside = energy[:rows, 1:-1]
        cv2.accumulateSquare(cv2.absdiff(luma[1:-1:apart, 2:], luma[1:-1:apart, :-2]), inside)
        cv2.accumulateSquare(cv2.absdiff(luma[2::apart, 1:-1][:rows], luma[::apart, 1:-1][:rows]), inside)
    if plane.cover is not None:
        energy *= plane.inner()[1::apart] > 0
    return _tile_means(energy, _ROWS_OF_TILE, tile) / 4  # central differences span two cells


def _tile_means(values: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float64]:
    """Average tiles; a picture smaller than a tile is one."""
    height, width = values.shape
    rows, columns = min(rows, height), min(columns, width)
    down, across = height // rows, width // columns
    # Column sums of 8 sums of two squared levels are integers below 2**24, so float32 holds them exactly.
    sums = values[: down * rows].reshape(down, rows, width).sum(axis=1).astype(np.float64)
    means = sums[:, : across * columns].reshape(down, across, columns).sum(axis=2) / (rows * columns)
    return np.asarray(means, np.float64)


def _smooth(sight: Sight) -> Gray8:
    """Give a mask of smooth surroundings, without what lies at the very ends of the scale: it is not asked for."""
    luma = sight.bands.tones
    between = cv2.bitwise_and(above(luma, 0), up_to(luma, 254))
    calm = cv2.bitwise_and(up_to(local_span(luma, luma), _SMOOTH_RANGE - 1), sight.bands_inner)
    return np.asarray(cv2.bitwise_and(between, calm), np.uint8)


def _saturated(quarter: Plane) -> tuple[float, float]:
    seen = quarter.seen()
    total = quarter.tones.size if seen is None else cv2.countNonZero(seen)
    ends = above(quarter.tones, 253), up_to(quarter.tones, 1)
    light, dark = (cv2.countNonZero(end if seen is None else cv2.bitwise_and(end, seen)) for end in ends)
    return light / max(1, total), dark / max(1, total)


def _cut_off(smooth: Sequence[int], total: int, saturated: float) -> float:
    """Tell how surely tones were cut off at level 0 of a histogram, 0 to 1."""
    pile = sum(smooth[_NEAR_END]) / max(_usual_group(smooth[_FAR_FROM_END]), 1e-9)
    return _shoulder(smooth, total, saturated) * _ramp(pile, 12.0, 7.0)


def _shoulder(histogram: Sequence[int], total: int, saturated: float) -> float:
    """Tell whether tones lead up to the saturated area at level 0 of a histogram, 0 to 1."""
    if saturated == 0:
        return 0.0
    return _ramp(_even_share(histogram[_FAR_FROM_END], total) / saturated, 0.004, 0.02)


def _photographic(smooth: Sequence[int], total: int) -> float:
    """Tell whether smooth tones fill the middle of the scale, 0 to 1."""
    return _ramp(_even_share(smooth[_MIDDLE], total), 0.01, 0.03)


def _even_share(tones: Sequence[int], total: int) -> float:
    """Give the fraction of pixels that levels would hold if all were filled as their median is."""
    return _usual_group(tones) * (len(tones) // _GROUP) / total


def _usual_group(tones: Sequence[int]) -> float:
    # Groups bridge the gaps that stretching leaves in a histogram; the median passes over the peaks of flat tones.
    return median(sum(tones[at : at + _GROUP]) for at in range(0, len(tones), _GROUP))


def _ramp(value: float, zero: float, one: float) -> float:
    return min(1.0, max(0.0, (value - zero) / (one - zero)))
