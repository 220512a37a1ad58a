"""Sheets into files that go to a printer: PNG and TIFF with dots an inch, profile, and our own metadata."""

from __future__ import annotations

import io
import json
import struct
import zlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, PngImagePlugin, TiffImagePlugin

from kroma_nb.errors import RequestInvalid
from kroma_nb.images.info import PixelMode
from kroma_nb.images.png import chunk, resolution_chunk, text_chunk, write_bilevel, write_plain
from kroma_nb.model.printing import Compression

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kroma_nb.images.output_profiles import OutputProfile, Sheet

OURS = "kroma_nb"
_TIFF = {
    Compression.NONE: "raw",
    Compression.DEFLATE: "tiff_adobe_deflate",
    Compression.LZW: "tiff_lzw",
    Compression.GROUP4: "group4",
}
# TIFF 6.0, section 8 and the supplement on predictors.
_DESCRIPTION, _PHOTOMETRIC, _SOFTWARE, _PREDICTOR = 270, 262, 305, 317
_WHITE_IS_ZERO = 0


def encode_print_png(sheet: Sheet, *, dpi: float, text: Mapping[str, str]) -> bytes:
    """Make a PNG of a sheet.

    Parameters
    ----------
    sheet : Sheet
    dpi : float, dots per inch
        Stored as the nearest whole number of dots a metre.
    text : mapping of str to str
        Text chunks.

    Raises
    ------
    RequestInvalid
        If its pixels are inks, which a PNG cannot hold.
    """
    if sheet.mode is PixelMode.CMYK:
        raise no_png_of(sheet.profile.name if sheet.profile else "the profile")
    extra = _profile_chunk(sheet.profile) + resolution_chunk(dpi)
    extra += b"".join(text_chunk(key, words) for key, words in text.items())
    if sheet.mode is PixelMode.BILEVEL:
        return write_bilevel(~np.asarray(sheet.pixels, np.bool_), extra)
    return write_plain(np.asarray(sheet.pixels, np.uint8), extra)


def no_png_of(profile: str) -> RequestInvalid:
    """Give the error that a PNG of a CMYK profile ends with."""
    problem = f"{profile} is for CMYK, which a PNG cannot hold"
    return RequestInvalid("request", "profile", problem, "write a tiff, or take an RGB or grey profile")


def encode_print_tiff(sheet: Sheet, compression: Compression, *, dpi: float, text: Mapping[str, str]) -> bytes:
    """Make a TIFF of a sheet.

    Parameters
    ----------
    sheet : Sheet
    compression : Compression
        Not ``auto``.
    dpi : float, dots per inch
    text : mapping of str to str
        Stored as one JSON object in the tag ImageDescription, in ASCII as that asks for.
    """
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if text:
        tags[_DESCRIPTION] = json.dumps(dict(text))
    tags[_SOFTWARE] = OURS
    options: dict[str, Any] = {"compression": _TIFF[compression], "tiffinfo": tags, "dpi": (_exact(dpi), _exact(dpi))}
    if sheet.profile is not None:
        options["icc_profile"] = sheet.profile.icc
    inked = compression is Compression.GROUP4
    if sheet.mode is not PixelMode.BILEVEL and compression in {Compression.DEFLATE, Compression.LZW}:
        tags[_PREDICTOR] = 2
    file = io.BytesIO()
    _image(sheet, inked=inked).save(file, "TIFF", **options)
    return _white_is_zero(file.getvalue()) if inked else file.getvalue()


def own_text(source: Path | bytes) -> dict[str, str]:
    """Give what kroma_nb has written into a PNG of how it came to be; nothing of anybody else's.

    Parameters
    ----------
    source : Path or bytes
        A picture's file that can be read, or its content.
    """
    try:
        opened = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        with opened as file, PngImagePlugin.PngImageFile(file) as image:
            found = dict(image.text)
    except (OSError, SyntaxError, ValueError):
        return {}
    if found.get("Software") != OURS:
        return {}
    return {key: str(words) for key, words in found.items() if key == "Software" or key.startswith(f"{OURS}:")}


def _profile_chunk(profile: OutputProfile | None) -> bytes:
    if profile is None:
        return b""
    name = "".join(sign for sign in profile.name if sign.isascii() and sign.isprintable()).strip()[:79]
    return chunk(b"iCCP", (name or "profile").encode() + b"\0\0" + zlib.compress(profile.icc, 9))


def _image(sheet: Sheet, *, inked: bool) -> Image.Image:
    """Give a Pillow image; a 1-bit one with ones for ink, as faxes have it, or with ones for white."""
    if sheet.mode is PixelMode.BILEVEL:
        ink = np.asarray(sheet.pixels, np.bool_)
        height, width = ink.shape
        return Image.frombytes("1", (width, height), np.packbits(ink if inked else ~ink, axis=1).tobytes())
    pixels = np.ascontiguousarray(sheet.pixels)
    height, width = pixels.shape[:2]
    mode = {PixelMode.GRAY: "L", PixelMode.GRAY_ALPHA: "LA"}.get(sheet.mode, sheet.mode.value.upper())
    return Image.frombytes(mode, (width, height), pixels.tobytes())


def _white_is_zero(data: bytes) -> bytes:
    """Say in a TIFF that zeros are white, as readers of Group 4 expect; Pillow would turn every pixel one by one."""
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    patched = bytearray(data)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from(f"{order}H", data, entry)[0] == _PHOTOMETRIC:
            struct.pack_into(f"{order}H", patched, entry + 8, _WHITE_IS_ZERO)
    return bytes(patched)


def _exact(dpi: float) -> TiffImagePlugin.IFDRational:
    part = Fraction(dpi).limit_denominator(10_000)
    return TiffImagePlugin.IFDRational(part.numerator, part.denominator)
