"""Lanczos-3 in float64 as it is defined, one new pixel after the other: what enlarged pictures are held against."""

from __future__ import annotations

import math

import numpy as np


def weights(length: int, scale: int) -> np.ndarray:
    """Give the weight of each source pixel (column) in each new one (row); taps outside the picture are dropped."""
    found = np.zeros((scale * length, length))
    for new, row in enumerate(found):
        middle = (new + 0.5) / scale - 0.5
        near = range(max(0, math.floor(middle) - 3), min(length, math.floor(middle) + 5))
        taps = [kernel(old - middle) for old in near]
        row[near] = np.array(taps) / math.fsum(taps)
    return found


def kernel(x: float) -> float:
    if abs(x) >= 3:
        return 0.0
    if x == 0:
        return 1.0
    return 3 * math.sin(math.pi * x) * math.sin(math.pi * x / 3) / (math.pi * x) ** 2


def unrounded(picture: np.ndarray, scale: int) -> np.ndarray:
    """Enlarge planes that hold any numbers, shape (H, W) or (H, W, channels)."""
    down, right = weights(picture.shape[0], scale), weights(picture.shape[1], scale)
    return np.einsum("yi,xj,ij...->yx...", down, right, picture.astype(np.float64), optimize=True)


def levels(numbers: np.ndarray) -> np.ndarray:
    """Clamp, and round half up."""
    return np.floor(np.clip(numbers, 0, 255) + 0.5).astype(np.int64)


def enlarged(picture: np.ndarray, scale: int) -> np.ndarray:
    """Enlarge a picture; colours are 0 where alpha is rounded to 0."""
    if picture.shape[2:] != (4,):
        return levels(unrounded(picture, scale))
    alpha = unrounded(picture[..., 3], scale)
    covered = unrounded(picture[..., :3] * (picture[..., 3:] / 255.0), scale)
    shown = levels(alpha) > 0
    straight = np.where(shown, 255.0 / np.where(shown, alpha, 1.0), 0.0)[..., None] * covered
    return np.dstack([levels(straight), levels(alpha)])


def farthest(found: np.ndarray, expected: np.ndarray) -> int:
    """Give the greatest distance in levels; colours count where both pictures show a pixel."""
    away = np.abs(found.astype(np.int64) - expected)
    if away.ndim == 3 and away.shape[2] == 4:
        away[..., :3] *= ((found[..., 3:] > 0) & (expected[..., 3:] > 0)).astype(np.int64)
    return int(away.max())
