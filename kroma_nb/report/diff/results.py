"""What came out of a job in either run: who won, and what was measured of the winner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.diff import Section, Unknown
from kroma_nb.report.diff.found import OPEN, compared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.model.runlog import CandidateRecord
    from kroma_nb.report.diff.found import Found, Told
    from kroma_nb.report.diff.pairing import Pair

# How many decimals a run log keeps of a measure; what differs by less was never stored.
DECIMALS = 4
_FINER = {"drawn": 6}


def of_results(pair: Pair) -> Iterator[Found]:
    """Compare the winners of a job and their measures."""
    old, new = pair.before.job, pair.after.job
    won = {"candidate": old.selected_candidate}, {"candidate": new.selected_candidate}
    yield from compared(Section.WINNERS, *won, jobs=pair.named)
    if old.winner is None or new.winner is None:
        return
    yield from compared(Section.WINNERS, _picture(old.winner), _picture(new.winner), jobs=pair.named)
    yield from _measures(pair, old.winner, new.winner)


def _picture(winner: CandidateRecord) -> dict[str, Told]:
    return {"picture": winner.final.sha256 if winner.final else OPEN}


def _measures(pair: Pair, old: CandidateRecord, new: CandidateRecord) -> Iterator[Found]:
    one, other = _measured(old), _measured(new)
    if one is None or other is None:
        yield Unknown(section=Section.METRICS, field="measures", before=one is None, after=other is None)
    else:
        yield from compared(Section.METRICS, one, other, jobs=pair.named)
    yield from compared(Section.METRICS, _said(old), _said(new), jobs=pair.named)


def _said(winner: CandidateRecord) -> dict[str, Told]:
    guard = winner.output_guard
    if guard is None:
        return {"chroma_delta": OPEN, "warnings": OPEN}
    chroma = OPEN if guard.chroma_delta is None else round(guard.chroma_delta, DECIMALS)
    warnings = ", ".join(warning.value for warning in guard.soft_warnings)
    return {"chroma_delta": chroma, "warnings": warnings or None}


def _measured(winner: CandidateRecord) -> dict[str, Told] | None:
    measures = winner.output_guard.measures if winner.output_guard else None
    if measures is None:
        return None
    found: dict[str, Told] = {"quality": winner.rank.quality}
    found |= {name: OPEN if value is None else value for name, value in measures}
    return {name: _rounded(name, told) for name, told in found.items()}


def _rounded(name: str, told: Told) -> Told:
    return round(told, _FINER.get(name, DECIMALS)) if isinstance(told, float) else told
