"""What measures mean: the thresholds of the soft warnings, and the quality score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.quality import SoftWarning

if TYPE_CHECKING:
    from kroma_nb.model.quality import Measures

SOFT_BELOW = 0.40
CLIPPED_ABOVE = 0.05
NOISY_ABOVE = 12.0
LOW_CONTRAST_BELOW = 0.25

TIE_TOLERANCE = 0.025
"""Scores that lie closer than this cannot be told apart: of the changes to a picture that nobody sees (recompressed,
shifted, mirrored, cropped or scaled by a little, one level of flicker) nineteen of twenty move its score by less."""


def technical_warnings(measures: Measures) -> tuple[SoftWarning, ...]:
    """Name the technical faults of a picture, in a fixed order; a blank one has none to speak of."""
    if measures.blank:
        return ()
    faults = {
        SoftWarning.SOFT_FOCUS: measures.sharpness < SOFT_BELOW,
        SoftWarning.CLIPPED: measures.clipping > CLIPPED_ABOVE,
        SoftWarning.NOISY: measures.noise > NOISY_ABOVE,
        SoftWarning.LOW_CONTRAST: measures.contrast < LOW_CONTRAST_BELOW,
    }
    return tuple(warning for warning, found in faults.items() if found)


def quality(measures: Measures) -> float:
    """Give a picture's score: the product of what sharpness, clipping, noise and contrast leave of 1, and fidelity.

    ==========  =====  =======  =====
    factor         at  can be   fault
                    0  seen at   less
    ==========  =====  =======  =====
    sharpness    0.05     0.65      1
    clipping      0.5    0.025      0
    noise          40        4      0
    contrast        0      0.5      1
    ==========  =====  =======  =====

    Each factor rises evenly from 0 to 0.95 at the value from which on a reader no longer sees a fault, and on to 1 at
    the best value: faults weigh heavily, and yet faultless candidates are not all alike. Where the scene is known, what
    the page keeps of its structure (`fidelity`) is a factor as it stands. Colourfulness has no part.

    Returns
    -------
    float, 0 to 1
        Rounded to 4 decimals; 0 for a blank picture.

    Examples
    --------
    >>> from kroma_nb.model.quality import Measures
    >>> page = Measures(width=8, height=8, channels=1, sharpness=0.35, clipping=0.0, noise=0.0, contrast=1.0,
    ...                 ink=0.2, drawn=0.5, blank=False)
    >>> quality(page)
    0.475
    """
    if measures.blank:
        return 0.0
    crisp = _share(measures.sharpness, none=0.05, seen=0.65, best=1.0)
    whole = _share(measures.clipping, none=0.5, seen=0.025, best=0.0)
    clean = _share(measures.noise, none=40.0, seen=4.0, best=0.0)
    rich = _share(measures.contrast, none=0.0, seen=0.5, best=1.0)
    kept = 1.0 if measures.fidelity is None else measures.fidelity
    return round(crisp * whole * clean * rich * kept, 4)


def _share(value: float, *, none: float, seen: float, best: float) -> float:
    faulty = (value - none) / (seen - none)
    fine = (value - seen) / (best - seen)
    return 0.95 * min(1.0, max(0.0, faulty)) + 0.05 * min(1.0, max(0.0, fine))
