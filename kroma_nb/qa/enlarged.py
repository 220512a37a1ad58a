"""What an enlargement keeps of its source: its tones, its flat blacks, and no trace of the tiles it was made in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.qa.sight import above, local_span, up_to

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.images import Gray8, Picture, Rgb8

_CELL_PX = 4
_PATCH_CELLS = 8

_CALM_SPAN = 32
_LEAST_CALM = 0.05
_AROUND = 8
_SHORTEST_PERIOD_PX = 16

_BLACK = 48
_FLAT_SPAN = 3
_FLAT_PX = 9
_LEAST_BLACK_PX = 256
_TAIL = 0.01


@dataclass(frozen=True)
class Pair:
    """A source and its enlargement as both look at the source's size.

    Attributes
    ----------
    source, shrunk : uint8 array, shape (H, W)
        Luma of the source, and of the enlargement shrunk by area.
    sampled : uint8 array, shape (H, W)
        Luma of one pixel of each block of the enlargement, which shows what averaging hides.
    shown : uint8 array, shape (H, W), or None
        255 where the source and its eight neighbours are opaque; None where all of it is.
    """

    source: Gray8
    shrunk: Gray8
    sampled: Gray8
    shown: Gray8 | None


def three(picture: Picture) -> Rgb8:
    """Give the three colour channels; grey is repeated, alpha left out."""
    if picture.ndim == 2:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), np.uint8)
    return picture if picture.shape[2] == 3 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB), np.uint8)


def luma(picture: Picture) -> Gray8:
    """Give the luma (BT.601 weights on sRGB levels); alpha does not count."""
    if picture.ndim == 2:
        return picture
    way = cv2.COLOR_RGB2GRAY if picture.shape[2] == 3 else cv2.COLOR_RGBA2GRAY
    return np.asarray(cv2.cvtColor(picture, way), np.uint8)


def alpha_of(picture: Picture) -> Gray8 | None:
    """Give the alpha channel, None where there is none."""
    if picture.ndim == 2 or picture.shape[2] == 3:
        return None
    return np.asarray(cv2.extractChannel(picture, 3), np.uint8)


def by_area(picture: Picture, size: tuple[int, int]) -> Picture:
    """Shrink a picture to (width, height) by area, each channel for itself."""
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def pair_of(source: Picture, result: Picture, shrunk: Picture) -> Pair:
    """Bring a source and its enlargement together; `shrunk` is the enlargement at the source's size."""
    height, width = source.shape[:2]
    sampled = cv2.resize(result, (width, height), interpolation=cv2.INTER_NEAREST)
    alpha = alpha_of(source)
    shown = None
    if alpha is not None and cv2.countNonZero(above(alpha, 254)) < alpha.size:
        shown = np.asarray(cv2.erode(above(alpha, 254), np.ones((3, 3), np.uint8)), np.uint8)
    return Pair(luma(source), luma(shrunk), luma(np.asarray(sampled, np.uint8)), shown)


