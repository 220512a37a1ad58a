"""From what a file stores to sRGB: colour profiles, CMYK, palettes, grey."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageCms

from kroma_nb.errors import PictureUnreadable

if TYPE_CHECKING:
    from kroma_nb.images.picture import Picture

# Without the second flag, colours go through a coarse table that, for grey, is off by up to ten levels in the shadows.
_FLAGS = {
    "RGB": ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.HIGHRESPRECALC,
    "L": ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE,
    "CMYK": ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.HIGHRESPRECALC,
}
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_PROBE_STEPS = 9


def to_srgb_array(picture: Picture, icc: bytes | None) -> Picture:
    """Bring a decoded picture from its colour profile to sRGB; alpha passes through.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        Levels in the profile's space.
    icc : bytes or None
        The profile; without one the levels are sRGB.

    Returns
    -------
    uint8 array of the same shape
    """
    if icc is None:
        return picture
    if picture.ndim == 2:
        curve = _gray_curve(icc)
        return picture if curve is None else np.frombuffer(curve, np.uint8)[picture]
    transform = _rgb_transform(icc)
    if transform is None:
        return picture
    picture[..., :3] = np.asarray(transform.apply(Image.fromarray(np.ascontiguousarray(picture[..., :3]))))
    return picture


def to_srgb(image: Image.Image, icc: bytes | None) -> Picture:
    """Turn a Pillow image of any 8-bit kind into an sRGB array.

    Raises
    ------
    PictureUnreadable
        If it has a kind of pixel for which there is no rule.
    """
    if image.mode == "CMYK":
        return np.array(_from_cmyk(image, icc))
    target = _target_mode(image)
    return to_srgb_array(np.array(image.convert(target)), icc)


def _target_mode(image: Image.Image) -> str:
    if image.mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info:
        return "RGBA"
    if image.mode in {"1", "L"} or (image.mode == "P" and _is_gray_palette(image)):
        return "L"
    if image.mode in {"P", "RGB", "RGBX", "YCbCr", "LAB"}:
        return "RGB"
    raise PictureUnreadable("", f"its pixels are of the kind {image.mode}, which is not read")


def _is_gray_palette(image: Image.Image) -> bool:
    colors = np.frombuffer(bytes(image.getpalette("RGB") or ()), np.uint8).reshape(-1, 3)
    return bool((colors == colors[:, :1]).all())


def _from_cmyk(image: Image.Image, icc: bytes | None) -> Image.Image:
    transform = None if icc is None else _transform(icc, "CMYK")
    return image.convert("RGB") if transform is None else transform.apply(image)


@lru_cache(maxsize=16)
def _transform(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Build the way from a profile to sRGB; None if the profile is damaged or made for other channels."""
    try:
        return ImageCms.buildTransform(
            io.BytesIO(icc), ImageCms.createProfile("sRGB"), mode, "RGB", _INTENT, _FLAGS[mode]
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=16)
def _rgb_transform(icc: bytes) -> ImageCms.ImageCmsTransform | None:
    """Build the way to sRGB; None where it would move no colour by more than one level."""
    transform = _transform(icc, "RGB")
    if transform is None:
        return None
    steps = np.linspace(0, 255, _PROBE_STEPS).round().astype(np.uint8)
    colors = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    moved = np.asarray(transform.apply(Image.fromarray(colors))).astype(np.int16) - colors
    return None if np.abs(moved).max() <= 1 else transform


@lru_cache(maxsize=16)
def _gray_curve(icc: bytes) -> bytes | None:
    """Give the sRGB level of each grey level, as 256 bytes."""
    transform = _transform(icc, "L")
    if transform is None:
        return None
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    return np.asarray(transform.apply(ramp))[0, :, 1].tobytes()
