"""Pictures enlarged by Lanczos-3, in sums that are exact: the same bytes on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
from numpy.lib.stride_tricks import as_strided

from kroma_nb.images.picture import Picture, checked

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"

SCALES = range(2, 5)
"""How many times as wide and high a picture may become."""

_REACH = 3  # source pixels to each side
# Along each axis so many source pixels are enlarged by one small matrix product: longer blocks multiply more zeros,
# shorter ones make more calls.
_BLOCK = 8
# Weights are whole multiples of 2**-21. So after both passes every sum is a whole multiple of 2**-42 below 2**10, which
# float64 holds exactly, and neither the order of adding nor a fused instruction nor a thread can change a bit of it.
_WEIGHT_UNIT = 2.0**21
# Half of 2**-42: OpenCV rounds halves to even; this sends them upwards and nothing else anywhere.
_HALF_UP = np.full(1, 2.0**-43)
# Colours times alpha have 8 bits more. They are rounded to multiples of 2**-12 between the passes, by adding and taking
# away a number whose last bit has that worth.
_ROUNDER = 1.5 * 2.0**40
# The answer is made in tiles of about so many rows and columns. Their floats stay in the cache, and no product has the
# 2**18 multiplications from which on OpenBLAS starts threads.
_TILE = (128, 512)


def enlarge(picture: Picture, scale: int, *, tile: tuple[int, int] = _TILE) -> Picture:
    """Enlarge a picture by Lanczos-3.

    A new pixel is the sum of the source pixels less than 3 away from its place along each axis, weighted by
    ``sinc(x) sinc(x / 3)`` [1]_. At the borders, taps outside the picture are dropped; the weights of the others
    always sum to 1. Between the two axes nothing is clamped; at the end levels are clamped to 0-255 and
    rounded once, halves upwards.

    Colours are weighted by their alpha, so that no colour of a hidden pixel enters a visible one. Where the new alpha
    is 0, colours are 0.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255, straight alpha. Levels are weighted as they are stored.
    scale : int, 2 to 4
        How many times as wide and high it becomes.
    tile : (rows, columns), pixels of the answer
        How much is made at a time; the answer does not depend on it.

    Returns
    -------
    uint8 array, shape (scale * H, scale * W) with the picture's channels
        The same bytes on every machine, within a level of the real sum everywhere.

    Raises
    ------
    ValueError
        If the array is no picture, or the scale none of 2, 3 and 4.

    References
    ----------
    .. [1] C. E. Duchon, Lanczos filtering in one and two dimensions, Journal of Applied Meteorology 18 (1979),
       1016-1022.

    Examples
    --------
    >>> enlarge(np.array([[0, 255]], np.uint8), 2)
    array([[  0,  59, 196, 255],
           [  0,  59, 196, 255]], dtype=uint8)
    """
    whole = checked(picture)
    if not isinstance(scale, int) or scale not in SCALES:
        raise ValueError(f"a picture becomes 2, 3 or 4 times as large, not {scale!r} times")
    if whole.ndim == 2:
        return _in_tiles(whole[..., None], scale, tile)[..., 0]
    if whole.shape[2] == 3 or whole[..., 3].min() < 255:
        return _in_tiles(whole, scale, tile)
    # An opaque picture looks as it does without alpha, to the bit.
    return np.asarray(cv2.cvtColor(_in_tiles(whole[..., :3], scale, tile), cv2.COLOR_RGB2RGBA), np.uint8)


def _in_tiles(picture: Picture, scale: int, tile: tuple[int, int]) -> Picture:
    height, width, channels = picture.shape
    desk = _Desk.of(picture, scale, tile)
    answer = np.empty((scale * height, scale * width, channels), np.uint8)
    lefts = range(0, width, desk.columns)
    across = [_weights(_turned, scale, range(left, left + desk.columns, _BLOCK), width) for left in lefts]
    for top in range(0, height, desk.rows):
        down = _weights(_upright, scale, range(top, top + desk.rows, _BLOCK), height)
        for left, right in zip(lefts, across, strict=True):
            part = answer[scale * top : scale * (top + desk.rows), scale * left : scale * (left + desk.columns)]
            window = desk.window(picture, top, left)
            if channels == 4 and not window[..., 3].any():
                part[...] = 0
                continue
            desk.make(right, down)
            cv2.merge([plane[: part.shape[0], : part.shape[1]] for plane in desk.rounded], part)
    return answer


@dataclass(frozen=True, slots=True)
class _Desk:
    """The memory in which one tile after the other is made; the channels lie apart.

    Attributes
    ----------
    levels : float64 array, shape (channels, rows + 6, columns + 6)
        A part of the source with its surroundings; colours times alpha where there is alpha.
    wide : float64 array, shape (channels, rows + 6, scale * columns)
        Enlarged along its rows.
    large : float64 array, shape (channels, scale * rows, scale * columns)
        Enlarged along its columns, too.
    rounded : uint8 array of the same shape
    """

    levels: Floats
    wide: Floats
    large: Floats
    rounded: Picture

    @classmethod
    def of(cls, picture: Picture, scale: int, tile: tuple[int, int]) -> _Desk:
        height, width, channels = picture.shape
        rows, columns = _shared(height, tile[0] // scale), _shared(width, tile[1] // scale)
        # Places outside the picture have the weight 0, and hold numbers: zeros here, later those of other tiles.
        levels = np.zeros((channels, rows + 2 * _REACH, columns + 2 * _REACH))
        wide = np.empty((channels, rows + 2 * _REACH, scale * columns))
        large = np.empty((channels, scale * rows, scale * columns))
        return cls(levels, wide, large, np.empty(large.shape, np.uint8))

    @property
    def rows(self) -> int:
        return int(self.levels.shape[1]) - 2 * _REACH

    @property
    def columns(self) -> int:
        return int(self.levels.shape[2]) - 2 * _REACH

    def window(self, picture: Picture, top: int, left: int) -> Picture:
        """Lay out a tile's part of the source with its surroundings, and give it back."""
        first, start = max(0, top - _REACH), max(0, left - _REACH)
        window = picture[first : top + self.rows + _REACH, start : left + self.columns + _REACH]
        rows, columns = (slice(at + _REACH, None) for at in (first - top, start - left))
        place = self.levels[:, rows, columns][:, : window.shape[0], : window.shape[1]]
        for channel, plane in enumerate(place):
            plane[...] = window[..., channel]
        if len(place) == 4:
            place[:3] *= place[3]
        return window

    def make(self, right: Floats, down: Floats) -> None:
        """Enlarge along both axes, and round."""
        with_alpha = len(self.levels) == 4
        block = _BLOCK + 2 * _REACH
        # One small product for each channel and block, all in one call over views.
        np.matmul(_blocks(self.levels, 2, block), right, out=_blocks(self.wide, 2, right.shape[2], right.shape[2]))
        if with_alpha:
            np.add(self.wide, _ROUNDER, out=self.wide)
            np.subtract(self.wide, _ROUNDER, out=self.wide)
        np.matmul(down, _blocks(self.wide, 1, block), out=_blocks(self.large, 1, down.shape[1], down.shape[1]))
        if with_alpha:
            # An alpha below a half is rounded to 0 and hides its colours.
            np.divide(self.large[:3], np.maximum(self.large[3], 0.5), out=self.large[:3])
        # As rows of numbers: of three axes, OpenCV would take the last for channels.
        flat = self.large.reshape(-1, self.large.shape[2])
        cv2.add(flat, _HALF_UP, dst=self.rounded.reshape(flat.shape), dtype=cv2.CV_8U)
        if with_alpha:
            np.multiply(self.rounded[:3], self.rounded[3] > 0, out=self.rounded[:3])


