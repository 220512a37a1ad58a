"""The leaves of the exception tree that engines and spending have; `kroma_nb.errors` draws it."""

from __future__ import annotations

from kroma_nb.errors.leaves import PolicyRefused
from kroma_nb.errors.root import KromaError


class ProviderFailed(KromaError):
    """An engine did not deliver a usable picture, and trying again would not help; nothing was billed.

    Parameters
    ----------
    provider, cause : str
    code : str
        The provider's own word for it, where it has one.
    request_id : str
        The provider's name for the call, where it gave one: it finds the call in its account.
    """

    error_kind = "provider"
    error_code = "provider_failed"
    exit_code = 4

    def __init__(self, provider: str, cause: str, code: str = "", request_id: str = "") -> None:
        super().__init__(provider, cause, code, request_id)
        self.provider, self.cause, self.code, self.request_id = provider, cause, code, request_id
        if code:
            self.error_code = code

    def __str__(self) -> str:
        return f"{self.provider}: {self.cause.rstrip('.')}."


class ProviderBusy(ProviderFailed):
    """A provider cannot be reached or will not serve just now; nothing was billed, and it may be tried again.

    Parameters
    ----------
    retry_after_s : float or None, seconds
        How long the provider asks to wait.
    """

    error_code = "provider_busy"

    def __init__(
        self, provider: str, cause: str, code: str = "", retry_after_s: float | None = None, request_id: str = ""
    ) -> None:
        super().__init__(provider, cause, code, request_id)
        self.args = (provider, cause, code, retry_after_s, request_id)
        self.retry_after_s = retry_after_s


class AnswerLost(ProviderFailed):
    """A request was sent, and nobody knows what became of it: it may have been billed."""

    error_code = "in_doubt"


class AnswerUnusable(ProviderFailed):
    """A provider answered, and billed, and what it sent is no picture.

    Attributes
    ----------
    data : bytes
        What it sent; it is kept.
    """

    error_code = "answer_unusable"

    def __init__(self, provider: str, cause: str, code: str = "", data: bytes = b"", request_id: str = "") -> None:
        super().__init__(provider, cause, code, request_id)
        self.args = (provider, cause, code, data, request_id)
        self.data = data


class SpendNotConfirmed(PolicyRefused):
    """Paid pictures were asked for without ``confirm_spend``.

    Parameters
    ----------
    pictures : int
    cost : Money
        The most that they would cost.
    """

    error_code = "spend_confirmation_required"

    def __init__(self, pictures: int, cost: object) -> None:
        super().__init__(pictures, cost)
        self.pictures, self.cost = pictures, cost

    def __str__(self) -> str:
        things = "1 picture" if self.pictures == 1 else f"{self.pictures} pictures"
        return f"{things} would cost up to {self.cost}; confirm it with confirm_spend=True, or --confirm-spend."


class BudgetExceeded(PolicyRefused):
    """A paid call would pass a limit; it was not made.

    Parameters
    ----------
    limit : str
        Which one, such as ``the project's budget for 2026-11``.
    allowed, charged, asked : Money
        The limit, what is charged against it so far, and the most that the call costs.
    """

    error_code = "budget_exceeded"

    def __init__(self, limit: str, allowed: object, charged: object, asked: object) -> None:
        super().__init__(limit, allowed, charged, asked)
        self.limit, self.allowed, self.charged, self.asked = limit, allowed, charged, asked

    def __str__(self) -> str:
        return (
            f"{self.limit} is {self.allowed}, of which {self.charged} is charged; "
            f"a call for up to {self.asked} was not made. Raise that limit and resume the run."
        )


class CallUnderWay(PolicyRefused):
    """Another call asks for the same picture at this moment; a second one would be a second bill.

    Parameters
    ----------
    call_id, run_id : str
        The other call, and the run that makes it.
    """

    error_code = "call_under_way"

    def __init__(self, call_id: str, run_id: str) -> None:
        super().__init__(call_id, run_id)
        self.call_id, self.run_id = call_id, run_id

    def __str__(self) -> str:
        return (
            f"run {self.run_id} buys the same picture at this moment (call {self.call_id}); "
            "resume this run when that one has ended, and nothing is bought twice."
        )


class CallInDoubt(CallUnderWay):
    """Nobody knows whether an earlier call for the same picture was billed, and nobody has said to pay again."""

    error_code = "call_in_doubt"

    def __str__(self) -> str:
        return (
            f"of call {self.call_id} in run {self.run_id}, for the same picture, nobody knows whether it was billed; "
            "look for it in the provider's account, and resume with pay_again=True, or --pay-again, to buy it again."
        )
