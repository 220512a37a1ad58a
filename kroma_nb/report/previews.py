"""Small copies of stored pictures, embedded in a page; a file that cannot be shown becomes a named gap."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from math import sqrt
from typing import TYPE_CHECKING
from urllib.parse import quote

from PIL import Image

from kroma_nb import images
from kroma_nb.errors import FileMissing, KromaError

if TYPE_CHECKING:
    from collections.abc import Callable

THUMB_SIDE = 240
LONGEST_SIDE = 4096
PAGE_BYTES = 4_200_000
LARGE_PAGE_BYTES = 12_000_000
MOST_BYTES, LEAST_BYTES = 600_000, 12_000

# Ink pages of the embedded engine take 0.10 to 0.18 bytes a pixel at quality 80, photographs less.
_BYTES_PER_PIXEL = 0.15
_QUALITIES = (80, 60, 40)


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture as a page shows it.

    Attributes
    ----------
    data : bytes
        A WebP file, sRGB.
    size, full_size : (width, height), pixels
        Of the preview, and of the stored picture.
    cutout : bool
        Whether the picture has transparent parts.
    changed : bool
        Whether the file is no longer the one that the run stored.
    """

    data: bytes
    size: tuple[int, int]
    full_size: tuple[int, int]
    cutout: bool
    changed: bool

    def thumb(self) -> bytes:
        """Make the small WebP file that stands for the picture in the line-up."""
        return images.thumbnail(self.data, THUMB_SIDE)


@dataclass(frozen=True, slots=True)
class Gap:
    """A picture that cannot be shown, and why."""

    path: str
    cause: str


def embedded(data: bytes) -> str:
    """Give a WebP file as a ``data:`` link."""
    return f"data:image/webp;base64,{b64encode(data).decode('ascii')}"


def read(pictures: Callable[[str], bytes], path: str) -> bytes | Gap:
    """Read a stored file; one that is missing or out of reach becomes a gap.

    Parameters
    ----------
    pictures : callable, str -> bytes
        May raise `KromaError`, `OSError` or `LookupError` for a file that it cannot give.
    path : str
        Relative to the project root.
    """
    try:
        return pictures(path)
    except FileMissing as error:
        # Its sentence names the file on this machine; a page travels, so only the cause goes along.
        return Gap(path, error.cause)
    except KromaError as error:
        return Gap(path, str(error))
    except OSError as error:
        return Gap(path, error.strerror or "the file cannot be read")
    except LookupError:
        return Gap(path, "the file is not there")


@dataclass(frozen=True)
class Previews:
    """Makes the previews of one page, each within the bytes that the page can afford for it.

    Attributes
    ----------
    pictures : callable, str -> bytes
        Gives a stored file's content by its path.
    count : int
        How many previews the page will hold.
    most_bytes : int or None
        What all of them together may take; None lets a page of many pictures be heavier.
    """

    pictures: Callable[[str], bytes]
    count: int
    most_bytes: int | None = None

    @property
    def allowance_bytes(self) -> int:
        """How heavy one preview may be: a page of 30 candidates stays light, one of hundreds stays bounded."""
        if self.most_bytes is not None:
            return min(MOST_BYTES, self.most_bytes // max(1, self.count))
        page = min(LARGE_PAGE_BYTES, max(PAGE_BYTES, 60_000 * self.count))
        return max(LEAST_BYTES, min(MOST_BYTES, page // max(1, self.count)))

    def of(self, path: str, expected_sha256: str) -> Preview | Gap:
        """Make the preview of a stored picture.

        Parameters
        ----------
        path : str
            Relative to the project root.
        expected_sha256 : str
            What the run stored.

        Returns
        -------
        Preview or Gap
        """
        data = read(self.pictures, path)
        if isinstance(data, Gap):
            return data
        try:
            picture = images.load(data, name=path)
        except KromaError as error:
            return Gap(path, str(error))
        changed = sha256(data).hexdigest() != expected_sha256
        return self._fitted(picture, changed=changed)

    def _fitted(self, picture: images.Picture, *, changed: bool) -> Preview:
        full = (picture.shape[1], picture.shape[0])
        size = self._size(full)
        data = self._light(images.resize(picture, size))
        cutout = picture.ndim == 3 and picture.shape[2] == 4 and bool((picture[..., 3] < 255).any())
        return Preview(data, size=size, full_size=full, cutout=cutout, changed=changed)

    def _size(self, full: tuple[int, int]) -> tuple[int, int]:
        # The size follows from the count alone, so that the candidates of a job can be flipped one over the other.
        pixels = self.allowance_bytes / _BYTES_PER_PIXEL
        share = min(1.0, sqrt(pixels / (full[0] * full[1])), LONGEST_SIDE / max(full))
        return images.fit(full, max(1, int(max(full) * share)))

    def _light(self, small: images.Picture) -> bytes:
        for quality in _QUALITIES:
            data = _webp(small, quality)
            if len(data) <= self.allowance_bytes:
                return data
        # Only noise gets here; its pixels give way, its size on the page does not.
        half = images.fit((small.shape[1], small.shape[0]), max(1, max(small.shape[:2]) // 2))
        return _webp(images.resize(small, half), _QUALITIES[-1])


def _webp(picture: images.Picture, quality: int) -> bytes:
    # Pillow lets the effort be chosen: 2 takes half the time of OpenCV's fixed 4 and gives 1 % more bytes.
    file = BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=quality, method=2)
    return file.getvalue()


def link_from(place: str, path: str) -> str:
    """Give the link from a page to a stored file, both relative to the project root.

    Examples
    --------
    >>> link_from("runs/r1/gallery.html", "runs/r1/outputs/a b.png")
    'outputs/a%20b.png'
    >>> link_from("runs/r1/gallery.html", "inputs/ab/abcd.jpg")
    '../../inputs/ab/abcd.jpg'
    """
    here = [part for part in place.split("/") if part not in {"", "."}][:-1]
    there = [part for part in path.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    if not there:
        return "."
    shared = 0
    while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
        shared += 1
    parts = [".."] * (len(here) - shared) + [quote(part, safe="", errors="replace") for part in there[shared:]]
    return "/".join(parts)
