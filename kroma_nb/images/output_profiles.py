"""The colour profile that a print carries, and pixels on their way into it."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageCms

from kroma_nb.errors import FileMissing, RequestInvalid
from kroma_nb.images.info import PixelMode
from kroma_nb.images.luminance import as_gray, light_of_levels
from kroma_nb.images.picture import Picture, as_rgb
from kroma_nb.model.printing import Intent

if TYPE_CHECKING:
    from numpy.typing import NDArray

SRGB: Final = "srgb"
GRAY: Final = "gray"
_LARGEST_BYTES = 16 << 20
_D50 = (0.9642, 1.0, 0.8249)
_CURVE_POINTS = 1024
# A profile names the second in which it was made; the same print shall have the same bytes.
_MADE = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
_MADE_AT = slice(24, 36)
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_INTENTS = {
    Intent.PERCEPTUAL: ImageCms.Intent.PERCEPTUAL,
    Intent.RELATIVE: ImageCms.Intent.RELATIVE_COLORIMETRIC,
    Intent.SATURATION: ImageCms.Intent.SATURATION,
    Intent.ABSOLUTE: ImageCms.Intent.ABSOLUTE_COLORIMETRIC,
}


@dataclass(frozen=True)
class OutputProfile:
    """A profile that a print is made for.

    Attributes
    ----------
    name : str
        ``srgb``, ``gray``, or the file's name.
    space : str
        Of its pixels: ``RGB``, ``GRAY`` or ``CMYK``.
    icc : bytes
        Its file.
    is_own : bool
        Whether it came from a file of the user's.
    """

    name: str
    space: str
    icc: bytes = field(repr=False)
    is_own: bool = False


@dataclass(frozen=True)
class Sheet:
    """Pixels as a print's file holds them.

    Attributes
    ----------
    pixels : array, shape (H, W) or (H, W, channels)
        bool for `PixelMode.BILEVEL`, where True is ink; else uint8, in the profile's space; four channels of CMYK are
        amounts of ink, 255 for all of it.
    mode : PixelMode
    profile : OutputProfile or None
    """

    pixels: NDArray[np.bool_] | NDArray[np.uint8] = field(repr=False)
    mode: PixelMode
    profile: OutputProfile | None = None


def output_profile(name: str) -> OutputProfile:
    """Find a profile by its word or its path.

    Parameters
    ----------
    name : str
        ``srgb``, ``gray`` (grey with sRGB's own tone curve, so that levels mean the same), or the path of an ``.icc``.

    Raises
    ------
    FileMissing
        If there is no such file.
    RequestInvalid
        If it is no profile, or one that nothing is printed by.
    """
    if name == SRGB:
        return OutputProfile(SRGB, "RGB", _srgb())
    if name == GRAY:
        return OutputProfile(GRAY, "GRAY", _gray())
    path = Path(name)
    try:
        with path.open("rb") as file:
            icc = file.read(_LARGEST_BYTES + 1)
    except OSError as cause:
        raise FileMissing(path, "profile", cause.strerror or "it cannot be opened") from cause
    return OutputProfile(path.name, _space(icc, name), icc, is_own=True)


def into(picture: Picture, profile: OutputProfile, *, intent: Intent, black_point_compensation: bool) -> Sheet:
    """Bring a picture from sRGB into a profile.

    Alpha is kept, except in CMYK, where the picture is laid over white. A grey picture stays grey in ``srgb``: it gets
    the grey profile with the same tone curve.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255, straight alpha.
    profile : OutputProfile
    intent : Intent
    black_point_compensation : bool

    Raises
    ------
    RequestInvalid
        If the profile has no way from colours to its own pixels.
    """
    alpha = picture[..., 3:] if picture.ndim == 3 and picture.shape[2] == 4 else None
    opaque = picture if alpha is None else np.ascontiguousarray(picture[..., :3])
    if not profile.is_own:
        if profile.space == "GRAY" or picture.ndim == 2:
            return _with_alpha(as_gray(opaque), alpha, output_profile(GRAY))
        return _with_alpha(opaque, alpha, profile)
    source = as_rgb(picture) if profile.space == "CMYK" else as_rgb(opaque)
    made = _transform(profile, intent, black_point_compensation).apply(Image.fromarray(source))
    return _with_alpha(np.asarray(made), None if profile.space == "CMYK" else alpha, profile)


def _with_alpha(pixels: Picture, alpha: Picture | None, profile: OutputProfile) -> Sheet:
    modes = {
        "GRAY": (PixelMode.GRAY, PixelMode.GRAY_ALPHA),
        "RGB": (PixelMode.RGB, PixelMode.RGBA),
        "CMYK": (PixelMode.CMYK, PixelMode.CMYK),
    }
    both = pixels if alpha is None else np.dstack([pixels, alpha])
    return Sheet(both, modes[profile.space][alpha is not None], profile)


def _transform(profile: OutputProfile, intent: Intent, compensate: bool) -> ImageCms.ImageCmsTransform:
    flags = ImageCms.Flags.HIGHRESPRECALC
    if compensate:
        flags |= ImageCms.Flags.BLACKPOINTCOMPENSATION
    try:
        return ImageCms.buildTransform(
            io.BytesIO(_srgb()), io.BytesIO(profile.icc), "RGB", _MODES[profile.space], _INTENTS[intent], flags
        )
    except ImageCms.PyCMSError as cause:
        problem = f"{profile.name} has no way from colours to its own pixels ({cause})"
        raise RequestInvalid(
            "request", "profile", problem, "take the output profile of your printer or press"
        ) from None


def _space(icc: bytes, name: str) -> str:
    way_out = "name the .icc file of an output profile, or srgb, or gray"
    if len(icc) > _LARGEST_BYTES or len(icc) < 128 or icc[36:40] != b"acsp":
        raise RequestInvalid("request", "profile", f"{name} is no colour profile", way_out)
    space = icc[16:20].decode("latin-1").strip()
    if space not in _MODES:
        raise RequestInvalid("request", "profile", f"{name} is for {space}, not for RGB, grey or CMYK", way_out)
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(icc))
    except (ImageCms.PyCMSError, OSError) as cause:
        raise RequestInvalid("request", "profile", f"{name} is a damaged colour profile ({cause})", way_out) from None
    return space


@lru_cache(maxsize=1)
def _srgb() -> bytes:
    icc = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    icc[_MADE_AT] = _MADE
    return bytes(icc)


@lru_cache(maxsize=1)
def _gray() -> bytes:
    """Write a grey display profile of version 2 (ICC.1:2001-04), which every reader knows."""
    # The curve of a table is read between its points along straight lines.
    points = np.interp(np.linspace(0, 255, _CURVE_POINTS), np.arange(256), light_of_levels())
    curve = b"curv" + struct.pack(">II", 0, _CURVE_POINTS) + np.rint(points * 65535).astype(">u2").tobytes()
    said = b"Grey with the tone curve of sRGB\0"
    tags = {
        b"desc": b"desc" + struct.pack(">II", 0, len(said)) + said + bytes(4 + 4 + 2 + 1 + 67),
        b"cprt": b"text" + bytes(4) + b"No copyright, use freely\0",
        b"wtpt": b"XYZ " + bytes(4) + _fixed(_D50),
        b"kTRC": curve,
    }
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    kind = struct.pack(">I", 0x02400000) + b"mntrGRAYXYZ "
    rest = _MADE + b"acsp" + bytes(24) + struct.pack(">I", 0) + _fixed(_D50) + bytes(48)
    return struct.pack(">I", at + len(body)) + bytes(4) + kind + rest + table + body


def _fixed(values: tuple[float, ...]) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
