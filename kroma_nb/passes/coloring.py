"""The color pass: nine parameters of a colour profile, one rounding at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.images import checked, is_gray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.images import Picture
    from kroma_nb.model.postprocess import ColorProfile

COLOR_VERSION = "1"
"""Changes whenever the same picture and profile would give other pixels."""

# ITU-R BT.601, section 2.5.1.
_LUMA = np.array([0.299, 0.587, 0.114])
# The picture is worked on in strips of about so many pixels, whose floats stay in the cache.
_STRIP_PX = 24_000
_HAIR = 2.0**-12
# Pillow's ImageFilter.SMOOTH.
_SMOOTH = np.array([[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]]) / 13.0


def color(image: Picture, profile: ColorProfile) -> Picture:
    """Apply a colour profile.

    The steps, each skipped where its parameter is neutral: autocontrast, brightness, contrast, saturation, sharpness,
    gamma, multipliers. Between them levels are real numbers that may leave 0-255; they are rounded (half up) and
    clamped once, at the end. Two steps clamp by their nature: autocontrast cuts off the ends of each channel, and gamma
    takes levels below 0 as 0.

    ============  =================================================================================
    autocontrast  per channel, the cutoff percentage of pixels is cut off at each end, then stretched
    brightness    ``v * f``
    contrast      ``m + (v - m) * f``, m the mean luma of the visible pixels at this point
    saturation    ``y + (v - y) * f``, y the pixel's luma, 0.299 R + 0.587 G + 0.114 B
    sharpness     ``s + (v - s) * f``, s smoothed by the 3 x 3 kernel (1 1 1, 1 5 1, 1 1 1) / 13
    gamma         ``255 * (v / 255) ** (1 / f)``
    multipliers   ``R * r, G * g, B * b``
    ============  =================================================================================

    These are the meanings of Pillow's ImageOps.autocontrast and ImageEnhance. Alpha is kept as it is; colour hidden
    under alpha 0 has no influence on visible pixels.

    Parameters
    ----------
    image : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255.
    profile : ColorProfile
        The nine parameters.

    Returns
    -------
    uint8 array
        A new array of the same shape; (H, W, 3) for a picture of shape (H, W) if the multipliers differ.

    Raises
    ------
    ValueError
        If the array is no picture.

    Examples
    --------
    >>> from kroma_nb.model.postprocess import ColorProfile
    >>> warm = ColorProfile(red_multiplier=1.2, blue_multiplier=0.8)
    >>> color(np.array([[[100, 90, 80]]], np.uint8), warm).tolist()
    [[[120, 90, 64]]]
    """
    whole = checked(image)
    multipliers = (profile.red_multiplier, profile.green_multiplier, profile.blue_multiplier)
    tinted = len(set(multipliers)) > 1
    if whole.ndim == 2:
        return _colored(np.repeat(whole[..., None], 3, axis=2) if tinted else whole, profile, None)
    alpha = whole[..., 3] if whole.shape[2] == 4 else None
    if not tinted and is_gray(whole):
        # One channel for three: it is quicker, and rounding cannot pull the channels apart.
        result = np.repeat(_colored(np.ascontiguousarray(whole[..., 0]), profile, alpha)[..., None], 3, axis=2)
    else:
        result = _colored(whole if alpha is None else np.ascontiguousarray(whole[..., :3]), profile, alpha)
    return result if alpha is None else np.dstack([result, alpha])


def _colored(picture: Picture, profile: ColorProfile, alpha: Picture | None) -> Picture:
    seen = None if alpha is None else np.asarray(alpha > 0).view(np.uint8)
    curves = _curves(picture, profile, seen)
    mixes = profile.saturation != 1.0 and picture.ndim == 3
    if not mixes and profile.sharpness == 1.0:
        return _by_table(picture, curves, profile)
    return _by_strips(picture, _Work.of(curves, profile, mixes=mixes), seen)


def _curves(picture: Picture, profile: ColorProfile, seen: Picture | None) -> NDArray[np.float64]:
    """Give autocontrast, brightness and contrast as real levels by level, shape (256, channels)."""
    channels = 1 if picture.ndim == 2 else 3
    curves = np.repeat(np.arange(256.0)[:, None], channels, axis=1)
    if profile.autocontrast_cutoff > 0:
        counts = np.stack([_histogram(picture, channel, seen) for channel in range(channels)], axis=1)
        curves = np.stack([_stretched(count, profile.autocontrast_cutoff) for count in counts.T], axis=1)
        means = (counts * curves).sum(axis=0) / max(int(counts[:, 0].sum()), 1)
    else:
        means = np.array(cv2.mean(picture, seen)[:channels])
    # Means come from whole-number sums, so that no order of adding matters.
    pivot = profile.brightness * float(means[0] if channels == 1 else _LUMA @ means)
    curves = curves * profile.brightness
    return pivot + (curves - pivot) * profile.contrast if profile.contrast != 1.0 else curves


def _histogram(picture: Picture, channel: int, seen: Picture | None) -> NDArray[np.int64]:
    return np.asarray(cv2.calcHist([picture], [channel], seen, [256], [0, 256]), np.int64).ravel()


def _stretched(counts: NDArray[np.int64], cutoff: float) -> NDArray[np.float64]:
    """Stretch what is left of a histogram after the cutoff over all levels; a flat channel stays as it is."""
    cut = int(counts.sum() * cutoff // 100)
    low = int(np.searchsorted(np.cumsum(counts), cut, side="right"))
    high = 255 - int(np.searchsorted(np.cumsum(counts[::-1]), cut, side="right"))
    if high <= low:
        return np.arange(256.0)
    return np.clip((np.arange(256.0) - low) * (255.0 / (high - low)), 0.0, 255.0)


def _by_table(picture: Picture, curves: NDArray[np.float64], profile: ColorProfile) -> Picture:
    """Every step looks at one channel of one pixel: 256 results a channel say it all, computed in float64."""
    if profile.gamma != 1.0:
        curves = 255.0 * (np.maximum(curves, 0.0) / 255.0) ** (1.0 / profile.gamma)
    levels = np.floor(np.clip(curves * _multipliers(curves, profile), 0.0, 255.0) + 0.5).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, levels.reshape(256, 1, -1)), np.uint8)


def _multipliers(curves: NDArray[np.float64], profile: ColorProfile) -> NDArray[np.float64]:
    factors = [profile.red_multiplier, profile.green_multiplier, profile.blue_multiplier]
    return np.array(factors[: curves.shape[1]])


@dataclass(frozen=True, slots=True)
class _Work:
    """What is done to each strip; brightness, contrast and multipliers are already folded into curves and matrix.

    Attributes
    ----------
    curves : float32 array, shape (256, 1, 1) or (256, 1, 3)
    matrix : float32 array, shape (3, 3), or None
    sharpness, gamma : float
        As in the profile.
    """

    curves: NDArray[np.float32]
    matrix: NDArray[np.float32] | None
    sharpness: float
    gamma: float

    @classmethod
    def of(cls, curves: NDArray[np.float64], profile: ColorProfile, *, mixes: bool) -> _Work:
        """Fold what can be folded: all steps but gamma are linear, and gamma takes factors to a power."""
        scales = _multipliers(curves, profile)
        if profile.gamma != 1.0:
            scales = (255.0 * scales) ** profile.gamma / 255.0
        matrix = None
        if mixes:
            weights = np.eye(3) * profile.saturation + _LUMA[None] * (1.0 - profile.saturation)
            matrix = (scales[:, None] * weights).astype(np.float32)
        else:
            curves = curves * scales
        # One curve for all channels is twice as quick as three equal ones.
        if (curves == curves[:, :1]).all():
            curves = curves[:, :1]
        return cls(curves.astype(np.float32).reshape(256, 1, -1), matrix, profile.sharpness, profile.gamma)


def _by_strips(picture: Picture, work: _Work, seen: Picture | None) -> Picture:
    height, width = picture.shape[:2]
    result = np.empty_like(picture)
    rows = max(4, _STRIP_PX // width)
    halo = 0 if work.sharpness == 1.0 else 1
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        first, last = max(0, top - halo), min(height, bottom + halo)
        levels = np.asarray(cv2.LUT(picture[first:last], work.curves), np.float32)
        if work.matrix is not None:
            levels = np.asarray(cv2.transform(levels, work.matrix), np.float32)
        if halo:
            levels = _sharpened(levels, work.sharpness, None if seen is None else seen[first:last])
        _store(levels[top - first : bottom - first], work.gamma, result[top:bottom])
    return result


def _sharpened(levels: NDArray[np.float32], factor: float, seen: Picture | None) -> NDArray[np.float32]:
    """Go from the smoothed picture (0) through the picture (1) and beyond; hidden pixels are left out of the mean."""
    if seen is None or seen.all():
        kernel = _SMOOTH * (1.0 - factor)
        kernel[1, 1] += factor
        return _filtered(levels, kernel)
    shown = seen.astype(np.float32)
    weights = np.maximum(_filtered(shown, _SMOOTH), np.float32(1 / 13))
    if levels.ndim == 3:
        shown, weights = shown[..., None], weights[..., None]
    smooth = _filtered(levels * shown, _SMOOTH) / weights
    return np.asarray(smooth + (levels - smooth) * np.float32(factor), np.float32)


def _filtered(levels: NDArray[np.float32], kernel: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(cv2.filter2D(levels, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def _store(levels: NDArray[np.float32], gamma: float, result: Picture) -> None:
    """Apply gamma, round half up, clamp, and store."""
    if gamma != 1.0:
        # After gamma, nothing below a hair or beyond 256 can be told apart; the logarithm of 0 would be slow.
        levels = np.clip(levels, np.float32(_HAIR**gamma), np.float32(256.0**gamma))
        # Logarithm and exponential take a third of a power's time.
        levels = np.asarray(cv2.log(levels, dst=levels), np.float32)
        levels = np.asarray(cv2.exp(np.multiply(levels, np.float32(1.0 / gamma), out=levels), dst=levels), np.float32)
    # OpenCV rounds halves to even; a hair more sends them, and what float32 left just below, upwards.
    cv2.addWeighted(levels, 1.0, levels, 0.0, _HAIR, dst=result, dtype=cv2.CV_8U)
