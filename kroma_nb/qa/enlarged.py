"""What an enlargement keeps of its source: its tones, its flat blacks, and no trace of the tiles it was made in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.qa.sight import above, up_to

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.images import Gray8, Picture, Rgb8

_CELL_PX = 4
_PATCH_CELLS = 8

_CALM_SPAN, _CALM_PX = 32, 5
_LEAST_CALM = 0.15
_LEAST_LINES = 4
_AROUND = 8
_JUMPS = 0.25
_SHORTEST_PERIOD_PX = 16

_BLACK = 64
_FLAT_SPAN, _FLAT_PX = 3, 9
_LEAST_BLACK_PX = 256
_TAIL = 0.01


@dataclass(frozen=True)
class Pair:
    """A source and its enlargement as both look at the source's size.

    Attributes
    ----------
    source, shrunk : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        The source, and the enlargement shrunk by area.
    tones, shrunk_tones : uint8 array, shape (H, W)
        Their luma.
    shown : uint8 array, shape (H, W), or None
        255 where the source and its eight neighbours are opaque; None where all of it is.
    origin : (row, column)
        Where in the whole source they begin: tiles are counted from its corner.
    """

    source: Picture
    shrunk: Picture
    tones: Gray8
    shrunk_tones: Gray8
    shown: Gray8 | None
    origin: tuple[int, int] = (0, 0)


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


def figure_box(alpha: Gray8 | None) -> tuple[slice, slice] | None:
    """Give rows and columns that hold all of a figure; None where there is none or nothing is transparent."""
    if alpha is None or cv2.countNonZero(above(alpha, 254)) == alpha.size:
        return None
    left, top, width, height = cv2.boundingRect(alpha)
    sides = ((top, top + height), (left, left + width))
    if width == 0 or height == 0:
        return None
    # Whole cells: sizes that halve evenly are shrunk several times as fast.
    rows, columns = ((start // _CELL_PX * _CELL_PX, -(-stop // _CELL_PX) * _CELL_PX) for start, stop in sides)
    return slice(rows[0], min(rows[1], alpha.shape[0])), slice(columns[0], min(columns[1], alpha.shape[1]))


def enlarged_box(box: tuple[slice, slice], scale: int) -> tuple[slice, slice]:
    """Give the same rows and columns in an enlargement."""
    rows, columns = (slice(side.start * scale, side.stop * scale) for side in box)
    return rows, columns


def pair_of(source: Picture, shrunk: Picture, alpha: Gray8 | None, origin: tuple[int, int] = (0, 0)) -> Pair:
    """Bring a source and its enlargement, shrunk to its size, together; both may be parts, from an origin on."""
    shown = None
    if alpha is not None:
        shown = np.asarray(cv2.erode(above(alpha, 254), np.ones((3, 3), np.uint8)), np.uint8)
    return Pair(source, shrunk, luma(source), luma(shrunk), shown, origin)


def off_source(pair: Pair) -> float:
    """Tell by how much the worst patch of 32 by 32 pixels of the source differs, on its mean.

    Both are compared in cells of 4 by 4 pixels, in which sharpened edges and smoothed grain cancel out and what was
    moved or toned does not.

    Returns
    -------
    float, levels 0-255
        Of the channel that differs most.
    """
    height, width = pair.tones.shape
    halves = math.ceil(width / 2), math.ceil(height / 2)
    cells = math.ceil(width / _CELL_PX), math.ceil(height / _CELL_PX)
    patches = math.ceil(cells[0] / _PATCH_CELLS), math.ceil(cells[1] / _PATCH_CELLS)
    # Two halvings take a third of the time of one shrinking to a quarter.
    one, other = (three(by_area(by_area(picture, halves), cells)) for picture in (pair.source, pair.shrunk))
    red, green, blue = cv2.split(cv2.absdiff(one, other))
    apart = cv2.max(cv2.max(red, green), blue).astype(np.float32)
    if pair.shown is None:
        return float(cv2.resize(apart, patches, interpolation=cv2.INTER_AREA).max())
    counts = (by_area(pair.shown, cells) == 255).astype(np.float32)
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
        The tiles' size; 0 tries all from 16 pixels that have four lines or more, one of the first of which jumps by a
        quarter level.

    Returns
    -------
    float, levels 0-255
        0 where no two lines can be looked at.
    """
    added = np.asarray(cv2.addWeighted(pair.shrunk_tones, 1.0, pair.tones, -1.0, 128.0), np.uint8)
    calm = up_to(_span(pair.tones, _CALM_PX), _CALM_SPAN)
    if pair.shown is not None:
        calm = np.asarray(cv2.bitwise_and(calm, pair.shown), np.uint8)
    top, left = pair.origin
    across = np.pad(_jumps(added[:, 1:], added[:, :-1], calm[:, 1:], 0), (left, 0))
    down = np.pad(_jumps(added[1:], added[:-1], calm[1:], 1), (top, 0))
    periods = [tile_px] if tile_px else _worth_a_look(across, down)
    return max((_usual_jump(across, down, period) for period in periods), default=0.0)


