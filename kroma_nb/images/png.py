"""How a PNG is written: colour type, bit depth, filter and level chosen by content."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.images.picture import Picture, is_gray, swapped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_BYTES = len(_SIGNATURE) + 25
_METRES_PER_INCH = 0.0254
_GRAY, _PALETTE, _GRAY_ALPHA = 0, 3, 4
_BANDS, _BAND_ROWS = 4, 12
# Strips that stay in the cache while they are hashed.
_STRIP_ROWS = 32
_SLOT_BITS = 20
_HASH = np.uint32(2654435761)


class _Way(Enum):
    """How rows are compressed and filtered: (strategy, level, filters), the quickest of those that measured small."""

    DRAWN = (cv2.IMWRITE_PNG_STRATEGY_DEFAULT, 4, cv2.IMWRITE_PNG_FILTER_NONE)
    PHOTOGRAPHED = (cv2.IMWRITE_PNG_STRATEGY_RLE, 1, cv2.IMWRITE_PNG_FILTER_PAETH)
    MIXED = (cv2.IMWRITE_PNG_STRATEGY_DEFAULT, 4, cv2.IMWRITE_PNG_ALL_FILTERS)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the header says of bytes that OpenCV took for a grey picture."""

    width: int
    color_type: int
    depth: int = 8


def write_png(picture: Picture, text: Mapping[str, str], dpi: float | None) -> bytes:
    """Make a PNG of a checked picture; see `encode_png`."""
    extra = b"".join([chunk(b"sRGB", b"\0"), resolution_chunk(dpi), *(text_chunk(key, text[key]) for key in text)])
    has_alpha = picture.ndim == 3 and picture.shape[2] == 4
    if has_alpha and is_gray(picture):
        gray_alpha = np.ascontiguousarray(picture[..., 2:])
        if _best_way(gray_alpha[..., 0]) is _Way.DRAWN:
            rows = gray_alpha.reshape(picture.shape[0], -1)
            return _relabelled(_encoded(rows, _Way.DRAWN), _Kind(picture.shape[1], _GRAY_ALPHA), extra)
    elif picture.ndim == 3 and is_gray(picture):
        picture = np.ascontiguousarray(picture[..., 1])
    palette = None if has_alpha else _gray_palette(picture) if picture.ndim == 2 else _palette(picture)
    if palette is not None:
        return _with_palette(palette, extra)
    return _with_extra(_encoded(picture, _best_way(picture)), extra)


def write_plain(pixels: Picture, extra: bytes) -> bytes:
    """Make a PNG whose channels are those of the array, which a colour profile counts on.

    Parameters
    ----------
    pixels : uint8 array, shape (H, W), (H, W, 2), (H, W, 3) or (H, W, 4)
        Grey, grey and alpha, RGB, RGB and alpha.
    extra : bytes
        Chunks that stand before the pixels.
    """
    if pixels.ndim == 3 and pixels.shape[2] == 2:
        rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
        return _relabelled(_encoded(rows, _Way.DRAWN), _Kind(pixels.shape[1], _GRAY_ALPHA), extra)
    return _with_extra(_encoded(pixels, _best_way(pixels)), extra)


def write_bilevel(white: NDArray[np.bool_], extra: bytes) -> bytes:
    """Make a grey PNG of one bit a pixel."""
    rows = np.packbits(white, axis=1)
    return _relabelled(_encoded(rows, _Way.DRAWN), _Kind(white.shape[1], _GRAY, 1), extra)


