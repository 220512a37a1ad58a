"""What a picture in memory is, and the small steps between its shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Gray8: TypeAlias = "NDArray[np.uint8]"
"""Levels 0-255 of a picture without colour, shape (H, W)."""
Rgb8: TypeAlias = "NDArray[np.uint8]"
"""sRGB levels 0-255, shape (H, W, 3), channel last."""
Rgba8: TypeAlias = "NDArray[np.uint8]"
"""sRGB levels 0-255 and straight alpha (255 is opaque), shape (H, W, 4)."""
Picture: TypeAlias = "NDArray[np.uint8]"
"""Any of `Gray8`, `Rgb8` and `Rgba8`."""

WHITE = (255, 255, 255)


def is_picture(array: object) -> bool:
    """Tell whether an object is a uint8 array of shape (H, W), (H, W, 3) or (H, W, 4) with at least one pixel.

    Examples
    --------
    >>> is_picture(np.zeros((2, 3, 4), np.uint8)), is_picture(np.zeros((2, 3, 2), np.uint8))
    (True, False)
    """
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.size == 0:
        return False
    return array.ndim == 2 or (array.ndim == 3 and array.shape[2] in {3, 4})


def checked(picture: Picture) -> Picture:
    """Give the picture back C-contiguous, or refuse what is none.

    Raises
    ------
    ValueError
        If it is not uint8 of shape (H, W), (H, W, 3) or (H, W, 4) with at least one pixel.
    """
    if not is_picture(picture):
        raise ValueError(
            "a picture is a uint8 array of shape (H, W), (H, W, 3) or (H, W, 4), "
            f"not {getattr(picture, 'dtype', type(picture).__name__)} of shape {getattr(picture, 'shape', None)}"
        )
    return np.ascontiguousarray(picture)


def is_gray(picture: Picture) -> bool:
    """Tell whether the three colour channels are equal in every pixel; alpha does not count.

    Examples
    --------
    >>> is_gray(np.full((2, 2, 3), 7, np.uint8))
    True
    """
    if picture.ndim == 2:
        return True
    # The first row says no for nearly every coloured picture, for a thousandth of the price.
    return _gray_rows(picture[:1]) and _gray_rows(picture)


def as_rgb(picture: Picture, *, ground: tuple[int, int, int] = WHITE) -> Rgb8:
    """Give a picture three channels: grey is repeated, alpha is laid over a ground.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255.
    ground : three levels, 0-255
        What shows through where alpha is below 255.

    Returns
    -------
    uint8 array, shape (H, W, 3)

    Examples
    --------
    >>> as_rgb(np.zeros((1, 1, 4), np.uint8)).tolist()
    [[[255, 255, 255]]]
    """
    if picture.ndim == 2:
        return np.repeat(picture[..., None], 3, axis=2)
    if picture.shape[2] == 3:
        return picture
    alpha = picture[..., 3:].astype(np.uint32)
    mixed = picture[..., :3] * alpha + np.asarray(ground, np.uint32) * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def swapped(picture: Picture) -> Picture:
    """Give a copy with red and blue exchanged, between our order of channels and OpenCV's; grey comes back as it is."""
    if picture.ndim == 2:
        return picture
    way = cv2.COLOR_RGB2BGR if picture.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    return np.asarray(cv2.cvtColor(picture, way), np.uint8)


def _gray_rows(picture: Picture) -> bool:
    red, green, blue = (picture[..., channel] for channel in range(3))
    return cv2.norm(red, green, cv2.NORM_INF) == 0 and cv2.norm(green, blue, cv2.NORM_INF) == 0
