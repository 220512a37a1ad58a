"""Tapered pen strokes: from centre lines and half widths to coverage on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.pixels import Points, cv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kroma_nb.providers.ink.frame import Grid


_SHIFT = 4  # binary places of the polygons' corners


def outline(points: Points, half_width: NDArray[np.float64]) -> Points:
    """Give the outlines of strokes of equal length.

    Parameters
    ----------
    points : float64 array, shape (N, K, 2)
        Centre lines, pixels.
    half_width : float64 array, shape (N, K)
        Pixels.

    Returns
    -------
    float64 array, shape (N, 2 * K, 2)
    """
    run = np.gradient(points, axis=1)
    length = np.maximum(np.hypot(run[..., 0], run[..., 1]), 1e-6)
    normal = np.stack([-run[..., 1], run[..., 0]], axis=-1) / length[..., None]
    side = normal * half_width[..., None]
    return np.concatenate([points + side, (points - side)[:, ::-1]], axis=1)


def ink_polygons(polygons: Sequence[Points], grid: Grid) -> NDArray[np.uint8]:
    """Fill polygons twice as large as the page and average down.

    Parameters
    ----------
    polygons : sequence of float64 arrays, each of shape (P, 2)
        Corners in pixels of the working plane.
    grid : Grid
        Page and working plane.

    Returns
    -------
    uint8 array, shape (page height, page width)
        Coverage, 0-255.
    """
    scale = np.array([grid.width / grid.work_width, grid.height / grid.work_height]) * 2.0
    canvas = np.zeros((grid.height * 2, grid.width * 2), np.uint8)
    corners = _on_canvas(polygons, scale) if polygons else []
    for at in range(0, len(corners), 64):
        cv.fillPoly(canvas, corners[at : at + 64], 255, lineType=cv.LINE_8, shift=_SHIFT)
    return np.asarray(cv.resize(canvas, grid.page, interpolation=cv.INTER_AREA), np.uint8)


def _on_canvas(polygons: Sequence[Points], scale: Points) -> list[NDArray[np.int32]]:
    """Scale all corners at once and give them apart again."""
    ends = np.cumsum([len(p) for p in polygons]).tolist()
    together = np.rint(np.concatenate(polygons) * (scale * (1 << _SHIFT))).astype(np.int32)
    return [together[a:b] for a, b in zip([0, *ends], ends, strict=False)]
