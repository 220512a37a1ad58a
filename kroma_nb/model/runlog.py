"""What was done: the run log, with all that a reader of older logs looks for."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field, model_validator

from kroma_nb.model.brief import Palette, Seeds, Size
from kroma_nb.model.money import Money
from kroma_nb.model.plan import Followed, Generation
from kroma_nb.model.postprocess import PostprocessPlan
from kroma_nb.model.quality import FileReport, GuardSettings, Rank
from kroma_nb.model.run import (
    CallId,
    CandidateOutcome,
    Environment,
    Failure,
    Message,
    PassRecord,
    ProjectPath,
    RunId,
    Sha256,
    StoredFile,
)
from kroma_nb.model.value import Value
from kroma_nb.model.words import (
    CallState,
    CandidateStatus,
    ExitCode,
    Gate,
    JobStatus,
    RunStatus,
    Stage,
    TimeOfDay,
    Weather,
)

RUN_SCHEMA: Final = "kroma_nb.run/1"
ALL_FAILED = "all_candidates_failed_output_guard"


class InputRecord(Value):
    """An input picture of the run."""

    ref: str
    file: StoredFile
    media_type: str
    width: int
    height: int


class Imported(Value):
    """Where a run came from that another program made.

    Attributes
    ----------
    source : str
        The record that was read, by its file name; for a row of a database, the database and the row's id.
    sha256 : str
        Of the record as it was read. It lies beside the run log as ``imported.json``.
    mended : tuple of str
        What the record left open or had wrong and how it was read, as whole sentences.
    """

    source: Message
    sha256: Sha256
    mended: tuple[Message, ...] = ()


class CostEvent(Value):
    """Money that an imported run has spent; what a run of kroma_nb spends stands in its project's ledger.

    Attributes
    ----------
    units, unit_cost, total_cost
        How many, at how much each, and together.
    currency : str
        What the amounts were billed in; they are micro-dollars where it is ``USD``, millionths of its unit elsewhere.
    job_id : str
        As the record wrote it; may be empty.
    """

    provider: str
    model: str
    operation: str
    units: float
    unit_cost: Money
    total_cost: Money
    currency: str = "USD"
    job_id: str = ""


class CallRecord(Value):
    """One paid call for a candidate.

    Attributes
    ----------
    attempt : int, from 1
        Which try at one picture it was.
    ended : CallState or None
        None where the record ends before it did.
    cost : Money
        What it is charged with.
    """

    call_id: CallId
    attempt: int
    started_at: datetime
    ended_at: datetime | None = None
    ended: CallState | None = None
    upper: Money
    cost: Money = Money()
    request_id: Message = ""
    answered_by: Message = ""
    usage: dict[str, Any] = Field(default_factory=dict)
    original: StoredFile | None = None
    failure: Failure | None = None


class CandidateRecord(Value):
    """One candidate as the run log keeps it.

    Attributes
    ----------
    output, final_output : str or None
        Paths in the project. In an imported run the file may be missing; then no pass has it as its output.
    seeds : Seeds or None
        None in an imported run.
    passes : tuple of PassRecord
        In order; an imported run has those whose files were there.
    earlier : tuple of CandidateOutcome
        How it ended before it was made again, oldest first.
    retry_of : int or None
        The candidate that it was to do better than, where it was added later.
    calls : tuple of CallRecord
        Every paid call for it, in order.
    """

    model_config = ConfigDict(extra="ignore")

    candidate_index: int
    status: CandidateStatus
    output: ProjectPath | None
    final_output: ProjectPath | None
    rank: Rank
    seeds: Seeds | None
    provider: str
    model: str
    started_at: datetime | None
    finished_at: datetime | None
    passes: tuple[PassRecord, ...] = ()
    output_guard: FileReport | None = None
    notes: tuple[str, ...] = ()
    failure: Failure | None = None
    retry_of: int | None = None
    earlier: tuple[CandidateOutcome, ...] = ()
    calls: tuple[CallRecord, ...] = ()

    @property
    def reused(self) -> bool:
        """Whether its drawing was taken from what was made or bought before; of one that was given, the rest."""
        made = self.passes[1:] if self.given else self.passes[:1]
        return bool(made) and all(record.reused for record in made)

    @property
    def given(self) -> bool:
        """Whether nothing was drawn: its page is an earlier run's, and was only finished."""
        first = self.passes[0] if self.passes else None
        return first is not None and first.input is not None and first.input.sha256 == first.output.sha256

    @property
    def spent(self) -> Money:
        """What its calls are charged with; one that has no end counts in full."""
        return sum((call.cost if call.ended else call.upper for call in self.calls), Money())

    @property
    def request(self) -> str:
        """Its newest paid call as the provider names it, else as it is called here; empty where there was none."""
        return self.calls[-1].request_id or self.calls[-1].call_id if self.calls else ""

    @property
    def quality(self) -> float | None:
        """The documented score, 0 to 1; None where the picture was never measured."""
        measured = self.output_guard is not None and self.output_guard.measures is not None
        return self.rank.quality if measured else None

    @property
    def final(self) -> StoredFile | None:
        """The final picture, where the candidate is done and the file was there when the log was written."""
        last = self.passes[-1].output if self.passes else None
        return last if self.status is CandidateStatus.DONE and last and last.path == self.final_output else None


