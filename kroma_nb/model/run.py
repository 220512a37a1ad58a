"""What happens in a run: the events of its journal, and the records of passes and candidates that they carry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter

from kroma_nb.model.brief import Palette, Seeds
from kroma_nb.model.invariants import Invariant
from kroma_nb.model.money import Money
from kroma_nb.model.plan import Candidate
from kroma_nb.model.quality import FileReport, Rank
from kroma_nb.model.value import Value
from kroma_nb.model.words import CallState, CandidateStatus, JobStatus, PassName, RunStatus

JOURNAL_SCHEMA: Final = "kroma_nb.journal/1"


def now() -> datetime:
    """Give the time in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _inside(path: str) -> str:
    parts = path.split("/")
    if not path or "\\" in path or ":" in parts[0] or {"", ".", ".."} & set(parts):
        raise ValueError(f"{path!r} leads out of the project; write a path relative to the project's folder")
    return path


def _writable(text: object) -> object:
    return text.encode("utf-8", "backslashreplace").decode() if isinstance(text, str) else text


# A path relative to the project root, with forward slashes, that stays inside.
ProjectPath = Annotated[str, AfterValidator(_inside)]
# What a run is called, as a folder's name.
RunId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# What one paid call is known by, here and at the provider.
CallId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
# Words from anywhere, in characters that a file can hold.
Message = Annotated[str, BeforeValidator(_writable)]


class StoredFile(Value):
    """A file that a run wrote or keeps.

    Attributes
    ----------
    path : str
        Relative to the project root, with forward slashes.
    """

    path: ProjectPath
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0, lt=2**53)]


class BackendTry(Value):
    """A backend of a pass that was asked and gave nothing.

    Attributes
    ----------
    backend : str
        Its word in the postprocess plan.
    error_code : str
    says : str
        Why, as a whole sentence.
    """

    backend: str
    error_code: str
    says: Message


