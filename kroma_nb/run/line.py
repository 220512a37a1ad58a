"""The candidates of a run on their way through an executor, and how jobs and runs end."""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kroma_nb.errors import KromaError, WorkersLost
from kroma_nb.model.run import (
    CandidateFinished,
    CandidateOutcome,
    CandidateStarted,
    Failure,
    JobFinished,
    RunFinished,
    StoredFile,
    now,
)
from kroma_nb.model.words import CandidateStatus, JobStatus, RunStatus
from kroma_nb.qa import rank_candidates
from kroma_nb.run.tasks import CandidateTask, make_candidate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event as Flag

    from kroma_nb.model.brief import Painter, Palette
    from kroma_nb.model.plan import Candidate, InputFile, Job, Plan
    from kroma_nb.model.run import Event
    from kroma_nb.run.folder import RunFolder

IN_FLIGHT = 64
"""How many tasks are handed to an executor ahead of time; a waiting task holds no pixels."""


@dataclass
class Playing:
    """A run while it is being played.

    Attributes
    ----------
    inputs : dict
        Path in the project of each stored input, by sha256.
    palettes : dict
        What the painter read off each tuple of style references, by their sha256.
    """

    plan: Plan
    folder: RunFolder
    painter: Painter
    inputs: dict[str, str] = field(default_factory=dict)
    palettes: dict[tuple[str, ...], Palette | None] = field(default_factory=dict)
    _open_jobs: dict[str, dict[int, CandidateOutcome]] = field(default_factory=dict)
    _ended_jobs: list[JobStatus] = field(default_factory=list)
    _kept: int = 0

    def stored(self, file: InputFile) -> StoredFile:
        """Give an input's place in the project."""
        return StoredFile(path=self.inputs[file.sha256], sha256=file.sha256, size_bytes=file.size_bytes)

    def task(self, job: Job, candidate: Candidate) -> CandidateTask:
        """Say to a worker all that it needs for one candidate."""
        return CandidateTask(
            folder=self.folder,
            job_id=job.id,
            index=candidate.index,
            scene=self.stored(job.scene),
            scene_ref=job.scene.ref,
            output_name=job.output_name(candidate.index),
            brief=job.brief(candidate, self.plan, self.palettes[style_of(job)]),
            painter=self.painter,
            color=self.plan.postprocess.color,
            guard=self.plan.guard,
        )

    def settle(self, job: Job, outcome: CandidateOutcome) -> tuple[Event, ...]:
        """Book one outcome; the last one of a job ends the job."""
        ended = CandidateFinished(at=now(), outcome=outcome)
        self._kept += outcome.final is not None
        outcomes = self._open_jobs.setdefault(job.id, {})
        outcomes[outcome.index] = outcome
        if len(outcomes) < len(job.candidates):
            return (ended,)
        del self._open_jobs[job.id]
        finished = judge(job, outcomes, self.plan)
        self._ended_jobs.append(finished.status)
        return ended, finished

    def ended(self) -> RunFinished:
        """Close a run in which every candidate had its turn."""
        status = run_status(self._ended_jobs)
        step = "" if status is RunStatus.OK else "Each failed candidate names its cause; mend it and run those scenes."
        return RunFinished(at=now(), status=status, next_step=step)

    def interrupted(self, why: str = "") -> RunFinished:
        """Close a run that was cut short."""
        done, planned = self._ended_jobs.count(JobStatus.DONE), len(self.plan.jobs)
        kept = f"{self._kept} of {self.plan.pictures} pictures are kept here"
        step = f"{kept}, {done} of {planned} scenes are finished; the same command makes a new run."
        return RunFinished(at=now(), status=RunStatus.INTERRUPTED, next_step=f"{why} {step}".strip())

    def failed(self, cause: KromaError) -> RunFinished:
        """Close a run that could not go on."""
        return RunFinished(at=now(), status=RunStatus.FAILED, next_step=self.folder.told(cause))


def style_of(job: Job) -> tuple[str, ...]:
    """Give the sha256 of a job's style references, in order."""
    return tuple(reference.sha256 for reference in job.references)


def judge(job: Job, outcomes: dict[int, CandidateOutcome], plan: Plan) -> JobFinished:
    """Rank a job's candidates and say how the job ended."""
    reports = {index: o.guard for index, o in sorted(outcomes.items()) if o.guard is not None}
    ranks = rank_candidates(reports, plan.guard)
    winner = next((index for index, rank in ranks.items() if rank.position == 1), None)
    status = _job_status({outcome.status for outcome in outcomes.values()}, won=winner is not None)
    return JobFinished(at=now(), job_id=job.id, status=status, ranks=ranks, winner=winner)


