"""Integer statistics of planes: percentiles, levels and connected regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.pixels import Gray, cv

if TYPE_CHECKING:
    from numpy.typing import NDArray


def histogram(plane: Gray) -> NDArray[np.int64]:
    """Count the levels of a plane, exactly.

    Parameters
    ----------
    plane : uint8 array, shape (H, W)
        At most 16 million pixels.

    Returns
    -------
    int64 array, shape (256,)
    """
    # OpenCV counts in float32, which is exact up to 2**24 pixels.
    counted = cv.calcHist([np.ascontiguousarray(plane).reshape(-1, 1)], [0], None, [256], [0, 256])
    return np.asarray(counted.ravel(), np.int64)


def level_at(counts: NDArray[np.int64], fraction: float) -> int:
    """Give the lowest level that at least this fraction of pixels does not exceed.

    Examples
    --------
    >>> level_at(histogram(np.arange(256, dtype=np.uint8).reshape(16, 16)), 0.5)
    127
    """
    total = int(counts.sum())
    wanted = max(1, -(-int(fraction * 1_000_000) * total // 1_000_000))
    return int(np.searchsorted(np.cumsum(counts), min(wanted, total)))


def share_below(counts: NDArray[np.int64], level: int) -> float:
    """Give the fraction of pixels below a level."""
    return int(counts[: max(0, level)].sum()) / max(1, int(counts.sum()))


def split_at(counts: NDArray[np.int64], fraction: float) -> int:
    """Give the level below which the share of pixels comes nearest to a fraction.

    Examples
    --------
    >>> split_at(np.array([60, 0, 40] + [0] * 253), 0.5)
    1
    """
    level = level_at(counts, fraction)
    below, above = share_below(counts, level), share_below(counts, level + 1)
    return level + 1 if above - fraction <= fraction - below else level


def drop_small(mask: Gray, area_px: float, sure: NDArray[np.bool_] | None = None) -> Gray:
    """Clear the regions of a mask that are small, or not so small but nowhere sure.

    Parameters
    ----------
    mask : uint8 array, shape (H, W)
        Nonzero inside.
    area_px : float, square pixels
        Smaller regions go.
    sure : bool array, shape (H, W), optional
        A region of less than five times the area stays only if a tenth of the area is sure.

    Returns
    -------
    uint8 array, shape (H, W)
        255 inside, 0 outside.
    """
    count, labels, stats, _ = cv.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[:, cv.CC_STAT_AREA]
    meant = areas >= area_px
    if sure is not None:
        meant &= (areas >= 5.0 * area_px) | (np.bincount(labels[sure], minlength=count) * 10 >= area_px)
    meant[0] = False
    keep = np.where(meant, 255, 0).astype(np.uint8)
    return np.asarray(keep[labels], np.uint8)


def clean_shapes(field: Gray, level: int, area_px: float, margin: int) -> Gray:
    """Cut what is darker than a level, without crumbs and pinholes that are small or hardly there.

    Parameters
    ----------
    field : uint8 array, shape (H, W)
    level : int
        Below it is inside.
    area_px : float, square pixels
        See `drop_small`.
    margin : int, levels
        How far beyond the level a small region has to reach to be meant.

    Returns
    -------
    uint8 array, shape (H, W)
        255 inside, 0 outside.
    """
    mask = np.where(field < level, np.uint8(255), np.uint8(0))
    kept = drop_small(mask, area_px, field < level - margin)
    holes = drop_small(cv.bitwise_not(kept), area_px, field > level + margin)
    return np.asarray(cv.bitwise_not(holes), np.uint8)


def smooth_threshold(field: Gray, level: int, page: tuple[int, int]) -> Gray:
    """Threshold a field at twice the page's size and average down: an edge without steps.

    Parameters
    ----------
    field : uint8 array, shape (H, W)
        A smooth field on the working plane.
    level : int
        Above it is ink.
    page : tuple of int
        Width and height of the page in pixels.

    Returns
    -------
    uint8 array, shape (page height, page width)
        Coverage, 0-255.
    """
    double = (page[0] * 2, page[1] * 2)
    # Linear, because a cubic would overshoot where specks were taken out and draw their ghosts.
    large = cv.resize(field, double, interpolation=cv.INTER_LINEAR)
    _, hard = cv.threshold(large, level, 255, cv.THRESH_BINARY)
    return np.asarray(cv.resize(hard, page, interpolation=cv.INTER_AREA), np.uint8)
