"""Arrays into picture files: small, fast, the same bytes for the same pixels, and nothing of any source's metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from kroma_nb.images.picture import Picture, as_rgb, checked, is_gray, swapped
from kroma_nb.images.png import write_png
from kroma_nb.model.postprocess import PictureFormat

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NO_TEXT: Mapping[str, str] = {}
_WEBP_LONGEST = 16383


class Writer(Protocol):
    """Puts bytes at a path in one step, such as `kroma_nb.blobs.write_atomic`."""

    def __call__(self, path: Path, data: bytes, /) -> None:
        """Write all bytes or leave what is there."""


def encode_png(picture: Picture, *, text: Mapping[str, str] = _NO_TEXT, dpi: float | None = None) -> bytes:
    r"""Make a PNG that gives back exactly these pixels.

    A picture whose channels are equal is stored in one channel, one of at most 256 colours as a palette, opaque alpha
    is kept. Filter and compression follow the content: an eighth to a third of the time of adaptive filters with zlib's
    level 6, at about their size. The file says that it is sRGB; it carries no other metadata than what is given here.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255.
    text : mapping of str to str
        Text chunks by keyword (1 to 79 Latin-1 characters); text outside of Latin-1 is stored as UTF-8.
    dpi : float or None
        Dots per inch, for print.

    Returns
    -------
    bytes
        The same for the same arguments.

    Raises
    ------
    ValueError
        If the array is no picture, or a keyword cannot stand in a PNG.

    References
    ----------
    PNG Specification (Third Edition), W3C, 2025.

    Examples
    --------
    >>> encode_png(np.zeros((2, 2), np.uint8))[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    return write_png(checked(picture), text, dpi)


def as_stored(picture: Picture) -> Picture:
    """Give a picture as `load` gives it back from what `encode_png` makes of it: equal colour channels are one.

    Examples
    --------
    >>> as_stored(np.zeros((2, 3, 3), np.uint8)).shape
    (2, 3)
    """
    equal = picture.ndim == 3 and picture.shape[2] == 3 and is_gray(picture)
    return np.ascontiguousarray(picture[..., 0]) if equal else picture


def encode(
    picture: Picture,
    *,
    format: PictureFormat,  # noqa: A002
    text: Mapping[str, str] = _NO_TEXT,
    quality: int = 95,
) -> bytes:
    """Make a picture file in memory.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255. A JPEG has no alpha: the picture is laid over white.
    format : PictureFormat
        PNG is exact; JPEG and WebP lose a little.
    text : mapping of str to str
        Text chunks; only PNG holds them.
    quality : int, 1 to 100
        Of JPEG and WebP.

    Raises
    ------
    ValueError
        If the array is no picture, or has a side that the format cannot hold.
    """
    if format is PictureFormat.PNG:
        return encode_png(picture, text=text)
    whole = checked(picture)
    longest = _WEBP_LONGEST if format is PictureFormat.WEBP else 65535
    if max(whole.shape[:2]) > longest:
        raise ValueError(f"a {format} holds at most {longest} pixels a side, not {whole.shape[1]}x{whole.shape[0]}")
    if format is PictureFormat.WEBP:
        return _by_opencv(".webp", whole, [cv2.IMWRITE_WEBP_QUALITY, quality])
    flat = whole if whole.ndim == 2 else as_rgb(whole)
    return _by_opencv(".jpg", flat[..., 0] if is_gray(flat) and flat.ndim == 3 else flat, _jpeg_options(quality))


def save(
    picture: Picture,
    path: Path,
    *,
    write: Writer,
    format: PictureFormat | None = None,  # noqa: A002
    text: Mapping[str, str] = _NO_TEXT,
) -> None:
    """Write a picture file through a writer that replaces the old file in one step.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255.
    path : Path
        Where it goes.
    write : Writer
        ``kroma_nb.blobs.write_atomic``, or a stand-in of the same signature.
    format : PictureFormat or None
        None takes it from the path's suffix: ``.png``, ``.jpg``, ``.jpeg`` or ``.webp``.
    text : mapping of str to str
        Text chunks; only PNG holds them.

    Raises
    ------
    ValueError
        If the array is no picture, or the suffix names no format.
    WriteFailed
        If the writer cannot write.
    """
    write(path, encode(picture, format=_format_of(path) if format is None else format, text=text))


def _format_of(path: Path) -> PictureFormat:
    suffix = path.suffix.lower().removeprefix(".").replace("jpeg", "jpg")
    if suffix not in set(PictureFormat):
        raise ValueError(f"{path.name}: a picture's suffix is .png, .jpg, .jpeg or .webp; or name a format")
    return PictureFormat(suffix)


def _jpeg_options(quality: int) -> list[int]:
    # Lines of ink smear when colour is stored at half the resolution.
    return [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_OPTIMIZE,
        1,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]


def _by_opencv(suffix: str, picture: Picture, options: list[int]) -> bytes:
    _, data = cv2.imencode(suffix, np.ascontiguousarray(swapped(picture)), options)
    return data.tobytes()
