"""A run while it is being played: what is known of it, and how its jobs and itself end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from kroma_nb.model.brief import Engine, Size
from kroma_nb.model.finishing import Finishers
from kroma_nb.model.run import CandidateFinished, JobFinished, RunFinished, StoredFile, now
from kroma_nb.model.words import CandidateStatus, JobStatus, RunStatus
from kroma_nb.qa import rank_candidates
from kroma_nb.run.runlog import NOTHING_MADE
from kroma_nb.run.tasks import CandidateTask, failure_of

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from kroma_nb.errors import KromaError
    from kroma_nb.model.brief import Painter, Palette
    from kroma_nb.model.ledger import BoughtPicture, Reserved
    from kroma_nb.model.money import Money
    from kroma_nb.model.paid import PaidPainter
    from kroma_nb.model.plan import Candidate, InputFile, Job, Plan
    from kroma_nb.model.run import CandidateOutcome, Event
    from kroma_nb.run.buying import Till
    from kroma_nb.run.cache import PassCache
    from kroma_nb.run.folder import RunFolder

NO_FINISHERS = Finishers()
NOT_MADE = frozenset({CandidateStatus.CANCELED, CandidateStatus.SKIPPED_BUDGET})
"""How a candidate ends that nobody has begun to make."""


@dataclass(frozen=True)
class Equipment:
    """What a run is made with, beside its painter.

    Attributes
    ----------
    executor : concurrent.futures.Executor or None
        Where candidates are made; it stays open, and none of its own workers may play a run. None takes as many
        threads as this process may use processors.
    cache : PassCache or None
        What passes have made before; None makes everything.
    till : Till or None
        What a paid engine's pictures are paid with.
    spend_limit : Money or None
        What a person has confirmed that the run may cost.
    finishers : Finishers
        The backends of the passes after drawing.
    """

    executor: Executor | None = None
    cache: PassCache | None = None
    till: Till | None = None
    spend_limit: Money | None = None
    finishers: Finishers = NO_FINISHERS


@dataclass(frozen=True)
class Turn:
    """A candidate that is to be made.

    Attributes
    ----------
    doubtful : Reserved or None
        The paid call for it of which nobody knows what became, where that can be found out, or is sent again under
        its key: its money is put aside already.
    pay_again : bool
        Whether it is bought although it may have been billed before.
    original : BoughtPicture or None
        The picture that it takes up, whatever its key is by now; None where it is made, or bought.
    was_bought : bool
        In a replay, whether the run that it makes again has a picture of it.
    """

    job: Job
    candidate: Candidate
    doubtful: Reserved | None = None
    pay_again: bool = False
    original: BoughtPicture | None = None
    was_bought: bool = False


@dataclass
class Playing:
    """A run while it is being played.

    Attributes
    ----------
    turns : tuple of Turn
        The candidates that are to be made, in order.
    inputs : dict
        Path in the project of each stored input, by sha256.
    palettes : dict
        What the painter read off each tuple of style references, by their sha256.
    open_jobs : dict
        By job that has not ended, how those of its candidates ended that have had their turn.
    ended_jobs : dict
        By job, how it ended.
    ends : Counter
        How many candidates ended in which way.
    computed : bool
        Whether a pass was made, and not taken from what was made before.
    """

    plan: Plan
    folder: RunFolder
    painter: Painter | PaidPainter | Engine
    equipment: Equipment
    turns: tuple[Turn, ...]
    inputs: dict[str, str] = field(default_factory=dict)
    palettes: dict[tuple[str, ...], Palette | None] = field(default_factory=dict)
    open_jobs: dict[str, dict[int, CandidateOutcome]] = field(default_factory=dict)
    ended_jobs: dict[str, JobStatus] = field(default_factory=dict)
    ends: Counter[CandidateStatus] = field(default_factory=Counter)
    computed: bool = False

    def __post_init__(self) -> None:
        self._to_come = Counter(turn.job.id for turn in self.turns)

    @property
    def engine(self) -> Engine:
        """Whose pictures they are."""
        painter = self.painter
        return Engine(provider=painter.provider, model=painter.model, version=painter.version)

    def stored(self, file: InputFile) -> StoredFile:
        """Give an input's place in the project."""
        return StoredFile(path=self.inputs[file.sha256], sha256=file.sha256, size_bytes=file.size_bytes)

    def task(self, turn: Turn) -> CandidateTask:
        """Say to a worker all that it needs for one candidate."""
        job, candidate = turn.job, turn.candidate
        return CandidateTask(
            folder=self.folder,
            job_id=job.id,
            index=candidate.index,
            scene=self.stored(job.scene),
            scene_ref=job.scene.ref,
            scene_size=Size(width=job.scene.width, height=job.scene.height),
            output_name=job.output_name(candidate.index),
            brief=job.brief(candidate, self.plan, self.palettes.get(style_of(job))),
            engine=self.engine,
            painter=None if self.plan.card.paid or job.given else cast("Painter", self.painter),
            postprocess=self.plan.postprocess,
            finishers=self.equipment.finishers,
            guard=self.plan.guard,
            cache=self.equipment.cache,
            given=(job.given, self.stored(job.given.file)) if job.given else None,
        )

    def settle(self, job: Job, outcome: CandidateOutcome) -> tuple[Event, ...]:
        """Book one outcome; the last one of a job ends the job."""
        ended = CandidateFinished(at=now(), outcome=outcome)
        self.ends[outcome.status] += 1
        self.computed |= any(not record.reused for record in outcome.passes)
        outcomes = self.open_jobs.setdefault(job.id, {})
        outcomes[outcome.index] = outcome
        self._to_come[job.id] -= 1
        if self._to_come[job.id]:
            return (ended,)
        return ended, self.judged(job)

    def judged(self, job: Job) -> JobFinished:
        """Rank a job whose every candidate has had its turn."""
        finished = judge(job, self.open_jobs.pop(job.id), self.plan)
        self.ended_jobs[job.id] = finished.status
        return finished

    def ended(self) -> RunFinished:
        """Close a run in which every candidate had its turn."""
        status = run_status([self.ended_jobs.get(job.id, JobStatus.PLANNED) for job in self.plan.jobs])
        return RunFinished(at=now(), status=status, next_step=self._next_step(status))

    def _next_step(self, status: RunStatus) -> str:
        steps = []
        if skipped := self.ends[CandidateStatus.SKIPPED_BUDGET]:
            left = "1 picture was" if skipped == 1 else f"{skipped} pictures were"
            steps.append(f"{left} not bought, for want of budget: raise it and give `kroma resume`.")
        if lost := self.ends[CandidateStatus.IN_DOUBT]:
            left = "1 picture was" if lost == 1 else f"{lost} pictures were"
            steps.append(
                f"Nobody knows whether {left} billed: look at the provider's account; "
                "`kroma resume --pay-again` buys again."
            )
        if self.ends[CandidateStatus.FAILED_PROVIDER]:
            if self.plan.card.paid and self.equipment.till is None:
                steps.append("A replay buys nothing: put back what is missing under originals/.")
            steps.append("Each failed candidate names its cause; mend it and give `kroma resume`.")
        if not steps and status is not RunStatus.OK:
            way_out = "`kroma retry` draws" if self.plan.draws else "`kroma finish` makes"
            other = "seeds" if self.plan.draws else "settings"
            steps.append(f"The guard let no picture of some scenes through: {way_out} them with other {other}.")
        return " ".join(steps)

    def interrupted(self, why: str = "") -> RunFinished:
        """Close a run that was cut short."""
        if any(file.sha256 not in self.inputs for file in self.plan.inputs):
            return RunFinished(at=now(), status=RunStatus.INTERRUPTED, next_step=f"{why} {NOTHING_MADE}".strip())
        done, planned = list(self.ended_jobs.values()).count(JobStatus.DONE), len(self.plan.jobs)
        total = self.ends.total() + sum(self._to_come.values())
        kept = f"{self.ends[CandidateStatus.DONE]} of {total} pictures are kept here"
        step = f"{kept}, {done} of {planned} scenes are finished; `kroma resume` finishes the rest."
        return RunFinished(at=now(), status=RunStatus.INTERRUPTED, next_step=f"{why} {step}".strip())

    def failed(self, cause: KromaError) -> RunFinished:
        """Close a run that could not go on."""
        failure = failure_of(cause, self.folder)
        return RunFinished(at=now(), status=RunStatus.FAILED, next_step=failure.message, failure=failure)


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
    if ends <= NOT_MADE:
        return JobStatus.PLANNED
    if not won:
        return JobStatus.PARTIAL if CandidateStatus.IN_DOUBT in ends else JobStatus.FAILED
    return JobStatus.DONE if ends <= {CandidateStatus.DONE, CandidateStatus.FAILED_OUTPUT_GUARD} else JobStatus.PARTIAL


def run_status(jobs: list[JobStatus]) -> RunStatus:
    """Say how a run ended that was not cut short; a run without jobs is ok."""
    if all(status is JobStatus.DONE for status in jobs):
        return RunStatus.OK
    if all(status is JobStatus.FAILED for status in jobs):
        return RunStatus.FAILED
    return RunStatus.PARTIAL
