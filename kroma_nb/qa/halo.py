"""How much of a cut-out's rim is no figure: a ring of its old ground, or of light or dark that a tool left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.qa.sight import above

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.images import Gray8, Rgb8, Rgba8

_FIGURE, _SOLID = 127, 223
_RIM_PX = 3
_NORMAL_PX = 9
_MOST_POINTS, _LEAST_POINTS = 4096, 64
_INSIDE, _DEEPER, _OUTSIDE = (4.0, 5.0), (6.0, 7.0), (4.0, 5.0, 6.0)
_LEAST_CONTRAST = 12.0
_STRANGE_LEVELS = 96.0


def halo(source: Rgb8, result: Rgba8) -> float:
    """Tell how much of the solid rim of a cut-out has a colour that is not the figure's.

    Points on the rim (nearly solid, at most 3 pixels from the edge) are compared with the figure a few pixels further
    in and with the ground a few pixels further out, along the edge's normal. The share is the slope of the least
    squares line from figure (0) to ground (1), so that places where both look alike do not count. A rim that the tool
    itself has made lighter or darker than the source, away from the figure, counts by 96 levels as all of it.

    Parameters
    ----------
    source : uint8 array, shape (H, W, 3)
        The picture with its ground.
    result : uint8 array, shape (H, W, 4)
        The cut-out.

    Returns
    -------
    float, 0 to 1
        0 where fewer than 64 points can be looked at.
    """
    alpha = np.ascontiguousarray(result[..., 3])
    points, inwards = _rim(alpha)
    if len(points) < _LEAST_POINTS:
        return 0.0
    rim, was = _at(result, points)[:, :3], _at(source, points)
    figure, deeper = (_along(result, points, inwards, steps)[:, :3] for steps in (_INSIDE, _DEEPER))
    ground = _along(source, points, inwards, tuple(-step for step in _OUTSIDE))
    return float(np.clip(max(_groundlike(rim, figure, deeper, ground), _strange(rim, was, figure)), 0, 1))


def _rim(alpha: Gray8) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give points (row, column) on the solid rim, and unit vectors into the figure."""
    side = 2 * _RIM_PX + 1
    core = cv2.erode(above(alpha, _FIGURE), np.ones((side, side), np.uint8))
    rows, columns = np.nonzero(cv2.subtract(above(alpha, _SOLID), core))
    step = max(1, -(-len(rows) // _MOST_POINTS))
    rows, columns = rows[::step], columns[::step]
    smooth = cv2.blur(alpha, (_NORMAL_PX, _NORMAL_PX)).astype(np.float32)
    height, width = alpha.shape
    down = smooth[np.minimum(rows + 1, height - 1), columns] - smooth[np.maximum(rows - 1, 0), columns]
    right = smooth[rows, np.minimum(columns + 1, width - 1)] - smooth[rows, np.maximum(columns - 1, 0)]
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


def _groundlike(
    rim: NDArray[np.float32],
    figure: NDArray[np.float32],
    deeper: NDArray[np.float32],
    ground: NDArray[np.float32],
) -> float:
    # Two samples of the figure, so that its own texture, which is in both factors, does not look like ground.
    contrast = ((ground - figure) * (ground - deeper)).sum()
    if contrast < _LEAST_CONTRAST**2 * ground.size:
        return 0.0
    return float(((rim - figure) * (ground - deeper)).sum() / contrast)


def _strange(rim: NDArray[np.float32], was: NDArray[np.float32], figure: NDArray[np.float32]) -> float:
    """Give how far the tool moved the rim away from the figure; towards it, it took a ground's colour out."""
    change = (rim - was).mean(axis=1)
    away = np.abs(rim - figure).mean(axis=1) > np.abs(was - figure).mean(axis=1)
    return float(abs((change * away).mean())) / _STRANGE_LEVELS
