"""The upscale pass: a picture becomes 2, 3 or 4 times as large, and the answer is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from kroma_nb.errors import LimitExceeded, ProviderFailed, RequestInvalid
from kroma_nb.images import MAX_PIXELS, SCALES, checked, enlarge, fill_hidden, is_gray, is_picture
from kroma_nb.passes.asking import asking

if TYPE_CHECKING:
    from kroma_nb.images import Picture, Rgba8
    from kroma_nb.model.finishing import Upscaler

UPSCALE_VERSION = "1"
"""Changes whenever the same picture and the same answer of an upscaler would give other pixels."""

# Three equal channels, alpha as it is. A third of a whole number is never near a half, so nothing depends on rounding.
_MEAN = np.array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 3]], np.float32) / 3


def upscale(picture: Picture, *, upscaler: Upscaler, scale: int, max_pixels: int = MAX_PIXELS) -> Picture:
    """Enlarge a picture, and make sure that what comes back is a picture as large as asked for.

    An upscaler that takes alpha gets the whole picture. Any other gets the colours alone, where each hidden pixel has
    the colour of the visible one nearest to it; alpha is enlarged beside them by Lanczos, and where it is 0 in the end,
    so are the colours. What is grey stays grey: three equal channels are given as one, and a cut-out's, where alpha
    goes with them, are made equal again.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255, straight alpha.
    upscaler : Upscaler
        The backend.
    scale : int, 2 to 4
        How many times as wide and high it becomes.
    max_pixels : int
        An answer of more pixels than this is refused before any is made: it could not be loaded again.

    Returns
    -------
    uint8 array, shape (scale * H, scale * W) with the picture's channels

    Raises
    ------
    ValueError
        If the array is no picture.
    RequestInvalid
        If the scale is none of 2, 3 and 4.
    LimitExceeded
        If the answer would have too many pixels.
    ProviderFailed
        If the upscaler raises, or answers with something else than such a picture.
    """
    whole = checked(picture)
    _check_scale(whole, scale, max_pixels)
    if whole.shape[2:] != (4,):
        return _colors(whole, upscaler, scale)
    if not upscaler.takes_alpha:
        return _apart(whole, upscaler, scale)
    answer = _asked(whole, upscaler, scale)
    # A hidden pixel's colour does not make a grey figure coloured.
    gray = is_gray(whole * (whole[..., 3:] > 0)) and not is_gray(answer)
    return np.asarray(cv2.transform(answer, _MEAN), np.uint8) if gray else answer


def _check_scale(picture: Picture, scale: Any, max_pixels: int) -> None:
    # True counts as 1 and 2.0 as 2, but neither is a scale.
    if type(scale) is not int or scale not in SCALES:
        raise RequestInvalid("request", "scale", f"a picture cannot become {scale!r} times as large", "use 2, 3 or 4")
    height, width = (scale * side for side in picture.shape[:2])
    if height * width > max_pixels:
        too_many = f"{scale} makes a picture of {width}x{height} pixels, more than the limit of {max_pixels:,}"
        raise LimitExceeded("request", "scale", too_many, "use a smaller scale or a smaller picture")


def _apart(picture: Rgba8, upscaler: Upscaler, scale: int) -> Rgba8:
    colors = _colors(fill_hidden(picture), upscaler, scale)
    alpha = enlarge(picture[..., 3], scale)
    return np.dstack([colors * (alpha > 0)[..., None], alpha])


def _colors(picture: Picture, upscaler: Upscaler, scale: int) -> Picture:
    if picture.ndim == 3 and is_gray(picture):
        one = _asked(np.ascontiguousarray(picture[..., 0]), upscaler, scale)
        return np.repeat(one[..., None], 3, axis=2)
    return _asked(picture, upscaler, scale)


def _asked(picture: Picture, upscaler: Upscaler, scale: int) -> Picture:
    with asking(upscaler.backend):
        answer = upscaler.enlarge(picture, scale)
    problem = _problem(answer, (scale * picture.shape[0], scale * picture.shape[1], *picture.shape[2:]))
    if problem:
        raise ProviderFailed(upscaler.backend, problem)
    return np.ascontiguousarray(answer)


def _problem(answer: Any, shape: tuple[int, ...]) -> str:
    # An upscaler may be a third party's: its types are promises that nothing has checked.
    if is_picture(answer) and answer.shape == shape:
        return ""
    kind = f"{getattr(answer, 'dtype', type(answer).__name__)} of shape {getattr(answer, 'shape', ())}"
    return f"its answer is {kind} in place of uint8 of shape {shape}"
