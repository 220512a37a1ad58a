"""What a picture file's header says, read without decoding a pixel."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from PIL import BmpImagePlugin, TiffImagePlugin

from kroma_nb.errors import FileMissing, PictureUnreadable
from kroma_nb.images.containers import (
    PNG_SIGNATURE,
    jpeg_header,
    jpeg_is_whole,
    png_header,
    png_is_whole,
    webp_header,
    webp_is_whole,
)
from kroma_nb.images.info import Header, HeaderDamagedError, MediaType, PictureInfo, PixelMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import ImageFile

_BUFFER_BYTES = 1 << 16
_WHOLE: dict[MediaType, Callable[[IO[bytes]], bool]] = {
    MediaType.PNG: png_is_whole,
    MediaType.JPEG: jpeg_is_whole,
    MediaType.WEBP: webp_is_whole,
}
_FORMATS = "PNG, JPEG, WebP, BMP and TIFF can be read"


def probe(source: Path | bytes, *, name: str | None = None) -> PictureInfo:
    """Read a picture's size and kind from its header alone.

    Parameters
    ----------
    source : Path or bytes
        A file, or its content.
    name : str or None
        What errors call the picture; None takes the path.

    Raises
    ------
    FileMissing
        If the file is not there or cannot be opened.
    PictureUnreadable
        If it is no picture in a format that can be read.

    Examples
    --------
    >>> from kroma_nb.images import encode_png
    >>> import numpy as np
    >>> info = probe(encode_png(np.zeros((3, 5), np.uint8)))
    >>> info.width, info.height, str(info.media_type)
    (5, 3, 'image/png')
    """
    with opened(source, name) as file:
        return _as_seen(read_header(file, called(source, name)).info)


def probe_whole(source: Path | bytes, *, name: str | None = None) -> PictureInfo:
    """Read a picture's header as `probe` does, and check that the file is neither cut off nor damaged.

    Checksums and ends are looked at; no pixel is decoded. JPEG and WebP have no checksums, so that bytes which were
    changed in their middle are not found.

    Raises
    ------
    FileMissing
        If the file is not there or cannot be opened.
    PictureUnreadable
        If it is no picture in a format that can be read, or not the whole of one.
    """
    title = called(source, name)
    with opened(source, name) as file:
        info = read_header(file, title).info
        check = _WHOLE.get(info.media_type)
        file.seek(0)
        try:
            whole = check is None or check(file)
        except HeaderDamagedError:
            whole = False
        if not whole:
            raise PictureUnreadable(title, "it is cut off or damaged in the middle of its pixels")
    return _as_seen(info)


def _as_seen(info: PictureInfo) -> PictureInfo:
    """Give the size upright."""
    if info.orientation >= 5:
        return replace(info, width=info.height, height=info.width)
    return info


def called(source: Path | bytes, name: str | None) -> str:
    """Give the name that errors use for a source."""
    if name is not None:
        return name
    return str(source) if isinstance(source, Path) else "picture"


def opened(source: Path | bytes, name: str | None) -> IO[bytes]:
    """Open a source for reading.

    Raises
    ------
    FileMissing
        If it is no regular file that can be opened.
    """
    if not isinstance(source, Path):
        return io.BytesIO(source)
    try:
        # A pipe or a device would keep the reader waiting for ever.
        if not source.is_file() and source.exists():
            raise FileMissing(source, name or "picture", "this is no regular file")
        # Chunks of 8 KB are walked inside the buffer, not by one seek on the disk each.
        return source.open("rb", buffering=_BUFFER_BYTES)
    except OSError as error:
        raise FileMissing(source, name or "picture", error.strerror or type(error).__name__) from error


def read_header(file: IO[bytes], name: str) -> Header:
    """Read the header of an open picture file.

    Raises
    ------
    PictureUnreadable
        If it is no picture in a format that can be read, or its header is damaged.
    """
    start = file.read(16)
    file.seek(0)
    media_type = _sniff(start)
    if media_type is None:
        raise PictureUnreadable(name, _not_a_picture(start), _FORMATS)
    try:
        header = _READERS[media_type](file)
    except PictureUnreadable:
        raise
    except Exception as error:
        raise PictureUnreadable(name, f"its {media_type.name} header is damaged ({error})") from error
    if header.info.width < 1 or header.info.height < 1:
        raise PictureUnreadable(name, "its header says that it has no pixels")
    return header


def _sniff(start: bytes) -> MediaType | None:
    if start.startswith(PNG_SIGNATURE):
        return MediaType.PNG
    if start.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return MediaType.WEBP
    if start.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return MediaType.TIFF
    return MediaType.BMP if start.startswith(b"BM") else None


def _not_a_picture(start: bytes) -> str:
    if not start:
        return "the file is empty"
    if start.startswith(b"GIF8"):
        return "GIF is not read, because its 256 colours spoil a page"
    return "its content is no known picture format"


def _pillow_header(file: IO[bytes], media_type: MediaType) -> Header:
    # The plugin's own class, because `Image.open` has a limit of its own that only a global changes.
    image = (TiffImagePlugin.TiffImageFile if media_type is MediaType.TIFF else BmpImagePlugin.BmpImageFile)(file)
    width, height = image.size
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        # As stored: the image's own size is already turned by its orientation.
        width, height = image.tag_v2[256], image.tag_v2[257]
    mode, has_alpha = _PILLOW_MODES.get(image.mode, (PixelMode.OTHER, False))
    icc = image.info.get("icc_profile")
    info = PictureInfo(
        width=width,
        height=height,
        media_type=media_type,
        mode=mode,
        bit_depth=_bit_depth(image),
        has_alpha=has_alpha,
        has_icc=icc is not None,
        orientation=_tiff_orientation(image),
        is_animated=getattr(image, "n_frames", 1) > 1,
    )
    return Header(info, icc)


_PILLOW_MODES = {
    "1": (PixelMode.BILEVEL, False),
    "L": (PixelMode.GRAY, False),
    "I;16": (PixelMode.GRAY, False),
    "I;16B": (PixelMode.GRAY, False),
    "LA": (PixelMode.GRAY_ALPHA, True),
    "P": (PixelMode.PALETTE, False),
    "RGB": (PixelMode.RGB, False),
    "RGBX": (PixelMode.RGB, False),
    "RGBA": (PixelMode.RGBA, True),
    "CMYK": (PixelMode.CMYK, False),
}


def _bit_depth(image: ImageFile.ImageFile) -> int:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return int(max(image.tag_v2.get(258, (1,))))
    return 1 if image.mode == "1" else 8


def _tiff_orientation(image: ImageFile.ImageFile) -> int:
    found = image.tag_v2.get(274, 1) if isinstance(image, TiffImagePlugin.TiffImageFile) else 1
    return found if found in range(1, 9) else 1


_READERS: dict[MediaType, Callable[[IO[bytes]], Header]] = {
    MediaType.PNG: png_header,
    MediaType.JPEG: jpeg_header,
    MediaType.WEBP: webp_header,
    MediaType.BMP: partial(_pillow_header, media_type=MediaType.BMP),
    MediaType.TIFF: partial(_pillow_header, media_type=MediaType.TIFF),
}
