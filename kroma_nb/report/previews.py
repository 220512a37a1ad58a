"""Small copies of stored pictures, embedded in a page; a file that cannot be shown becomes a named gap."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt
from typing import TYPE_CHECKING
from urllib.parse import quote

from kroma_nb import images
from kroma_nb.errors import KromaError
from kroma_nb.model.postprocess import PictureFormat

if TYPE_CHECKING:
    from collections.abc import Callable

LONG_SIDE = 1280
SHORTEST_LONG_SIDE = 320
THUMB_SIDE = 240
MAX_BYTES = 150_000
MIN_BYTES = 12_000
CALM_PAGE_BYTES = 4_200_000
LARGE_PAGE_BYTES = 12_000_000
_QUALITY = 80
_GROWTH = 1.55


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture as a page shows it.

    Attributes
    ----------
    data, thumb : bytes
        WebP files, sRGB: one to judge, one for the line-up.
    size, full_size : (width, height), pixels
        Of the preview, and of the stored picture.
    cutout : bool
        Whether the picture has transparent parts.
    changed : bool
        Whether the file is no longer the one that the run stored.
    """

    data: bytes
    thumb: bytes
    size: tuple[int, int]
    full_size: tuple[int, int]
    cutout: bool
    changed: bool

    @property
    def wide(self) -> bool:
        """Whether the picture lies rather than stands."""
        return self.size[0] > self.size[1]


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
    """

    pictures: Callable[[str], bytes]
    count: int

    @property
    def allowance_bytes(self) -> int:
        """How heavy one preview may be: a page of 30 candidates stays light, one of hundreds stays bounded."""
        page = min(LARGE_PAGE_BYTES, max(CALM_PAGE_BYTES, 60_000 * self.count))
        return max(MIN_BYTES, min(MAX_BYTES, page // max(1, self.count)))

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
        thumb, _ = _shrunk(picture, min(THUMB_SIDE, max(full)))
        side = self._first_try(len(thumb), max(full))
        data, size = _shrunk(picture, side)
        # Bytes grow a little slower than the area does, so a step a little below the square root converges.
        while len(data) > self.allowance_bytes and side > SHORTEST_LONG_SIDE:
            step = min(0.9, 0.96 * sqrt(self.allowance_bytes / len(data)))
            side = max(SHORTEST_LONG_SIDE, int(side * step))
            data, size = _shrunk(picture, side)
        cutout = picture.ndim == 3 and picture.shape[2] == 4 and bool((picture[..., 3] < 255).any())
        return Preview(data, thumb, size=size, full_size=full, cutout=cutout, changed=changed)

    def _first_try(self, thumb_bytes: int, full_side: int) -> int:
        # The thumb tells how busy a picture is; without its word a busy page is encoded three times over.
        growth = (self.allowance_bytes / max(1, thumb_bytes)) ** (1 / _GROWTH)
        return min(LONG_SIDE, full_side, max(SHORTEST_LONG_SIDE, int(THUMB_SIDE * growth)))


def _shrunk(picture: images.Picture, long_side: int) -> tuple[bytes, tuple[int, int]]:
    size = images.fit((picture.shape[1], picture.shape[0]), long_side)
    small = images.resize(picture, size)
    return images.encode(small, format=PictureFormat.WEBP, quality=_QUALITY), size


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
    shared = 0
    while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
        shared += 1
    parts = [".."] * (len(here) - shared) + [quote(part, safe="", errors="replace") for part in there[shared:]]
    return "/".join(parts) or "."
