"""What a paid provider is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kroma_nb.model.brief import Brief
    from kroma_nb.model.money import Money


class Repeats(StrEnum):
    """What a provider offers to whoever does not know whether a call has arrived."""

    NOTHING = "nothing"
    """A second call is a second bill."""
    KEY = "key"
    """A call that is sent again under its id is answered again and billed once."""
    ASK = "ask"
    """It can be asked what became of a call."""


@dataclass(frozen=True)
class Attachment:
    """A picture that goes with a request, as the bytes of its file.

    Attributes
    ----------
    name : str
        A file name that says nothing of the user's folders.
    media_type : str
        By content.
    """

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class PaidRequest:
    """One call.

    Attributes
    ----------
    call_id : str
        32 hex digits; the same for every try at one bill, and the idempotency key where a provider takes one.
    brief : Brief
    scene : Attachment
    references : tuple of Attachment
        Style references, in order.
    timeout_s : float, seconds
        How long an answer may take.
    """

    call_id: str
    brief: Brief
    scene: Attachment
    references: tuple[Attachment, ...]
    timeout_s: float


@dataclass(frozen=True)
class PaidAnswer:
    """What came back.

    Attributes
    ----------
    data : bytes
        The file as it was sent; nobody has looked into it yet.
    request_id, answered_by : str
        The provider's name for the call, and the model that it says has answered.
    usage : dict
        What it says that it used, in JSON types.
    cost : Money or None
        What it says that it charged, or what its count of tokens comes to; None where it says neither.
    notes : tuple of str
        What the artist should know, as whole sentences.
    """

    data: bytes = field(repr=False)
    request_id: str = ""
    answered_by: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    cost: Money | None = None
    notes: tuple[str, ...] = ()


class PaidPainter(Protocol):
    """A provider that bills for pictures.

    It is called from several threads of one process, and makes one call where it is asked for one: it never repeats.
    """

    @property
    def provider(self) -> str:
        """The provider's name in the catalog."""

    @property
    def model(self) -> str:
        """The model's name in the catalog."""

    @property
    def version(self) -> str:
        """Changes whenever the same brief would be asked for in other words."""

    @property
    def repeats(self) -> Repeats:
        """What it offers to whoever does not know whether a call has arrived."""

    def send(self, request: PaidRequest) -> PaidAnswer:
        """Make one call.

        Raises
        ------
        ProviderBusy
            It was not billed, and may be tried again: no connection, a rate limit, the provider is down.
        ProviderFailed
            It was not billed, and trying again would not help: a wrong key, a refused prompt.
        AnswerLost
            It was sent, and nobody knows what became of it.
        AnswerUnusable
            It was billed, and what came is no picture.
        """

    def ask(self, request: PaidRequest) -> PaidAnswer | None:
        """Ask what became of a call; None where it never arrived. Only where `repeats` says so."""
