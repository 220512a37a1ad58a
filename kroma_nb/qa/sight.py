"""A picture as the technical measures see it: luma at the size it is read at, in a small pyramid."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from kroma_nb.images import Gray8, Picture

READING_LONG_SIDE_PX = 1536
"""A larger picture is reduced by a whole factor to at most this: a page is judged at the size it is read at, so that
an enlargement gets the same measures as what it was made from."""

BAND_ROWS = 18
"""Two rows of the patches that grain is looked for in."""

_CELL = 8
_ENOUGH_ROWS = 128


@dataclass(frozen=True)
class Plane:
    """Luma and how much of each of its cells can be seen.

    Attributes
    ----------
    tones : uint8 array, shape (H, W)
        Luma levels 0-255 (BT.601 weights on sRGB levels).
    cover : uint8 array, shape (H, W), or None
        255 where every pixel of the cell has alpha above 0, 0 where none has; None where all do.
    """

    tones: Gray8
    cover: Gray8 | None

    def reduced(self, factor: int) -> Plane:
        """Average blocks of `factor` by `factor` cells; both sides are multiples of it."""
        if factor == 1:
            return self
        return Plane(_shrunk(self.tones, factor), None if self.cover is None else _shrunk(self.cover, factor))

    def seen(self) -> Gray8 | None:
        """Give a mask (255 or 0) of the cells that are wholly visible, None where all are."""
        return None if self.cover is None else above(self.cover, 254)

    def inner(self) -> Gray8:
        """Give a mask (255 or 0) of the cells whose eight neighbours are in the picture and wholly visible too."""
        seen = self.seen()
        mask = np.full(self.tones.shape, 255, np.uint8) if seen is None else _eroded(seen)
        mask[[0, -1]] = 0
        mask[:, [0, -1]] = 0
        return mask

    @cached_property
    def histogram(self) -> tuple[int, ...]:
        """How many wholly visible cells each of the 256 levels has, in every other column."""
        return counts(self.tones, self.seen())


@dataclass(frozen=True)
class Sight:
    """The planes that the measures work on.

    Attributes
    ----------
    bands : Plane
        About 130 to 250 rows at full resolution, in bands spread evenly, stacked; all rows of a small picture.
    bands_inner : uint8 array, shape of `bands`
        255 where a 3 by 3 neighbourhood lies wholly inside one band and is visible.
    half, quarter, eighth : Plane
        Block means; they average grain away and still show lines.
    """

    bands: Plane
    bands_inner: Gray8
    half: Plane
    quarter: Plane
    eighth: Plane


def look(picture: Picture) -> Sight:
    """Prepare a picture for measuring.

    Parameters
    ----------
    picture : uint8 array, C-contiguous, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255, straight alpha; pixels with alpha 0 do not count in anything.
    """
    page = _at_reading_size(_plane(picture))
    bands = Plane(_banded(page.tones), None if page.cover is None else _banded(page.cover))
    half = page.reduced(2)
    quarter = half.reduced(2)
    return Sight(bands, _inside_bands(bands), half, quarter, quarter.reduced(2))


def counts(levels: Gray8, mask: Gray8 | None) -> tuple[int, ...]:
    """Count the pixels of each of the 256 levels in every other column, under a mask (255 or 0) or everywhere.

    Half of them say as much in half the time; the width is even.
    """
    height, width = levels.shape
    columns = None if mask is None else np.ascontiguousarray(mask[:, ::2])
    found = cv2.calcHist([levels.reshape(height, width // 2, 2)], [0], columns, [256], [0, 256])
    return tuple(found.ravel().astype(np.int64).tolist())


def above(levels: Gray8, limit: float) -> Gray8:
    """Give a mask, 255 where a level lies above a limit and 0 elsewhere."""
    return np.asarray(cv2.threshold(levels, limit, 255, cv2.THRESH_BINARY)[1], np.uint8)


def up_to(levels: Gray8, limit: float) -> Gray8:
    """Give a mask, 255 where a level lies at or below a limit and 0 elsewhere."""
    return np.asarray(cv2.threshold(levels, limit, 255, cv2.THRESH_BINARY_INV)[1], np.uint8)


def local_span(lightest: Gray8, darkest: Gray8) -> Gray8:
    """Give the distance between the lightest and the darkest level in each 3 by 3 neighbourhood."""
    box = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.subtract(cv2.dilate(lightest, box), cv2.erode(darkest, box)), np.uint8)


def _plane(picture: Picture) -> Plane:
    if picture.ndim == 2:
        return Plane(picture, None)
    if picture.shape[2] == 3:
        return Plane(_luma(picture, cv2.COLOR_RGB2GRAY), None)
    tones = _luma(picture, cv2.COLOR_RGBA2GRAY)
    alpha = cv2.extractChannel(picture, 3)
    if cv2.countNonZero(alpha) == alpha.size:
        return Plane(tones, None)
    return Plane(tones, above(np.asarray(alpha, np.uint8), 0))


class _Kept(threading.local):
    """The last picture's luma: a page's memory costs as much to get anew as its luma to compute."""

    def __init__(self) -> None:
        self.luma: Gray8 = np.empty((0, 0), np.uint8)


_kept = _Kept()


def _luma(picture: Picture, way: int) -> Gray8:
    """Give the luma in memory that the thread's next call takes again."""
    if _kept.luma.shape != picture.shape[:2]:
        _kept.luma = np.empty(picture.shape[:2], np.uint8)
    return np.asarray(cv2.cvtColor(picture, way, _kept.luma), np.uint8)


def _at_reading_size(plane: Plane) -> Plane:
    height, width = plane.tones.shape
    factor = math.ceil(max(height, width) / READING_LONG_SIDE_PX)
    step = factor * _CELL
    return Plane(_filled(plane.tones, step), None if plane.cover is None else _filled(plane.cover, step)).reduced(
        factor
    )


def _filled(levels: Gray8, step: int) -> Gray8:
    """Mirror the picture at its right and lower edge until both sides are multiples of a step."""
    height, width = levels.shape
    below, beside = -height % step, -width % step
    if below == beside == 0:
        return levels
    return np.asarray(cv2.copyMakeBorder(levels, 0, below, 0, beside, cv2.BORDER_REFLECT), np.uint8)


def _banded(levels: Gray8) -> Gray8:
    height, width = levels.shape
    period = height // _ENOUGH_ROWS * BAND_ROWS
    if period <= BAND_ROWS:
        return levels.copy()
    whole = height // period * period
    return levels[:whole].reshape(-1, period, width)[:, :BAND_ROWS].reshape(-1, width)


def _inside_bands(bands: Plane) -> Gray8:
    mask = bands.inner()
    mask[0::BAND_ROWS] = 0
    mask[BAND_ROWS - 1 :: BAND_ROWS] = 0
    return mask


def _shrunk(levels: Gray8, factor: int) -> Gray8:
    height, width = levels.shape
    size = (width // factor, height // factor)
    return np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _eroded(mask: Gray8) -> Gray8:
    return np.asarray(cv2.erode(mask, np.ones((3, 3), np.uint8)), np.uint8)
