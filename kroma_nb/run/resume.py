"""Going on with a run: what has no good result is made, and what was added to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kroma_nb.errors import RequestInvalid, WriteFailed
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.model.plan import Candidate
from kroma_nb.model.run import CandidatesAdded, JobFinished, RunResumed, now
from kroma_nb.model.words import CallState, CandidateStatus
from kroma_nb.planning.seeds import seeds_for
from kroma_nb.run.engine import play, player, refuse_unpaid, refuse_unplayable
from kroma_nb.run.environment import environment
from kroma_nb.run.happened import Happened
from kroma_nb.run.journal import read_events, reopen_journal
from kroma_nb.run.ledger import Ledger
from kroma_nb.run.playing import Playing, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from threading import Event as Flag

    from kroma_nb.model.brief import Engine, Painter
    from kroma_nb.model.ledger import Reserved
    from kroma_nb.model.paid import PaidPainter
    from kroma_nb.model.plan import Job, Plan
    from kroma_nb.model.run import CandidateOutcome, Event
    from kroma_nb.run.folder import RunFolder
    from kroma_nb.run.playing import Equipment

GOOD = frozenset({CandidateStatus.DONE, CandidateStatus.FAILED_OUTPUT_GUARD})
"""How a candidate ends that was made and judged; the same again would be judged the same."""
MOST = 255
"""How many candidates a job has at most."""


@dataclass(frozen=True)
class Rest:
    """What a run has left to do.

    Attributes
    ----------
    plan : Plan
    turns : tuple of Turn
        The candidates that are to be made.
    in_doubt : tuple of Turn
        Those that are left as they are, because nobody knows whether they were billed.
    happened : Happened
        What its journal says.
    added : CandidatesAdded or None
        That candidates are added to it first.
    """

    plan: Plan
    turns: tuple[Turn, ...]
    in_doubt: tuple[Turn, ...]
    happened: Happened
    added: CandidatesAdded | None = None

    @property
    def replays(self) -> str | None:
        """The run that it makes again; None where it is no replay."""
        return self.happened.started.replays if self.happened.started else None


def _never(_: Reserved) -> bool:
    return False


def rest_of(folder: RunFolder, *, pay_again: bool = False, takes_over: Callable[[Reserved], bool] = _never) -> Rest:
    """Find what a run has left to do.

    Parameters
    ----------
    folder : RunFolder
    pay_again : bool
        Whether pictures are bought again of which nobody knows whether they were billed.
    takes_over : callable
        Tells whether a call in doubt can be asked after, or sent again at no other price.

    Raises
    ------
    RecordInvalid
        If the run's files are not what was written.
    """
    plan, happened = folder.plan(), Happened().hear(read_events(folder.journal_path))
    # A run that costs nothing goes on whatever becomes of the ledger.
    calls = Ledger(folder.root).calls_of(folder.run_id) if plan.card.paid else ()
    reserved = {call.call_id: call for call, _ in calls}
    turns: list[Turn] = []
    in_doubt: list[Turn] = []
    for job in plan.jobs:
        for candidate in every_candidate(job, happened):
            if _is_good(folder, happened, job, candidate):
                continue
            call_id = _doubtful(happened, job, candidate)
            call = reserved.get(call_id)
            if not call_id:
                # Where a call for the same picture is in doubt elsewhere, that is found when money is put aside.
                turns.append(Turn(job, candidate, pay_again=pay_again))
            elif call is not None and takes_over(call):
                turns.append(Turn(job, candidate, doubtful=call))
            else:
                (turns if pay_again else in_doubt).append(Turn(job, candidate, pay_again=pay_again))
    return Rest(plan, tuple(turns), tuple(in_doubt), happened)


def every_candidate(job: Job, happened: Happened) -> tuple[Candidate, ...]:
    """Give a job's candidates, those that were added counted."""
    return (*job.candidates, *(c for more in happened.added.get(job.id, ()) for c in more.candidates))


def _is_good(folder: RunFolder, happened: Happened, job: Job, candidate: Candidate) -> bool:
    ends = happened.outcomes.get(job.id, {}).get(candidate.index, [])
    if not ends or ends[-1].status not in GOOD:
        return False
    return all(_is_there(folder, outcome) for outcome in ends[-1:])


def _is_there(folder: RunFolder, outcome: CandidateOutcome) -> bool:
    """Tell whether every picture of a candidate is there, at its size."""
    files = (folder.root / record.output.path for record in outcome.passes)
    sizes = (record.output.size_bytes for record in outcome.passes)
    try:
        return all(path.is_file() and path.stat().st_size == size for path, size in zip(files, sizes, strict=True))
    except PermissionError:
        # One in a folder that this process may not look into is not there for it.
        return False


def _doubtful(happened: Happened, job: Job, candidate: Candidate) -> str:
    calls = list(happened.calls.get((job.id, candidate.index), {}).values())
    return calls[-1].call_id if calls and calls[-1].ended in {None, CallState.IN_DOUBT} else ""


