"""Technical measures of one picture: sharpness, clipping, noise, contrast, ink, and whether anything is drawn."""

from __future__ import annotations

from statistics import mean, median
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.model.quality import Measures
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

_DIFFERENCE = np.array([1, -2, 1], np.float64)
# Standard deviation of that filter's answer (its weights' norm, 6) times the quantile of |N(0, 1)| at 1/4.
_QUARTILE_PER_SIGMA = 6 * 0.318639

_TILE = 16
_LEAST_ENERGY = 1.0
_AMONG_STRONGEST = 0.1
_SHARPEST = 0.25

_SMOOTH_RANGE = 40
_NEAR_END = slice(1, 4)
_FAR_FROM_END = slice(24, 64)

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
    spread, dark = tones(sight)
    filled = drawn(sight.eighth, grain=grain)
    return Measures(
        width=width,
        height=height,
        channels=1 if picture.ndim == 2 else picture.shape[2],
        sharpness=round(sharpness(sight, grain=grain), 4),
        clipping=round(clipping(sight), 4),
        noise=round(grain, 4),
        contrast=round(spread, 4),
        ink=round(dark, 4),
        drawn=round(filled, 6),
        blank=filled < BLANK_BELOW,
    )


def noise(sight: Sight) -> float:
    """Estimate the standard deviation of the grain, in levels.

    Immerkaer's filter (1996), the difference of two Laplacians, answers neither to flat nor to evenly sloping tones.
    Instead of the mean of its answer, which lines and textures raise, the lower quartile is read: on a drawn page
    three quarters of the neighbourhoods may hold a line without moving it.

    References
    ----------
    J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64 (1996), 300-302.
    """
    answer = cv2.sepFilter2D(sight.bands.tones, cv2.CV_16S, _DIFFERENCE, _DIFFERENCE)
    strength = cv2.bitwise_and(cv2.convertScaleAbs(answer), sight.bands_inner)
    pixels = cv2.countNonZero(sight.bands_inner)
    if 4 * cv2.countNonZero(strength) <= 3 * pixels:
        return 0.0
    return _quantile(counts(np.asarray(strength, np.uint8), sight.bands_inner), 0.25) / _QUARTILE_PER_SIGMA


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
    strong = coarse > max(_LEAST_ENERGY, coarse_noise)
    if not strong.any():
        return 1.0
    strong &= coarse > _AMONG_STRONGEST * _ranked(coarse[strong], 0.9)
    # A tile has four times as many pixels at the finer scale.
    ratio = coarse[strong] / np.maximum(4 * fine[strong], 1e-6)
    return 1 - min(1.0, _ranked(ratio, _SHARPEST))


def clipping(sight: Sight) -> float:
    """Estimate the fraction of the picture whose photographic tones were cut off at an end of the scale.

    A saturated area counts only if smooth tones lead up to it and break off there. Flat paper and flat blacks end in
    hard edges, which have no smooth tones near the end; the soft edges of a blurred page do, but run out
    tangentially, which piles up tones right before the end, where cut tones stay level.

    Returns
    -------
    float, 0 to 1
    """
    light, dark = _saturated(sight.quarter)
    total = max(1, sum(sight.bands.histogram))
    if not any(_shoulder(sight.bands.histogram[::way], total, part) for way, part in ((-1, light), (1, dark))):
        return 0.0  # the usual case, for a third of the price: not even the hard edges' tones would make a shoulder
    smooth = counts(sight.bands.tones, _smooth(sight))
    return light * _cut_off(smooth[::-1], total, light) + dark * _cut_off(smooth, total, dark)


def tones(sight: Sight) -> tuple[float, float]:
    """Give the spread of luma between its outermost 0.05 % (0 to 1), and the fraction that is dark (luma below 64).

    Both are read off two samples together: rows at full resolution, which show fine lines at their full tone, and the
    reduced picture, which shows all of the page.
    """
    histogram = np.add(sight.bands.histogram, sight.quarter.histogram)
    total = int(histogram.sum())
    if total == 0:
        return 0.0, 0.0
    heights = np.cumsum(histogram)
    low, high = (int(np.searchsorted(heights, part * total, side="right")) for part in (_TAIL, 1 - _TAIL))
    return (min(high, 255) - low) / 255, int(heights[_INK_BELOW - 1]) / total


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


def _quantile(histogram: Sequence[int], part: float) -> float:
    """Read a quantile off a histogram of rounded values, as if they were spread evenly within each level."""
    rank = part * sum(histogram)
    below = 0
    for level, count in enumerate(histogram):
        if count and below + count >= rank:
            return 0.0 if level == 0 else level - 0.5 + (rank - below) / count
        below += count
    return 0.0


def _ranked(values: NDArray[np.float64], part: float) -> float:
    """Give the value that stands at a part of the way from the least to the greatest."""
    return float(np.sort(values)[int(part * (len(values) - 1))])


def _edge_energy(plane: Plane, tile: int) -> NDArray[np.float64]:
    """Give the mean squared gradient in each tile, in squared levels per cell."""
    luma = plane.tones
    energy = np.zeros(luma.shape, np.float32)
    if min(luma.shape) > 2:
        inside = energy[1:-1, 1:-1]
        cv2.accumulateSquare(cv2.absdiff(luma[1:-1, 2:], luma[1:-1, :-2]), inside)
        cv2.accumulateSquare(cv2.absdiff(luma[2:, 1:-1], luma[:-2, 1:-1]), inside)
    if plane.cover is not None:
        energy *= plane.inner() > 0
    return _tile_means(energy, tile) / 4  # central differences span two cells


def _tile_means(values: NDArray[np.float32], tile: int) -> NDArray[np.float64]:
    height, width = values.shape
    down, across = max(1, height // tile), max(1, width // tile)
    rows = min(tile, height)
    # Column sums of up to 32 sums of two squared levels are integers below 2**24, so float32 holds them exactly.
    sums = values[: down * rows].reshape(down, rows, width).sum(axis=1).astype(np.float64)
    columns = min(tile, width)
    means = sums[:, : across * columns].reshape(down, across, columns).sum(axis=2) / (rows * columns)
    return np.asarray(means, np.float64)


def _smooth(sight: Sight) -> Gray8:
    span = local_span(sight.bands.tones, sight.bands.tones)
    return np.asarray(cv2.bitwise_and(up_to(span, _SMOOTH_RANGE - 1), sight.bands_inner), np.uint8)


def _saturated(quarter: Plane) -> tuple[float, float]:
    histogram = quarter.histogram
    total = max(1, sum(histogram))
    return sum(histogram[254:]) / total, sum(histogram[:2]) / total


def _cut_off(smooth: Sequence[int], total: int, saturated: float) -> float:
    """Tell how surely tones were cut off at level 0 of a histogram, 0 to 1."""
    pile = mean(smooth[_NEAR_END]) / max(median(smooth[_FAR_FROM_END]), 1e-9)
    return _shoulder(smooth, total, saturated) * _ramp(pile, 4.5, 3.0)


def _shoulder(histogram: Sequence[int], total: int, saturated: float) -> float:
    """Tell whether tones lead up to the saturated area at level 0 of a histogram, 0 to 1."""
    if saturated == 0:
        return 0.0
    # The median leaves flat tones out, which stand in the histogram as single peaks.
    level = median(histogram[_FAR_FROM_END]) / total
    return _ramp(level * (_FAR_FROM_END.stop - _FAR_FROM_END.start) / saturated, 0.02, 0.08)


def _ramp(value: float, zero: float, one: float) -> float:
    return min(1.0, max(0.0, (value - zero) / (one - zero)))
