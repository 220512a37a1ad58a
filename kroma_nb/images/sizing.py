"""Pictures made larger and smaller, and thumbnails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.images.header import probe
from kroma_nb.images.picture import Picture, checked
from kroma_nb.images.reading import MAX_PIXELS, load_reduced
from kroma_nb.images.writing import encode
from kroma_nb.model.postprocess import PictureFormat

if TYPE_CHECKING:
    from pathlib import Path

_THUMBNAIL_QUALITY = 82


def fit(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Scale a size so that its long side is as asked; the aspect is kept, no side falls below one pixel.

    Parameters
    ----------
    size : (width, height), pixels
        At least 1 each.
    long_side : int, pixels
        At least 1.

    Returns
    -------
    (width, height)

    Raises
    ------
    ValueError
        If a number is below 1.

    Examples
    --------
    >>> fit((3000, 2000), 600), fit((5000, 1), 100)
    ((600, 400), (100, 1))
    """
    width, height = size
    if min(width, height, long_side) < 1:
        raise ValueError(f"sizes are at least one pixel, not {width}x{height} to {long_side}")
    longest = max(width, height)

    def scaled(side: int) -> int:
        return max(1, (2 * side * long_side + longest) // (2 * longest))

    return scaled(width), scaled(height)


def resize(picture: Picture, size: tuple[int, int]) -> Picture:
    """Bring a picture to a size: by area where it shrinks, by cubic interpolation where it grows.

    Hidden colour under transparent pixels does not bleed into visible ones.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255.
    size : (width, height), pixels
        The new size.

    Returns
    -------
    uint8 array, shape (height, width) with the picture's channels

    Raises
    ------
    ValueError
        If the picture is none, or the size is below one pixel.

    Examples
    --------
    >>> import numpy as np
    >>> resize(np.full((8, 6), 9, np.uint8), (3, 4)).shape
    (4, 3)
    """
    whole = checked(picture)
    width, height = size
    if min(width, height) < 1:
        raise ValueError(f"a picture is at least one pixel wide and high, not {width}x{height}")
    if (whole.shape[1], whole.shape[0]) == (width, height):
        return whole.copy()
    if whole.ndim == 3 and whole.shape[2] == 4:
        return _resize_with_alpha(whole, size)
    return np.asarray(cv2.resize(whole, size, interpolation=_way(whole, size)), np.uint8)


def _way(picture: Picture, size: tuple[int, int]) -> int:
    shrinks = size[0] <= picture.shape[1] and size[1] <= picture.shape[0]
    return cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC


def _resize_with_alpha(picture: Picture, size: tuple[int, int]) -> Picture:
    way = _way(picture, size)
    alpha = picture[..., 3].astype(np.float32)
    color = cv2.resize(picture[..., :3].astype(np.float32) * alpha[..., None], size, interpolation=way)
    weight = cv2.resize(alpha, size, interpolation=way)
    bare = cv2.resize(picture[..., :3].astype(np.float32), size, interpolation=way)
    color, weight, bare = color.reshape(*size[::-1], 3), weight.reshape(size[::-1]), bare.reshape(*size[::-1], 3)
    shown = weight[..., None] >= 0.5
    straight = np.where(shown, color / np.maximum(weight[..., None], 0.5), bare)
    both = np.concatenate([straight, weight[..., None]], axis=2)
    return np.asarray(np.floor(np.clip(both, 0, 255) + 0.5), np.uint8)


def thumbnail(source: Path | bytes, long_side: int, *, max_pixels: int = MAX_PIXELS, name: str | None = None) -> bytes:
    """Make a small WebP of a picture file; pictures that are smaller already keep their size.

    Large JPEGs are decoded at 1/2, 1/4 or 1/8, which is much faster.

    Parameters
    ----------
    source : Path or bytes
        A picture file, or its content.
    long_side : int, pixels
        The longer side of the thumbnail.
    max_pixels : int
        More pixels than this are refused before any is decoded.
    name : str or None
        What errors call the picture; None takes the path.

    Returns
    -------
    bytes
        A WebP file, quality 82, upright, sRGB, with alpha where the picture has it.

    Raises
    ------
    FileMissing, PictureUnreadable, PictureTooLarge
        As `load`.
    """
    info = probe(source, name=name)
    size = fit((info.width, info.height), long_side)
    if size[0] > info.width:
        size = (info.width, info.height)
    picture = load_reduced(source, at_least=max(size), max_pixels=max_pixels, name=name)
    return encode(resize(picture, size), format=PictureFormat.WEBP, quality=_THUMBNAIL_QUALITY)
