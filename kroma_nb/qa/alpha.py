"""What is left of a cut-out's transparency: its area, its soft edge, and how smoothly that edge runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.qa.sight import above

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.images import Gray8, Picture

_CLEAR, _SOLID = 16, 239
_LEAST_SOFT_PX = 64
_BLOCK_ROWS = 2
_BOTH_SIDES = 32
_MOST_POINTS = 8192


def coverage(alpha: Gray8) -> float:
    """Give the share of a picture that its figure fills, soft pixels by their alpha."""
    return float(cv2.mean(alpha)[0]) / 255


def soft_share(alpha: Gray8) -> float:
    """Give the share of pixels that are neither clear nor solid (alpha 17 to 239)."""
    return (cv2.countNonZero(above(alpha, _CLEAR)) - cv2.countNonZero(above(alpha, _SOLID))) / alpha.size


def soft_lost(before: Gray8, after: Gray8) -> float:
    """Tell how much of the soft edge is gone, by its share of the picture, 0 to 1.

    0 where there is more of it, and where the edge was hard before.
    """
    share = soft_share(before)
    if share * before.size < _LEAST_SOFT_PX:
        return 0.0
    return max(0.0, 1 - soft_share(after) / share)


def blockiness(alpha: Gray8, scale: int) -> float:
    """Tell how much of an enlarged alpha's edge runs along the borders of its source's pixels, 0 to 1.

    Along a smooth edge alpha changes as much within the blocks that were one pixel as from block to block (0); where
    every pixel was repeated it changes between them alone (1).

    Parameters
    ----------
    alpha : uint8 array, shape (scale * H, scale * W)
    scale : int, 2 or more

    Returns
    -------
    float, 0 to 1
        0 where alpha does not change.
    """
    within, between = (sum(pair) for pair in zip(_changes(alpha, scale), _changes(alpha.T, scale), strict=True))
    return 0.0 if between == 0 else max(0.0, 1 - float(within / between))


def edge_tint(source: Picture, result: Picture, scale: int) -> float:
    """Tell by how much the colours along a soft edge differ from the source's, on their mean.

    Where colours are enlarged without regard to alpha, what is hidden beside the figure bleeds into its edge.

    Parameters
    ----------
    source : uint8 array, shape (H, W, 4)
    result : uint8 array, shape (scale * H, scale * W, 4)
    scale : int

    Returns
    -------
    float, levels 0-255
        Of the channel that differs most; 0 where fewer than 64 pixels are soft.
    """
    alpha = source[..., 3]
    rows, columns = np.nonzero((alpha >= _BOTH_SIDES) & (alpha <= 255 - _BOTH_SIDES))
    if len(rows) < _LEAST_SOFT_PX:
        return 0.0
    step = -(-len(rows) // _MOST_POINTS)
    rows, columns = rows[::step], columns[::step]
    inside = np.arange(scale)
    blocks = result[
        (rows[:, None] * scale + inside)[:, :, None], (columns[:, None] * scale + inside)[:, None, :]
    ].astype(np.float32)
    weights = blocks[..., 3:]
    mean = (blocks[..., :3] * weights).sum(axis=(1, 2)) / np.maximum(weights.sum(axis=(1, 2)), 1)
    return float(np.abs((mean - source[rows, columns, :3]).mean(axis=0)).max())


def _changes(alpha: Gray8, scale: int) -> NDArray[np.float64]:
    """Give the mean change from column to column within blocks, and between them, over some of the rows."""
    some = alpha[scale // 2 :: scale * _BLOCK_ROWS]
    steps = np.asarray(cv2.absdiff(np.ascontiguousarray(some[:, 1:]), np.ascontiguousarray(some[:, :-1])), np.uint8)
    sums = cv2.reduce(steps, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[0].astype(np.float64)
    between = sums[scale - 1 :: scale].sum()
    return np.array([(sums.sum() - between) / (scale - 1), between])