def black_texture(pair: Pair, result: Picture) -> float:
    """Tell how far pixels lie from their source where that is flat and black: the level that 1 in 100 passes.

    The enlargement is looked at shrunk, and by one pixel of each block, which shows what averaging hides.

    Parameters
    ----------
    pair : Pair
    result : uint8 array, shape (scale * H, scale * W), with channels or without
        The enlargement.

    Returns
    -------
    float, levels 0-255
        0 where fewer than 256 pixels lie in flat blacks.
    """
    flat = up_to(pair.tones, _BLACK)
    if cv2.countNonZero(flat) < _LEAST_BLACK_PX:
        return 0.0
    cv2.bitwise_and(up_to(_span(pair.tones, _FLAT_PX), _FLAT_SPAN), flat, dst=flat)
    if pair.shown is not None:
        cv2.bitwise_and(flat, pair.shown, dst=flat)
    if cv2.countNonZero(flat) < _LEAST_BLACK_PX:
        return 0.0
    sampled = luma(np.asarray(cv2.resize(result, flat.shape[::-1], interpolation=cv2.INTER_NEAREST), np.uint8))
    return max(
        _tail(np.asarray(cv2.absdiff(seen, pair.tones), np.uint8), flat) for seen in (pair.shrunk_tones, sampled)
    )


def _span(levels: Gray8, side: int) -> Gray8:
    """Give the distance between the lightest and the darkest level in each square of an odd side."""
    box = np.ones((side, side), np.uint8)
    span = cv2.dilate(levels, box)
    return np.asarray(cv2.subtract(span, cv2.erode(levels, box), dst=span), np.uint8)


def _jumps(one: Gray8, other: Gray8, calm: Gray8, axis: int) -> NDArray[np.float64]:
    """Give for each line between two rows or columns the mean jump where it is calm, less that of the lines around."""
    if one.size == 0:
        return np.zeros(0)
    jumps = cv2.absdiff(one, other)
    cv2.bitwise_and(jumps, calm, dst=jumps)
    sums, counts = (cv2.reduce(levels, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32F).ravel() for levels in (jumps, calm))
    means = sums / np.maximum(counts / 255, _LEAST_CALM * calm.shape[axis])
    around = np.lib.stride_tricks.sliding_window_view(np.pad(means, _AROUND, mode="edge"), 2 * _AROUND + 1)
    return np.asarray(means - np.median(around, axis=1), np.float64)


def _worth_a_look(across: NDArray[np.float64], down: NDArray[np.float64]) -> list[int]:
    """Give the periods of which one of the first two lines, across or down, jumps at all."""
    periods = np.arange(_SHORTEST_PERIOD_PX, max(len(across), len(down)) + 1)
    periods = periods[len(across) // periods + len(down) // periods >= _LEAST_LINES]
    jumps = np.zeros(len(periods), bool)
    for lines in (across, down):
        for line in (periods - 1, 2 * periods - 1):
            inside = line < len(lines)
            jumps[inside] |= lines[line[inside]] > _JUMPS
    return [int(period) for period in periods[jumps]]


def _usual_jump(across: NDArray[np.float64], down: NDArray[np.float64], period: int) -> float:
    lines = np.concatenate([across[period - 1 :: period], down[period - 1 :: period]])
    return 0.0 if len(lines) < 2 else max(0.0, float(np.sort(lines)[len(lines) // 4]))


def _tail(levels: Gray8, mask: Gray8) -> float:
    counts = cv2.calcHist([levels], [0], mask, [256], [0, 256]).ravel()
    reached = np.cumsum(counts) >= (1 - _TAIL) * counts.sum()
    return float(np.argmax(reached))