def off_source(source: Picture, shrunk: Picture, shown: Gray8 | None) -> float:
    """Tell by how much the worst patch of 32 by 32 pixels of the source differs, on its mean.

    Both are compared in cells of 4 by 4 pixels, in which sharpened edges and smoothed grain cancel out and what was
    moved or toned does not.

    Parameters
    ----------
    source, shrunk : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
    shown : uint8 array, shape (H, W), or None
        255 where pixels count.

    Returns
    -------
    float, levels 0-255
        Of the channel that differs most.
    """
    height, width = source.shape[:2]
    cells = math.ceil(width / _CELL_PX), math.ceil(height / _CELL_PX)
    patches = math.ceil(cells[0] / _PATCH_CELLS), math.ceil(cells[1] / _PATCH_CELLS)
    apart = cv2.absdiff(three(by_area(source, cells)), three(by_area(shrunk, cells))).max(axis=2).astype(np.float32)
    if shown is None:
        return float(cv2.resize(apart, patches, interpolation=cv2.INTER_AREA).max())
    counts = (by_area(shown, cells) == 255).astype(np.float32)
    share = cv2.resize(counts, patches, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(apart * counts, patches, interpolation=cv2.INTER_AREA)
    return float((sums / np.maximum(share, 0.25)).max())


def seams(pair: Pair, tile_px: int) -> float:
    """Tell by how much tones jump where tiles meet, more than they do beside.

    What the enlargement added to its source is looked at, where the source is calm. A period counts if at least three
    quarters of its lines, across and down together, jump: the panel borders and hatchings of a page do not come to
    that.

    Parameters
    ----------
    pair : Pair
    tile_px : int, pixels of the source
        The tiles' size; 0 tries all from 16 pixels to half of the longer side.

    Returns
    -------
    float, levels 0-255
        0 where no two lines can be looked at.
    """
    added = np.asarray(cv2.addWeighted(pair.shrunk, 1.0, pair.source, -1.0, 128.0), np.uint8)
    calm = up_to(local_span(pair.source, pair.source), _CALM_SPAN)
    if pair.shown is not None:
        calm = np.asarray(cv2.bitwise_and(calm, pair.shown), np.uint8)
    across, down = _jumps(added, calm), _jumps(added.T, calm.T)
    longest = max(added.shape) // 2
    periods = [tile_px] if tile_px else range(_SHORTEST_PERIOD_PX, longest + 1)
    return max((_usual_jump(across, down, period) for period in periods), default=0.0)


def black_texture(pair: Pair) -> float:
    """Tell how far pixels lie from their source where that is flat and black: the level that 1 in 100 passes.

    Returns
    -------
    float, levels 0-255
        0 where fewer than 256 pixels lie in flat blacks.
    """
    box = np.ones((_FLAT_PX, _FLAT_PX), np.uint8)
    span = cv2.subtract(cv2.dilate(pair.source, box), cv2.erode(pair.source, box))
    flat = cv2.bitwise_and(up_to(np.asarray(span, np.uint8), _FLAT_SPAN), up_to(pair.source, _BLACK))
    if pair.shown is not None:
        flat = cv2.bitwise_and(flat, pair.shown)
    if cv2.countNonZero(flat) < _LEAST_BLACK_PX:
        return 0.0
    return max(_tail(cv2.absdiff(seen, pair.source), flat) for seen in (pair.shrunk, pair.sampled))


def _jumps(added: Gray8, calm: Gray8) -> NDArray[np.float64]:
    """Give for each line between two columns the mean jump where it is calm, less that of the lines around it."""
    # Every other row says as much in half the time.
    added, calm = np.ascontiguousarray(added[::2]), np.ascontiguousarray(calm[::2])
    jumps = cv2.bitwise_and(cv2.absdiff(added[:, 1:], added[:, :-1]), calm[:, 1:])
    if jumps is None or jumps.size == 0:
        return np.zeros(0)
    sums = cv2.reduce(jumps, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[0].astype(np.float64)
    counts = cv2.reduce(calm[:, 1:], 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[0].astype(np.float64) / 255
    means = sums / np.maximum(counts, _LEAST_CALM * len(calm))
    beside = np.lib.stride_tricks.sliding_window_view(np.pad(means, _AROUND, mode="edge"), 2 * _AROUND + 1)
    return np.asarray(means - np.median(beside, axis=1), np.float64)


def _usual_jump(across: NDArray[np.float64], down: NDArray[np.float64], period: int) -> float:
    lines = np.concatenate([across[period - 1 :: period], down[period - 1 :: period]])
    return 0.0 if len(lines) < 2 else float(np.sort(lines)[len(lines) // 4])


def _tail(levels: Gray8, mask: Gray8) -> float:
    counts = cv2.calcHist([levels], [0], mask, [256], [0, 256]).ravel()
    reached = np.cumsum(counts) >= (1 - _TAIL) * counts.sum()
    return float(np.argmax(reached))
