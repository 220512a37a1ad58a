"""From colour to grey by light, and from levels to light."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.images.picture import Gray8, Picture, as_rgb, checked, is_gray

if TYPE_CHECKING:
    from numpy.typing import NDArray

# IEC 61966-2-1 (sRGB), the row of Y in its matrix.
_WEIGHTS = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
_STRIP_ROWS = 256
_STEPS = 4096


def light_of_levels() -> NDArray[np.float64]:
    """Give the light of each sRGB level: 0 for black to 1 for white.

    Returns
    -------
    float64 array, shape (256,)

    References
    ----------
    IEC 61966-2-1:1999, the decoding of sRGB.

    Examples
    --------
    >>> light_of_levels()[[0, 128, 255]].round(3).tolist()
    [0.0, 0.216, 1.0]
    """
    levels = np.arange(256) / 255.0
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def as_gray(picture: Picture) -> Gray8:
    """Give a picture one channel, each level of as much light as the colour had; alpha is laid over white.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255.

    Returns
    -------
    uint8 array, shape (H, W)
        Equal channels keep their level.

    Examples
    --------
    >>> as_gray(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)).tolist()
    [[127, 220, 76]]
    """
    whole = checked(picture)
    if whole.ndim == 2:
        return whole
    flat = as_rgb(whole)
    if is_gray(flat):
        return np.ascontiguousarray(flat[..., 0])
    light, levels = light_of_levels().astype(np.float32), _levels_of_light()
    result = np.empty(flat.shape[:2], np.uint8)
    for top in range(0, flat.shape[0], _STRIP_ROWS):
        strip = np.ascontiguousarray(flat[top : top + _STRIP_ROWS])
        shining = np.asarray(cv2.transform(np.asarray(cv2.LUT(strip, light), np.float32), _WEIGHTS))
        # Roots, because equal steps of light are far apart in the shadows.
        steps = np.sqrt(shining.reshape(strip.shape[:2])) * np.float32(_STEPS) + np.float32(0.5)
        result[top : top + _STRIP_ROWS] = levels[steps.astype(np.uint16)]
    return result


@lru_cache(maxsize=1)
def _levels_of_light() -> NDArray[np.uint8]:
    """Give the level nearest to the square of each of the steps from 0 to 1."""
    light = (np.arange(_STEPS + 2) / _STEPS) ** 2
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.floor(np.clip(encoded * 255, 0, 255) + 0.5), np.uint8)
