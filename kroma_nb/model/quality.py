"""What the guard is told, what it measures and what it says; how candidates stand to each other."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kroma_nb.model.value import Value


class GuardSettings(Value):
    """How strictly a run's output is looked at.

    Attributes
    ----------
    enforce_grayscale : bool
        Every picture must be greyscale-like; painters are asked for plain black and white.
    max_chroma_delta : float, levels 0-255
        Up to here a picture counts as greyscale-like.
    fail_on_chroma_exceed : bool
        Makes `chroma_exceeds_threshold` a hard reason.
    judge_chroma : bool
        Whether colourfulness is judged at all. A manifest that names none of the three keys above only has it
        measured, so that a story in colour is not warned about on every page.
    """

    enforce_grayscale: bool = False
    max_chroma_delta: Annotated[float, Field(ge=0)] = 2.0
    fail_on_chroma_exceed: bool = False
    judge_chroma: bool = False


class HardReason(StrEnum):
    """Why a picture cannot be used."""

    NOT_GRAYSCALE_LIKE = "not_grayscale_like"
    CHROMA_EXCEEDS_THRESHOLD = "chroma_exceeds_threshold"
    IMAGE_READ_FAILED = "image_read_failed"
    INPUT_NOT_FOUND = "input_not_found"
    NO_IMAGES_FOUND = "no_images_found"
    BLANK = "blank"
    WRONG_SIZE = "wrong_size"
    INVARIANT_BROKEN = "invariant_broken"
    """What must hold after a pass does not; the pass's record says what."""


class SoftWarning(StrEnum):
    """What a picture could do better."""

    CHROMA_EXCEEDS_THRESHOLD = "chroma_exceeds_threshold"
    SOFT_FOCUS = "soft_focus"
    CLIPPED = "clipped"
    NOISY = "noisy"
    LOW_CONTRAST = "low_contrast"
    INVARIANT_BROKEN = "invariant_broken"
    """As for `HardReason`."""


class Measures(Value):
    """Technical measures of one picture; each falls for its own fault and for no other.

    All are taken of what can be seen (alpha above 0), at the size at which a page is read.

    Attributes
    ----------
    width, height : int, pixels
    channels : int
        1 for a picture without colour, 3, or 4 with alpha.
    sharpness : float, 0 to 1
        How crisp the edges are; 1 where there is no edge to judge.
    clipping : float, 0 to 1
        Fraction of the picture whose photographic tones are cut off at an end of the scale; flat paper and ink do
        not count.
    noise : float, levels 0-255
        Standard deviation of the grain.
    contrast : float, 0 to 1
        Spread between the dark and the light end of the luma histogram.
    ink : float, 0 to 1
        Fraction of the picture that is dark.
    drawn : float, 0 to 1
        Fraction of the picture's cells in which something is drawn.
    blank : bool
        Nothing is drawn.
    fidelity : float, 0 to 1, or None
        How much of the scene's structure the picture keeps; None where the scene is not known.
    """

    width: int
    height: int
    channels: int
    sharpness: float
    clipping: float
    noise: float
    contrast: float
    ink: float
    drawn: float
    blank: bool
    fidelity: float | None = None


class FileReport(Value):
    """The guard's word on one file, in the shape that readers of older reports know."""

    file: str
    chroma_delta: float | None = None
    grayscale_like: bool | None = None
    hard_fail_reasons: tuple[HardReason, ...] = ()
    soft_warnings: tuple[SoftWarning, ...] = ()
    error: str | None = None
    measures: Measures | None = None
    quality: float = 0.0


class GuardSummary(Value):
    """Counts of files that have at least one reason of a kind."""

    total_files: int
    hard_failures: int
    soft_warnings: int


class GuardReport(Value):
    """The guard's word on a file or a folder."""

    input: str
    settings: GuardSettings
    summary: GuardSummary
    files: tuple[FileReport, ...]

    @property
    def ok(self) -> bool:
        """Whether no file failed."""
        return self.summary.hard_failures == 0


class Rank(Value):
    """Where a candidate stands in its job.

    Attributes
    ----------
    hard_failures, soft_warnings : int
        Counts of reasons, compared first and second.
    avg_chroma_exceed : float, levels
        By how much the chroma threshold is passed, on the mean; reported, not compared.
    quality : float, 0 to 1
        The documented score, compared third.
    position : int
        1 is the winner; 0 stands outside the ranking.
    tied_with : tuple of int
        Candidates whose quality is too close to tell apart.
    """

    hard_failures: int
    soft_warnings: int
    avg_chroma_exceed: float = 0.0
    quality: float = 0.0
    position: int = 0
    tied_with: tuple[int, ...] = ()

    @property
    def unmeasured(self) -> tuple[int, int, float]:
        """What ranks pictures whose quality nobody measured, smaller first: failures, warnings, chroma."""
        return self.hard_failures, self.soft_warnings, self.avg_chroma_exceed
