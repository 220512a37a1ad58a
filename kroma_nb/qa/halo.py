"""How much of a cut-out's rim is no figure: a ring of its old ground, or of light or dark that a tool left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.qa.sight import above

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.images import Gray8, Rgb8, Rgba8

_FIGURE, _SOLID = 127, 159
_RIM_PX = 3
_NORMAL_PX = 9
_MOST_POINTS, _LEAST_POINTS = 4096, 64
_INSIDE, _OUTSIDE = (4.0, 5.0, 6.0), (-4.0, -5.0)
_CONTRAST, _ALIKE, _NEARER = 32.0, 16.0, 0.35
_STRANGE_LEVELS = 96.0


def halo(source: Rgb8, result: Rgba8, alpha: Gray8) -> float:
    """Tell how much of the solid rim of a cut-out has a colour that is not the figure's.

    Points on the rim (alpha 160 or more, at most 3 pixels from the edge) are compared along the edge's normal with the
    figure a few pixels further in and with the ground a few pixels further out. Where figure and ground differ, a point
    that looks like the ground is foreign. A rim that the tool itself has made lighter or darker
    than the source, away from the figure, counts by 96 levels as all of it.

    Parameters
    ----------
    source : uint8 array, shape (H, W, 3)
        The picture with its ground.
    result : uint8 array, shape (H, W, 4)
        The cut-out.
    alpha : uint8 array, shape (H, W)
        Its alpha.

    Returns
    -------
    float, 0 to 1
        0 where fewer than 64 points can be looked at.
    """
    box = _around(alpha)
    source, result = source[box], result[box]
    points, inwards = _rim(np.ascontiguousarray(alpha[box]))
    if len(points) < _LEAST_POINTS:
        return 0.0
    rim, was = _at(result, points)[:, :3], _at(source, points)
    figure = _along(result, points, inwards, _INSIDE)[:, :3]
    ground = _along(source, points, inwards, _OUTSIDE)
    return min(1.0, max(_like_ground(rim, figure, ground), _strange(rim, was, figure)))


def _around(alpha: Gray8) -> tuple[slice, slice]:
    """Give rows and columns that hold the figure and all that is looked at beside it."""
    left, top, width, height = cv2.boundingRect(alpha)
    rows = slice(max(0, top - _NORMAL_PX), top + height + _NORMAL_PX)
    return rows, slice(max(0, left - _NORMAL_PX), left + width + _NORMAL_PX)


def _rim(alpha: Gray8) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give points (row, column) on the solid rim, and unit vectors into the figure."""
    side = 2 * _RIM_PX + 1
    core = cv2.erode(above(alpha, _FIGURE), np.ones((side, side), np.uint8))
    places = cv2.findNonZero(cv2.subtract(above(alpha, _SOLID), core))
    if places is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    columns, rows = places.reshape(-1, 2)[:: -(-len(places) // _MOST_POINTS)].T
    smooth = cv2.blur(alpha, (_NORMAL_PX, _NORMAL_PX))
    height, width = alpha.shape
    below, above_it = smooth[np.minimum(rows + 1, height - 1), columns], smooth[np.maximum(rows - 1, 0), columns]
    after, before = smooth[rows, np.minimum(columns + 1, width - 1)], smooth[rows, np.maximum(columns - 1, 0)]
    down, right = np.subtract(below, above_it, dtype=np.float32), np.subtract(after, before, dtype=np.float32)
    slope = np.stack([down, right], axis=1)
    length = np.hypot(down, right)
    clear = length > 1
    points = np.stack([rows, columns], axis=1).astype(np.float32)
    return points[clear], (slope[clear] / length[clear, None]).astype(np.float32)


def _at(picture: Rgb8 | Rgba8, points: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = picture.shape[:2]
    rows = np.clip(np.rint(points[:, 0]).astype(np.intp), 0, height - 1)
    columns = np.clip(np.rint(points[:, 1]).astype(np.intp), 0, width - 1)
    return picture[rows, columns].astype(np.float32)


def _along(
    picture: Rgb8 | Rgba8, points: NDArray[np.float32], inwards: NDArray[np.float32], steps: tuple[float, ...]
) -> NDArray[np.float32]:
    seen = [_at(picture, points + step * inwards) for step in steps]
    return np.asarray(np.mean(seen, axis=0), np.float32)


def _like_ground(rim: NDArray[np.float32], figure: NDArray[np.float32], ground: NDArray[np.float32]) -> float:
    contrast = _apart(figure, ground)
    tells = contrast > _CONTRAST
    if tells.sum() < _LEAST_POINTS:
        return 0.0
    foreign = tells & (_apart(rim, ground) < np.minimum(_ALIKE, _NEARER * contrast))
    return float(foreign.sum() / tells.sum())


def _strange(rim: NDArray[np.float32], was: NDArray[np.float32], figure: NDArray[np.float32]) -> float:
    """Give how far the tool moved the rim away from the figure; towards it, it took a ground's colour out."""
    change = (rim - was).mean(axis=1)
    away = _apart(rim, figure) > _apart(was, figure)
    return abs(float((change * away).mean())) / _STRANGE_LEVELS


def _apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.abs(one - other).mean(axis=1), np.float32)
