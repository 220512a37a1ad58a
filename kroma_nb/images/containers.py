"""How PNG, JPEG and WebP files are laid out, as far as their headers and their ends."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from kroma_nb.images.info import Header, HeaderDamagedError, MediaType, PictureInfo, PixelMode

if TYPE_CHECKING:
    from collections.abc import Iterator

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ORIENTATION_TAG = 0x0112
# ICC profiles of printers reach 3 MB; anything far above is an attack.
_ICC_LIMIT_BYTES = 16 << 20


def _exact(file: IO[bytes], count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise HeaderDamagedError("it ends too early")
    return data


def exif_orientation(exif: bytes) -> int:
    """Read the orientation out of an EXIF block; 1 where there is none or the block is damaged.

    Damaged metadata never makes a picture unreadable.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, offset)
        for index in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, offset + 2 + 12 * index)
            if tag == _ORIENTATION_TAG:
                return value if kind == 3 and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def png_chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Walk over a PNG's chunks as (type, length); the file then stands at the chunk's data."""
    file.seek(len(PNG_SIGNATURE))
    while True:
        length, kind = struct.unpack(">I4s", _exact(file, 8))
        here = file.tell()
        yield kind, length
        if kind == b"IEND":
            return
        file.seek(here + length + 4)


_PNG_MODES = {0: PixelMode.GRAY, 2: PixelMode.RGB, 3: PixelMode.PALETTE, 4: PixelMode.GRAY_ALPHA, 6: PixelMode.RGBA}


def png_header(file: IO[bytes]) -> Header:
    """Read what a PNG's chunks say: size, colour type, EXIF orientation wherever it stands, colour profile."""
    seen: dict[bytes, bytes] = {}
    for kind, length in png_chunks(file):
        if kind in {b"IHDR", b"eXIf", b"iCCP", b"tRNS", b"acTL"}:
            seen[kind] = _exact(file, length)
    width, height, depth, color = struct.unpack_from(">IIBB", seen[b"IHDR"])
    icc = _png_icc(seen[b"iCCP"]) if b"iCCP" in seen else None
    info = PictureInfo(
        width=width,
        height=height,
        media_type=MediaType.PNG,
        mode=_PNG_MODES[color],
        bit_depth=depth,
        has_alpha=color in {4, 6} or b"tRNS" in seen,
        has_icc=icc is not None,
        orientation=exif_orientation(seen.get(b"eXIf", b"")),
        is_animated=b"acTL" in seen,
    )
    return Header(info, icc)


def _png_icc(chunk: bytes) -> bytes | None:
    _, _, packed = chunk.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(packed[1:], _ICC_LIMIT_BYTES)
    except zlib.error:
        return None
    return profile if inflater.eof else None


_JPEG_MODES = {1: PixelMode.GRAY, 3: PixelMode.RGB, 4: PixelMode.CMYK}
_START_OF_SCAN = 0xDA


def jpeg_header(file: IO[bytes]) -> Header:
    """Read size, EXIF orientation and colour profile of a JPEG."""
    orientation = 1
    icc: dict[int, bytes] = {}
    for marker, data in _jpeg_segments(file):
        if marker == 0xE1 and data.startswith(b"Exif\0\0"):
            orientation = exif_orientation(data)
        elif marker == 0xE2 and data.startswith(b"ICC_PROFILE\0") and len(data) > 14:
            icc[data[12]] = data[14:]
        elif 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            profile = b"".join(icc[index] for index in sorted(icc)) or None
            return Header(_jpeg_info(data, orientation, has_icc=profile is not None), profile)
    raise HeaderDamagedError("the picture's size is missing")


def _jpeg_info(frame: bytes, orientation: int, *, has_icc: bool) -> PictureInfo:
    depth, height, width, components = struct.unpack_from(">BHHB", frame)
    return PictureInfo(
        width=width,
        height=height,
        media_type=MediaType.JPEG,
        mode=_JPEG_MODES.get(components, PixelMode.OTHER),
        bit_depth=depth,
        has_alpha=False,
        has_icc=has_icc,
        orientation=orientation,
    )


