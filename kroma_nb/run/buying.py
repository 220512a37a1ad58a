"""The paid pass: a picture is taken up where it was bought before, else bought, with as many tries as are allowed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from kroma_nb.errors import (
    AnswerLost,
    AnswerUnusable,
    BudgetExceeded,
    CallInDoubt,
    CallUnderWay,
    KromaError,
    ProviderBusy,
)
from kroma_nb.model.paid import Repeats
from kroma_nb.model.words import CandidateStatus
from kroma_nb.run.answers import wait_of
from kroma_nb.run.calling import Calls, Counter
from kroma_nb.run.originals import Originals
from kroma_nb.run.spend import Pace, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from threading import Event as Flag

    from kroma_nb.errors import ProviderFailed
    from kroma_nb.model.ledger import BoughtPicture, Receipt
    from kroma_nb.model.limits import CallLimits
    from kroma_nb.model.paid import PaidPainter
    from kroma_nb.model.run import Event
    from kroma_nb.run.calling import Order
    from kroma_nb.run.spend import Purse


LOOK_S = 0.2
"""How often it is looked whether another process has got what this one waits for."""


@dataclass(frozen=True)
class Bought:
    """What was bought, and whether that was for another candidate or another run."""

    picture: BoughtPicture
    before: bool


@dataclass(frozen=True)
class Unbought:
    """Why a picture was not bought, and what its candidate is therefore."""

    status: CandidateStatus
    cause: KromaError | None


@dataclass(frozen=True)
class Till:
    """What a run pays with.

    Attributes
    ----------
    painter : PaidPainter
    purse : Purse
    limits : CallLimits
    """

    painter: PaidPainter
    purse: Purse
    limits: CallLimits


class Buyer:
    """Buys the pictures of one run, a few at a time.

    Parameters
    ----------
    till : Till
    record : callable
        Writes an event into the journal, until the disk has it.
    waiting : callable
        Gives how many pictures were not handed out yet.
    stop : threading.Event
    """

    def __init__(self, till: Till, record: Callable[[Event], None], waiting: Callable[[], int], stop: Flag) -> None:
        self.till, self._waiting = till, waiting
        self._pace = Pace(till.limits, stop)
        self._one_at_a_time: dict[str, Lock] = {}
        self._unpaid: set[tuple[str, int]] = set()
        self._counter = Counter(till.painter, till.purse, record, till.limits.timeout_s, self._began)
        self._threads = ThreadPoolExecutor(till.limits.concurrency, thread_name_prefix="kroma-paid")

    def submit(self, order: Order) -> Future[Bought | Unbought]:
        """Buy a picture on a thread of this process."""
        self._unpaid.add(_name_of(order))
        return self._threads.submit(self.buy, order)

    def close(self) -> None:
        """Let what is under way come to its end."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def buy(self, order: Order) -> Bought | Unbought:
        """Buy a picture, unless it was bought before."""
        # Two scenes may be the same photograph: the second one waits for what the first one gets.
        try:
            with self._one_at_a_time.setdefault(order.key, Lock()):
                return self._bought_alone(order)
        finally:
            self._began(order)

    def _bought_alone(self, order: Order) -> Bought | Unbought:
        """Buy a picture that another process may be buying: then what that one gets is waited for."""
        until = monotonic() + self.till.limits.timeout_s
        while True:
            got = self._bought(order)
            other = isinstance(got, Unbought) and type(got.cause) is CallUnderWay
            if not other or monotonic() > until or self._pace.stopped_within(LOOK_S):
                return got
            # Only a call that is made anew meets another one: what an earlier process had made was ended before.
            order = replace(order, doubtful=None)

    def _bought(self, order: Order) -> Bought | Unbought:
        try:
            known = Originals(order.task.folder.root).bought(order.key)
        except KromaError as cause:
            return Unbought(CandidateStatus.FAILED_PROVIDER, cause)
        if known is not None:
            return Bought(known.picture, before=True)
        calls = Calls(self._counter, order)
        try:
            return Bought(self._tried(calls).picture, before=False)
        except (KromaError, Stopped) as cause:
            calls.close(cause)
            return Unbought(_end_of(cause, calls), cause if isinstance(cause, KromaError) else None)
        except BaseException as cause:
            # Whatever has gone wrong, no call stays without an end.
            calls.close(cause)
            raise

    def _tried(self, calls: Calls) -> Receipt:
        before: ProviderFailed | None = None
        for attempt in range(1, self.till.limits.tries + 1):
            try:
                self._pace.turn()
                return calls.make(attempt)
            except BudgetExceeded:
                if before is None:
                    raise
                # What is left is for the other pictures; this one ends as its first call did.
                raise before from None
            except (ProviderBusy, AnswerUnusable, AnswerLost) as cause:
                before = cause
                if attempt == self.till.limits.tries or not self._may_repeat(cause, calls):
                    raise
                retry_after_s = wait_of(cause.retry_after_s) if isinstance(cause, ProviderBusy) else None
                if not self._pace.back_off(attempt, retry_after_s):
                    raise
        raise AssertionError("a provider is tried at least once")

    def _may_repeat(self, cause: ProviderFailed, calls: Calls) -> bool:
        if isinstance(cause, AnswerUnusable):
            # It was billed: another call must leave enough for every picture that has had none yet.
            calls.leave = calls.order.upper * (self._waiting() + len(self._unpaid))
            return True
        return isinstance(cause, ProviderBusy) or self.till.painter.repeats is not Repeats.NOTHING

    def _began(self, order: Order) -> None:
        self._unpaid.discard(_name_of(order))


def _name_of(order: Order) -> tuple[str, int]:
    return order.task.job_id, order.task.index


def _end_of(cause: KromaError | Stopped, calls: Calls) -> CandidateStatus:
    """Say how a candidate ends whose picture was not bought."""
    if calls.in_doubt or isinstance(cause, CallInDoubt):
        return CandidateStatus.IN_DOUBT
    if isinstance(cause, BudgetExceeded):
        return CandidateStatus.SKIPPED_BUDGET
    return CandidateStatus.CANCELED if isinstance(cause, Stopped) else CandidateStatus.FAILED_PROVIDER
