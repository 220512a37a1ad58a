"""The closed lists: stages, passes and every status word."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


class Stage(StrEnum):
    """A step of the journey; one run executes exactly one."""

    STYLE = "style"
    TIME = "time"
    WEATHER = "weather"
    CHARACTER = "character"


class TimeOfDay(StrEnum):
    """The light that a scene stands in."""

    DAY = "day"
    NIGHT = "night"


class Weather(StrEnum):
    """The weather that a scene stands in."""

    CLEAR = "clear"
    RAIN = "rain"


class PassName(StrEnum):
    """One step of making a candidate, in the fixed order in which they follow."""

    GENERATE = "generate"
    BG_REMOVE = "bg_remove"
    BG_REFINE = "bg_refine"
    UPSCALE = "upscale"
    COLOR = "color"


class Gate(StrEnum):
    """Whether a stage may start from input that nobody reviewed."""

    BASELINE = "baseline"
    OFF = "off"


class RunStatus(StrEnum):
    """Where a run stands."""

    PLANNED = "planned"
    RUNNING = "running"
    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class JobStatus(StrEnum):
    """Where a job stands."""

    PLANNED = "planned"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"


class CandidateStatus(StrEnum):
    """How a candidate ended."""

    DONE = "done"
    FAILED_OUTPUT_GUARD = "failed_output_guard"
    FAILED_PROVIDER = "failed_provider"
    SKIPPED_BUDGET = "skipped_budget"
    IN_DOUBT = "in_doubt"
    CANCELED = "canceled"


class CallState(StrEnum):
    """Where a paid call stands."""

    OPEN = "open"
    """Its upper price is put aside, and nobody has written what became of it."""
    SETTLED = "settled"
    """It was answered, and costs what it costs."""
    RELEASED = "released"
    """It was not made, or not billed."""
    IN_DOUBT = "in_doubt"
    """Nobody knows whether it was billed: it stays charged with its upper price."""


class ExitCode(IntEnum):
    """What a command ends with."""

    OK = 0
    BUG = 1
    INPUT = 2
    POLICY = 3
    PROVIDER = 4
    INFRA = 5
    PARTIAL = 6

    @classmethod
    def worst(cls, codes: Iterable[ExitCode]) -> ExitCode:
        """Give the worst of several: bug, infra, provider, policy, input, partial, ok; ok where there are none."""
        return max(codes, key=_BADNESS.index, default=cls.OK)

    @classmethod
    def of_kinds(cls, kinds: Collection[str]) -> ExitCode:
        """Give what a command ends with that has failed for errors of these kinds; that of a provider for several."""
        return _OF_KIND.get(next(iter(kinds)), cls.PROVIDER) if len(set(kinds)) == 1 else cls.PROVIDER


_BADNESS = (
    ExitCode.OK,
    ExitCode.PARTIAL,
    ExitCode.INPUT,
    ExitCode.POLICY,
    ExitCode.PROVIDER,
    ExitCode.INFRA,
    ExitCode.BUG,
)
_OF_KIND = {
    "validation": ExitCode.INPUT,
    "policy": ExitCode.POLICY,
    "infra": ExitCode.INFRA,
    "unknown": ExitCode.BUG,
}
