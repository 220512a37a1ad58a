"""How colourful a picture is, in exact integer sums."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.images import checked

if TYPE_CHECKING:
    from kroma_nb.images import Gray8, Picture

# A strip's planes stay in the second-level cache; measured on 1024-wide pictures, 64 to 256 rows are equally fast.
_STRIP_BYTES = 384 * 1024


class _Planes(threading.local):
    """The planes of one strip, kept from call to call: fresh memory would cost more than the sums."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, int], list[Gray8]] = {}

    def of(self, rows: int, width: int, channels: int) -> list[Gray8]:
        key = (rows, width, channels)
        if key not in self._kept:
            self._kept = {key: [np.empty((rows, width), np.uint8) for _ in range(channels)]}
        return self._kept[key]


_planes = _Planes()


def chroma_delta(image: Picture) -> float:
    """Give the mean distance between the colour channels: (mean|R-G| + mean|R-B| + mean|G-B|) / 3.

    Pixels with alpha 0 do not count, whatever colour hides there. The sums are exact; only the last division rounds.

    Parameters
    ----------
    image : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255, straight alpha.

    Returns
    -------
    float, levels 0-255
        0.0 for a picture without a channel axis, without pixels that count, or without colour.

    Raises
    ------
    ValueError
        If it is not uint8 of one of these shapes.

    Examples
    --------
    >>> chroma_delta(np.array([[[10, 20, 40], [5, 5, 5]]], np.uint8))
    10.0
    """
    if isinstance(image, np.ndarray) and image.size == 0:
        return 0.0
    image = checked(image)
    if image.ndim == 2:
        return 0.0
    total = counted = 0
    height, width, channels = image.shape
    rows = max(1, _STRIP_BYTES // (width * channels))
    for top in range(0, height, rows):
        strip = image[top : top + rows]
        strip_total, strip_counted = _sums(strip, _planes.of(len(strip), width, channels))
        total += strip_total
        counted += strip_counted
    return total / (3 * counted) if counted else 0.0


def _sums(strip: Picture, into: list[Gray8]) -> tuple[int, int]:
    red, green, blue, *alpha = cv2.split(strip, into)
    pairs = ((red, green), (red, blue), (green, blue))
    if not alpha or (visible := cv2.countNonZero(alpha[0])) == red.size:
        return sum(int(cv2.norm(one, other, cv2.NORM_L1)) for one, other in pairs), red.size
    return sum(int(cv2.norm(one, other, cv2.NORM_L1, alpha[0])) for one, other in pairs), visible
