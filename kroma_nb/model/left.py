"""What a run has left: the candidates that are to be made, and those of which nobody knows whether they were billed."""

from __future__ import annotations

from kroma_nb.model.run import Message
from kroma_nb.model.value import Value
from kroma_nb.model.words import CandidateStatus


class LeftRow(Value):
    """One candidate without a good result.

    Attributes
    ----------
    status : CandidateStatus or None
        How it ended so far; None where it was not begun, or cut short.
    says : str
        Why, as a whole sentence; empty where there is nothing to say.
    in_doubt : bool
        Whether it stays as it is, because nobody knows whether it was billed.
    again : bool
        Whether it would be bought again, though it may have been billed already.
    call_id, request_id : str
        The call of which nobody knows what became, as it is called here and by the provider; may be empty.
    held_micro_usd : int
        What stays charged for that call, in millionths of a US dollar.
    """

    job: str
    scene: str
    candidate: int
    status: CandidateStatus | None
    says: Message = ""
    in_doubt: bool = False
    again: bool = False
    call_id: str = ""
    request_id: Message = ""
    held_micro_usd: int = 0
