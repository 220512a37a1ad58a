"""Plays a plan: inputs by content, jobs times candidates in parallel, every step an event."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kroma_nb.blobs import BlobStore
from kroma_nb.errors import FileMissing, KromaError, PassUnavailable, RequestInvalid
from kroma_nb.model.run import (
    CandidateFinished,
    CandidateOutcome,
    CandidateStarted,
    Failure,
    InputStored,
    JobFinished,
    RunFinished,
    RunStarted,
    StoredFile,
    StyleStudied,
    now,
)
from kroma_nb.model.words import CandidateStatus, JobStatus, RunStatus
from kroma_nb.qa import rank_candidates
from kroma_nb.run.environment import environment
from kroma_nb.run.folder import RunFolder, new_run_id
from kroma_nb.run.journal import Journal, open_journal
from kroma_nb.run.runlog import write_run_log
from kroma_nb.run.tasks import CandidateTask, make_candidate, study_style

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from threading import Event as Flag

    from kroma_nb.model.brief import Painter, Palette
    from kroma_nb.model.plan import Candidate, InputFile, Job, Plan
    from kroma_nb.model.quality import FileReport
    from kroma_nb.model.run import Event

IN_FLIGHT = 64
"""How many tasks are handed to an executor ahead of time; a waiting task holds no pixels."""


def execute(
    plan: Plan,
    *,
    root: Path,
    painter: Painter,
    executor: Executor | None = None,
    stop: Flag | None = None,
) -> Iterator[Event]:
    """Play a plan and yield what happens, when it has been journalled.

    Parameters
    ----------
    plan : Plan
        From `kroma_nb.planning.plan`.
    root : Path
        The project root; the run's folder is made under ``runs/``.
    painter : Painter
        The engine that the plan names.
    executor : concurrent.futures.Executor, optional
        Where candidates are made; it stays open. By default as many threads as this process may use processors.
    stop : threading.Event, optional
        Once set, nothing new is started, what is being made is finished, and the run ends as ``interrupted``.
        Closing the iterator does the same.

    Yields
    ------
    Event
        `RunStarted` first, `RunFinished` last.

    Raises
    ------
    ValidationFailed
        Before anything is created: a pass without a backend, another engine than the plan's, a missing input.
    InfraFailed
        If the disk refuses; the folder stays as it is and can be read.
    """
    _refuse_unplayable(plan, painter)
    return _play(_Run(plan, RunFolder(root, new_run_id(now())), painter), executor, stop)


def _refuse_unplayable(plan: Plan, painter: Painter) -> None:
    if plan.postprocess.bg_remove is not None:
        raise PassUnavailable("bg_remove", "switch it off with --no-bg-remove, or in the settings")
    if plan.postprocess.upscale is not None:
        raise PassUnavailable("upscale", "switch it off with --no-upscale, or in the settings")
    if (painter.provider, painter.model) != (plan.card.provider, plan.card.model):
        found = f"the painter is {painter.provider} {painter.model}"
        raise RequestInvalid("request", "painter", found, f"give {plan.card.provider} {plan.card.model}")
    for file in plan.inputs:
        if file.source is None:
            raise RequestInvalid("request", "plan", f"it does not say where {file.ref} lies", "make the plan again")
        _refuse_changed(file, file.source)


def _refuse_changed(file: InputFile, source: Path) -> None:
    try:
        size_bytes = source.stat().st_size
    except OSError as cause:
        raise FileMissing(source, file.ref, cause.strerror or str(cause)) from cause
    if size_bytes != file.size_bytes:
        raise FileMissing(source, file.ref, "it has changed since the plan was made; plan again")


@dataclass
class _Run:
    """A run while it is being played."""

    plan: Plan
    folder: RunFolder
    painter: Painter
    inputs: dict[str, str] = field(default_factory=dict)
    palettes: dict[tuple[str, ...], Palette | None] = field(default_factory=dict)
    open_jobs: dict[str, dict[int, CandidateOutcome]] = field(default_factory=dict)
    jobs_done: list[JobStatus] = field(default_factory=list)

    def stored(self, file: InputFile) -> StoredFile:
        return StoredFile(path=self.inputs[file.sha256], sha256=file.sha256, size_bytes=file.size_bytes)

    def task(self, job: Job, candidate: Candidate) -> CandidateTask:
        palette = self.palettes[_style_of(job)]
        return CandidateTask(
            folder=self.folder,
            job_id=job.id,
            index=candidate.index,
            scene=self.stored(job.scene),
            output_name=job.output_name(candidate.index),
            brief=job.brief(candidate, self.plan, palette),
            painter=self.painter,
            color=self.plan.postprocess.color,
            guard=self.plan.guard,
        )

    def settle(self, job: Job, outcome: CandidateOutcome) -> tuple[Event, ...]:
        """Book one outcome; the last one of a job ends the job."""
        ended = CandidateFinished(at=now(), outcome=outcome)
        outcomes = self.open_jobs.setdefault(job.id, {})
        outcomes[outcome.index] = outcome
        if len(outcomes) < len(job.candidates):
            return (ended,)
        del self.open_jobs[job.id]
        finished = judge(job, outcomes, self.plan)
        self.jobs_done.append(finished.status)
        return ended, finished

    def ended(self) -> RunFinished:
        """Close a run in which every candidate had its turn."""
        status = run_status(self.jobs_done)
        step = "" if status is RunStatus.OK else "Each failed candidate names its cause; mend it and run those scenes."
        return RunFinished(at=now(), status=status, next_step=step)

    def interrupted(self) -> RunFinished:
        """Close a run that was stopped."""
        done = sum(status is not JobStatus.FAILED for status in self.jobs_done)
        step = f"{done} of {len(self.plan.jobs)} scenes are finished and kept here; the same command makes a new run."
        return RunFinished(at=now(), status=RunStatus.INTERRUPTED, next_step=step)


def judge(job: Job, outcomes: dict[int, CandidateOutcome], plan: Plan) -> JobFinished:
    """Rank a job's candidates and say how the job ended."""
    reports: dict[int, FileReport] = {index: o.guard for index, o in sorted(outcomes.items()) if o.guard is not None}
    ranks = rank_candidates(reports, plan.guard)
    winner = next((index for index, rank in ranks.items() if rank.position == 1), None)
    judged = {CandidateStatus.DONE, CandidateStatus.FAILED_OUTPUT_GUARD}
    whole = all(outcome.status in judged for outcome in outcomes.values())
    status = JobStatus.FAILED if winner is None else JobStatus.DONE if whole else JobStatus.PARTIAL
    return JobFinished(at=now(), job_id=job.id, status=status, ranks=ranks, winner=winner)


