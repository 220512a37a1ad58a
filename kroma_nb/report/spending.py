"""What was paid, taken from before, tried again and cut short, as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.money import Money
from kroma_nb.model.words import CallState, CandidateStatus
from kroma_nb.report import phrases

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kroma_nb.model.run import CandidateOutcome
    from kroma_nb.model.runlog import CallRecord, CandidateRecord, RunLog

REUSED, RESUME = "made before", "`kroma resume`"
NOT_KNOWN = frozenset({None, CallState.OPEN, CallState.IN_DOUBT})
"""How a call stands of which nobody knows whether it was billed."""
CALL = {
    None: "has no end yet",
    CallState.OPEN: "has no end yet",
    CallState.SETTLED: "paid",
    CallState.RELEASED: "not billed",
    CallState.IN_DOUBT: "in doubt",
}
_CUT_SHORT_BY = {
    "validation": "by its input",
    "policy": "by a rule",
    "provider": "by the engine",
    "infra": "by this machine",
}
_THEN = {
    "validation": "Correct what it names",
    "policy": "Confirm it, or raise the limit that it names",
    "provider": "Check the engine's key and account, or wait until it serves again",
    "infra": "Look at the disk and at the machine's own log",
}
_TIMES = {1: "once", 2: "twice"}


def charged(amounts: Iterable[Money]) -> Money:
    """Add amounts up."""
    return sum(amounts, Money())


def calls_of(log: RunLog) -> list[CallRecord]:
    """Give every paid call of a run's candidates."""
    return [call for job in log.jobs for candidate in job.candidates for call in candidate.calls]


def spent(log: RunLog) -> str:
    """Say what a run has cost of what was confirmed, and in how many calls; empty where it could cost nothing."""
    calls = calls_of(log)
    if log.spend_limit is None and not (log.spent or calls):
        return ""
    # While a candidate is under way, its calls are charged before its record names them.
    whole = log.spent == charged(call.cost if call.ended else call.upper for call in calls)
    counted = f", in {phrases.counted(len(calls), 'call')}" if calls and whole else ""
    limit = f" of the {log.spend_limit} that was confirmed" if log.spend_limit is not None else ""
    return f"{log.spent}{limit}{counted}{_held(calls)}"


def _held(calls: list[CallRecord]) -> str:
    held = [call for call in calls if call.ended in NOT_KNOWN]
    amount = charged(call.upper for call in held)
    return f"; {amount} of it for {phrases.counted(len(held), 'call')} in doubt" if held else ""


def reused(log: RunLog) -> str:
    """Say how many pictures were taken from what was made before; empty where none was."""
    drawn = [candidate for job in log.jobs for candidate in job.candidates if candidate.passes]
    taken = sum(candidate.reused for candidate in drawn)
    if not taken:
        return ""
    if taken < len(drawn):
        return f"{taken:,} of {phrases.counted(len(drawn), 'picture')} taken from what was made before"
    return "the picture was made before" if taken == 1 else f"all {taken:,} pictures taken from what was made before"


def resumed(log: RunLog) -> str:
    """Say how often a run went on; empty where it went through at once."""
    times = _TIMES.get(log.resumed, f"{log.resumed} times")
    return f"{times}, after it had ended or was cut short" if log.resumed else ""


def cut_short(log: RunLog) -> str:
    """Say what has cut a run short, with its code, and what a person does about it; empty where nothing has."""
    failure = log.failure
    if failure is None:
        return ""
    if failure.error_kind not in _THEN:
        return f"by a mistake of kroma_nb ({failure.error_code}): {phrases.sentence(failure.message)} Please report it."
    by, then = _CUT_SHORT_BY[failure.error_kind], _THEN[failure.error_kind]
    then += "" if RESUME in next_step(log) else f"; then give {RESUME}"
    return f"{by} ({failure.error_code}): {phrases.sentence(failure.message)} {then}."


def next_step(log: RunLog) -> str:
    """Say how to go on with a run; empty where nothing is left, or where what has cut it short says it already."""
    said = log.failure is not None and log.failure.message == log.next_step
    return "" if said else log.next_step


def told(log: RunLog) -> Iterator[str]:
    """Give all of that as whole sentences, for those that have something to say."""
    heads = {"Spent: ": spent(log), "": reused(log), "It went on ": resumed(log), "Cut short ": cut_short(log)}
    for head, text in heads.items():
        if text:
            yield phrases.sentence(f"{head}{text}")
    if step := next_step(log):
        yield step


def cost(candidate: CandidateRecord) -> str:
    """Say what a candidate's calls are charged with; empty where there was none."""
    if not candidate.calls:
        return ""
    return str(candidate.spent) if len(candidate.calls) == 1 else f"{candidate.spent} in {len(candidate.calls)} calls"


def in_short(candidate: CandidateRecord) -> tuple[str, ...]:
    """Give in a few words whether a candidate was made before, for which it was added, and what it has cost."""
    retried = f"retry of c{candidate.retry_of}" if candidate.retry_of is not None else ""
    return tuple(filter(None, (REUSED if candidate.reused else "", retried, cost(candidate))))


def doubtful(candidate: CandidateRecord) -> CallRecord | None:
    """Give the call that a candidate is in doubt about."""
    held = [call for call in candidate.calls if call.ended in NOT_KNOWN]
    return held[-1] if held and candidate.status is CandidateStatus.IN_DOUBT else None


def doubt(call: CallRecord) -> str:
    """Say what is not known of a call, and by which name the provider's account may list it."""
    return (
        f"nobody knows whether call {call.request_id or call.call_id} of {phrases.moment(call.started_at)} was billed. "
        f"{call.upper} stays charged for it; look for it in the provider's account."
    )


def added(candidate: CandidateRecord) -> str:
    """Say why a candidate stands beside those that were planned; empty for one of these."""
    return f"added to do better than c{candidate.retry_of}" if candidate.retry_of is not None else ""


def call_words(call: CallRecord) -> str:
    """Say what became of a call."""
    paid = f", {call.cost}" if call.cost else ""
    amount = f", {call.upper} stays charged" if call.ended in NOT_KNOWN else paid
    why = f": {call.failure.message}" if call.failure else ""
    return phrases.sentence(f"try {call.attempt}, {CALL[call.ended]}{amount}{why}")


def attempt_words(outcome: CandidateOutcome) -> str:
    """Say how an earlier turn of a candidate ended."""
    why = f": {outcome.failure.message}" if outcome.failure else ""
    return phrases.sentence(f"{phrases.CANDIDATE_STATUS[outcome.status]}{why}")
