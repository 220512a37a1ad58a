"""The line layer: a flow-guided difference of Gaussians, thresholded twice as large, without specks.

References
----------
H. Kang, S. Lee, C. K. Chui: Coherent line drawing. NPAR 2007: a difference of Gaussians across the flow,
gathered along it.
J. E. Kyprianidis, J. Döllner: Image abstraction by structure adaptive filtering. TPCG 2008: both integrals
separated, on the smoothed structure tensor.
H. Winnemöller, J. E. Kyprianidis, S. C. Olsen: XDoG: an extended difference-of-Gaussians compendium.
Computers & Graphics 36 (2012): ratio 1.6 of the two Gaussians, thresholds as an artistic choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.flow import Walker, find_flow
from kroma_nb.providers.ink.hand import wander
from kroma_nb.providers.ink.levels import histogram, level_at, smooth_threshold
from kroma_nb.providers.ink.pixels import Gray, Plane, cv
from kroma_nb.providers.ink.skin import find_skin

if TYPE_CHECKING:
    from kroma_nb.providers.ink.flatten import Flattened
    from kroma_nb.providers.ink.frame import Grid
    from kroma_nb.providers.ink.hand import Grip


_RATIO = 1.6
_GAIN = 12.0  # of the response, before it becomes 8 bits
_FINE_SIGMA, _BOLD_SIGMA = 1.15, 2.6  # length units
_LEAST, _MOST = 16, 90  # the threshold stays between these, in 8-bit responses
_COVERAGE = 0.085  # share of the page that lines may take before the threshold rises
_EMPHASIS, _TREMOR = 0.42, 3.0  # share of the response, length units
_FACES = 0.6  # how much more of the response counts on skin
_SPECK_AREA, _SPECK_LENGTH = 22.0, 11.0  # square units, units


def draw_lines(flat: Flattened, walker: Walker, grip: Grip, grid: Grid) -> Gray:
    """Draw the contours of a flattened scene.

    Parameters
    ----------
    flat : Flattened
        The scene on the working plane.
    walker : Walker
        Its flow.
    grip : Grip
        The hand: weight and threshold.
    grid : Grid
        Page and working plane.

    Returns
    -------
    uint8 array, shape (page height, page width)
        Ink, 0-255.
    """
    response = line_response(flat, walker, grip, grid)
    level = line_level(response, flat, grip)
    kept = _without_specks(response, level, grid.unit)
    return smooth_threshold(_tremble(kept, grip, grid), level, grid.page)


def line_response(flat: Flattened, walker: Walker, grip: Grip, grid: Grid) -> Gray:
    """Compute how much every pixel is a dark line: fine pen and bold brush, the stronger of both."""
    plane = flat.fine.astype(np.float32)
    sigma = _FINE_SIGMA * grip.line_weight * grid.unit
    pen = _eight_bits(walker.smooth(_across(plane, walker, sigma), 1.3 * grid.unit, 3))
    half = cv.resize(plane, grid.coarse(2), interpolation=cv.INTER_AREA)
    bold_sigma = _BOLD_SIGMA * grip.line_weight * grid.unit * 0.5
    slow = Walker(find_flow(half, 3.0 * grid.unit))
    brush = _eight_bits(slow.smooth(_across(half, slow, bold_sigma), 1.3 * grid.unit, 3))
    brush = cv.resize(brush, grid.work, interpolation=cv.INTER_LINEAR)
    both = cv.max(pen, cv.addWeighted(brush, grip.brush, pen, 1.0 - grip.brush, 0.0))
    skin = cv.resize(cv.blur(find_skin(flat), (3, 3)), grid.work, interpolation=cv.INTER_LINEAR)
    emphasis = np.float32(1.0) + np.float32(_EMPHASIS) * wander(grip.seed, 10, 110.0 * grid.unit, grid.work)
    emphasis += skin * np.float32(_FACES / 255.0)
    return np.asarray(np.clip(np.rint(both * emphasis), 0, 255), np.uint8)


def _eight_bits(response: Plane) -> Gray:
    return np.asarray(np.clip(np.rint(response * np.float32(_GAIN)), 0, 255), np.uint8)


def line_level(response: Gray, flat: Flattened, grip: Grip) -> int:
    """Choose the threshold from the scene's own responses, above its own grain."""
    level = level_at(histogram(response), 1.0 - min(0.2, _COVERAGE * grip.line_weight**0.7))
    least = _LEAST + min(40, flat.grain)
    level = min(max(level, least), _MOST)
    return max(least * 3 // 4, round(level * (1.0 + 1.6 * (0.5 - grip.threshold))))


def _across(plane: Plane, walker: Walker, sigma: float) -> Plane:
    """Integrate the difference of Gaussians across the flow: surround minus centre, dark lines positive."""
    wide = _RATIO * sigma
    step = max(0.6, 0.75 * sigma)
    count = int(np.ceil(2.4 * wide / step))
    offsets = step * np.arange(count + 1)
    centre, surround = (np.exp(-0.5 * (offsets / s) ** 2) for s in (sigma, wide))
    halves = np.where(offsets > 0, 2.0, 1.0)
    weights = surround / (surround * halves).sum() - centre / (centre * halves).sum()
    total = plane * np.float32(weights[0])
    for offset, weight in zip(offsets[1:], weights[1:], strict=True):
        pair = cv.add(walker.across(plane, offset), walker.across(plane, -offset))
        total = cv.scaleAdd(pair, float(weight), total)
    return total


def _tremble(response: Gray, grip: Grip, grid: Grid) -> Gray:
    """Move the lines as a hand does: a little, slowly, and differently for every candidate."""
    shift = _TREMOR * grid.unit
    x, y = np.meshgrid(np.arange(grid.work_width, dtype=np.float32), np.arange(grid.work_height, dtype=np.float32))
    at_x = cv.scaleAdd(wander(grip.seed, 11, 70.0 * grid.unit, grid.work), shift, x)
    at_y = cv.scaleAdd(wander(grip.seed, 12, 70.0 * grid.unit, grid.work), shift, y)
    return np.asarray(cv.remap(response, at_x, at_y, cv.INTER_LINEAR, borderMode=cv.BORDER_REPLICATE), np.uint8)


def _without_specks(response: Gray, level: int, unit: float) -> Gray:
    """Clear what is too small, too short or nowhere strong enough to be meant."""
    _, mask = cv.threshold(response, level, 255, cv.THRESH_BINARY)
    count, labels, stats, _ = cv.connectedComponentsWithStats(mask, connectivity=8)
    strong = np.bincount(labels[response > min(250, level * 3 // 2)], minlength=count)
    length = np.hypot(stats[:, cv.CC_STAT_WIDTH], stats[:, cv.CC_STAT_HEIGHT])
    meant = (stats[:, cv.CC_STAT_AREA] >= _SPECK_AREA * unit * unit) & (length >= _SPECK_LENGTH * unit)
    keep = np.where(meant & (strong >= max(2.0, 5.0 * unit * unit)), 255, 0).astype(np.uint8)
    keep[0] = 0
    # Around what is kept the response fades out by itself; elsewhere nothing may come near the threshold.
    near = cv.dilate(keep[labels], np.ones((5, 5), np.uint8))
    dropped = (labels > 0) & (keep[labels] == 0)
    near[dropped] = 0
    return np.asarray(cv.bitwise_and(response, near), np.uint8)
