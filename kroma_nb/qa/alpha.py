"""What is left of a cut-out's transparency: its area, its soft edge, and how smoothly that edge runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.qa.sight import above

if TYPE_CHECKING:
    from kroma_nb.images import Gray8, Picture

_CLEAR, _SOLID = 16, 239
_LEAST_SOFT_PX = 64
_ENOUGH_ROWS = 192
_BOTH_SIDES = 32
_MOST_POINTS = 2048


def coverage(alpha: Gray8) -> float:
    """Give the share of a picture that its figure fills, soft pixels by their alpha."""
    return float(cv2.mean(alpha)[0]) / 255


def has_alpha(picture: Picture) -> bool:
    """Tell whether a picture has an alpha channel."""
    return picture.ndim == 3 and picture.shape[2] == 4


def some_rows(picture: Picture) -> Gray8:
    """Give alpha in 192 rows or more, spread evenly, in all rows of a small picture: they say as much in less time."""
    rows = np.ascontiguousarray(picture[:: max(1, len(picture) // _ENOUGH_ROWS)])
    return np.asarray(cv2.extractChannel(rows, 3), np.uint8)


def block_rows(before: Gray8, result: Picture) -> tuple[Gray8, Gray8]:
    """Give rows of a source's alpha, and the rows of blocks that they became, with the first row of the next.

    Parameters
    ----------
    before : uint8 array, shape (H, W), H at least 2
    result : uint8 array, shape (scale * H, scale * W, 4)

    Returns
    -------
    uint8 array, shape (N, W)
        At least 192 rows, spread evenly; all but the last of a small picture.
    uint8 array, shape (N, scale + 1, scale * W)
    """
    height, width, channels = result.shape
    scale, count = height // len(before), len(before) - 1
    apart = max(1, count // _ENOUGH_ROWS)
    blocks = result[: count * scale].reshape(count, scale, width, channels)[::apart]
    below = result[scale : (count + 1) * scale : scale][::apart, None]
    rows = np.concatenate([blocks, below], axis=1).reshape(-1, width, channels)
    alpha = np.asarray(cv2.extractChannel(rows, 3), np.uint8)
    return np.ascontiguousarray(before[:count:apart]), alpha.reshape(-1, scale + 1, width)


def soft_lost(before: Gray8, after: Gray8) -> float:
    """Tell how much of the soft edge (alpha 17 to 239) is gone, by its share of the picture, 0 to 1.

    0 where there is more of it, and where the edge was hard before: fewer than 64 pixels of it were soft.
    """
    share = _soft(before) / before.size
    if _soft(before) < _LEAST_SOFT_PX:
        return 0.0
    return max(0.0, 1 - _soft(after) / after.size / share)


def blockiness(rows: Gray8) -> float:
    """Tell how much of an enlarged alpha's edge runs along the borders of its source's pixels, 0 to 1.

    Along a smooth edge alpha changes as much within the blocks that were one pixel as from block to block (0); where
    every pixel was repeated it changes between them alone (1).

    Parameters
    ----------
    rows : uint8 array, shape (N, scale + 1, W)
        As `block_rows` gives them.

    Returns
    -------
    float, 0 to 1
        0 where alpha does not change.
    """
    scale = rows.shape[1] - 1
    down = [_change(rows[:, row], rows[:, row + 1]) for row in range(scale)]
    middle = rows[:, scale // 2]
    steps = np.asarray(cv2.absdiff(np.ascontiguousarray(middle[:, 1:]), np.ascontiguousarray(middle[:, :-1])), np.uint8)
    across = cv2.reduce(steps, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[0].astype(np.float64)
    beside = float(across[scale - 1 :: scale].sum())
    between = down[-1] + beside
    within = (sum(down[:-1]) + float(across.sum()) - beside) / (scale - 1)
    return 0.0 if between == 0 else max(0.0, 1 - within / between)


def edge_tint(source: Picture, alpha: Gray8, result: Picture) -> float:
    """Tell by how much the colours along a soft edge differ from the source's, on their mean.

    Where colours are enlarged without regard to alpha, what is hidden beside the figure bleeds into its edge.

    Parameters
    ----------
    source : uint8 array, shape (H, W, 4)
    alpha : uint8 array, shape (H, W)
        The source's.
    result : uint8 array, shape (scale * H, scale * W, 4)

    Returns
    -------
    float, levels 0-255
        Of the channel that differs most; 0 where fewer than 64 pixels are soft.
    """
    places = cv2.findNonZero(cv2.inRange(alpha, _BOTH_SIDES, 255 - _BOTH_SIDES))
    if places is None or len(places) < _LEAST_SOFT_PX:
        return 0.0
    columns, rows = places.reshape(-1, 2)[:: -(-len(places) // _MOST_POINTS)].T
    scale = len(result) // len(source)
    inside = np.arange(scale)
    blocks = result[
        (rows[:, None] * scale + inside)[:, :, None], (columns[:, None] * scale + inside)[:, None, :]
    ].astype(np.float32)
    weights = blocks[..., 3:]
    mean = (blocks[..., :3] * weights).sum(axis=(1, 2)) / np.maximum(weights.sum(axis=(1, 2)), 1)
    return float(np.abs((mean - source[rows, columns, :3]).mean(axis=0)).max())


def _soft(alpha: Gray8) -> int:
    return cv2.countNonZero(above(alpha, _CLEAR)) - cv2.countNonZero(above(alpha, _SOLID))


def _change(one: Gray8, other: Gray8) -> float:
    return float(cv2.norm(np.ascontiguousarray(one), np.ascontiguousarray(other), cv2.NORM_L1))
