"""What was done: the run log, with all that a reader of older logs looks for."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import ConfigDict, Field, model_validator

from kroma_nb.model.brief import Palette, Seeds, Size
from kroma_nb.model.plan import Followed, Generation
from kroma_nb.model.postprocess import PostprocessPlan
from kroma_nb.model.quality import FileReport, GuardSettings, Rank
from kroma_nb.model.run import Environment, Failure, Message, PassRecord, ProjectPath, RunId, StoredFile
from kroma_nb.model.value import Value
from kroma_nb.model.words import CandidateStatus, Gate, JobStatus, RunStatus, Stage, TimeOfDay, Weather

RUN_SCHEMA: Final = "kroma_nb.run/1"
ALL_FAILED = "all_candidates_failed_output_guard"


class InputRecord(Value):
    """An input picture of the run."""

    ref: str
    file: StoredFile
    media_type: str
    width: int
    height: int


class CandidateRecord(Value):
    """One candidate as the run log keeps it."""

    model_config = ConfigDict(extra="ignore")

    candidate_index: int
    status: CandidateStatus
    output: ProjectPath | None
    final_output: ProjectPath | None
    rank: Rank
    seeds: Seeds
    provider: str
    model: str
    started_at: datetime | None
    finished_at: datetime | None
    passes: tuple[PassRecord, ...] = ()
    output_guard: FileReport | None = None
    notes: tuple[str, ...] = ()
    failure: Failure | None = None

    @property
    def final(self) -> StoredFile | None:
        """The final picture, where the candidate is done."""
        return self.passes[-1].output if self.status is CandidateStatus.DONE else None


class JobRecord(Value):
    """One job as the run log keeps it; what readers of older logs look for beside it is ignored when read back.

    Attributes
    ----------
    scene_sha256 : str
        The scene's content; its file is in the log's ``inputs``.
    input_images : tuple of str
        Paths in the project, scene first.
    """

    model_config = ConfigDict(extra="ignore")

    id: str
    name: str
    mode: Stage
    time: TimeOfDay
    weather: Weather
    scene_sha256: str
    scene_ref: str
    input_images: tuple[ProjectPath, ...]
    prompt: str
    size: Size
    status: JobStatus
    planned_candidates: int
    selected_candidate: int | None
    final_output: ProjectPath | None
    failure_reason: Message | None = None
    follows: Followed | None = None
    candidates: tuple[CandidateRecord, ...]

    @model_validator(mode="after")
    def _won_by_one_of_them(self) -> JobRecord:
        if self.selected_candidate is not None and (self.winner is None or self.winner.final is None):
            raise ValueError(f"candidate {self.selected_candidate} has no final picture; restore the record")
        return self

    @property
    def winner(self) -> CandidateRecord | None:
        """The first-ranked candidate."""
        return next((c for c in self.candidates if c.candidate_index == self.selected_candidate), None)


class RunLog(Value):
    """A whole run: the fold of its plan and its journal.

    Attributes
    ----------
    timestamp : datetime
        When the run started, UTC.
    finished_at : datetime or None
        None while the run has not ended.
    plan_sha256 : str
        Of the run folder's ``plan.json``.
    next_step : str
        How to go on, as a whole sentence; empty where nothing is left to do.
    """

    model_config = ConfigDict(extra="ignore")

    schema_: Literal["kroma_nb.run/1"] = Field(default=RUN_SCHEMA, alias="schema")
    run_id: RunId
    timestamp: datetime
    finished_at: datetime | None
    status: RunStatus
    project: str
    stage: Stage
    time: TimeOfDay
    weather: Weather
    gate: Gate
    provider: str
    model: str
    generation: Generation
    palette: Palette | None
    postprocess_plan: PostprocessPlan
    guard: GuardSettings
    plan_sha256: str
    environment: Environment
    inputs: tuple[InputRecord, ...]
    jobs: tuple[JobRecord, ...]
    notes: tuple[str, ...] = ()
    next_step: str = ""

    @property
    def pictures(self) -> int:
        """How many candidates are done."""
        return sum(c.status is CandidateStatus.DONE for job in self.jobs for c in job.candidates)
