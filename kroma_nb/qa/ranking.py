"""How the candidates of one job stand to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.quality import Rank
from kroma_nb.qa.score import TIE_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kroma_nb.model.quality import FileReport, GuardSettings


def rank_candidates(reports: Mapping[int, FileReport], settings: GuardSettings) -> dict[int, Rank]:
    """Order candidates by soft warnings, then by quality, then by index; hard failures stand outside.

    Where the settings judge colourfulness, the mean excess over the threshold comes between warnings and quality.
    Where they do not, it is reported and compared with nothing, so that the greyest candidate has no advantage.

    Parameters
    ----------
    reports : mapping of int to FileReport
        The guard's word on each candidate, by candidate index.
    settings : GuardSettings
        Those that the reports were made with.

    Returns
    -------
    dict of int to Rank
        In the order of the indexes. `tied_with` names those that differ from a candidate by a quality that cannot be
        told apart and by nothing else; it holds both ways, but need not chain.

    Examples
    --------
    >>> from kroma_nb.model.quality import FileReport, GuardSettings
    >>> reports = {1: FileReport(file="a", quality=0.5), 2: FileReport(file="b", quality=0.9)}
    >>> [rank.position for rank in rank_candidates(reports, GuardSettings()).values()]
    [2, 1]
    """
    ranks = {index: _unplaced(report, settings) for index, report in sorted(reports.items())}
    eligible = {index: rank for index, rank in ranks.items() if rank.hard_failures == 0}

    def order(index: int) -> tuple[int, float, float, int]:
        rank = eligible[index]
        return (*_before_quality(rank, settings), -rank.quality, index)

    for position, index in enumerate(sorted(eligible, key=order), start=1):
        tied = tuple(
            other for other, rank in eligible.items() if other != index and _too_close(rank, eligible[index], settings)
        )
        ranks[index] = eligible[index].model_copy(update={"position": position, "tied_with": tied})
    return ranks


def _unplaced(report: FileReport, settings: GuardSettings) -> Rank:
    excess = 0.0 if report.chroma_delta is None else max(0.0, report.chroma_delta - settings.max_chroma_delta)
    return Rank(
        hard_failures=len(report.hard_fail_reasons),
        soft_warnings=len(report.soft_warnings),
        avg_chroma_exceed=round(excess, 4),
        quality=report.quality,
    )


def _before_quality(rank: Rank, settings: GuardSettings) -> tuple[int, float]:
    return rank.soft_warnings, rank.avg_chroma_exceed if settings.judge_chroma else 0.0


def _too_close(one: Rank, other: Rank, settings: GuardSettings) -> bool:
    same = _before_quality(one, settings) == _before_quality(other, settings)
    # Scores have four decimals; their difference must not depend on how it was rounded.
    return same and round(abs(one.quality - other.quality), 4) <= TIE_TOLERANCE