class JobRecord(Value):
    """One job as the run log keeps it; what readers of older logs look for beside it is ignored when read back.

    Attributes
    ----------
    scene_sha256 : str or None
        The scene's content; its file is in the log's ``inputs``. None where an imported run does not have it.
    size : Size or None
        None in an imported run.
    input_images : tuple of str
        Paths in the project, scene first.
    given : bool
        Whether nothing is drawn: its page is an earlier run's, and is only finished.
    """

    model_config = ConfigDict(extra="ignore")

    id: str
    name: str
    mode: Stage
    time: TimeOfDay
    weather: Weather
    scene_sha256: str | None
    scene_ref: str
    input_images: tuple[ProjectPath, ...]
    prompt: str
    size: Size | None
    status: JobStatus
    planned_candidates: int
    selected_candidate: int | None
    final_output: ProjectPath | None
    failure_reason: Message | None = None
    follows: Followed | None = None
    given: bool = False
    candidates: tuple[CandidateRecord, ...]

    @model_validator(mode="after")
    def _won_by_one_of_them(self) -> JobRecord:
        won = self.winner
        if self.selected_candidate is not None and (won is None or won.final_output is None):
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
    plan_sha256 : str or None
        Of the run folder's ``plan.json``.
    later_environments : tuple of Environment
        What it went on in, where that was another.
    next_step : str
        How to go on, as a whole sentence; empty where nothing is left to do.
    failure : Failure or None
        What has cut it short, where something has.
    spent, spend_limit : Money, Money or None
        What its paid calls are charged with, and what a person has confirmed; None where it may cost nothing.
    replays : str or None
        The run that it makes again.
    resumed : int
        How often it went on after it had ended or was cut short.
    imported : Imported or None
        Where the run came from, if another program made it. Only then may ``generation``, ``postprocess_plan``,
        ``plan_sha256`` and ``environment`` be None.
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
    generation: Generation | None
    palette: Palette | None
    postprocess_plan: PostprocessPlan | None
    guard: GuardSettings
    plan_sha256: str | None
    environment: Environment | None
    later_environments: tuple[Environment, ...] = ()
    inputs: tuple[InputRecord, ...]
    jobs: tuple[JobRecord, ...]
    notes: tuple[str, ...] = ()
    next_step: str = ""
    failure: Failure | None = None
    spent: Money = Money()
    spend_limit: Money | None = None
    resumed: int = 0
    replays: RunId | None = None
    imported: Imported | None = None
    costs: tuple[CostEvent, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> RunLog:
        known = (self.generation, self.postprocess_plan, self.plan_sha256, self.environment)
        if self.imported is None and None in known:
            raise ValueError("only an imported run may leave out how it was made; restore the record")
        return self

    @property
    def pictures(self) -> int:
        """How many candidates are done."""
        return sum(c.status is CandidateStatus.DONE for job in self.jobs for c in job.candidates)

    def styles_of(self, job: JobRecord) -> tuple[str, ...]:
        """Give the paths of the style references that a job was drawn with, in order, each once."""
        scene = self._input_paths.get(job.scene_sha256 or "")
        return tuple(path for path in dict.fromkeys(job.input_images) if path != scene)

    @cached_property
    def _input_paths(self) -> dict[str, str]:
        return {entry.file.sha256: entry.file.path for entry in self.inputs}

    @property
    def exit_code(self) -> ExitCode:
        """What a command ends with after this run."""
        if self.status is RunStatus.OK:
            return ExitCode.OK
        if self.status is not RunStatus.FAILED:
            return ExitCode.PARTIAL
        kinds = {c.failure.error_kind for job in self.jobs for c in job.candidates if c.failure}
        kinds |= {self.failure.error_kind} if self.failure else set()
        if not kinds:
            return ExitCode.PARTIAL  # everything was drawn, and the guard let nothing through
        return ExitCode.of_kinds(kinds)
