"""How much of a scene's structure a page keeps, whatever its tones, its light and its hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.images import as_rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.images import Gray8, Picture

_LONG_SIDE = 192
"""Both pictures are looked at from so far away that hatching and grain melt into tones."""
_BLUR_PX = 1.0
_STABILITY = 0.1


def fidelity(page: Picture, scene: Picture) -> float:
    """Compare where a page and its scene have their edges, at the size of a thumbnail.

    The mean of the gradient magnitude similarity, in which every point weighs as much as the stronger of its two
    gradients. Gradients are divided by their own root mean square first, so that ink's greater contrast does not count;
    their signs do not count either, so that a scene lit from the other side keeps its fidelity.

    Parameters
    ----------
    page : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255.
    scene : uint8 array of any size, shape as above
        What the page shows: where it shows a part of its scene, that part.

    Returns
    -------
    float, 0 to 1
        1 for equal edges; 0 where one of the two has none. Rounded to 4 decimals, so that machines agree.

    References
    ----------
    W. Xue, L. Zhang, X. Mou and A. C. Bovik, "Gradient magnitude similarity deviation: a highly efficient perceptual
    image quality index", IEEE Transactions on Image Processing 23 (2014), 684-695: the similarity map (eq. 4). The
    weighted mean in place of its deviation, and the normalisation, are ours.

    Examples
    --------
    >>> scene = np.full((96, 64, 3), 200, np.uint8)
    >>> scene[30:70, 20:50] = 60
    >>> fidelity(scene, scene), fidelity(255 - scene, scene), fidelity(np.zeros((96, 64), np.uint8), scene)
    (1.0, 1.0, 0.0)
    """
    height, width = page.shape[:2]
    scale = _LONG_SIDE / max(height, width)
    size = max(3, round(width * scale)), max(3, round(height * scale))
    drawn, seen = _edges(page, size), _edges(scene, size)
    if drawn is None or seen is None:
        return 0.0
    alike = (2 * drawn * seen + _STABILITY) / (drawn**2 + seen**2 + _STABILITY)
    weight = np.maximum(drawn, seen)
    return round(float((alike * weight).sum() / weight.sum()), 4)


def _edges(picture: Picture, size: tuple[int, int]) -> NDArray[np.float64] | None:
    """Give gradient magnitudes over their root mean square, or None where there is no edge."""
    small = cv2.resize(_luma(picture), size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), _BLUR_PX).astype(np.float64)
    across, down = cv2.Scharr(soft, cv2.CV_64F, 1, 0), cv2.Scharr(soft, cv2.CV_64F, 0, 1)
    magnitude = np.hypot(across, down)
    strength = float(np.sqrt((magnitude**2).mean()))
    return magnitude / strength if strength > 0 else None


def _luma(picture: Picture) -> Gray8:
    if picture.ndim == 2:
        return picture
    return np.asarray(cv2.cvtColor(as_rgb(picture), cv2.COLOR_RGB2GRAY), np.uint8)
