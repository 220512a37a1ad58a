"""The paid calls for one picture: each reserved, sent, its answer kept, settled; nothing is written twice."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from kroma_nb.errors import AnswerLost, AnswerUnusable, InfraFailed, KromaError, ProviderFailed, WriteFailed
from kroma_nb.model.ledger import Ended, Reserved
from kroma_nb.model.money import NOTHING, Money
from kroma_nb.model.paid import PaidAnswer, PaidRequest, Repeats
from kroma_nb.model.run import CallEnded, CallStarted, Failure, now
from kroma_nb.model.words import CallState
from kroma_nb.run.answers import bounded, code_of, said_by, words
from kroma_nb.run.originals import Originals
from kroma_nb.run.spend import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from kroma_nb.model.ledger import Receipt
    from kroma_nb.model.paid import Attachment, PaidPainter
    from kroma_nb.model.run import Event
    from kroma_nb.model.words import Stage
    from kroma_nb.run.spend import Purse
    from kroma_nb.run.tasks import CandidateTask

ROOM_BYTES = 64_000_000
"""How much disk must be free before a call is made: an answer that cannot be kept was paid for nothing."""


@dataclass(frozen=True)
class Order:
    """One picture that is to be bought.

    Attributes
    ----------
    task : CandidateTask
        The candidate that it is for.
    stage : Stage
    key : str
        Hash of what is asked for.
    files : callable
        Reads what goes with the request: the scene, then the style references.
    upper : Money
        The most that a call costs.
    doubtful : Reserved or None
        The call for it that an earlier process did not see end, as the ledger has it.
    pay_again : bool
        Whether it is bought although it may have been billed before.
    """

    task: CandidateTask
    stage: Stage
    key: str
    files: Callable[[], tuple[Attachment, ...]]
    upper: Money
    doubtful: Reserved | None = None
    pay_again: bool = False


@dataclass(frozen=True)
class Counter:
    """What calls are made over: who answers, who pays, who writes it down, how long an answer may take.

    Attributes
    ----------
    began : callable
        Is told the order whose call has its money.
    """

    painter: PaidPainter
    purse: Purse
    record: Callable[[Event], None]
    timeout_s: float
    began: Callable[[Order], None]


class Calls:
    """The calls for one picture, one after the other.

    Attributes
    ----------
    leave : Money
        What a further call must leave of the run's limit for other pictures.
    in_doubt : bool
        Whether nobody knows what became of the newest call.
    """

    def __init__(self, counter: Counter, order: Order) -> None:
        self.counter, self.order, self.leave = counter, order, Money()
        # An earlier process may have made a call; what it put aside is put aside, at the price of that day.
        self._reserved = order.doubtful
        self.in_doubt = order.doubtful is not None
        self._files: tuple[Attachment, ...] = ()

    def make(self, attempt: int) -> Receipt:
        """Make a call, or find out what became of the one before.

        Raises
        ------
        ProviderFailed
            If it gave no picture; what that means for money is written.
        BudgetExceeded, InfraFailed
            If it was not made.
        """
        self._files = self._files or self.order.files()
        receipt = self._asked_for() if self._reserved is not None else None
        if receipt is None:
            if self._reserved is None:
                self._reserve(attempt)
            receipt = self._keep(self._sent())
        if not receipt.usable:
            raise AnswerUnusable(self.counter.painter.provider, receipt.says)
        return receipt

    def close(self, cause: BaseException) -> None:
        """Write that nobody knows what became of the newest call, where that is so and not written yet."""
        if self._reserved is None:
            return
        self.in_doubt = True
        # What cannot be written now is found by whoever opens the project next: the call has no end.
        with contextlib.suppress(InfraFailed):
            self._end(CallState.IN_DOUBT, cause)

    def _asked_for(self) -> Receipt | None:
        """Find out what became of a call in doubt, where the provider can be asked; None where it is still to be made.

        One that never arrived is released: what is sent now is another call, at today's price, with money of its own.
        """
        painter = self.counter.painter
        if painter.repeats is not Repeats.ASK:
            return None
        try:
            answer = painter.ask(self._request())
            bound = bounded(answer, painter.provider) if answer is not None else None
        except Exception as cause:
            said = cause.cause if isinstance(cause, ProviderFailed) else said_by(cause)
            raise AnswerLost(painter.provider, f"what became of the call is not known: {said}") from cause
        if bound is not None:
            return self._keep(bound)
        self.in_doubt = False
        assert self._reserved is not None
        never = ProviderFailed(painter.provider, "the call never arrived", "never_arrived")
        self._end(CallState.RELEASED, never, gives_back=self._reserved.upper)
        return None

    def _sent(self) -> PaidAnswer:
        painter, request = self.counter.painter, self._request()
        try:
            return bounded(painter.send(request), painter.provider)
        except AnswerUnusable as cause:
            return self._refused(cause)
        except AnswerLost:
            self.in_doubt = True
            raise
        except ProviderFailed as cause:
            if self.in_doubt:
                raise AnswerLost(painter.provider, f"what became of the call is not known: {cause.cause}") from cause
            self._end(CallState.RELEASED, cause)
            raise
        except BaseException as cause:
            # Somebody else's code has failed in the middle of a call, on a thread that nobody else has to stop.
            self.in_doubt = True
            raise AnswerLost(painter.provider, said_by(cause)) from cause

    def _refused(self, cause: AnswerUnusable) -> PaidAnswer:
        """Keep what a provider has billed for and its own adapter could not use."""
        data = cause.data if isinstance(cause.data, bytes) else b""
        self._keep(PaidAnswer(data, request_id=words(cause.request_id)), says=self._told(cause))
        raise cause

    def _request(self) -> PaidRequest:
        assert self._reserved is not None
        scene, *references = self._files
        return PaidRequest(
            call_id=self._reserved.call_id,
            brief=self.order.task.brief,
            scene=scene,
            references=tuple(references),
            timeout_s=self.counter.timeout_s,
        )

    def _reserve(self, attempt: int) -> None:
        self._refuse_full_disk()
        call = self._reservation(attempt, uuid4().hex)
        self.counter.purse.reserve(call, leave=self.leave, pay_again=self.order.pay_again)
        self._reserved = call
        self.counter.began(self.order)
        try:
            self.counter.record(started_of(call))
        except KromaError as cause:
            # The journal cannot say that it was made, so it is not.
            self._reserved = None
            self.counter.purse.end(Ended(at=now(), call_id=call.call_id, ended=CallState.RELEASED, says=str(cause)))
            raise

    def _refuse_full_disk(self) -> None:
        root = self.order.task.folder.root
        if shutil.disk_usage(root).free < ROOM_BYTES:
            raise WriteFailed(root, f"less than {ROOM_BYTES // 1_000_000} MB are free, so nothing is paid for")

    def _reservation(self, attempt: int, call_id: str) -> Reserved:
        task = self.order.task
        return Reserved(
            at=now(),
            call_id=call_id,
            run_id=task.folder.run_id,
            job_id=task.job_id,
            candidate=task.index,
            attempt=attempt,
            stage=self.order.stage,
            provider=task.engine.provider,
            model=task.engine.model,
            key=self.order.key,
            upper=self.order.upper,
        )

    def _keep(self, answer: PaidAnswer, *, says: str = "") -> Receipt:
        assert self._reserved is not None
        call, task = self._reserved, self.order.task
        receipt = Originals(task.folder.root).keep(
            call, answer, version=task.engine.version, price=call.upper, says=says
        )
        self.in_doubt = False
        self._write(receipt.ended(now()), AnswerUnusable(call.provider, receipt.says) if not receipt.usable else None)
        return receipt

    def _end(self, end: CallState, cause: BaseException, *, gives_back: Money = NOTHING) -> None:
        assert self._reserved is not None
        ended = Ended(
            at=now(),
            call_id=self._reserved.call_id,
            ended=end,
            cost=self._reserved.upper if end is CallState.IN_DOUBT else Money(),
            request_id=words(getattr(cause, "request_id", "")),
            error_code=code_of(cause),
            says=self._told(cause),
        )
        self._write(ended, cause, gives_back)

    def _write(self, ended: Ended, cause: BaseException | None, gives_back: Money = NOTHING) -> None:
        """Write what became of the call: into the ledger first, then into the journal."""
        assert self._reserved is not None
        call, self._reserved = self._reserved, None
        self.counter.purse.end(ended, gives_back=gives_back)
        failure = None
        if cause is not None:
            kind = getattr(cause, "error_kind", "unknown")
            failure = Failure(error_kind=kind, error_code=code_of(cause), message=self._told(cause))
        self.counter.record(ended_of(call, ended, failure))

    def _told(self, cause: BaseException) -> str:
        if isinstance(cause, KromaError):
            return self.order.task.folder.told(cause)
        if isinstance(cause, Stopped):
            return "The run was stopped before it was known what became of the call."
        return said_by(cause)


def started_of(call: Reserved) -> CallStarted:
    """Give the event that says that a reserved call is about to be made."""
    return CallStarted(
        at=call.at,
        call_id=call.call_id,
        job_id=call.job_id,
        index=call.candidate,
        attempt=call.attempt,
        provider=call.provider,
        model=call.model,
        upper=call.upper,
    )


def ended_of(call: Reserved, ended: Ended, failure: Failure | None) -> CallEnded:
    """Give the event that says what became of a call."""
    return CallEnded(
        at=ended.at,
        call_id=call.call_id,
        job_id=call.job_id,
        index=call.candidate,
        ended=ended.ended,
        cost=ended.cost,
        failure=failure,
        request_id=ended.request_id,
        answered_by=ended.answered_by,
        usage=ended.usage,
        original=ended.original,
    )
