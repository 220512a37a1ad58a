"""What is told of a picture file: its size, its kind, how its pixels are stored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MediaType(StrEnum):
    """The file formats that can be read, told by content and never by name."""

    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    BMP = "image/bmp"
    TIFF = "image/tiff"


class PixelMode(StrEnum):
    """How a file stores its pixels."""

    BILEVEL = "bilevel"
    GRAY = "gray"
    GRAY_ALPHA = "gray_alpha"
    PALETTE = "palette"
    RGB = "rgb"
    RGBA = "rgba"
    CMYK = "cmyk"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What the header of a picture file says.

    Attributes
    ----------
    width, height : int, pixels
        As shown, after turning the picture upright.
    media_type : MediaType
        The format.
    mode : PixelMode
        How pixels are stored.
    bit_depth : int
        Bits a channel, 1 to 32.
    has_alpha : bool
        Whether pixels may be transparent.
    has_icc : bool
        Whether a colour profile is embedded.
    orientation : int, 1 to 8
        EXIF orientation; 1 is upright.
    is_animated : bool
        Whether more than one picture is in the file; the first is what is read.
    """

    width: int
    height: int
    media_type: MediaType
    mode: PixelMode
    bit_depth: int
    has_alpha: bool
    has_icc: bool
    orientation: int = 1
    is_animated: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """A picture's header with its colour profile; `info` has the stored size, not the upright one."""

    info: PictureInfo
    icc: bytes | None = None


class HeaderDamagedError(Exception):
    """A header that contradicts itself; whoever opened the file adds its name."""
