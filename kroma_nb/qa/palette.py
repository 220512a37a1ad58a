"""Where a colour profile should put a picture's colours, and how far from there they came to lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.qa.sight import above
from kroma_nb.qa.tones import Points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.images import Picture
    from kroma_nb.model.postprocess import ColorProfile

_POINTS = 10_000
_ENOUGH_ROWS = 192
# ITU-R BT.601, section 2.5.1.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_BINS_PER_CHANNEL = 4
_LEAST_SHARE = 0.005
_LEAST_POINTS = 16


@dataclass(frozen=True)
class Sample:
    """Points spread evenly over a picture, with their neighbours.

    Attributes
    ----------
    around : float32 array, shape (9, N, 3) or (1, N, 3)
        sRGB levels 0-255 of each point and its eight neighbours, the point itself in the middle; or without these.
    seen : bool array, shape (N,)
        Whether all of them have alpha above 0.
    """

    around: NDArray[np.float32]
    seen: NDArray[np.bool_]

    @property
    def levels(self) -> NDArray[np.float32]:
        """The points themselves, shape (N, 3)."""
        return np.asarray(self.around[len(self.around) // 2], np.float32)

    def points(self, levels: NDArray[np.float32] | None = None) -> Points:
        """Give the points, or what they should have become."""
        return Points(self.levels if levels is None else levels, self.seen)


def sample(picture: Picture, *, neighbours: bool) -> Sample:
    """Take about 10,000 points of a picture, without its outermost pixels; all of a small one."""
    height, width = picture.shape[:2]
    if min(height, width) < 3:
        picture = np.asarray(cv2.copyMakeBorder(picture, 1, 1, 1, 1, cv2.BORDER_REPLICATE), np.uint8)
        height, width = picture.shape[:2]
    step = max(1, int((height * width / _POINTS) ** 0.5))
    places = [(row, column) for row in range(3) for column in range(3)] if neighbours else [(1, 1)]
    around = np.stack([picture[r : height - 2 + r : step, c : width - 2 + c : step] for r, c in places])
    if picture.ndim == 2:
        around = np.repeat(around[..., None], 3, axis=3)
    flat = around.reshape(len(places), -1, around.shape[3])
    alpha = flat[..., 3] if flat.shape[2] == 4 else np.ones(flat.shape[:2], np.uint8)
    return Sample(flat[..., :3].astype(np.float32), alpha.min(axis=0) > 0)


def expected(found: Sample, profile: ColorProfile, source: Picture) -> NDArray[np.float32]:
    """Work out what a profile makes of each point, from the meaning of its nine parameters.

    Parameters
    ----------
    found : Sample
        Of the source.
    profile : ColorProfile
    source : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        For its mean and the ends of its histograms, which points would tell too roughly.

    Returns
    -------
    float32 array, shape (N, 3), levels 0-255
    """
    pivot = _mean_luma(source, profile)
    levels = found.around
    if profile.autocontrast_cutoff > 0:
        levels = _stretched(levels, source, profile.autocontrast_cutoff)
    levels = np.asarray(pivot + (levels * profile.brightness - pivot) * profile.contrast, np.float32)
    grey = np.asarray(levels @ _LUMA, np.float32)[..., None]
    levels = np.asarray(grey + (levels - grey) * profile.saturation, np.float32)
    smooth = (levels.sum(axis=0) + 4 * levels[4]) / 13
    level = smooth + (levels[4] - smooth) * np.float32(profile.sharpness)
    if profile.gamma != 1.0:
        level = 255 * (np.maximum(level, 0) / 255) ** np.float32(1 / profile.gamma)
    factors = (profile.red_multiplier, profile.green_multiplier, profile.blue_multiplier)
    return np.asarray(np.clip(level * np.array(factors, np.float32), 0, 255), np.float32)


def drift(source: Sample, wanted: NDArray[np.float32], got: Sample) -> float:
    """Tell how far the worst colour of a picture's palette lies from where it should, on its mean.

    The palette's colours are the 4 by 4 by 4 cells of the source's colours that hold at least 1 point in 200.

    Returns
    -------
    float, levels 0-255
        Of the channel that differs most; 0 where too little is visible.
    """
    seen = source.seen & got.seen
    total = int(seen.sum())
    if total < _LEAST_POINTS:
        return 0.0
    parts = (source.levels[seen] * (_BINS_PER_CHANNEL / 256)).astype(np.intp)
    cells = (parts[:, 0] * _BINS_PER_CHANNEL + parts[:, 1]) * _BINS_PER_CHANNEL + parts[:, 2]
    counts = np.bincount(cells)
    full = counts >= max(_LEAST_POINTS, _LEAST_SHARE * total)
    apart = (got.levels - wanted)[seen]
    sums = [np.bincount(cells, apart[:, channel])[full] for channel in range(3)]
    return float(np.abs(np.stack(sums) / counts[full]).max()) if full.any() else 0.0


def _mean_luma(source: Picture, profile: ColorProfile) -> float:
    """Give the mean luma of what is visible in 192 rows or more, before the contrast is changed."""
    rows = np.ascontiguousarray(source[:: max(1, len(source) // _ENOUGH_ROWS)])
    seen = (
        above(np.asarray(cv2.extractChannel(rows, 3), np.uint8), 0) if rows.ndim == 3 and rows.shape[2] == 4 else None
    )
    if profile.autocontrast_cutoff > 0:
        levels = rows.reshape(*rows.shape[:2], -1)[..., :3].astype(np.float32)
        mean = np.array(cv2.mean(_stretched(levels, source, profile.autocontrast_cutoff), seen))[:3]
    else:
        mean = np.array(cv2.mean(rows, seen))[:3]
    return profile.brightness * float(mean[0] if rows.ndim == 2 else mean @ _LUMA)


def _stretched(levels: NDArray[np.float32], source: Picture, cutoff: float) -> NDArray[np.float32]:
    channels = 1 if source.ndim == 2 else 3
    seen = above(np.ascontiguousarray(source[..., 3]), 0) if source.ndim == 3 and source.shape[2] == 4 else None
    counts = [cv2.calcHist([source], [channel], seen, [256], [0, 256]) for channel in range(channels)]
    low, high = np.array([_ends(np.asarray(count, np.float64).ravel(), cutoff) for count in counts], np.float32).T
    return np.asarray(np.clip((levels - low) * (255 / (high - low)), 0, 255), np.float32)


def _ends(counts: NDArray[np.float64], cutoff: float) -> tuple[float, float]:
    """Give the lowest and highest level that are left after the cutoff; 0 and 255 for a flat channel."""
    cut = int(counts.sum() * cutoff // 100)
    low = int(np.argmax(np.cumsum(counts) > cut))
    high = 255 - int(np.argmax(np.cumsum(counts[::-1]) > cut))
    return (low, high) if high > low else (0, 255)