def _job_status(ends: set[CandidateStatus], *, won: bool) -> JobStatus:
    if ends == {CandidateStatus.CANCELED}:
        return JobStatus.PLANNED
    if not won:
        return JobStatus.FAILED
    return JobStatus.DONE if ends <= {CandidateStatus.DONE, CandidateStatus.FAILED_OUTPUT_GUARD} else JobStatus.PARTIAL


def run_status(jobs: list[JobStatus]) -> RunStatus:
    """Say how a run ended that was not cut short; a run without jobs is ok."""
    if all(status is JobStatus.DONE for status in jobs):
        return RunStatus.OK
    if all(status is JobStatus.FAILED for status in jobs):
        return RunStatus.FAILED
    return RunStatus.PARTIAL


class Line:
    """The candidates on their way through the executor, a window at a time.

    Attributes
    ----------
    broken : str
        What the executor said when it broke; else empty.
    """

    def __init__(self, run: Playing, crew: Executor, stop: Flag | None) -> None:
        self.run, self.crew, self._stop = run, crew, stop
        self._waiting = ((job, candidate) for job in run.plan.jobs for candidate in job.candidates)
        self._under_way: dict[Future[CandidateOutcome], tuple[Job, CandidateTask]] = {}
        self._news: deque[Event] = deque()
        self._taken_back = 0
        self.broken = ""

    @property
    def stopping(self) -> bool:
        """Whether nothing new may be started."""
        return bool(self.broken) or (self._stop is not None and self._stop.is_set())

    def is_cut_short(self) -> bool:
        """Tell, once nothing is under way, whether candidates were left unmade."""
        return bool(self.broken or self._taken_back) or next(self._waiting, None) is not None

    def work(self) -> Iterator[Event]:
        """Hand out candidates and yield what becomes of them."""
        while self._fill():
            yield from self._tell()
            # The time limit lets a stop be seen while a long candidate is being made.
            done, _ = wait(self._under_way, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                self._settle(future)
        yield from self.drain()

    def drain(self) -> Iterator[Event]:
        """Let what has begun come to its end, take back the rest, and yield the outcomes."""
        taken_back = {future for future in self._under_way if future.cancel()}
        self._taken_back += len(taken_back)
        for future in sorted(self._under_way, key=lambda future: future not in taken_back):
            self._settle(future)
        yield from self._tell()

    def _tell(self) -> Iterator[Event]:
        while self._news:
            yield self._news.popleft()

    def _fill(self) -> bool:
        """Hand out as many candidates as the window takes; tell whether to wait for them."""
        while len(self._under_way) < IN_FLIGHT and not self.stopping:
            job, candidate = next(self._waiting, (None, None))
            if job is None or candidate is None:
                break
            self._hand_out(job, candidate)
        return bool(self._under_way) and not self.stopping

    def _hand_out(self, job: Job, candidate: Candidate) -> None:
        task = self.run.task(job, candidate)
        try:
            future = self.crew.submit(make_candidate, task)
        except (BrokenExecutor, RuntimeError) as cause:
            self.broken = f"The executor takes no more work ({cause})."
            return
        self._under_way[future] = job, task
        self._news.append(CandidateStarted(at=now(), job_id=job.id, index=candidate.index))

    def _settle(self, future: Future[CandidateOutcome]) -> None:
        job, task = self._under_way.pop(future)
        self._news.extend(self.run.settle(job, _outcome_of(future, task)))


def _outcome_of(future: Future[CandidateOutcome], task: CandidateTask) -> CandidateOutcome:
    if future.cancelled():
        return _unmade(task, CandidateStatus.CANCELED, None)
    cause = future.exception()
    if cause is None:
        return future.result()
    said = f"{type(cause).__name__}: {cause}"
    if isinstance(cause, BrokenExecutor):
        lost = WorkersLost(said)
        failure = Failure(error_kind=lost.error_kind, error_code=lost.error_code, message=str(lost))
    else:
        failure = Failure(error_kind="unknown", error_code="bug", message=said)
    return _unmade(task, CandidateStatus.FAILED_PROVIDER, failure)


def _unmade(task: CandidateTask, status: CandidateStatus, failure: Failure | None) -> CandidateOutcome:
    moment = now()
    return CandidateOutcome(
        job_id=task.job_id,
        index=task.index,
        status=status,
        seeds=task.brief.seeds,
        failure=failure,
        started_at=moment,
        finished_at=moment,
    )
