"""The sky, or a plain backdrop: the calm, light region that hangs from the top of the page.

References
----------
F. Meyer: Color image segmentation. ICIP 1992 (the marker-based watershed that finds its edge).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.pixels import Gray, cv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.providers.ink.flatten import Flattened
    from kroma_nb.providers.ink.frame import Grid


_DARKEST, _DARKEST_BLUE = 66, 5  # levels; what is darker is left to the blacks
_OTHER = 50  # levels off the sky beside it from which something stands before it
_BLUE = 119  # b of CIE L*a*b* below which a colour is blue
_STEP, _TINT_STEP = 18, 7  # levels between neighbouring cells that are still calm


def find_sky(picture: NDArray[np.uint8], flat: Flattened, grid: Grid) -> Gray:
    """Find the sky.

    Parameters
    ----------
    picture : uint8 array, shape (work_height, work_width, 3)
        The scene, sRGB.
    flat : Flattened
        The same, flattened.
    grid : Grid
        Page and working plane.

    Returns
    -------
    uint8 array, shape (work_height, work_width)
        255 inside, 0 outside; all 0 where nothing looks like sky.
    """
    core = _core(flat)
    if not core.any():
        return np.zeros((grid.work_height, grid.work_width), np.uint8)
    half = cv.GaussianBlur(cv.resize(picture, grid.coarse(2), interpolation=cv.INTER_AREA), (3, 3), 0)
    reach = cv.dilate(core, np.ones((9, 9), np.uint8))
    surely = cv.erode(core, np.ones((3, 3), np.uint8))
    inside, maybe = (cv.resize(m, grid.coarse(2), interpolation=cv.INTER_NEAREST) for m in (surely, reach))
    other = (maybe == 0) | _unlike(core, flat, grid)
    markers = np.where(inside > 0, 1, np.where(other, 2, 0)).astype(np.int32)
    if not (markers == 2).any():
        markers[-1] = 2
    cv.watershed(half, markers)
    # The watershed leaves its own frame unassigned.
    markers[[0, -1]], markers[:, [0, -1]] = markers[[1, -2]], markers[:, [1, -2]]
    sky = cv.medianBlur(np.where(markers == 1, np.uint8(255), np.uint8(0)), 5)
    return np.asarray(cv.resize(sky, grid.work, interpolation=cv.INTER_LINEAR), np.uint8)


def _unlike(core: Gray, flat: Flattened, grid: Grid) -> NDArray[np.bool_]:
    """Tell what is much darker or lighter than the sky beside it, on half the working plane."""
    inside = cv.min(core, 1)
    small = cv.resize(flat.broad, (core.shape[1], core.shape[0]), interpolation=cv.INTER_AREA)
    # Sums of small integers, which float32 holds exactly.
    count, total = (cv.boxFilter(p, cv.CV_32F, (13, 13), normalize=False) for p in (inside, cv.multiply(small, inside)))
    level = np.rint(total / np.maximum(count, np.float32(1.0))).astype(np.uint8)
    expected = cv.resize(level, grid.coarse(2), interpolation=cv.INTER_NEAREST)
    known = cv.resize(np.where(count > 0, np.uint8(1), np.uint8(0)), grid.coarse(2), interpolation=cv.INTER_NEAREST)
    seen = cv.resize(flat.broad, grid.coarse(2), interpolation=cv.INTER_AREA)
    return np.asarray((cv.absdiff(seen, expected) > _OTHER) & (known > 0), np.bool_)


def _core(flat: Flattened) -> Gray:
    """Find the sky's inside on the plane of the tint, an eighth of the working size."""
    size = (flat.tint.shape[1], flat.tint.shape[0])
    small = cv.resize(flat.broad, size, interpolation=cv.INTER_AREA)
    edges = cv.morphologyEx(small, cv.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    tint_edges = cv.morphologyEx(cv.medianBlur(flat.tint, 3), cv.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    light = (small >= _DARKEST) | ((small >= _DARKEST_BLUE) & (flat.tint[:, :, 1] < _BLUE))
    calm = (edges < _STEP) & (tint_edges.max(axis=2) < _TINT_STEP) & light
    mask = np.where(calm, np.uint8(255), np.uint8(0))
    mask = cv.dilate(cv.erode(mask, np.ones((3, 3), np.uint8)), np.ones((3, 3), np.uint8))
    mask[0] = mask[: max(2, small.shape[0] // 30)].max(axis=0)
    count, labels, stats, _ = cv.connectedComponentsWithStats(mask, connectivity=4)
    tops = np.bincount(labels[0][mask[0] > 0], minlength=count)
    is_sky = (tops * 8 >= small.shape[1]) & (stats[:, cv.CC_STAT_AREA] * 20 >= small.size)
    is_sky[0] = False
    return np.where(is_sky[labels], np.uint8(255), np.uint8(0))
