"""Whether a result still has its source's light, and no colour that its source had not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.images import Picture

# ITU-R BT.601, section 2.5.1.
_LUMA = np.array([0.299, 0.587, 0.114])
_POINTS = 10_000
_HALF = 127
_GREY_SOURCE = 3.0
_HARDLY_LIGHT = 1.0
_MOST = 99.0


@dataclass(frozen=True)
class Points:
    """Some of a picture's visible colours.

    Attributes
    ----------
    levels : array, shape (N, 3)
        sRGB levels 0-255.
    seen : bool array, shape (N,)
    """

    levels: NDArray[np.uint8] | NDArray[np.float32]
    seen: NDArray[np.bool_]


def points_of(picture: Picture) -> Points:
    """Take about 10,000 of a picture's pixels, of a small one all; those with alpha above 127 are seen."""
    step = max(1, int((picture.shape[0] * picture.shape[1] / _POINTS) ** 0.5))
    some = picture[::step, ::step]
    if some.ndim == 2:
        some = np.repeat(some[..., None], 3, axis=2)
    flat = some.reshape(-1, some.shape[2])
    seen = flat[:, 3] > _HALF if flat.shape[1] == 4 else np.ones(len(flat), bool)
    return Points(flat[:, :3], seen)


def light_lost(before: Points, after: Points) -> float:
    """Tell how much of the light is gone, 0 to 1: of the mean luma of what both show.

    0 where there was hardly any.
    """
    both = before.seen & after.seen
    if not both.any():
        return 0.0
    was, now = (float(points.levels[both].mean(axis=0, dtype=np.float64) @ _LUMA) for points in (before, after))
    return 0.0 if was < _HARDLY_LIGHT else max(0.0, 1 - now / was)


def colour_added(before: Points, after: Points) -> float:
    """Tell how far the channels of a grey picture came apart: (mean|R-G| + mean|R-B| + mean|G-B|) / 3.

    Returns
    -------
    float, levels 0-255
        As `chroma_delta`; 0 for a picture that was in colour before: 1 in 100 of its pixels had channels more than 3
        levels apart.
    """
    both = before.seen & after.seen
    if not both.any() or np.percentile(_apart(before, both), _MOST) > _GREY_SOURCE:
        return 0.0
    # Of three numbers, the distances of all pairs add up to twice that of the outermost.
    return float(_apart(after, both).mean() * 2 / 3)


def _apart(points: Points, both: NDArray[np.bool_]) -> NDArray[np.float32]:
    red, green, blue = (points.levels[both, channel].astype(np.float32) for channel in range(3))
    return np.asarray(np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue), np.float32)
