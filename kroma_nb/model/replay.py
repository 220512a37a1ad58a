"""What a run's replay has found: pass by pass, and why."""

from __future__ import annotations

from enum import StrEnum

from kroma_nb.model.run import Message, RunId
from kroma_nb.model.value import Value
from kroma_nb.model.words import PassName

TOLERANCE_LEVELS = 1
"""A pixel that differs by no more than so many levels counts as equal."""
TOLERANCE_SHARE = 0.001
"""Of the others there may be so many: what another class of processor, or another build of a library, may change."""


class Verdict(StrEnum):
    """What a pass gives now, beside what it has given."""

    EXACT = "exact"
    """The same bytes."""
    TOLERANCE = "within tolerance"
    """Other bytes; at most one pixel in a thousand differs by more than one level, and other code can be why."""
    CHANGED = "changed"
    """Another picture than the one that lies there, or one that was not bought for its candidate."""
    MISSING = "missing"
    """The picture that it has given is not there, or how its candidate ended is not on record."""
    UNPROVEN = "unproven"
    """It cannot be made again or read, or nothing says what was bought for it."""


class CauseKind(StrEnum):
    """What differs between the record and what is there now."""

    FILE = "file"
    RECORD = "record"
    CACHE = "cache"
    MODEL = "model"
    PROFILE = "profile"
    CODE = "code"
    LIBRARY = "library"
    PROCESSOR = "processor"


class Cause(Value):
    """Something that differs from the record, and may be why a pass gives something else.

    Attributes
    ----------
    what : str
        The file, by its path in the project; the library; the model.
    recorded, found : str
        What the record says, and what is there now.
    """

    kind: CauseKind
    what: Message
    recorded: Message = ""
    found: Message = ""

    def __str__(self) -> str:
        if not self.recorded and not self.found:
            return self.what
        return f"{self.what}: {self.recorded or 'nothing'} in the record, {self.found or 'nothing'} now"


class PassCheck(Value):
    """One pass of one candidate, made again.

    Attributes
    ----------
    path : str
        Of the picture that it has given, in the project.
    bought : bool
        Whether it is a paid provider's picture, which is compared with what was sent.
    differing : float or None, 0 to 1
        The share of pixels that differ by more than `TOLERANCE_LEVELS`; None where no two pictures were compared.
    farthest : int or None, levels 0-255
        By how much the farthest pixel differs.
    causes : tuple of Cause
        Why it is not exact, as far as can be told.
    """

    job_id: str
    candidate: int
    pass_name: PassName
    path: str
    verdict: Verdict
    bought: bool = False
    reused: bool = False
    differing: float | None = None
    farthest: int | None = None
    causes: tuple[Cause, ...] = ()


class Verification(Value):
    """What a whole run's replay has found.

    Attributes
    ----------
    checks : tuple of PassCheck
        Every pass of every candidate that has pictures.
    differs : tuple of Cause
        What is not as the record says, whether or not it has changed a picture.
    """

    run_id: RunId
    checks: tuple[PassCheck, ...]
    differs: tuple[Cause, ...] = ()

    def count(self, verdict: Verdict) -> int:
        """Give how many passes have a verdict."""
        return sum(check.verdict is verdict for check in self.checks)

    @property
    def ok(self) -> bool:
        """Whether there are passes, all exact or within tolerance, and no file of the run or its cache was altered.

        A file counts as altered where it is not what another one says of it: journal, plan, ledger or receipt.
        """
        altered = {CauseKind.FILE, CauseKind.RECORD, CauseKind.CACHE}
        fine = {Verdict.EXACT, Verdict.TOLERANCE}
        whole = bool(self.checks) and all(check.verdict in fine for check in self.checks)
        causes = [*self.differs, *(cause for check in self.checks for cause in check.causes)]
        return whole and not any(cause.kind in altered for cause in causes)