class PassRecord(Value):
    """One pass of one candidate: what went in, what came out, when, and by which implementation.

    Attributes
    ----------
    input : StoredFile or None
        None where an imported run does not have the file.
    version : str
        Empty where an imported run does not say it, as its times are None.
    settings : dict
        What the implementation was told, in JSON types.
    tries : tuple of BackendTry
        The backends that were asked before this one, and gave nothing.
    invariants : tuple of Invariant
        What must hold after it, as it was measured.
    width, height : int or None, pixels
        Of the output; None where nobody has measured it.
    reused : bool
        Whether the output was taken from what was made or bought before, and not computed.
    """

    name: PassName
    input: StoredFile | None
    output: StoredFile
    width: int | None = None
    height: int | None = None
    backend: str
    version: str
    settings: dict[str, Any] = Field(default_factory=dict)
    tries: tuple[BackendTry, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    reused: bool = False
    started_at: datetime | None
    finished_at: datetime | None


class Failure(Value):
    """Why a candidate has no usable picture."""

    error_kind: str
    error_code: str
    message: Message


class CandidateOutcome(Value):
    """How one candidate ended.

    Attributes
    ----------
    passes : tuple of PassRecord
        In order; the last one's output is the final picture.
    guard : FileReport or None
        The guard's word on the final picture.
    notes : tuple of str
        What the painter said.
    """

    job_id: str
    index: int
    status: CandidateStatus
    seeds: Seeds
    passes: tuple[PassRecord, ...] = ()
    guard: FileReport | None = None
    notes: tuple[Message, ...] = ()
    failure: Failure | None = None
    started_at: datetime
    finished_at: datetime

    @property
    def final(self) -> StoredFile | None:
        """The final picture, where the candidate is done."""
        return self.passes[-1].output if self.status is CandidateStatus.DONE else None


class Environment(Value):
    """What made the pictures: versions of libraries, and the features of the processor."""

    kroma_nb: str
    python: str
    platform: str
    libraries: dict[str, str]
    cpu_features: tuple[str, ...]
    opencv_build: str


class Player(Value):
    """The process that plays a run.

    Attributes
    ----------
    pid : int
        Its number on its machine.
    host : str
        That machine's name.
    """

    pid: int
    host: Message


class RunStarted(Value):
    """The folder exists and the plan is in it.

    Attributes
    ----------
    spend_limit : Money or None
        What a person has confirmed that the run may cost; None where it may cost nothing.
    replays : str or None
        The run that it makes again.
    """

    event: Literal["run_started"] = "run_started"
    schema_: Literal["kroma_nb.journal/1"] = Field(default=JOURNAL_SCHEMA, alias="schema")
    at: datetime
    run_id: RunId
    project: str
    plan_sha256: str
    jobs: int
    pictures: int
    environment: Environment
    player: Player | None = None
    spend_limit: Money | None = None
    replays: RunId | None = None


class RunResumed(Value):
    """A run goes on that had ended, or was cut short.

    Attributes
    ----------
    pictures : int
        How many candidates are to be made now.
    spend_limit : Money or None
        What the whole run may cost from now on, what it has cost before counted.
    """

    event: Literal["run_resumed"] = "run_resumed"
    at: datetime
    pictures: int
    environment: Environment
    player: Player
    spend_limit: Money | None = None


class CandidatesAdded(Value):
    """More attempts at a job, beside those that were planned.

    Attributes
    ----------
    retry_of : int or None
        The candidate that they are to do better than.
    """

    event: Literal["candidates_added"] = "candidates_added"
    at: datetime
    job_id: str
    candidates: tuple[Candidate, ...]
    retry_of: int | None = None


class InputStored(Value):
    """An input lies in the project by its content."""

    event: Literal["input_stored"] = "input_stored"
    at: datetime
    ref: str
    file: StoredFile
    media_type: str
    width: int
    height: int


class StyleStudied(Value):
    """The painter has read paper and ink off the style references."""

    event: Literal["style_studied"] = "style_studied"
    at: datetime
    references: tuple[str, ...]
    palette: Palette | None


class CandidateStarted(Value):
    """A candidate was handed to a worker."""

    event: Literal["candidate_started"] = "candidate_started"
    at: datetime
    job_id: str
    index: int


class CallStarted(Value):
    """A paid call is about to be sent; its price is reserved.

    Attributes
    ----------
    attempt : int, from 1
        Which try at this picture it is, within one turn of the candidate.
    upper : Money
        The most that it costs.
    """

    event: Literal["call_started"] = "call_started"
    at: datetime
    call_id: CallId
    job_id: str
    index: int
    attempt: int
    provider: str
    model: str
    upper: Money


class CallEnded(Value):
    """What became of a paid call.

    Attributes
    ----------
    cost : Money
        What it is charged with: nothing where it was released.
    failure : Failure or None
        Why it gave no picture.
    request_id, answered_by : str
        The provider's name for the call, and the model that it says has answered; may be empty.
    usage : dict
        What the provider says that it used.
    original : StoredFile or None
        What it sent, as it sent it.
    """

    event: Literal["call_ended"] = "call_ended"
    at: datetime
    call_id: CallId
    job_id: str
    index: int
    ended: CallState
    cost: Money = Money()
    failure: Failure | None = None
    request_id: Message = ""
    answered_by: Message = ""
    usage: dict[str, Any] = Field(default_factory=dict)
    original: StoredFile | None = None


class CandidateFinished(Value):
    """A candidate ended, well or not."""

    event: Literal["candidate_finished"] = "candidate_finished"
    at: datetime
    outcome: CandidateOutcome


class JobFinished(Value):
    """Every candidate of a job has ended, and they are ranked.

    Attributes
    ----------
    ranks : dict
        Candidate index to its rank.
    winner : int or None
        Index of the first-ranked candidate.
    """

    event: Literal["job_finished"] = "job_finished"
    at: datetime
    job_id: str
    status: JobStatus
    ranks: dict[int, Rank]
    winner: int | None


class RunFinished(Value):
    """The run has ended, or was stopped.

    Attributes
    ----------
    next_step : str
        How to go on, as a whole sentence; empty where nothing is left to do.
    failure : Failure or None
        What has cut it short, where something has.
    """

    event: Literal["run_finished"] = "run_finished"
    at: datetime
    status: RunStatus
    next_step: Message = ""
    failure: Failure | None = None


Event = (
    RunStarted
    | RunResumed
    | InputStored
    | StyleStudied
    | CandidatesAdded
    | CandidateStarted
    | CallStarted
    | CallEnded
    | CandidateFinished
    | JobFinished
    | RunFinished
)

event_adapter: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])