def run_status(jobs: list[JobStatus]) -> RunStatus:
    """Say how a run ended that was not stopped; a run without jobs is ok."""
    if all(status is JobStatus.DONE for status in jobs):
        return RunStatus.OK
    if all(status is JobStatus.FAILED for status in jobs):
        return RunStatus.FAILED
    return RunStatus.PARTIAL


def _play(run: _Run, executor: Executor | None, stop: Flag | None) -> Iterator[Event]:
    folder = RunFolder.create(run.folder.root, run.folder.run_id, run.plan)
    with open_journal(folder.journal_path) as journal, _crew(executor) as crew:
        line = _Line(run, crew, stop)
        started = _started(run)
        journal.append(started)
        try:
            yield started
            for event in _events(run, line):
                journal.append(event)
                yield event
        except BaseException as cause:
            # A closed iterator, Ctrl-C, an input that changed: what was being made is booked, and the folder closed.
            for event in line.drain():
                journal.append(event)
            failed = RunFinished(at=now(), status=RunStatus.FAILED, next_step=str(cause))
            _close(run, journal, failed if isinstance(cause, KromaError) else run.interrupted())
            raise
        yield _close(run, journal, run.interrupted() if line.stopped else run.ended())


def _close(run: _Run, journal: Journal, finished: RunFinished) -> RunFinished:
    journal.append(finished)
    journal.sync()
    write_run_log(run.folder, run.plan)
    return finished


