"""What the events of a journal say, sorted by job and candidate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kroma_nb.model.money import Money
from kroma_nb.model.run import (
    CallEnded,
    CallStarted,
    CandidateFinished,
    CandidateOutcome,
    CandidatesAdded,
    InputStored,
    JobFinished,
    RunFinished,
    RunResumed,
    RunStarted,
    StyleStudied,
)
from kroma_nb.model.runlog import CallRecord, InputRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kroma_nb.model.brief import Palette
    from kroma_nb.model.run import Event


@dataclass
class Happened:
    """What events say.

    Attributes
    ----------
    started, resumed, finished
        The run's own events: its beginning, each time that it went on, its end.
    studied : dict
        What was read off style references, by their sha256, in order.
    paths : dict
        Path in the project of each stored input, by sha256.
    outcomes : dict
        By job and candidate, how each turn of it ended, in order.
    added : dict
        By job, the attempts that were added to it.
    calls : dict
        By job and candidate, its paid calls by their id.
    ended : dict
        By job, its newest end; none where a candidate of it has ended since.
    """

    started: RunStarted | None = None
    resumed: list[RunResumed] = field(default_factory=list)
    finished: RunFinished | None = None
    studied: dict[tuple[str, ...], Palette | None] = field(default_factory=dict)
    inputs: list[InputRecord] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, dict[int, list[CandidateOutcome]]] = field(default_factory=dict)
    added: dict[str, list[CandidatesAdded]] = field(default_factory=dict)
    calls: dict[tuple[str, int], dict[str, CallRecord]] = field(default_factory=dict)
    ended: dict[str, JobFinished] = field(default_factory=dict)

    def hear(self, events: Iterable[Event]) -> Happened:
        """Take in more events, in order."""
        for event in events:
            self._hear(event)
        return self

    def _hear(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.started = event
            case RunResumed():
                self.resumed.append(event)
                self.finished = None
            case RunFinished():
                self.finished = event
            case InputStored():
                self.inputs.append(_input_record(event))
                self.paths[event.file.sha256] = event.file.path
            case StyleStudied():
                self.studied.setdefault(event.references, event.palette)
            case _:
                self._hear_of_a_job(event)

    def _hear_of_a_job(self, event: Event) -> None:
        match event:
            case CandidateFinished(outcome=outcome):
                # By the order of the lines: clocks jump.
                self.ended.pop(outcome.job_id, None)
                self.outcomes.setdefault(outcome.job_id, {}).setdefault(outcome.index, []).append(outcome)
            case CandidatesAdded():
                self.added.setdefault(event.job_id, []).append(event)
            case CallStarted() | CallEnded():
                calls = self.calls.setdefault((event.job_id, event.index), {})
                call = call_record(event, calls.get(event.call_id))
                if call is not None:
                    calls[event.call_id] = call
            case JobFinished():
                self.ended[event.job_id] = event

    @property
    def spent(self) -> Money:
        """What the calls are charged with."""
        every = (call for calls in self.calls.values() for call in calls.values())
        return sum((call.cost if call.ended else call.upper for call in every), Money())


def _input_record(event: InputStored) -> InputRecord:
    return InputRecord(
        ref=event.ref, file=event.file, media_type=event.media_type, width=event.width, height=event.height
    )


def call_record(event: CallStarted | CallEnded, before: CallRecord | None) -> CallRecord | None:
    """Give what is known of a call after one more event; None where it ends without having begun."""
    if isinstance(event, CallStarted):
        return CallRecord(call_id=event.call_id, attempt=event.attempt, started_at=event.at, upper=event.upper)
    if before is None:
        return None
    said = {name: getattr(event, name) for name in _SAID}
    return before.model_copy(update=said | {"ended_at": event.at})


_SAID = ("ended", "cost", "request_id", "answered_by", "usage", "original", "failure")