def more_of(rest: Rest, job_id: str, count: int) -> Rest:
    """Give, in place of what a run has left to do, new candidates of one of its jobs, with seeds of their own.

    They are linked to the candidate that they are to do better than: the winner, or else the last one.

    Parameters
    ----------
    rest : Rest
    job_id : str
        A job, or its scene by name or path.
    count : int
        How many.

    Raises
    ------
    RequestInvalid
        If there is no such job, or there would be too many.
    """
    plan, happened = rest.plan, rest.happened
    job = job_of(plan, job_id)
    if job.given is not None:
        problem = f"{job.name} was given to be finished, and nothing is drawn"
        raise RequestInvalid("request", "job", problem, "ask the run that drew it for more candidates")
    there = every_candidate(job, happened)
    if not 1 <= count <= MOST - len(there):
        problem = f"{count} more candidates beside {len(there)} are none, or make more than {MOST}"
        raise RequestInvalid("request", "candidates", problem, "ask for 1 or more, and fewer")
    ended, start = happened.ended.get(job.id), max(candidate.index for candidate in there) + 1
    root = plan.generation.seed if job.seed is None else job.seed
    new = tuple(
        Candidate(
            index=index,
            seeds=seeds_for(root, job.scene.sha256, index=index, stage=job.mode, follows=job.follows),
        )
        for index in range(start, start + count)
    )
    retry_of = ended.winner if ended and ended.winner else there[-1].index
    added = CandidatesAdded(at=now(), job_id=job.id, candidates=new, retry_of=retry_of)
    return replace(rest, turns=tuple(Turn(job, candidate) for candidate in new), in_doubt=(), added=added)


def job_of(plan: Plan, job_id: str) -> Job:
    """Give a job of a plan by its id, or by its scene's name or path.

    Raises
    ------
    RequestInvalid
        If there is no such job, or several.
    """
    fits = [job for job in plan.jobs if job_id in {job.id, job.name, job.scene.ref}]
    exact = [job for job in fits if job.id == job_id]
    if len(exact or fits) != 1:
        problem = f"{len(fits) or 'no'} jobs of the run are called {job_id!r}"
        raise RequestInvalid("request", "job", problem, did_you_mean(job_id, [job.id for job in plan.jobs]))
    return (exact or fits)[0]


def resume_run(
    folder: RunFolder,
    rest: Rest,
    *,
    painter: Painter | PaidPainter | Engine,
    equipment: Equipment,
    stop: Flag | None = None,
) -> Generator[Event, None, None]:
    """Make what a run has left, in its own folder, and yield what happens.

    Yields
    ------
    Event
        `RunResumed` first, `RunFinished` last.

    Raises
    ------
    ValidationFailed
        If the plan cannot be played here.
    InUse
        If a living process plays the run.
    WriteFailed
        If the disk refuses; what was made is kept.
    """
    refuse_unplayable(rest.plan, painter, equipment.finishers)
    if rest.replays is None:
        refuse_unpaid(rest.plan, equipment)
    refuse_without_inputs(folder, rest)
    return _resumed(folder, rest, Playing(rest.plan, folder, painter, equipment, rest.turns), stop)


def refuse_without_inputs(folder: RunFolder, rest: Rest) -> None:
    """Refuse to go on with a run that ended before its inputs were kept.

    Raises
    ------
    RequestInvalid
        With the input that is missing.
    """
    for file in rest.plan.inputs:
        if file.sha256 not in rest.happened.paths:
            problem = f"run {folder.run_id} ended before {file.ref} was kept, so nothing was made yet"
            raise RequestInvalid("request", "run", problem, "plan it again, and delete this one")


def _resumed(folder: RunFolder, rest: Rest, run: Playing, stop: Flag | None) -> Generator[Event, None, None]:
    with reopen_journal(folder.journal_path) as journal:
        happened = Happened().hear(read_events(folder.journal_path))
        if happened != rest.happened:
            raise RequestInvalid("request", "run", "another process has gone on with it meanwhile", "look again")
        beginning: list[Event] = [
            RunResumed(
                at=now(),
                pictures=len(run.turns),
                environment=environment(),
                player=player(),
                spend_limit=run.equipment.spend_limit,
            )
        ]
        beginning += [rest.added] if rest.added else []
        beginning += _taken_up(run, happened)
        try:
            # Until the run ends again, its journal tells how it stands.
            folder.log_path.unlink(missing_ok=True)
        except OSError as cause:
            raise WriteFailed(folder.log_path, cause.strerror or str(cause)) from cause
        yield from play(run, journal, tuple(beginning), stop)


def _taken_up(run: Playing, happened: Happened) -> list[JobFinished]:
    """Tell a run what was made before, and give the ends of jobs that a kill has left without one."""
    run.inputs.update(happened.paths)
    run.palettes.update(happened.studied)
    to_come = Counter(turn.job.id for turn in run.turns)
    making = {(turn.job.id, turn.candidate.index) for turn in run.turns}
    ends = []
    for job in run.plan.jobs:
        outcomes = {index: several[-1] for index, several in happened.outcomes.get(job.id, {}).items()}
        kept = {index: outcome for index, outcome in outcomes.items() if (job.id, index) not in making}
        run.ends.update(outcome.status for outcome in kept.values())
        ended = happened.ended.get(job.id)
        if to_come[job.id]:
            run.open_jobs[job.id] = kept
        elif ended is not None:
            run.ended_jobs[job.id] = ended.status
        elif kept:
            run.open_jobs[job.id] = kept
            ends.append(run.judged(job))
    return ends