def _best_way(picture: Picture) -> _Way:
    """Try each way on a few bands of rows: the sample costs little and is hardly ever wrong."""
    height = picture.shape[0]
    if height > 2 * _BANDS * _BAND_ROWS:
        starts = [(height - _BAND_ROWS) * band // (_BANDS - 1) for band in range(_BANDS)]
        picture = np.concatenate([picture[start : start + _BAND_ROWS] for start in starts])
    return min(_Way, key=lambda way: len(_encoded(picture, way)))


def _encoded(picture: Picture, way: _Way) -> bytes:
    strategy, level, filters = way.value
    # In this order: naming the level sets OpenCV's strategy back.
    options = [cv2.IMWRITE_PNG_COMPRESSION, level, cv2.IMWRITE_PNG_STRATEGY, strategy, cv2.IMWRITE_PNG_FILTER, filters]
    _, data = cv2.imencode(".png", swapped(picture), options)
    return data.tobytes()


@dataclass(frozen=True, slots=True)
class _Palette:
    """Colours, shape (n, 3), and the place of each pixel's colour among them, shape (H, W)."""

    colors: Picture
    ranks: Picture


def _with_palette(palette: _Palette, extra: bytes) -> bytes:
    """Write ranks and colours, several pixels a byte where there are at most 16 colours."""
    depth = next(bits for bits in (1, 2, 4, 8) if len(palette.colors) <= 1 << bits)
    rows = _packed(palette.ranks, depth)
    kind = _Kind(palette.ranks.shape[1], _PALETTE, depth)
    return _relabelled(_encoded(rows, _Way.DRAWN), kind, extra + chunk(b"PLTE", palette.colors.tobytes()))


def _gray_palette(picture: Picture) -> _Palette | None:
    """Give the levels of a grey picture if they are so few that pixels can share a byte."""
    levels = np.flatnonzero(cv2.calcHist([picture], [0], None, [256], [0, 256]))
    if levels.size > 16:
        return None
    ranks = np.zeros(256, np.uint8)
    ranks[levels] = np.arange(levels.size)
    colors = np.repeat(levels.astype(np.uint8)[:, None], 3, axis=1)
    return _Palette(colors, np.asarray(cv2.LUT(picture, ranks), np.uint8))


def _palette(picture: Picture) -> _Palette | None:
    """Give the colours of a picture if there are at most 256; None for more.

    A multiplicative hash (Knuth, The Art of Computer Programming 3, section 6.4) finds each colour's rank in one look;
    two colours in one slot, which is rare, end the search as if there were too many.
    """
    ranks = np.empty(picture.shape[:2], np.uint8)
    slots = np.zeros(1 << _SLOT_BITS, np.uint8)
    colors = np.zeros(256, np.uint32)
    count = 0
    for top in range(0, picture.shape[0], _STRIP_ROWS):
        words = _words(picture[top : top + _STRIP_ROWS])
        found = slots[_slot(words)]
        missed = colors[found] != words
        if missed.any():
            fresh = np.unique(words[missed])
            end = count + fresh.size
            if end > colors.size:
                return None
            colors[count:end] = fresh
            slots[_slot(fresh)] = np.arange(count, end)
            count = end
            found = slots[_slot(words)]
            if (colors[found] != words).any():
                return None
        ranks[top : top + _STRIP_ROWS] = found
    return _Palette(np.ascontiguousarray(colors[:count].view(np.uint8).reshape(-1, 4)[:, :3]), ranks)


def _words(strip: Picture) -> NDArray[np.uint32]:
    """Give each pixel's three levels and a constant as one 32-bit number."""
    return np.asarray(cv2.cvtColor(strip, cv2.COLOR_RGB2RGBA), np.uint8).view(np.uint32)[..., 0]


def _slot(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return (words * _HASH) >> np.uint32(32 - _SLOT_BITS)


def _packed(levels: Picture, depth: int) -> Picture:
    """Put 8/depth levels into each byte, the first in the highest bits; rows end on whole bytes."""
    if depth == 8:
        return levels
    height, width = levels.shape
    each = 8 // depth
    padded = np.zeros((height, -(-width // each) * each), np.uint8)
    padded[:, :width] = levels
    if depth == 1:
        return np.packbits(padded, axis=1)
    parts = [padded[:, at::each] << (8 - depth * (at + 1)) for at in range(each)]
    return np.asarray(np.bitwise_or.reduce(parts), np.uint8)


def _relabelled(data: bytes, kind: _Kind, extra: bytes) -> bytes:
    """Give a grey PNG's rows another meaning: without filters, rows of bytes are the same in every colour type."""
    height = data[20:24]
    header = struct.pack(">I", kind.width) + height + struct.pack(">BBBBB", kind.depth, kind.color_type, 0, 0, 0)
    return _SIGNATURE + chunk(b"IHDR", header) + extra + data[_HEADER_BYTES:]


def _with_extra(data: bytes, extra: bytes) -> bytes:
    return data[:_HEADER_BYTES] + extra + data[_HEADER_BYTES:]


def chunk(kind: bytes, data: bytes) -> bytes:
    """Give a chunk with its length and checksum (PNG specification, 5.3)."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def resolution_chunk(dpi: float | None) -> bytes:
    """Give the chunk that says how many dots an inch a picture has, to the nearest one a metre; empty for None."""
    if dpi is None:
        return b""
    per_metre = round(dpi / _METRES_PER_INCH)
    if not 0 < per_metre < 1 << 31:
        raise ValueError(f"a resolution of {dpi} dots per inch cannot stand in a PNG; give a positive number")
    return chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))


def text_chunk(keyword: str, text: str) -> bytes:
    """Give the chunk of a text, in Latin-1 where that has its letters, else in UTF-8."""
    if not 1 <= len(keyword) <= 79 or not keyword.isprintable() or keyword != " ".join(keyword.split()):
        raise ValueError(f"{keyword!r} is no keyword of a PNG's text: 1 to 79 printable characters, single spaces")
    if "\0" in text:
        raise ValueError(f"the text of {keyword!r} holds a zero byte, which ends a PNG's text")
    try:
        key = keyword.encode("latin-1")
    except UnicodeEncodeError as error:
        raise ValueError(f"{keyword!r} is no keyword of a PNG's text: characters outside of Latin-1") from error
    try:
        return chunk(b"tEXt", key + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return chunk(b"iTXt", key + b"\0\0\0\0\0" + text.encode("utf-8"))
