"""How noisy a picture is: two estimates that different kinds of drawing deceive, and the lower of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.qa.sight import BAND_ROWS, Plane, counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kroma_nb.qa.sight import Sight

UNSUSPECTED = 6.0
"""Up to here, in levels, the quick estimate is believed: half of what would be called noisy."""

_DIFFERENCE = np.array([1, -2, 1], np.float64)
# Standard deviation of that filter's answer (its weights' norm, 6) times the quantile of |N(0, 1)| at 1/4.
_QUARTILE_PER_SIGMA = 6 * 0.318639

# Two rows of patches fill a band exactly, so that none lies across its edge.
_PATCH = BAND_ROWS // 2
_COLUMNS_APART = 2
_WEAKEST = 4


def noise(sight: Sight) -> float:
    """Estimate the standard deviation of the grain, in levels.

    Immerkaer's filter (1996), the difference of two Laplacians, answers neither to flat nor to evenly sloping tones.
    Instead of the mean of its answer, which lines and textures raise, the lower quartile is read: on a drawn page
    three quarters of the neighbourhoods may hold a line without moving it. Where that is suspiciously high, the
    picture may be covered with hatching or screentone; these repeat themselves, so that the covariance of small
    patches has directions in which nothing but true grain is left (Pyatykh and others, 2013).

    References
    ----------
    J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64 (1996), 300-302.
    S. Pyatykh, J. Hesser and L. Zheng, "Image noise level estimation by principal component analysis", IEEE
    Transactions on Image Processing 22 (2013), 687-699.
    """
    quick = _by_differences(sight)
    return quick if quick <= UNSUSPECTED else max(UNSUSPECTED, min(quick, _by_patches(sight.bands)))


def _by_differences(sight: Sight) -> float:
    answer = cv2.sepFilter2D(sight.bands.tones, cv2.CV_16S, _DIFFERENCE, _DIFFERENCE)
    strength = cv2.bitwise_and(cv2.convertScaleAbs(answer), sight.bands_inner)
    if 4 * cv2.countNonZero(strength) <= 3 * cv2.countNonZero(sight.bands_inner):
        return 0.0
    return _quantile(counts(np.asarray(strength, np.uint8), sight.bands_inner), 0.25) / _QUARTILE_PER_SIGMA


def _by_patches(bands: Plane) -> float:
    if min(bands.tones.shape) < _PATCH:
        return 0.0
    window = (_PATCH, _PATCH)
    apart = (slice(None, None, _PATCH), slice(None, None, _COLUMNS_APART))
    patches = np.lib.stride_tricks.sliding_window_view(bands.tones, window)[apart].reshape(-1, _PATCH**2)
    if (seen := bands.seen()) is not None:
        patches = patches[np.lib.stride_tricks.sliding_window_view(seen, window)[apart].min(axis=(2, 3)).ravel() > 0]
    if len(patches) < 4 * _PATCH**2:
        return 0.0
    strengths = np.linalg.eigvalsh(np.cov(patches, rowvar=False))
    # In so many samples of pure noise the weakest direction looks weaker than it is (Marchenko and Pastur, 1967).
    seeming = 1 - np.sqrt(_PATCH**2 / len(patches))
    return float(np.sqrt(max(0.0, strengths[:_WEAKEST].mean())) / seeming)


def _quantile(histogram: Sequence[int], part: float) -> float:
    """Read a quantile off a histogram of rounded values, as if they were spread evenly within each level."""
    rank = part * sum(histogram)
    below = 0
    for level, count in enumerate(histogram):
        if count and below + count >= rank:
            return 0.0 if level == 0 else level - 0.5 + (rank - below) / count
        below += count
    return 0.0
