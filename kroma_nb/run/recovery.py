"""Runs whose process is gone: found by their journals, their calls accounted for, and marked as interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.ledger import Ended
from kroma_nb.model.run import CallStarted, CandidateFinished, CandidateOutcome, Failure, RunFinished, now
from kroma_nb.model.words import CallState, CandidateStatus, RunStatus
from kroma_nb.run.calling import ended_of, started_of
from kroma_nb.run.happened import Happened
from kroma_nb.run.journal import read_events, reopen_journal
from kroma_nb.run.ledger import Ledger
from kroma_nb.run.originals import Originals
from kroma_nb.run.runlog import KILLED_FAILURE, killed_step, write_run_log

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.brief import Seeds
    from kroma_nb.model.ledger import Reserved
    from kroma_nb.model.plan import Plan
    from kroma_nb.model.runlog import CallRecord
    from kroma_nb.run.folder import RunFolder
    from kroma_nb.run.journal import Journal
    from kroma_nb.run.spend import Purse

UNKNOWN = "The process was killed while the call was under way: nobody knows whether it was billed."


def recover(folder: RunFolder, purse: Purse) -> bool:
    """Close a run whose process is gone; False where somebody else has done it meanwhile.

    Every call of it that has no end gets one: settled where its answer was kept, else in doubt.

    Raises
    ------
    InUse
        If a living process plays the run.
    RecordInvalid
        If its files are not what was written.
    WriteFailed
        If they cannot be written.
    """
    plan = folder.plan()
    with reopen_journal(folder.journal_path) as journal:
        happened = Happened().hear(read_events(folder.journal_path))
        if happened.started is None:
            return False
        if plan.card.paid:
            account_for(folder, purse, journal)
        happened = Happened().hear(read_events(folder.journal_path))
        for outcome in _in_doubt(plan, happened, _without_end(folder)):
            journal.append(CandidateFinished(at=now(), outcome=outcome))
        if happened.finished is None:
            step = killed_step(plan, happened)
            journal.append(RunFinished(at=now(), status=RunStatus.INTERRUPTED, next_step=step, failure=KILLED_FAILURE))
        journal.sync()
        write_run_log(folder, plan)
        return True


def account_for(folder: RunFolder, purse: Purse, journal: Journal) -> None:
    """Give every call of a run an end that has none, in the ledger and in the journal."""
    calls, ledger = _calls_of(folder), Ledger(folder.root)
    for call, ended in ledger.calls_of(folder.run_id):
        # One that was in doubt may have been asked after, and its answer kept, before the next kill.
        if ended is None or (ended.ended is CallState.IN_DOUBT and Originals(folder.root).receipt(call)):
            purse.end(end_of(folder.root, call))
    for call, ended in ledger.calls_of(folder.run_id):
        known = calls.get(call.call_id)
        if ended is not None and (known is None or known.ended is not ended.ended):
            # The ledger is written first: a kill may have come before the journal's line.
            if known is None:
                journal.append(started_of(call))
            failure = Failure(error_kind="provider", error_code=ended.error_code, message=ended.says)
            journal.append(ended_of(call, ended, failure if ended.error_code else None))


def is_unaccounted(folder: RunFolder) -> bool:
    """Tell whether a call of a run has no end, or another one in the ledger than in the journal.

    A disk that was full while an answer came leaves such a call, also in a run that has ended.

    Raises
    ------
    RecordInvalid
        If ledger or journal are not what was written.
    """
    if not folder.plan().card.paid:
        return False
    known = {call_id: call.ended for call_id, call in _calls_of(folder).items()}
    calls = Ledger(folder.root).calls_of(folder.run_id)
    return any(ended is None or known.get(call.call_id) is not ended.ended for call, ended in calls)


def _calls_of(folder: RunFolder) -> dict[str, CallRecord]:
    happened = Happened().hear(read_events(folder.journal_path))
    return {call.call_id: call for calls in happened.calls.values() for call in calls.values()}


def end_of(root: Path, call: Reserved) -> Ended:
    """Give what became of a call of a run that nobody plays: settled where its answer was kept, else in doubt."""
    receipt = Originals(root).receipt(call)
    if receipt is not None:
        return receipt.ended(now())
    doubt = CallState.IN_DOUBT
    return Ended(at=now(), call_id=call.call_id, ended=doubt, cost=call.upper, error_code=doubt.value, says=UNKNOWN)


def _without_end(folder: RunFolder) -> set[tuple[str, int]]:
    """Give the candidates that have not ended since their newest call, by the order of the lines: clocks jump."""
    open_ones = set()
    for event in read_events(folder.journal_path):
        if isinstance(event, CallStarted):
            open_ones.add((event.job_id, event.index))
        elif isinstance(event, CandidateFinished):
            open_ones.discard((event.outcome.job_id, event.outcome.index))
    return open_ones


def _in_doubt(plan: Plan, happened: Happened, without_end: set[tuple[str, int]]) -> list[CandidateOutcome]:
    """Give an end to every candidate whose newest call is in doubt and that has none since."""
    seeds: dict[tuple[str, int], Seeds] = {(job.id, c.index): c.seeds for job in plan.jobs for c in job.candidates}
    seeds |= {
        (job_id, c.index): c.seeds
        for job_id, added in happened.added.items()
        for more in added
        for c in more.candidates
    }
    found = []
    for (job_id, index), calls in happened.calls.items():
        last = list(calls.values())[-1]
        if last.ended is CallState.IN_DOUBT and (job_id, index) in without_end:
            failure = last.failure or Failure(error_kind="provider", error_code="in_doubt", message=UNKNOWN)
            found.append(
                CandidateOutcome(
                    job_id=job_id,
                    index=index,
                    status=CandidateStatus.IN_DOUBT,
                    seeds=seeds[job_id, index],
                    failure=failure,
                    started_at=last.started_at,
                    finished_at=now(),
                )
            )
    return found
