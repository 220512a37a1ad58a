"""Picture files into arrays: upright, sRGB, alpha kept, whole or not at all."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING

import cv2
import numpy as np
from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from kroma_nb.errors import PictureTooLarge, PictureUnreadable
from kroma_nb.images.color_spaces import to_srgb, to_srgb_array
from kroma_nb.images.containers import jpeg_is_whole
from kroma_nb.images.header import called, opened, read_header
from kroma_nb.images.info import Header, MediaType, PictureInfo, PixelMode
from kroma_nb.images.picture import Picture, swapped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


MAX_PIXELS = 100_000_000
"""How many pixels a picture may have unless a caller allows more."""

_PLUGINS: dict[MediaType, Callable[[IO[bytes]], Image.Image]] = {
    MediaType.PNG: PngImagePlugin.PngImageFile,
    MediaType.JPEG: JpegImagePlugin.JpegImageFile,
    MediaType.WEBP: WebPImagePlugin.WebPImageFile,
    MediaType.BMP: BmpImagePlugin.BmpImageFile,
    MediaType.TIFF: TiffImagePlugin.TiffImageFile,
}
_REDUCED = {
    2: (cv2.IMREAD_REDUCED_COLOR_2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
    4: (cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    8: (cv2.IMREAD_REDUCED_COLOR_8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
}


def load(
    source: Path | bytes, *, max_pixels: int = MAX_PIXELS, name: str | None = None, always_rgb: bool = False
) -> Picture:
    """Read a picture: upright by its EXIF orientation, in sRGB, with its alpha.

    The content tells the format, not the name. A colour profile is followed with relative colorimetric intent and
    black point compensation, unless it moves no colour by more than one level; one that is damaged or made for other
    channels is passed over, and so are PNG's gAMA and cHRM. 16-bit channels are scaled by 1/257 and rounded. Of several
    pictures in a file the first is read.

    Parameters
    ----------
    source : Path or bytes
        A PNG, JPEG, WebP, BMP or TIFF file, or its content.
    max_pixels : int
        More pixels than this are refused before any is decoded.
    name : str or None
        What errors call the picture; None takes the path.
    always_rgb : bool
        Whether grey pictures get three channels too. Alpha stays a fourth channel.

    Returns
    -------
    uint8 array
        Levels 0-255; shape (H, W) for pictures without colour and alpha, (H, W, 4) where the file has alpha, else
        (H, W, 3). C-contiguous and writable.

    Raises
    ------
    FileMissing
        If the file is not there or cannot be opened.
    PictureUnreadable
        If it is no picture, or not the whole of one.
    PictureTooLarge
        If it has more than `max_pixels`.

    Examples
    --------
    >>> from kroma_nb.images import encode_png
    >>> load(encode_png(np.full((2, 3), 128, np.uint8))).shape
    (2, 3)
    """
    picture = load_reduced(source, at_least=None, max_pixels=max_pixels, name=name)
    return np.repeat(picture[..., None], 3, axis=2) if always_rgb and picture.ndim == 2 else picture


def load_reduced(source: Path | bytes, *, at_least: int | None, max_pixels: int, name: str | None) -> Picture:
    """Read a picture as `load` does; a large JPEG at 1/2, 1/4 or 1/8, as long as its long side stays `at_least` so."""
    title = called(source, name)
    with opened(source, name) as file:
        header = read_header(file, title)
        info = header.info
        if info.width * info.height > max_pixels:
            raise PictureTooLarge(title, info.width, info.height, max_pixels)
        file.seek(0)
        data = file.read()
    shrink = 1 if at_least is None else _shrink(info, at_least)
    return np.require(_decoded(data, header, title, shrink), np.uint8, ["C", "W"])


def _shrink(info: PictureInfo, at_least: int) -> int:
    if info.media_type is not MediaType.JPEG:
        return 1
    return max((by for by in _REDUCED if max(info.width, info.height) >= by * at_least), default=1)


def upright(picture: Picture, orientation: int) -> Picture:
    """Turn a picture as its EXIF orientation says.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        As stored.
    orientation : int, 1 to 8
        Value of the EXIF tag 0x0112 (EXIF 2.32, section 4.6.4).

    Returns
    -------
    uint8 array
        A view; height and width change places from 5 on.

    Examples
    --------
    >>> upright(np.array([[1, 2]], np.uint8), 6).tolist()
    [[1], [2]]
    """
    if orientation >= 5:
        picture = picture.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        picture = picture[::-1]
    if orientation in {2, 3, 6, 7}:
        picture = picture[:, ::-1]
    return picture


def _decoded(data: bytes, header: Header, name: str, shrink: int) -> Picture:
    info = header.info
    try:
        if info.bit_depth == 16 and info.mode is not PixelMode.CMYK:
            picture = to_srgb_array(_sixteen_bits(data, info), header.icc)
        elif _is_plain(info):
            picture = to_srgb_array(_plain(data, info, shrink), header.icc)
        else:
            picture = _exotic(data, header)
    except PictureUnreadable as error:
        raise PictureUnreadable(name, error.cause) from error
    except Exception as error:
        raise PictureUnreadable(name, f"its pixels cannot be decoded ({error})") from error
    # Both decoders turn TIFF upright by themselves, and only TIFF.
    return picture if info.media_type is MediaType.TIFF else upright(picture, info.orientation)


def _is_plain(info: PictureInfo) -> bool:
    """Tell whether OpenCV reads such a file exactly as Pillow does, only faster."""
    if info.is_animated or info.bit_depth != 8:
        return False
    if info.media_type is MediaType.PNG:
        return (info.mode, info.has_alpha) in {
            (PixelMode.GRAY, False),
            (PixelMode.RGB, False),
            (PixelMode.RGBA, True),
        }
    if info.media_type is MediaType.JPEG:
        return info.mode in {PixelMode.GRAY, PixelMode.RGB}
    return info.media_type is MediaType.WEBP


def _plain(data: bytes, info: PictureInfo, shrink: int) -> Picture:
    if info.media_type is MediaType.JPEG and not jpeg_is_whole(io.BytesIO(data)):
        raise PictureUnreadable("", "it is cut off in the middle of its pixels")
    if info.mode is PixelMode.RGB and shrink == 1:
        flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
        return np.asarray(_opencv(data, info, flags), np.uint8)
    if shrink == 1:
        return swapped(np.asarray(_opencv(data, info), np.uint8))
    flags = _REDUCED[shrink][info.mode is PixelMode.GRAY] | cv2.IMREAD_IGNORE_ORIENTATION
    return swapped(np.asarray(_opencv(data, info, flags, shrink), np.uint8))


def _opencv(data: bytes, info: PictureInfo, flags: int = cv2.IMREAD_UNCHANGED, shrink: int = 1) -> NDArray[np.generic]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if found is None:
        raise PictureUnreadable("", "its pixels are cut off or damaged")
    if sorted(found.shape[:2]) != sorted((-(-info.height // shrink), -(-info.width // shrink))):
        raise PictureUnreadable("", "its pixels do not fill the size that its header says")
    return found


def _sixteen_bits(data: bytes, info: PictureInfo) -> Picture:
    if info.media_type is MediaType.TIFF:
        _check_strips(data)
    found = _opencv(data, info)
    if found.dtype != np.uint16:
        raise PictureUnreadable("", f"its {info.bit_depth}-bit channels cannot be read")
    # 257 is odd, so that v / 257 never lies halfway between two levels.
    levels = ((found.astype(np.uint32) + 128) // 257).astype(np.uint8)
    picture = swapped(levels)
    if picture.ndim == 3 and info.mode is PixelMode.GRAY:
        return np.ascontiguousarray(picture[..., 0])
    return picture


def _check_strips(data: bytes) -> None:
    """Refuse a TIFF whose strips or tiles leave the file: OpenCV would fill them with zeros."""
    tags = TiffImagePlugin.TiffImageFile(io.BytesIO(data)).tag_v2
    for offsets, sizes in ((273, 279), (324, 325)):
        for offset, size in zip(tags.get(offsets, ()), tags.get(sizes, ()), strict=False):
            if offset + size > len(data):
                raise PictureUnreadable("", "it is cut off in the middle of its pixels")


def _exotic(data: bytes, header: Header) -> Picture:
    # The plugin's own class, because `Image.open` has a limit of its own that only a global changes.
    image = _PLUGINS[header.info.media_type](io.BytesIO(data))
    image.load()
    if sorted(image.size) != sorted((header.info.width, header.info.height)):
        raise PictureUnreadable("", "its pixels do not fill the size that its header says")
    return to_srgb(image, header.icc)
