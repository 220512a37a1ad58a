"""The candidates of a run on their way: bought where they are paid for, made by an executor, a window at a time."""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import replace
from threading import Event as Flag
from typing import TYPE_CHECKING, Any

from kroma_nb.errors import FileMissing, WorkersLost
from kroma_nb.model.paid import Attachment
from kroma_nb.model.run import CandidateOutcome, CandidateStarted, Failure, now
from kroma_nb.model.words import CandidateStatus
from kroma_nb.run.buying import Bought, Buyer, Unbought
from kroma_nb.run.calling import Order
from kroma_nb.run.kept import read_kept
from kroma_nb.run.originals import paid_key
from kroma_nb.run.playing import style_of
from kroma_nb.run.tasks import failure_of, make_candidate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.model.run import Event
    from kroma_nb.run.journal import Journal
    from kroma_nb.run.playing import Playing, Turn
    from kroma_nb.run.tasks import CandidateTask

IN_FLIGHT = 64
"""How many tasks are handed to an executor ahead of time; a waiting task holds no pixels."""


NEVER_BOUGHT = Failure(
    error_kind="provider", error_code="not_bought", message="The run that this one makes again has not bought it."
)


class Line:
    """The candidates on their way, a window at a time; what happens is journalled before it is told.

    Attributes
    ----------
    broken : str
        What the executor said when it broke; else empty.
    """

    def __init__(self, run: Playing, crew: Executor, journal: Journal, stop: Flag | None) -> None:
        self.run, self.crew, self.journal = run, crew, journal
        self._stop, self._halt = stop, Flag()
        self._waiting = deque(run.turns)
        self._under_way: dict[Future[Any], tuple[Turn, CandidateTask]] = {}
        self._news: deque[Event] = deque()
        self._taken_back = 0
        self.broken = ""
        till = run.equipment.till
        self._buyer = Buyer(till, self._note_at_once, lambda: len(self._waiting), self._halt) if till else None

    @property
    def stopping(self) -> bool:
        """Whether nothing new may be started."""
        return bool(self.broken) or (self._stop is not None and self._stop.is_set())

    def is_cut_short(self) -> bool:
        """Tell, once nothing is under way, whether candidates were left unmade."""
        return bool(self.broken or self._taken_back or self._waiting)

    def work(self) -> Iterator[Event]:
        """Hand out candidates and yield what becomes of them."""
        while self._fill():
            yield from self._tell()
            # The time limit lets a stop be seen while a long candidate is being made.
            done, _ = wait(self._under_way, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                self._settle(future)
        yield from self.drain()

    def drain(self) -> Iterator[Event]:
        """Let what has begun come to its end, take back the rest, and yield the outcomes."""
        # Whoever waits before another call stops waiting; a call that is under way comes to its end.
        self._halt.set()
        self._taken_back += sum(future.cancel() for future in self._under_way)
        while self._under_way:
            # What was taken back first, then what comes; a picture that was bought meanwhile is still finished.
            ended = sorted(self._under_way, key=lambda future: not future.cancelled())
            self._settle(ended[0])
        if self._buyer is not None:
            self._buyer.close()
        yield from self._tell()

    def _tell(self) -> Iterator[Event]:
        while self._news:
            yield self._news.popleft()

    def _note(self, event: Event) -> None:
        self.journal.append(event)
        self._news.append(event)

    def _note_at_once(self, event: Event) -> None:
        self._note(event)
        self.journal.sync()

    def _fill(self) -> bool:
        """Hand out as many candidates as the window takes; tell whether to wait for them."""
        while self._waiting and len(self._under_way) < IN_FLIGHT and not self.stopping:
            self._hand_out(self._waiting.popleft())
        return bool(self._under_way) and not self.stopping

    def _hand_out(self, turn: Turn) -> None:
        task = self.run.task(turn)
        if turn.original is not None:
            task = replace(task, bought=turn.original, bought_before=True)
        started = CandidateStarted(at=now(), job_id=turn.job.id, index=turn.candidate.index)
        if self.run.plan.card.paid and task.bought is None and self._buyer is None:
            self._note_lost(turn, task)
        elif self.run.plan.card.paid and task.bought is None:
            assert self._buyer is not None
            self._note(started)
            self._under_way[self._buyer.submit(self._order(turn, task))] = turn, task
        elif self._make(turn, task):
            self._note(started)
        else:
            self._waiting.appendleft(turn)

    def _note_lost(self, turn: Turn, task: CandidateTask) -> None:
        """Book a picture of a replay, which buys nothing, that was never bought, or whose original is gone."""
        if turn.was_bought:
            gone = FileMissing(task.folder.root / "originals", turn.job.id, "what was bought for it is not there")
            unmade = _unmade(task, CandidateStatus.FAILED_PROVIDER, failure_of(gone, task.folder))
        else:
            unmade = _unmade(task, CandidateStatus.CANCELED, NEVER_BOUGHT)
        for event in self.run.settle(turn.job, unmade):
            self._note(event)

    def _make(self, turn: Turn, task: CandidateTask) -> bool:
        try:
            self._under_way[self.crew.submit(make_candidate, task)] = turn, task
        except (BrokenExecutor, RuntimeError) as cause:
            self.broken = f"The executor takes no more work ({cause})."
            return False
        return True

    def _order(self, turn: Turn, task: CandidateTask) -> Order:
        job, upper = turn.job, self.run.plan.card.upper_price
        assert upper is not None

        def files() -> tuple[Attachment, ...]:
            root = self.run.folder.root
            named = [("scene", job.scene), *((f"reference_{n}", file) for n, file in enumerate(job.references, 1))]
            return tuple(
                Attachment(name, file.media_type, read_kept(root, self.run.stored(file), file.ref))
                for name, file in named
            )

        key = paid_key(task.engine, task.brief, job.scene.sha256, style_of(job))
        return Order(task, self.run.plan.stage, key, files, upper, turn.doubtful, turn.pay_again)

    def _settle(self, future: Future[Any]) -> None:
        turn, task = self._under_way.pop(future)
        got = _result_of(future, task)
        if isinstance(got, Bought):
            task = replace(task, bought=got.picture, bought_before=got.before)
            if self._make(turn, task):
                return
            got = _lost(task, self.broken)
        if isinstance(got, Unbought):
            self._taken_back += got.status is CandidateStatus.CANCELED
            failure = failure_of(got.cause, task.folder) if got.cause else None
            got = _unmade(task, got.status, failure)
        for event in self.run.settle(turn.job, got):
            self._note(event)


def _result_of(future: Future[Any], task: CandidateTask) -> CandidateOutcome | Bought | Unbought:
    if future.cancelled():
        return _unmade(task, CandidateStatus.CANCELED, None)
    cause = future.exception()
    if cause is None:
        result: CandidateOutcome | Bought | Unbought = future.result()
        return result
    said = f"{type(cause).__name__}: {cause}"
    if isinstance(cause, BrokenExecutor):
        return _lost(task, said)
    failure = Failure(error_kind="unknown", error_code="bug", message=said)
    return _unmade(task, CandidateStatus.FAILED_PROVIDER, failure)


def _lost(task: CandidateTask, said: str) -> CandidateOutcome:
    return _unmade(task, CandidateStatus.FAILED_PROVIDER, failure_of(WorkersLost(said), task.folder))


def _unmade(task: CandidateTask, status: CandidateStatus, failure: Failure | None) -> CandidateOutcome:
    moment = now()
    return CandidateOutcome(
        job_id=task.job_id,
        index=task.index,
        status=status,
        seeds=task.brief.seeds,
        failure=failure,
        started_at=moment,
        finished_at=moment,
    )
