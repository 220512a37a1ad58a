"""Is the scene itself an inked page? Then its own ink is the line layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.levels import histogram
from kroma_nb.providers.ink.pixels import Gray, cv

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST_PX = 2048  # beyond it every second, third … pixel is looked at
_NEAR = 6  # levels around a tone that belong to it
_TONES = 4
# Shares in percent, tried on 16 photographs and 96 pages from 200 to 800 pixels, as PNG and as JPEG at quality 80.
_IN_TONES = 60  # of all pixels; pages 61 to 98, photographs 33 to 73
_BESIDE_THE_MAIN_TONE = 40  # of the pixels outside the main tone that lie in the others; pages 46 to 95
_SOFT = 9  # of the pixels outside the main tone that shade softly; pages 0 to 5, photographs 13 to 62
_HARD_EDGE = 20  # levels within 3 x 3 pixels


@dataclass(frozen=True)
class OwnInk:
    """How an inked page's levels become ink.

    Attributes
    ----------
    ink, paper : int
        Levels of its darkest and lightest flat tone, 0-255.
    """

    ink: int
    paper: int

    def read(self, picture: NDArray[np.uint8]) -> Gray:
        """Read the ink off the page.

        Parameters
        ----------
        picture : uint8 array, shape (H, W, 3)
            sRGB levels 0-255.

        Returns
        -------
        uint8 array, shape (H, W)
            Ink, 0-255.
        """
        ramp = (self.paper - np.arange(256)) * 255 // (self.paper - self.ink)
        table = np.clip(ramp, 0, 255).astype(np.uint8)
        return np.asarray(cv.LUT(cv.cvtColor(picture, cv.COLOR_RGB2GRAY), table), np.uint8)


def find_own_ink(picture: NDArray[np.uint8]) -> OwnInk | None:
    """Tell an inked page from a photograph.

    A page is inked if most of its pixels lie around four levels or fewer, if what lies between is hard edges and no
    soft shading, if the lightest and the darkest level stand far apart, and if what colour there is leads from ink to
    paper.

    Parameters
    ----------
    picture : uint8 array, shape (H, W, 3)
        sRGB levels 0-255, as it was stored: resampling would soften its edges.

    Returns
    -------
    OwnInk or None
        None for a photograph.

    Examples
    --------
    >>> page = np.full((40, 40, 3), 255, np.uint8)
    >>> page[10:20, 5:35] = 0
    >>> find_own_ink(page)
    OwnInk(ink=0, paper=255)
    """
    step = -(-max(picture.shape[:2]) // _LONGEST_PX)
    picture = np.ascontiguousarray(picture[::step, ::step])
    gray = cv.cvtColor(picture, cv.COLOR_RGB2GRAY)
    tones = _tones(histogram(gray))
    if not _few_tones(gray, tones):
        return None
    meant = [level for level, share in tones if share * 50 >= gray.size]
    ink, paper = min(meant), max(meant)
    if paper - ink < 90:
        return None
    return OwnInk(ink, paper) if _two_coloured(picture, gray, ink, paper) else None


def _few_tones(gray: Gray, tones: list[tuple[int, int]]) -> bool:
    shares = [share for _, share in tones]
    total, rest = gray.size, max(1, gray.size - max(shares))
    between = np.ones(256, np.uint8)
    for level, _ in tones:
        between[max(0, level - _NEAR - 3) : level + _NEAR + 4] = 0
    edges = cv.morphologyEx(gray, cv.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    soft = int(np.count_nonzero((between[gray] > 0) & (edges < _HARD_EDGE)))
    return (
        sum(shares) * 100 >= _IN_TONES * total
        and (sum(shares) - max(shares)) * 100 >= _BESIDE_THE_MAIN_TONE * rest
        and soft * 100 <= _SOFT * rest
    )


def _tones(counts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Find the four levels around which most pixels lie, and how many do."""
    left = counts.copy()
    tones = []
    for _ in range(_TONES):
        total = np.concatenate([[0], np.cumsum(np.pad(left, _NEAR))])
        around = total[2 * _NEAR + 1 :] - total[: -2 * _NEAR - 1]
        middle = int(np.argmax(around))
        near = slice(max(0, middle - _NEAR), middle + _NEAR + 1)
        tones.append((near.start + int(np.argmax(left[near])), int(around[middle])))
        left[near] = 0
    return tones


def _two_coloured(picture: NDArray[np.uint8], gray: Gray, ink: int, paper: int) -> bool:
    """Tell whether the colours lie on the line from ink to paper, as far as 95 of 100 pixels show."""
    share = np.clip((np.arange(256) - ink) * 256 // (paper - ink), 0, 256)
    off = np.zeros(gray.shape, np.bool_)
    for channel in cv.split(picture):
        at_ink, at_paper = (_typical(channel, gray, level) for level in (ink, paper))
        table = np.clip(at_ink + (at_paper - at_ink) * share // 256, 0, 255).astype(np.uint8)
        off |= cv.absdiff(channel, cv.LUT(gray, table)) > 30
    return int(np.count_nonzero(off)) * 20 < gray.size


def _typical(channel: Gray, gray: Gray, level: int) -> int:
    chosen = channel[(gray >= max(0, level - 6)) & (gray <= level + 6)]
    return int(np.sort(chosen)[chosen.size // 2]) if chosen.size else level
