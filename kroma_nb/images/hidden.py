"""Colours for hidden pixels, so that what knows nothing of alpha draws no halo from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.images.picture import checked

if TYPE_CHECKING:
    from kroma_nb.images.picture import Rgb8, Rgba8


def fill_hidden(picture: Rgba8) -> Rgb8:
    """Give each hidden pixel the colour of the visible one nearest to it, and leave alpha away.

    Parameters
    ----------
    picture : uint8 array, shape (H, W, 4)
        sRGB, levels 0-255, straight alpha. A pixel is hidden where alpha is 0.

    Returns
    -------
    uint8 array, shape (H, W, 3)
        All 0 where nothing is visible. What colours the hidden pixels had makes no difference.

    Raises
    ------
    ValueError
        If the array is no picture with alpha.

    Examples
    --------
    >>> fill_hidden(np.array([[[9, 8, 7, 255], [0, 255, 0, 0]]], np.uint8)).tolist()
    [[[9, 8, 7], [9, 8, 7]]]
    """
    whole = checked(picture)
    if whole.shape[2:] != (4,):
        raise ValueError(f"only a picture of shape (H, W, 4) has hidden pixels, not one of shape {whole.shape}")
    hidden = np.asarray(whole[..., 3] == 0)
    if not hidden.any():
        return np.ascontiguousarray(whole[..., :3])
    # Each pixel gets the number of the visible pixel nearest to it; 0 if there is none.
    _, nearest = cv2.distanceTransformWithLabels(
        hidden.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    shown = ~hidden
    colors = np.zeros((np.count_nonzero(shown) + 1, 3), np.uint8)
    colors[nearest[shown]] = whole[shown, :3]
    return np.asarray(colors[nearest], np.uint8)
