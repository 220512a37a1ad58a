"""What a run has left, shown: each candidate with the reason, what the rest would cost, and what is in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb import report
from kroma_nb.model.left import LeftRow
from kroma_nb.model.money import Money
from kroma_nb.model.words import CallState, CandidateStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kroma_nb.model.money import Forecast
    from kroma_nb.run import Rest
    from kroma_nb.run.playing import Turn

COLUMNS = ("scene", "job", "candidate", "so far", "call", "why")
NOT_KNOWN = frozenset({None, CallState.IN_DOUBT})
SHOWN = 40
"""How many candidates the table has at most."""


def left_rows(rest: Rest) -> tuple[LeftRow, ...]:
    """Give every candidate that has no good result: first what is to be made, then what stays in doubt."""
    to_make = [_row(rest, turn, in_doubt=False) for turn in rest.turns]
    return (*to_make, *(_row(rest, turn, in_doubt=True) for turn in rest.in_doubt))


def _row(rest: Rest, turn: Turn, *, in_doubt: bool) -> LeftRow:
    happened, place = rest.happened, (turn.job.id, turn.candidate.index)
    ends = happened.outcomes.get(turn.job.id, {}).get(turn.candidate.index, [])
    last = ends[-1] if ends else None
    calls = [call for call in happened.calls.get(place, {}).values() if call.ended in NOT_KNOWN]
    call = calls[-1] if calls else None
    doubtful = call is not None or (last is not None and last.status is CandidateStatus.IN_DOUBT)
    return LeftRow(
        job=turn.job.id,
        scene=turn.job.name,
        candidate=turn.candidate.index,
        status=last.status if last else None,
        says=last.failure.message if last and last.failure else "",
        in_doubt=in_doubt,
        call_id=call.call_id if call else "",
        again=turn.pay_again and doubtful,
        request_id=call.request_id if call else "",
        held_micro_usd=call.upper.micro_usd if call else 0,
    )


def left_view(rest: Rest, forecast: Forecast) -> report.View:
    """Show what a run has left."""
    rows, making = left_rows(rest), len(rest.turns)
    notes = [*_costing(forecast), *_held(rows)]
    if len(rows) > SHOWN:
        notes.insert(0, f"… and {len(rows) - SHOWN:,} more.")
    run_id = rest.happened.started.run_id if rest.happened.started else ""
    title = f"Run {run_id}: {report.counted(making, 'picture')} to make" if making else f"Nothing to make in {run_id}"
    shown = tuple(_cells(row) for row in rows[:SHOWN])
    return report.View(title, COLUMNS if shown else (), shown, tuple(notes))


def _cells(row: LeftRow) -> tuple[str, ...]:
    so_far = row.status.value.replace("_", " ") if row.status else "not made"
    call = row.request_id or row.call_id
    return row.scene, row.job, f"c{row.candidate}", so_far, call, row.says


def _costing(forecast: Forecast) -> list[str]:
    low, high = forecast.cost_low, forecast.cost_high
    if not forecast.paid_pictures:
        return []
    amount = str(high) if low == high else f"{low} to {high}"
    bought = f" {forecast.already_paid} of them are bought already." if forecast.already_paid else ""
    return [f"That would cost {amount}, prices of {forecast.prices_as_of}.{bought}"]


def _held(rows: Sequence[LeftRow]) -> list[str]:
    notes = []
    again = [row for row in rows if row.again]
    if again:
        pictures = report.counted(len(again), "picture")
        notes.append(f"Of these {pictures} may have been billed already, and would be bought again.")
    asked = [row for row in rows if row.call_id and not (row.in_doubt or row.again)]
    if asked:
        calls = report.counted(len(asked), "call")
        notes.append(f"The provider is first asked what became of {calls}, which costs nothing beyond what is charged.")
    doubtful = [row for row in rows if row.in_doubt]
    if doubtful:
        held = sum((Money(micro_usd=row.held_micro_usd) for row in doubtful), Money())
        pictures = report.counted(len(doubtful), "picture")
        notes.append(
            f"In doubt: {pictures}, for which {held} stays charged. Nobody knows whether the calls above were billed: "
            "look for them in the provider's account. They are bought again only with --pay-again."
        )
    return notes
