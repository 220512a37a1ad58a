"""What a paid cut-out is asked for, and what its provider's account says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kroma_nb.model.paid import Attachment, PaidAnswer, Repeats

LARGEST_ANSWER_BYTES = 64_000_000
"""How much of an answer is read: the engine looks into no larger file as a picture."""


@dataclass(frozen=True)
class AccountState:
    """What a provider says of the account that a key belongs to, for nothing.

    Attributes
    ----------
    provider : str
    left : float or None
        How many of its units can still be bought with; None where it does not say.
    unit : str
        What it counts, such as ``credits``.
    plan : str
        Its name for the subscription; empty where it does not say.
    """

    provider: str
    left: float | None
    unit: str
    plan: str = ""

    def __str__(self) -> str:
        left = "an unknown number of" if self.left is None else f"{self.left:g}"
        plan = f" (plan {self.plan})" if self.plan else ""
        return f"{self.provider}{plan}: {left} {self.unit} left"


class PaidCutter(Protocol):
    """A provider that bills for lifting a figure off its background.

    It is frozen and picklable, is called from several threads of one process, and makes one call where it is asked for
    one: it never repeats. It never leaves the driver, and asks for its key when it makes a call.
    """

    @property
    def provider(self) -> str:
        """The provider's name in the catalog, and its word in `CutoutBackend`."""

    @property
    def model(self) -> str:
        """The model's name in the catalog."""

    @property
    def version(self) -> str:
        """Changes whenever the same picture would be asked for in other words."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that an answer depends on beside the picture and the version, in JSON types."""

    @property
    def repeats(self) -> Repeats:
        """What it offers to whoever does not know whether a call has arrived; never `Repeats.ASK`."""

    def send(self, call_id: str, picture: Attachment, timeout_s: float) -> PaidAnswer:
        """Make one call.

        Parameters
        ----------
        call_id : str
            32 hex digits; the same for every try at one bill.
        picture : Attachment
            The picture whose figure is wanted.
        timeout_s : float, seconds
            How long an answer may take.

        Returns
        -------
        PaidAnswer
            Its bytes are a picture's file that can hold alpha, as it was sent.

        Raises
        ------
        ProviderBusy
            It was not billed, and may be tried again: no connection, a rate limit, the provider is down.
        ProviderFailed
            It was not billed, and trying again would not help: a wrong key, no credits, no figure in the picture.
        AnswerLost
            It was sent, and nobody knows what became of it.
        AnswerUnusable
            It was billed, and what came is no picture.
        """

    def check(self, timeout_s: float) -> AccountState:
        """Ask about the account, which costs nothing and makes no picture.

        Raises
        ------
        ProviderBusy
            If it cannot be reached now.
        ProviderFailed
            If it does not take the key.
        """