def _jpeg_segments(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Walk over a JPEG's segments as (marker, data) up to its first scan, behind whose marker the file then stands."""
    file.seek(2)
    while True:
        while _exact(file, 1) != b"\xff":
            pass
        marker = 0xFF
        while marker == 0xFF:
            marker = _exact(file, 1)[0]
        if marker in {_START_OF_SCAN, 0xD9}:
            return
        # Stuffing, TEM and the restart markers stand alone.
        if marker > 0x01 and not 0xD0 <= marker <= 0xD8:
            (length,) = struct.unpack(">H", _exact(file, 2))
            yield marker, _exact(file, max(length - 2, 0))


def png_is_whole(file: IO[bytes]) -> bool:
    """Tell whether every chunk of a PNG has the checksum that stands behind it (PNG specification, 5.3)."""
    for kind, length in png_chunks(file):
        checksum = zlib.crc32(kind)
        checksum = zlib.crc32(_exact(file, length), checksum)
        if _exact(file, 4) != struct.pack(">I", checksum):
            return False
    return True


def webp_is_whole(file: IO[bytes]) -> bool:
    """Tell whether a WebP has all the bytes that its header promises."""
    (size_bytes,) = struct.unpack_from("<I", _exact(file, 12), 4)
    return file.seek(0, 2) >= int(size_bytes) + 8


def jpeg_is_whole(file: IO[bytes]) -> bool:
    """Tell whether a JPEG's coded pixels are followed by its end marker.

    Decoders may fill what is missing with grey and say nothing, so the end is looked for: inside coded pixels, 0xFF is
    always followed by stuffing or a restart marker. Bytes after the end, as phones append them, do no harm.
    """
    for _ in _jpeg_segments(file):
        pass
    return b"\xff\xd9" in file.read()


def webp_header(file: IO[bytes]) -> Header:
    """Read size, alpha, EXIF orientation and colour profile of a WebP."""
    (size_bytes,) = struct.unpack_from("<I", _exact(file, 12), 4)
    kind, length = struct.unpack("<4sI", _exact(file, 8))
    body = _exact(file, 10)
    if kind == b"VP8 ":
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", body, 6))
        return Header(_webp_info(width, height, 0))
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", body, 1)
        return Header(_webp_info((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 0x10 if bits >> 28 & 1 else 0))
    if kind != b"VP8X":
        raise HeaderDamagedError("it does not begin with a picture")
    width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
    icc, orientation = _webp_metadata(file, 20 + length, 8 + size_bytes)
    return Header(replace(_webp_info(width, height, body[0]), has_icc=icc is not None, orientation=orientation), icc)


def _webp_info(width: int, height: int, flags: int) -> PictureInfo:
    has_alpha = bool(flags & 0x10)
    return PictureInfo(
        width=width,
        height=height,
        media_type=MediaType.WEBP,
        mode=PixelMode.RGBA if has_alpha else PixelMode.RGB,
        bit_depth=8,
        has_alpha=has_alpha,
        has_icc=False,
        is_animated=bool(flags & 0x02),
    )


def _webp_metadata(file: IO[bytes], start: int, end: int) -> tuple[bytes | None, int]:
    """Find colour profile and orientation among a WebP's chunks."""
    icc, orientation = None, 1
    while start + 8 <= end:
        file.seek(start)
        head = file.read(8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<4sI", head)
        if kind == b"ICCP" and length <= _ICC_LIMIT_BYTES:
            icc = file.read(length)
        elif kind == b"EXIF" and length <= _ICC_LIMIT_BYTES:
            orientation = exif_orientation(file.read(length))
        start += 8 + length + (length & 1)
    return icc, orientation
