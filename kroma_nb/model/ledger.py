"""The ledger's lines: what was reserved for a paid call before it was made, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, model_validator

from kroma_nb.model.money import Money
from kroma_nb.model.run import CallId, Message, RunId, Sha256, StoredFile
from kroma_nb.model.value import Value
from kroma_nb.model.words import CallState, Stage

LEDGER_SCHEMA: Final = "kroma_nb.ledger/1"


class Reserved(Value):
    """The upper price of a call is put aside; only then may the call be made.

    Attributes
    ----------
    at : datetime
        UTC; its month is the month that the call is charged to.
    key : str
        Hash of what is asked for: two calls with one key ask for the same picture.
    units : int
        How many pictures.
    upper : Money
        The most that the call costs.
    """

    entry: Literal["reserved"] = "reserved"
    schema_: Literal["kroma_nb.ledger/1"] = Field(default=LEDGER_SCHEMA, alias="schema")
    at: datetime
    call_id: CallId
    run_id: RunId
    job_id: str
    candidate: int
    attempt: int
    stage: Stage
    provider: str
    model: str
    operation: str = "generate"
    key: Sha256
    units: Annotated[int, Field(ge=1)] = 1
    upper: Money


class Ended(Value):
    """What became of a call; the newest of several lines counts.

    Attributes
    ----------
    cost : Money
        What it is charged with: nothing where it was released, its upper price where it is in doubt.
    reported : bool
        Whether the provider named that cost; else it is the catalog's price.
    usage : dict
        What the provider says that it used.
    original : StoredFile or None
        What it sent.
    says : str
        Why it was released, or why it is in doubt.
    """

    entry: Literal["ended"] = "ended"
    at: datetime
    call_id: CallId
    ended: CallState
    cost: Money = Money()
    reported: bool = False
    request_id: Message = ""
    answered_by: Message = ""
    usage: dict[str, Any] = Field(default_factory=dict)
    original: StoredFile | None = None
    error_code: str = ""
    says: Message = ""


LedgerEntry = Reserved | Ended

entry_adapter: TypeAdapter[LedgerEntry] = TypeAdapter(Annotated[LedgerEntry, Field(discriminator="entry")])


class BoughtPicture(Value):
    """A picture that was bought, as a run takes it up.

    Attributes
    ----------
    original : StoredFile
        What was sent.
    version : str
        Of the engine that asked for it.
    width, height : int, pixels
    notes : tuple of str
        What the provider said.
    """

    original: StoredFile
    media_type: str
    version: str
    width: int
    height: int
    notes: tuple[Message, ...] = ()


class Receipt(Value):
    """What a provider has sent for a call, beside the bytes (``originals/receipts/<call id>.json``).

    Attributes
    ----------
    key : str
        Hash of what was asked for.
    original : StoredFile
        The bytes as they came.
    usable : bool
        Whether they are a picture.
    width, height : int or None, pixels
        As stored; None where they are no picture.
    """

    schema_: Literal["kroma_nb.receipt/1"] = Field(default="kroma_nb.receipt/1", alias="schema")
    at: datetime
    call_id: CallId
    key: Sha256
    provider: str
    model: str
    version: str
    original: StoredFile
    media_type: str = ""
    usable: bool
    width: int | None = None
    height: int | None = None
    cost: Money
    reported: bool = False
    request_id: Message = ""
    answered_by: Message = ""
    usage: dict[str, Any] = Field(default_factory=dict)
    notes: tuple[Message, ...] = ()
    says: Message = ""

    @model_validator(mode="after")
    def _measured(self) -> Receipt:
        if self.usable and None in {self.width, self.height}:
            raise ValueError("a picture has a width and a height; restore the receipt")
        return self

    @property
    def picture(self) -> BoughtPicture:
        """Give the picture, of a usable answer."""
        return BoughtPicture(
            original=self.original,
            media_type=self.media_type,
            version=self.version,
            width=self.width or 0,
            height=self.height or 0,
            notes=self.notes,
        )

    def ended(self, at: datetime) -> Ended:
        """Give the ledger's line that settles the call."""
        return Ended(
            at=at,
            call_id=self.call_id,
            ended=CallState.SETTLED,
            cost=self.cost,
            reported=self.reported,
            request_id=self.request_id,
            answered_by=self.answered_by,
            usage=self.usage,
            original=self.original,
            error_code="" if self.usable else "answer_unusable",
            says=self.says,
        )