def _shared(length: int, most: int) -> int:
    """Give the length of even parts, in whole blocks, none longer than `most` if a block is not."""
    most = max(_BLOCK, most // _BLOCK * _BLOCK)
    parts = -(-length // most)
    return -(-length // (parts * _BLOCK)) * _BLOCK


def _blocks(planes: Floats, axis: int, length: int, step: int = _BLOCK) -> Floats:
    """Look at an axis of planes in blocks, which may overlap; the view has shape (channels, blocks, rows, columns)."""
    shape, strides = list(planes.shape), planes.strides
    count = (shape[axis] - length) // step + 1
    shape[axis] = length
    return as_strided(planes, (shape[0], count, *shape[1:]), (strides[0], step * strides[axis], *strides[1:]))


def _weights(block: Callable[[int, int, int], Floats], scale: int, firsts: range, length: int) -> Floats:
    """Give the matrices of the blocks that begin at some places of an axis; far from its ends all are the same."""
    found = [block(scale, min(first, _REACH), min(length - first, _BLOCK + _REACH)) for first in firsts]
    if all(one is found[0] for one in found):
        return np.broadcast_to(found[0], (len(found), *found[0].shape))
    return np.stack(found)


@lru_cache(maxsize=256)
def _upright(scale: int, before: int, beyond: int) -> Floats:
    """Give the matrix that enlarges a block.

    Parameters
    ----------
    scale : int
    before : int, 0 to 3
        How many source pixels there are before the block.
    beyond : int, 1 to 11
        How many there are from its first one on.

    Returns
    -------
    float64 array, shape (8 * scale, 14)
        Whole multiples of 2**-21; each row of a pixel in the picture sums to 1.
    """
    taps = np.arange(-_REACH, _BLOCK + _REACH)
    places = (np.arange(scale * _BLOCK) + 0.5) / scale - 0.5
    away = taps - places[:, None]
    inside = (np.abs(away) < _REACH) & (taps >= -before) & (taps < beyond)
    weights = np.where(inside, np.sinc(away) * np.sinc(away / _REACH), 0.0)
    # Rows of pixels behind the picture's end, which nobody reads, may be empty.
    totals = weights.sum(axis=1, keepdims=True)
    whole = np.rint(weights / np.where(totals == 0.0, 1.0, totals) * _WEIGHT_UNIT)
    # What rounding left over goes to the largest weight, so that a flat picture stays flat.
    whole[np.arange(len(whole)), whole.argmax(axis=1)] += _WEIGHT_UNIT - whole.sum(axis=1)
    return np.asarray(whole / _WEIGHT_UNIT, np.float64)


@lru_cache(maxsize=256)
def _turned(scale: int, before: int, beyond: int) -> Floats:
    """Give the same matrix turned, and in one piece: that makes products from the right three times as quick."""
    return np.ascontiguousarray(_upright(scale, before, beyond).T)
