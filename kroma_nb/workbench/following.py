"""Whom a later stage follows: the winners of an earlier run, whose hand and light it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.errors import RecordInvalid, RequestInvalid
from kroma_nb.model.plan import Followed
from kroma_nb.model.words import Stage

if TYPE_CHECKING:
    from kroma_nb.model.runlog import RunLog
    from kroma_nb.workbench.runs import Runs

STAGES = tuple(Stage)


def followed(runs: Runs, run_id: str, stage: Stage) -> tuple[Followed, ...]:
    """Give the winners of a run, for a stage that keeps their hand and light.

    Parameters
    ----------
    runs : Runs
    run_id : str
        ``latest`` is the newest run of an earlier stage that has winners.
    stage : Stage
        The stage that follows.

    Raises
    ------
    RequestInvalid
        If there is no such run, or nothing in it was won.
    """
    if run_id == "latest":
        return _of_an_earlier_stage(runs, stage)
    log = runs[run_id].log
    if winners := _winners(log):
        return winners
    if log.imported is not None:
        raise RequestInvalid("request", "follow", f"run {run_id} was imported without its seeds", "follow another run")
    raise RequestInvalid("request", "follow", f"run {run_id} has no winner", "follow another run")


def _of_an_earlier_stage(runs: Runs, stage: Stage) -> tuple[Followed, ...]:
    for run in runs:
        try:
            log = run.log
        except RecordInvalid:
            continue
        if STAGES.index(log.stage) < STAGES.index(stage) and (winners := _winners(log)):
            return winners
    problem = f"no run of a stage before {stage.value} has a winner"
    raise RequestInvalid("request", "follow", problem, "make a run of an earlier stage first")


def _winners(log: RunLog) -> tuple[Followed, ...]:
    won = ((job, job.winner) for job in log.jobs)
    return tuple(
        Followed(
            scene_sha256=job.scene_sha256,
            stage=log.stage,
            run_id=log.run_id,
            job_id=job.id,
            candidate=winner.candidate_index,
            sha256=winner.final.sha256,
            seeds=winner.seeds,
        )
        for job, winner in won
        if winner is not None and winner.final is not None and winner.seeds and job.scene_sha256
    )
