"""What a run log of the predecessor says, as frozen values; paths stand as it wrote them, with forward slashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from kroma_nb.model.quality import FileReport, GuardSettings, Rank
    from kroma_nb.model.run import Failure
    from kroma_nb.model.runlog import CostEvent
    from kroma_nb.model.words import CandidateStatus, JobStatus, PassName, RunStatus, Stage, TimeOfDay, Weather


@dataclass(frozen=True, slots=True)
class KromaPass:
    """A pass as the log tells it: which file it made of which, and by what."""

    name: PassName
    input: str | None
    output: str
    backend: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class KromaCandidate:
    """One attempt.

    Attributes
    ----------
    passes : tuple of KromaPass
        In order, `generate` first.
    archived : str or None
        Where the last picture was moved to when the guard refused it.
    guard : FileReport or None
        Of the picture that was looked at, by the path in the log.
    """

    index: int
    status: CandidateStatus
    output: str | None
    final_output: str | None
    passes: tuple[KromaPass, ...]
    archived: str | None
    rank: Rank
    guard: FileReport | None
    notes: tuple[str, ...]
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class KromaJob:
    """One scene of the run.

    Attributes
    ----------
    id : str
        Unique in its log and safe as part of a file name.
    input_images : tuple of str
        Scene first.
    selected : int or None
        The winner's index; that candidate has a final output.
    """

    id: str
    mode: Stage
    time: TimeOfDay
    weather: Weather
    input_images: tuple[str, ...]
    prompt: str
    status: JobStatus
    planned_candidates: int
    selected: int | None
    failure_reason: str | None
    candidates: tuple[KromaCandidate, ...]


@dataclass(frozen=True, slots=True)
class KromaLog:
    """A whole run log.

    Attributes
    ----------
    name : str
        The record's file name, or the row that it was made of.
    sha256 : str
        Of the record's bytes.
    project : str
        As the log says it; may be empty.
    timestamp : datetime or None
        None where neither the log nor its name tells the time.
    mended : tuple of str
        What was open or wrong, and how it was read, as whole sentences.
    """

    name: str
    sha256: str
    project: str
    timestamp: datetime | None
    status: RunStatus
    stage: Stage
    time: TimeOfDay
    weather: Weather
    provider: str
    model: str
    guard: GuardSettings
    jobs: tuple[KromaJob, ...]
    costs: tuple[CostEvent, ...]
    mended: tuple[str, ...]
