"""From a colour picture to the flattened lightness that everything else is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.levels import histogram, level_at
from kroma_nb.providers.ink.pixels import Gray, cv

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Weights of red, green, blue out of 256: a little more red than luma has, as a film that is kind to faces.
_FILM = (92, 136, 28)


@dataclass(frozen=True)
class Flattened:
    """The lightness of a scene, evenly lit and flattened.

    Attributes
    ----------
    fine : uint8 array, shape (H, W)
        Lightness with the noise taken off, for lines.
    broad : uint8 array, shape (H, W)
        Lightness flattened into regions, for tones.
    tint : uint8 array, shape (H // 8, W // 8, 2)
        The colour without its lightness: a and b of CIE L*a*b*, 128 is neutral.
    contrast : int, levels
        Distance of the scene's own darkest and lightest hundredths, seen from afar, where noise does not count.
    grain : int, levels
        How far half of the pixels lie from their neighbours' middle, in quarter levels.
    """

    fine: Gray
    broad: Gray
    tint: Gray
    contrast: int
    grain: int


def flatten(picture: NDArray[np.uint8], unit: float) -> Flattened:
    """Flatten a picture: film response, levels, noise, regions.

    Parameters
    ----------
    picture : uint8 array, shape (H, W, 3)
        sRGB levels 0-255.
    unit : float, pixels
        The length unit of the working plane.

    References
    ----------
    C. Tomasi, R. Manduchi: Bilateral filtering for gray and color images. ICCV 1998.
    """
    gray = cv.transform(picture, np.array([_FILM], np.float32) / 256.0)
    grain = _grain(gray)
    levelled, stretch = _level(gray)
    noise = min(40.0, grain * 0.25 * stretch)
    fine = cv.bilateralFilter(levelled, 7, 12.0 + 3.0 * noise, 1.6 * unit + 0.4)
    if grain > 12:
        fine = cv.bilateralFilter(cv.medianBlur(fine, 3), 7, 16.0 + 3.0 * noise, 2.0 * unit)
    half = (max(4, gray.shape[1] // 2), max(4, gray.shape[0] // 2))
    broad = cv.medianBlur(cv.resize(fine, half, interpolation=cv.INTER_AREA), 3)
    for _ in range(3):
        broad = cv.bilateralFilter(broad, 9, 20.0 + 2.0 * noise, 3.0 * unit)
    broad = cv.resize(broad, (gray.shape[1], gray.shape[0]), interpolation=cv.INTER_LINEAR)
    return Flattened(np.asarray(fine, np.uint8), np.asarray(broad, np.uint8), _tint(picture), _contrast(gray), grain)


def _tint(picture: NDArray[np.uint8]) -> Gray:
    size = (max(4, picture.shape[1] // 8), max(4, picture.shape[0] // 8))
    small = cv.resize(picture, size, interpolation=cv.INTER_AREA)
    return np.ascontiguousarray(cv.cvtColor(small, cv.COLOR_RGB2LAB)[:, :, 1:])


def _contrast(gray: Gray) -> int:
    size = (max(2, gray.shape[1] // 8), max(2, gray.shape[0] // 8))
    counts = histogram(cv.resize(gray, size, interpolation=cv.INTER_AREA))
    return level_at(counts, 0.99) - level_at(counts, 0.01)


def _level(gray: Gray) -> tuple[Gray, float]:
    """Spread the levels and lift the middle, so that a dark scene is drawn like a light one."""
    counts = histogram(gray)
    low, high, middle = (level_at(counts, f) for f in (0.01, 0.99, 0.5))
    contrast = high - low
    # A span below 64 levels is not stretched to the full range: flat stays flat.
    span = max(contrast, 64)
    relative = min(0.7, max(0.12, (middle - low) / span)) if contrast else 0.5
    gamma = min(1.25, max(0.5, float(np.log(0.46) / np.log(relative))))
    ramp = np.clip((np.arange(256) - low) / span, 0.0, 1.0) ** gamma
    shift = 0 if contrast >= 64 else (255 - 255 * contrast // span) // 2
    table = np.clip(np.rint(ramp * 255.0) + shift, 0, 255).astype(np.uint8)
    return np.asarray(cv.LUT(gray, table), np.uint8), 255.0 / span


def _grain(gray: Gray) -> int:
    """Measure noise as the median distance from the 3 x 3 median, in quarter levels."""
    part = gray[: gray.shape[0] // 2 * 2 : 2, : gray.shape[1] // 2 * 2 : 2]
    off = cv.absdiff(gray, cv.blur(gray, (3, 3)))[: part.shape[0] * 2 : 2, : part.shape[1] * 2 : 2]
    counts = histogram(np.ascontiguousarray(off))
    median = level_at(counts, 0.5)
    below = int(counts[:median].sum())
    inside = max(1, int(counts[median]))
    return median * 4 + min(3, max(0, (off.size // 2 - below) * 4 // inside)) if median else 0