def _started(run: _Run) -> RunStarted:
    return RunStarted(
        at=now(),
        run_id=run.folder.run_id,
        project=run.plan.project,
        plan_sha256=run.folder.plan_sha256(),
        jobs=len(run.plan.jobs),
        pictures=run.plan.pictures,
        environment=environment(),
    )


def _events(run: _Run, line: _Line) -> Iterator[Event]:
    yield from _store_inputs(run)
    yield from _study_styles(run, line.crew)
    yield from line.work()


def _store_inputs(run: _Run) -> Iterator[Event]:
    store = BlobStore(run.folder.root / "inputs")
    for file in run.plan.inputs:
        assert file.source is not None
        blob = store.put_file(file.source)
        if blob.sha256 != file.sha256:
            raise FileMissing(file.source, file.ref, "it has changed since the plan was made; plan again")
        run.inputs[file.sha256] = f"inputs/{blob.name}"
        yield InputStored(
            at=now(),
            ref=file.ref,
            file=run.stored(file),
            media_type=file.media_type,
            width=file.width,
            height=file.height,
        )


def _style_of(job: Job) -> tuple[str, ...]:
    return tuple(reference.sha256 for reference in job.references)


def _study_styles(run: _Run, crew: Executor) -> Iterator[Event]:
    for style in dict.fromkeys(_style_of(job) for job in run.plan.jobs):
        paths = tuple(run.folder.root / run.inputs[sha256] for sha256 in style)
        palette = crew.submit(study_style, run.painter, paths).result() if paths else None
        run.palettes[style] = palette
        if style:
            yield StyleStudied(at=now(), references=style, palette=palette)


class _Line:
    """The candidates on their way through the executor, a window at a time."""

    def __init__(self, run: _Run, crew: Executor, stop: Flag | None) -> None:
        self.run, self.crew, self._stop = run, crew, stop
        self._waiting = ((job, candidate) for job in run.plan.jobs for candidate in job.candidates)
        self._under_way: dict[Future[CandidateOutcome], tuple[Job, CandidateTask]] = {}
        self._news: deque[Event] = deque()
        self.stopped = False

    def work(self) -> Iterator[Event]:
        """Hand out candidates and yield what becomes of them."""
        self._fill()
        while self._under_way or self._news:
            yield from self._tell()
            if self._stop is not None and self._stop.is_set():
                self.stopped = True
                yield from self.drain()
                return
            # The time limit lets a stop be seen while a long candidate is being made.
            done, _ = wait(self._under_way, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                self._settle(future)
            self._fill()

    def drain(self) -> Iterator[Event]:
        """Let what has begun come to its end, take back the rest, and yield the outcomes."""
        taken_back = {future for future in self._under_way if future.cancel()}
        for future in sorted(self._under_way, key=lambda future: future not in taken_back):
            self._settle(future)
        yield from self._tell()

    def _tell(self) -> Iterator[Event]:
        while self._news:
            yield self._news.popleft()

    def _fill(self) -> None:
        while len(self._under_way) < IN_FLIGHT:
            job, candidate = next(self._waiting, (None, None))
            if job is None or candidate is None:
                return
            task = self.run.task(job, candidate)
            self._under_way[self.crew.submit(make_candidate, task)] = job, task
            self._news.append(CandidateStarted(at=now(), job_id=job.id, index=candidate.index))

    def _settle(self, future: Future[CandidateOutcome]) -> None:
        job, task = self._under_way.pop(future)
        self._news.extend(self.run.settle(job, _outcome_of(future, task)))


def _outcome_of(future: Future[CandidateOutcome], task: CandidateTask) -> CandidateOutcome:
    if future.cancelled():
        return _unmade(task, CandidateStatus.CANCELED, None)
    try:
        return future.result()
    except Exception as cause:  # noqa: BLE001
        # A bug or a dead worker ends this candidate, not its neighbours.
        failure = Failure(error_kind="unknown", error_code="bug", message=f"{type(cause).__name__}: {cause}")
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


@contextmanager
def _crew(executor: Executor | None) -> Iterator[Executor]:
    if executor is not None:
        yield executor
        return
    with ThreadPoolExecutor(max_workers=_processors(), thread_name_prefix="kroma") as threads:
        yield threads


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
