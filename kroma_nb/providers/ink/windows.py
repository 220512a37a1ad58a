"""Windows, which by day are rows of dark upright panes: at night somebody is at home behind a few of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.hand import stream
from kroma_nb.providers.ink.pixels import Gray, Plane, cv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.providers.ink.frame import Grid
    from kroma_nb.providers.ink.tone import DayTones

_SMALLEST, _LARGEST = 100.0, 9000.0  # square length units of a pane
_LEAST = 6  # fewer alike panes are no windows
_ALIKE = 4  # how many times smaller or larger than the middle one an alike pane may be


def light_windows(day: DayTones, light: Plane, seed: int, grid: Grid) -> Gray:
    """Choose the panes that are lit.

    Parameters
    ----------
    day : DayTones
        The scene's tones by day.
    light : float32 array, shape (h, w), 0 to 1
        The light that is there already; panes in it need no lamp.
    seed : int
        Of the time.
    grid : Grid
        Page and working plane.

    Returns
    -------
    uint8 array, shape (work_height // 2, work_width // 2)
        255 in lit panes; all 0 where the scene has no windows for sure.
    """
    small = cv.resize(cv.max(day.field, day.sky), grid.coarse(2), interpolation=cv.INTER_AREA)
    dark = np.where(small < day.scale.black, np.uint8(255), np.uint8(0))
    _, labels, stats, centres = cv.connectedComponentsWithStats(dark, connectivity=4)
    panes = _panes(stats, grid.unit * grid.unit / 4.0)
    if len(panes) < _LEAST:
        return np.zeros_like(dark)
    middles = np.rint(centres).astype(np.int64)
    lit = np.zeros(len(stats), np.uint8)
    lit[_inhabited(_in_the_dark(panes, middles, light, dark.shape), stats, middles, seed)] = 255
    return np.asarray(lit[labels], np.uint8)


def _panes(stats: NDArray[np.int32], square: float) -> NDArray[np.intp]:
    """Find the regions that are upright, full rectangles of about the same size."""
    width, height, area = (stats[:, c] for c in (cv.CC_STAT_WIDTH, cv.CC_STAT_HEIGHT, cv.CC_STAT_AREA))
    fits = (area >= _SMALLEST * square) & (area <= _LARGEST * square)
    upright = (10 * height >= 9 * width) & (2 * height <= 7 * width)
    full = area * 100 >= 80 * width * height
    fits[0] = False
    found = np.flatnonzero(fits & upright & full)
    if not len(found):
        return found
    middle = np.sort(area[found])[len(found) // 2]
    alike = (area[found] * _ALIKE >= middle) & (area[found] <= middle * _ALIKE)
    return np.asarray(found[alike], np.intp)


def _in_the_dark(
    panes: NDArray[np.intp], middles: NDArray[np.int64], light: Plane, shape: tuple[int, ...]
) -> NDArray[np.intp]:
    column = middles[panes, 0] * light.shape[1] // shape[1]
    row = middles[panes, 1] * light.shape[0] // shape[0]
    return np.asarray(panes[light[row, column] < 0.4], np.intp)


def _inhabited(
    panes: NDArray[np.intp], stats: NDArray[np.int32], centres: NDArray[np.int64], seed: int
) -> NDArray[np.intp]:
    """Choose a sixth of the panes, with those that belong to the same window."""
    rng = stream(seed, 45)
    chosen = rng.permutation(panes)[: max(1, len(panes) // 6)]
    near = np.zeros(len(panes), np.bool_)
    for pane in chosen:
        reach = int(stats[pane, cv.CC_STAT_WIDTH]) * 2, int(stats[pane, cv.CC_STAT_HEIGHT]) * 3 // 2
        off = np.abs(centres[panes] - centres[pane])
        near |= (off[:, 0] <= reach[0]) & (off[:, 1] <= reach[1])
    return panes[near]
