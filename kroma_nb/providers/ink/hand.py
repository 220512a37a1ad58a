"""From the seed of the style to one drawing hand: weight, threshold, hatching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.pixels import Plane, cv

if TYPE_CHECKING:
    from kroma_nb.model.brief import Hand, Span

_BASE_ANGLES_DEG = (-52.0, -44.0, 40.0)


def stream(seed: int, purpose: int) -> np.random.Generator:
    """Open a random stream of its own for one purpose; nothing global is touched.

    Parameters
    ----------
    seed : int
        One of the brief's seeds.
    purpose : int
        A constant of the calling module, so that two layers never share numbers.

    Examples
    --------
    >>> stream(7, 1).integers(1000) == stream(7, 1).integers(1000)
    np.True_
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, purpose])))


@dataclass(frozen=True)
class Grip:
    """One hand as a candidate draws with it.

    Attributes
    ----------
    line_weight : float
        Line width as a multiple of the engine's own.
    threshold : float, 0 to 1
        How readily a tone turns into ink.
    hatch_angle_deg : float
        Direction of the first hatching on flat areas, degrees from the horizontal.
    turn_deg : float
        Turn of the hatching against the form's own direction.
    hatch_density : float
        Strokes per length as a multiple of the engine's own.
    tones : int
        Flat values, paper and ink both counted.
    brush : float, 0 to 1
        How much of the bold brush shows beside the fine pen.
    evening : float, 0 to 1
        How much of the wide surroundings' lightness the eye takes off before it spots blacks.
    spotting : float, -1 to 1
        Whether the hand would rather spot blacks (1) or hatch (-1); it spends the same ink.
    seed : int
        Where the hand's own tremor comes from.
    """

    line_weight: float
    threshold: float
    hatch_angle_deg: float
    turn_deg: float
    hatch_density: float
    tones: int
    brush: float
    evening: float
    spotting: float
    seed: int


def take_hand(hand: Hand, seed: int) -> Grip:
    """Choose one hand out of the ranges.

    Parameters
    ----------
    hand : Hand
        The ranges that candidates share.
    seed : int
        The seed of the style.
    """
    rng = stream(seed, 1)

    def within(span: Span) -> float:
        return float(span.low + (span.high - span.low) * rng.random())

    weight, threshold = within(hand.line_weight), within(hand.threshold)
    turn, density = within(hand.hatch_angle_deg), within(hand.hatch_density)
    base = _BASE_ANGLES_DEG[int(rng.integers(len(_BASE_ANGLES_DEG)))]
    brush, evening = 0.58 + 0.28 * float(rng.random()), 0.22 + 0.18 * float(rng.random())
    return Grip(
        line_weight=weight,
        threshold=threshold,
        hatch_angle_deg=base + turn,
        turn_deg=turn,
        hatch_density=density,
        tones=hand.tones,
        brush=brush,
        evening=evening,
        spotting=2.0 * float(rng.random()) - 1.0,
        seed=seed,
    )


def wander(seed: int, purpose: int, cell_px: float, size: tuple[int, int]) -> Plane:
    """Give smooth noise, as a hand wanders.

    Parameters
    ----------
    seed, purpose : int
        See `stream`.
    cell_px : float, pixels
        Distance between the noise's own values.
    size : tuple of int
        Width and height in pixels.

    Returns
    -------
    float32 array, shape (height, width)
        Mostly -1 to 1, around 0.
    """
    width, height = (max(3, round(length / max(1.0, cell_px)) + 2) for length in size)
    cells = stream(seed, purpose).integers(0, 256, (height, width), dtype=np.uint8)
    coarse = cv.resize(cells, tuple(max(width, -(-s // 4)) for s in size), interpolation=cv.INTER_LINEAR)
    soft = cv.GaussianBlur(coarse, (0, 0), max(0.6, cell_px / 12.0))
    full = cv.resize(soft, size, interpolation=cv.INTER_LINEAR).astype(np.float32)
    return np.asarray((full - np.float32(127.5)) / np.float32(100.0), np.float32)
