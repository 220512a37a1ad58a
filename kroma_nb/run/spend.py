"""The spend gate as the engine sees it: a purse that money is put aside in before a call is made."""

from __future__ import annotations

import random
from threading import Event as Flag
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from kroma_nb.model.money import NOTHING, Money

if TYPE_CHECKING:
    from kroma_nb.model.ledger import Ended, Reserved
    from kroma_nb.model.limits import CallLimits


class Purse(Protocol):
    """What a run may spend; every process of a machine that works in a project shares the project's limits."""

    def reserve(self, call: Reserved, *, leave: Money, pay_again: bool = False) -> None:
        """Put the upper price of a call aside, on the disk itself; only then may it be made.

        Parameters
        ----------
        call : Reserved
        leave : Money
            What must be left of the run's limit for other pictures.
        pay_again : bool
            Whether it is made although nobody knows whether an earlier call for the same picture was billed.

        Raises
        ------
        CallUnderWay, CallInDoubt
            If another call for the same picture is under way, or in doubt; then nothing is put aside.
        BudgetExceeded
            If it would pass a limit; then nothing is put aside.
        InfraFailed
            If it cannot be written; then nothing is put aside either.
        """

    def end(self, ended: Ended, *, gives_back: Money = NOTHING) -> None:
        """Write what became of a call.

        Parameters
        ----------
        ended : Ended
        gives_back : Money
            What the run's limit is lowered by: what an earlier process had put aside for a call that never arrived.

        Raises
        ------
        WriteFailed
            If the disk refuses; the call then stays charged with its upper price.
        """


class Stopped(Exception):
    """The run is to stop before the next call is made."""

    error_kind = "interrupted"
    error_code = "stopped"


class Pace:
    """How fast calls to one provider follow each other in this process."""

    def __init__(self, limits: CallLimits, stop: Flag) -> None:
        self.limits, self._stop = limits, stop
        self._gap_s = 60.0 / limits.per_minute
        self._next_at = 0.0
        self._one_at_a_time = Lock()

    def turn(self) -> None:
        """Wait until another call may begin.

        Raises
        ------
        Stopped
            If the run is to stop meanwhile.
        """
        with self._one_at_a_time:
            at = max(self._next_at, monotonic())
            self._next_at = at + self._gap_s
        self._wait(at - monotonic())

    def back_off(self, attempt: int, retry_after_s: float | None) -> bool:
        """Wait before another try, as long as the provider asks or else twice as long as before, scattered.

        Returns
        -------
        bool
            False, at once, where the provider asks for more than the longest wait.

        References
        ----------
        M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: "equal jitter".
        """
        longest = self.limits.longest_wait_s
        if retry_after_s is not None and retry_after_s > longest:
            return False
        usual = min(longest, self.limits.backoff_s * 2 ** (attempt - 1))
        scattered = usual * random.uniform(0.5, 1.0)  # noqa: S311 - no secret hangs on it
        self._wait(max(scattered, retry_after_s or 0.0))
        return True

    def stopped_within(self, seconds: float) -> bool:
        """Wait, and tell whether the run is to stop."""
        return self._stop.wait(seconds)

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(max(0.0, seconds)):
            raise Stopped
