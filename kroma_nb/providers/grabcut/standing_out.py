"""What stands out from a picture's borders: where figures are looked for when nobody drew a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.providers.grabcut.features import cells_of, rarity_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# How deep the borders reach, and down to where the sides are taken for ground: a bust fills the lower part.
_BORDER, _SIDES_END = 0.02, 0.6
# A jump of the look along the frame: so much, over so many working pixels.
_JUMP, _STEP = 7.0, 4
_SAMPLES = 500
# How many units of colour the whole width is worth: ground is compared with the border beside it.
_FAR = 40.0
# Distances in colour below which nothing stands out, in units of CIELAB at 8 bits.
_FAINT = 9.0
# Spread of the centred prior in fractions of the sides; it is weak, so that off-centre figures are found.
_SPREAD = 0.42
# grabCut takes too much away from a guess that lacks a part, and little from one that has too much.
_GENEROUS = 0.6
# Rarity from where on a colour counts as one that the borders lack, and from where on it says no more.
_COMMON, _RARE = -0.4, 5.0


def border_of(planes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which pixels along the frame are taken for ground.

    These are the upper edge and the sides down to three fifths of the height, because further down a bust leaves the
    frame. Where the look changes only gradually all the way from the top, as a sky's does, a side goes on to its end
    and along the lower edge.

    Parameters
    ----------
    planes : uint8 array, shape (H, W, 3)
        As from `planes_of`.

    Returns
    -------
    bool array, shape (H, W)
    """
    height, width = planes.shape[:2]
    deep, wide, end = max(1, int(_BORDER * height)), max(1, int(_BORDER * width)), max(1, int(_SIDES_END * height))
    border = np.zeros((height, width), bool)
    border[:deep] = True
    soft = cv2.GaussianBlur(planes, (0, 0), 2.0).astype(np.float32)
    for side, column in ((np.s_[:wide], wide // 2), (np.s_[width - wide :], width - 1 - wide // 2)):
        lower = soft[height - 1 - deep // 2]
        far = _goes_on(np.concatenate([soft[:, column], lower if column < width // 2 else lower[::-1]]))
        border[: max(end, far), side] = True
        along = max(0, far - height)
        border[height - deep :, np.s_[:along] if column < width // 2 else np.s_[width - along :]] = True
    return border


def _goes_on(way: NDArray[np.float32]) -> int:
    """Give how far a line of colours changes only gradually."""
    jumps = np.linalg.norm(way[_STEP:] - way[:-_STEP], axis=1) > _JUMP
    return int(np.argmax(jumps)) if jumps.any() else len(way)


def standing_out(planes: NDArray[np.uint8], border: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Find what differs from the borders: the border prior of Wei et al. 2012, with a weak centred prior.

    Each pixel's distance, in colour and place, to the border samples nearest to it is weighted by how rare its colour
    is at the borders and by a Gaussian about the middle, and cut below Otsu's threshold.

    Parameters
    ----------
    planes : uint8 array, shape (H, W, 3)
        As from `planes_of`.
    border : bool array, shape (H, W)
        As from `border_of`.

    Returns
    -------
    bool array, shape (H, W), or None
        None if nothing stands out.

    References
    ----------
    Y. Wei, F. Wen, W. Zhu, J. Sun, Geodesic saliency using background priors, ECCV 2012.
    """
    height, width = planes.shape[:2]
    soft = cv2.GaussianBlur(planes, (0, 0), 1.2).astype(np.float32)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    place = _FAR / max(height, width)
    points = np.dstack([soft, rows * place, columns * place]).reshape(-1, 5)
    at_border = np.flatnonzero(border)
    samples = points[at_border[:: max(1, at_border.size // _SAMPLES)]]
    by_color = _nearest(np.ascontiguousarray(points[:, :3]), np.ascontiguousarray(samples[:, :3]))
    if np.percentile(by_color, 99) < _FAINT:
        return None
    apart = _nearest(points, samples).reshape(height, width)
    rarity = cv2.GaussianBlur(np.minimum(rarity_of(cells_of(planes), border), _RARE), (0, 0), 1.0)
    centred = np.exp(-0.5 * (((rows / height - 0.5) / _SPREAD) ** 2 + ((columns / width - 0.5) / _SPREAD) ** 2))
    weighed = (apart * np.sqrt(np.maximum(rarity - _COMMON, 0)) * centred).astype(np.float32)
    weighed = cv2.GaussianBlur(weighed, (0, 0), max(1.0, 0.012 * max(height, width)))
    levels = np.rint(255 * weighed / max(float(weighed.max()), 1e-6)).astype(np.uint8)
    threshold = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0]
    found = np.asarray((levels > _GENEROUS * threshold) & ~border)
    return found if found.any() else None


def _nearest(points: NDArray[np.float32], samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give each point's root mean square distance to the eight samples nearest to it."""
    distances = cv2.batchDistance(points, samples, cv2.CV_32F, normType=cv2.NORM_L2, K=min(8, len(samples)))[0]
    return np.asarray(np.sqrt((distances.astype(np.float64) ** 2).mean(axis=1)))
