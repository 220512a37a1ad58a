"""One picture's measures turned into the guard's word on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb.images import checked
from kroma_nb.model.invariants import Strictness
from kroma_nb.model.quality import FileReport, HardReason, SoftWarning
from kroma_nb.qa.chroma import chroma_delta
from kroma_nb.qa.fidelity import fidelity
from kroma_nb.qa.score import quality, technical_warnings
from kroma_nb.qa.technical import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kroma_nb.images import Picture
    from kroma_nb.model.brief import Size
    from kroma_nb.model.invariants import Invariant, InvariantSettings
    from kroma_nb.model.quality import GuardSettings, Measures


@dataclass(frozen=True)
class Findings:
    """All that is measured of a picture, before any setting judges it.

    Attributes
    ----------
    chroma_delta : float, levels 0-255
        Unrounded.
    measures : Measures
    """

    chroma_delta: float
    measures: Measures


def examine(
    picture: Picture,
    settings: GuardSettings,
    *,
    name: str,
    expect_size: Size | None = None,
    scene: Picture | None = None,
) -> FileReport:
    """Measure a picture in memory and say what is wrong with it.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255, straight alpha. Pixels with alpha 0 do not count.
    settings : GuardSettings
    name : str
        What the report calls the picture.
    expect_size : Size or None
        The size that was asked for; another one is a hard reason.
    scene : array as above, any size, or None
        What the picture was drawn from; with it, `measures.fidelity` is known and counts in the score.

    Returns
    -------
    FileReport
        With `chroma_delta` rounded to 4 decimals; it is judged unrounded.

    Raises
    ------
    ValueError
        If the array is no picture.

    Examples
    --------
    >>> import numpy as np
    >>> from kroma_nb.model.quality import GuardSettings
    >>> examine(np.full((64, 64, 3), 255, np.uint8), GuardSettings(), name="page.png").hard_fail_reasons
    (<HardReason.BLANK: 'blank'>,)
    """
    return judge(find(picture, scene), settings, name=name, expect_size=expect_size)


def find(picture: Picture, scene: Picture | None = None, *, page: Picture | None = None) -> Findings:
    """Measure a picture, and against its scene where that is known: by the page that it was made of, where given."""
    picture = checked(picture)
    measures = measure(picture)
    if scene is not None:
        drawn = picture if page is None else checked(page)
        measures = measures.model_copy(update={"fidelity": fidelity(drawn, checked(scene))})
    return Findings(chroma_delta(picture), measures)


def judge(findings: Findings, settings: GuardSettings, *, name: str, expect_size: Size | None = None) -> FileReport:
    """Say what is wrong with a measured picture."""
    hard, soft = _of_colour(findings.chroma_delta, settings)
    measures = findings.measures
    if measures.blank:
        hard.append(HardReason.BLANK)
    if expect_size is not None and (measures.width, measures.height) != (expect_size.width, expect_size.height):
        hard.append(HardReason.WRONG_SIZE)
    return FileReport(
        file=name,
        chroma_delta=round(findings.chroma_delta, 4),
        grayscale_like=findings.chroma_delta <= settings.max_chroma_delta,
        hard_fail_reasons=tuple(hard),
        soft_warnings=(*soft, *technical_warnings(measures)),
        measures=measures,
        quality=quality(measures),
    )


def with_invariants(report: FileReport, found: Sequence[Invariant], settings: InvariantSettings) -> FileReport:
    """Add to the guard's word that something does not hold that must hold after the picture's passes."""
    hard, soft = (bool(settings.broken(found, one)) for one in (Strictness.HARD, Strictness.SOFT))
    return report.model_copy(
        update={
            "hard_fail_reasons": (*report.hard_fail_reasons, *[HardReason.INVARIANT_BROKEN] * hard),
            "soft_warnings": (*report.soft_warnings, *[SoftWarning.INVARIANT_BROKEN] * soft),
        }
    )


def _of_colour(delta: float, settings: GuardSettings) -> tuple[list[HardReason], list[SoftWarning]]:
    hard: list[HardReason] = []
    soft: list[SoftWarning] = []
    if delta <= settings.max_chroma_delta:
        return hard, soft
    if settings.enforce_grayscale:
        hard.append(HardReason.NOT_GRAYSCALE_LIKE)
    if settings.fail_on_chroma_exceed:
        hard.append(HardReason.CHROMA_EXCEEDS_THRESHOLD)
    elif settings.judge_chroma:
        soft.append(SoftWarning.CHROMA_EXCEEDS_THRESHOLD)
    return hard, soft
