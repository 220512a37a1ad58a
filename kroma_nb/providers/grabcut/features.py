"""By what figure and ground are told apart: colours or textures, and how rare they are in the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

# A mean spread of colour below this many levels is a drawing in one ink.
ONE_INK = 5.0
# Cells of a histogram along each of its three axes, and the blur over them.
_CELLS, _CELL_BLUR = 22, 1.0
# A share of all pixels below which a colour's frequency says nothing.
_SELDOM = 1e-4
# Blur against grain, in working pixels.
_GRAIN = 0.8


def planes_of(small: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], bool]:
    """Give a picture's lightness and two colours, or, on a page in one ink, its level, its tone and its roughness.

    Ink pages have few levels, which figure and ground share; how dark and how rough a place is tells more.

    Parameters
    ----------
    small : uint8 array, shape (H, W, 3)
        sRGB, at working size.

    Returns
    -------
    (planes, in_ink)
        A uint8 array of shape (H, W, 3), CIELAB at 8 bits where it has colours; and whether it is in one ink.
    """
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.uint8)
    if float(lab[..., 1:].std(axis=(0, 1)).mean()) >= ONE_INK:
        return np.asarray(cv2.bilateralFilter(lab, 5, 20, 2), np.uint8), False
    level = lab[..., 0].astype(np.float32)
    reach = max(1.0, max(level.shape) / 110)
    tone = cv2.GaussianBlur(level, (0, 0), reach)
    rough = np.sqrt(cv2.GaussianBlur((level - tone) ** 2, (0, 0), reach))
    planes = (cv2.GaussianBlur(level, (0, 0), 0.8), tone, 2 * rough)
    return np.dstack([np.rint(np.clip(plane, 0, 255)).astype(np.uint8) for plane in planes]), True


def cells_of(planes: NDArray[np.uint8]) -> NDArray[np.integer]:
    """Give the number of each pixel's cell in a histogram.

    Parameters
    ----------
    planes : uint8 array, shape (H, W, 3)
        As from `planes_of`.

    Returns
    -------
    integer array, shape (H, W)
    """
    # Colours take up the middle half of their scale.
    stretched = np.clip((planes.astype(np.int32) - 128) * (1, 2, 2) + 128, 0, 255) * _CELLS // 256
    return np.asarray((stretched[..., 0] * _CELLS + stretched[..., 1]) * _CELLS + stretched[..., 2])


def rarity_of(cells: NDArray[np.integer], ground: NDArray[np.bool_]) -> Floats:
    """Give how much rarer each pixel's colour is in the ground than elsewhere.

    Smoothed histograms know what the ground does not hold, which a few Gaussians would cover; and they change little
    where a picture changes little, while k-means, which Gaussians are learnt with, may end elsewhere.

    Parameters
    ----------
    cells : integer array, shape (H, W)
        As from `cells_of`.
    ground : bool array, shape (H, W)

    Returns
    -------
    float32 array, shape (H, W)
        The logarithm of the frequency elsewhere over the one in the ground, within 9.3; above 0 is rare.
    """
    elsewhere, here = _frequencies(cells[~ground]), _frequencies(cells[ground])
    ratio = np.log((elsewhere + _SELDOM) / (here + _SELDOM))[cells]
    return np.asarray(cv2.GaussianBlur(ratio.astype(np.float32), (0, 0), _GRAIN))


def _frequencies(cells: NDArray[np.integer]) -> Floats:
    """Give a smoothed histogram that sums to 1."""
    counts: Floats = np.bincount(cells, minlength=_CELLS**3).astype(np.float32).reshape((_CELLS,) * 3)
    for _ in range(3):
        rows = cv2.GaussianBlur(counts.reshape(_CELLS, -1), (1, 0), sigmaX=0.1, sigmaY=_CELL_BLUR)
        counts = np.asarray(np.moveaxis(rows.reshape((_CELLS,) * 3), 0, 2).copy(), np.float32)
    return np.asarray(counts.ravel() / max(cells.size, 1), np.float32)
