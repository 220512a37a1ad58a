"""Where the ground begins, if the scene says so beyond doubt."""

from __future__ import annotations

import numpy as np

from kroma_nb.providers.ink.pixels import Gray, cv


def estimate_ground_line(lightness: Gray) -> float | None:
    """Find one level edge that crosses the page, well below its top, and has no rival.

    Parameters
    ----------
    lightness : uint8 array, shape (H, W)
        The flattened scene.

    Returns
    -------
    float or None
        Fraction of the height from the top; None unless at least 7 of 10 columns carry the edge and no other
        height carries half as much.

    Examples
    --------
    >>> scene = np.full((300, 200), 220, np.uint8)
    >>> scene[210:] = 90
    >>> round(estimate_ground_line(scene), 2)
    0.7
    """
    height = 240
    width = max(8, round(height * lightness.shape[1] / lightness.shape[0]))
    small = cv.blur(cv.resize(lightness, (width, height), interpolation=cv.INTER_AREA), (5, 1))
    down = np.abs(cv.Sobel(small, cv.CV_16S, 0, 1)).astype(np.int32)
    right = np.abs(cv.Sobel(small, cv.CV_16S, 1, 0)).astype(np.int32)
    level = ((down > 56) & (down > 2 * right)).astype(np.uint8)
    carried = cv.dilate(level, np.ones((5, 1), np.uint8)).astype(np.int64).sum(axis=1)
    searched = np.zeros(height, np.int64)
    searched[int(0.35 * height) : int(0.92 * height)] = carried[int(0.35 * height) : int(0.92 * height)]
    best = int(searched.max())
    rows = np.flatnonzero(searched == best)
    at = int(rows[len(rows) // 2])
    rivals = carried.copy()
    rivals[max(0, at - 9) : at + 10] = 0
    if best * 10 < 7 * width or int(rivals.max()) * 2 >= best:
        return None
    return at / height
