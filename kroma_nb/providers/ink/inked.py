"""Is the scene itself an inked page? Then its own ink is the line layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.levels import histogram
from kroma_nb.providers.ink.pixels import Gray, cv

if TYPE_CHECKING:
    from numpy.typing import NDArray


_NEAR = 26  # levels around the two peaks that count as paper and ink


def own_ink(picture: NDArray[np.uint8]) -> Gray | None:
    """Read the ink off an inked page.

    A page is inked if nearly all of its pixels lie around few levels, the lightest of which (paper) and the
    darkest (ink) stand far apart, hardly anything lies between, and what colour there is leads from ink to paper.

    Parameters
    ----------
    picture : uint8 array, shape (H, W, 3)
        sRGB levels 0-255.

    Returns
    -------
    uint8 array, shape (H, W), or None
        Ink, 0-255; None for a photograph.
    """
    gray = cv.cvtColor(picture, cv.COLOR_RGB2GRAY)
    counts = histogram(gray)
    total = int(counts.sum())
    ink = int(np.argmax(counts[:128]))
    paper = 128 + int(np.argmax(counts[128:]))
    if paper - ink < 90 or not _two_coloured(picture, gray, ink, paper):
        return None
    dark, light = _around(counts, ink), _around(counts, paper)
    washes = _flat_share(gray, ink, paper)
    inked = dark * 100 >= 2 * total and dark * 100 <= 92 * total and light * 100 >= 5 * total
    if not inked or (dark + light + washes) * 100 < 90 * total:
        return None
    table = np.clip((paper - np.arange(256)) * 255 // (paper - ink), 0, 255).astype(np.uint8)
    return np.asarray(cv.LUT(gray, table), np.uint8)


def _around(counts: NDArray[np.int64], level: int) -> int:
    return int(counts[max(0, level - _NEAR) : level + _NEAR + 1].sum())


def _flat_share(gray: Gray, ink: int, paper: int) -> int:
    """Count the pixels of flat washes: between paper and ink, and equal to all their neighbours."""
    between = (gray > ink + _NEAR) & (gray < paper - _NEAR)
    flat = cv.subtract(cv.dilate(gray, None), cv.erode(gray, None)) <= 3
    return int(np.count_nonzero(between & flat))


def _two_coloured(picture: NDArray[np.uint8], gray: Gray, ink: int, paper: int) -> bool:
    """Tell whether the colours lie on the line from ink to paper, as far as 95 of 100 pixels show."""
    channels = cv.split(picture)
    share = np.clip((np.arange(256) - ink) * 256 // (paper - ink), 0, 256)
    off = np.zeros(gray.shape, bool)
    for channel in channels:
        at_ink, at_paper = (_typical(channel, gray, level) for level in (ink, paper))
        table = np.clip(at_ink + (at_paper - at_ink) * share // 256, 0, 255).astype(np.uint8)
        off |= cv.absdiff(channel, cv.LUT(gray, table)) > 30
    return int(np.count_nonzero(off)) * 20 < gray.size


def _typical(channel: Gray, gray: Gray, level: int) -> int:
    chosen = channel[(gray >= max(0, level - 6)) & (gray <= level + 6)]
    return int(np.sort(chosen)[chosen.size // 2])
