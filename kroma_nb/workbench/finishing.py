"""Winners of an earlier run as the jobs of a run that only finishes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb import planning
from kroma_nb.blobs import sha256_file
from kroma_nb.errors import ContentDamaged, RequestInvalid
from kroma_nb.model.brief import Size
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.model.plan import Candidate, Followed, Given, InputFile
from kroma_nb.workbench.begun import unaltered
from kroma_nb.workbench.requests import PlanWords

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kroma_nb.model.plan import Job, Plan
    from kroma_nb.model.runlog import CandidateRecord, RunLog
    from kroma_nb.settings import Settings
    from kroma_nb.workbench.project import Project
    from kroma_nb.workbench.run_handle import Run

APART = (
    *("input", "manifest", "jobs_file", "scenes", "styles", "candidates", "follow", "provider"),
    *("stage", "time", "weather"),
)
"""What can be asked for only where something is drawn."""


def plan_of_finishing(project: Project, asked: PlanWords, settings: Settings) -> Plan:
    """Plan to take the winners of a run through the passes after drawing.

    Raises
    ------
    ValidationFailed
        If there is no such run, nothing in it was won, no pass is on, or a word is given that only drawing needs.
    FileMissing, ContentDamaged
        If a winner's file is gone, or is not what the run has made.
    """
    for word in APART:
        if getattr(asked, word) != PlanWords.model_fields[word].default:
            raise RequestInvalid("request", word, "stands beside finish, which draws nothing", "leave it out")
    assert asked.finish is not None
    one = project.runs[asked.finish]
    before, log = unaltered(one).plan(), one.log
    jobs = tuple(_finished(one, log, before))
    if not jobs:
        problem = f"run {one.run_id} has no winner"
        raise RequestInvalid("request", "finish", problem, "finish another run")
    kept = tuple(_selected(jobs, asked.only))
    backends = planning.backend_options_of(project.bench.home)
    request = asked.request(project.slug)
    return planning.plan_finishing(before, kept, request, settings=settings, backends=backends)


def _finished(one: Run, log: RunLog, before: Plan) -> Iterator[Job]:
    root, drawn = one.project.root, {job.id: job for job in before.jobs}
    kept = {record.file.sha256: root / record.file.path for record in log.inputs}
    for record in log.jobs:
        job, winner = drawn[record.id], record.winner
        if winner is None or winner.final is None or winner.seeds is None:
            continue
        earlier, cuts = job.given, before.postprocess.bg_remove is not None
        bought = before.card.paid or (earlier is not None and earlier.bought)
        cut_out = cuts or (earlier is not None and earlier.cut_out)
        given = _given(one, winner).model_copy(update={"bought": bought, "cut_out": cut_out})
        yield job.model_copy(
            update={
                "scene": _kept(job.scene, kept),
                "references": tuple(_kept(file, kept) for file in job.references),
                "size": Size(width=given.file.width, height=given.file.height),
                "candidates": (Candidate(index=winner.candidate_index, seeds=winner.seeds),),
                "given": given,
                "follows": Followed(
                    scene_sha256=job.scene.sha256,
                    stage=log.stage,
                    run_id=log.run_id,
                    job_id=job.id,
                    candidate=winner.candidate_index,
                    sha256=given.file.sha256,
                    seeds=winner.seeds,
                ),
            }
        )


def _given(one: Run, winner: CandidateRecord) -> Given:
    from kroma_nb import images  # noqa: PLC0415 - what draws loads when there is something to finish

    last = winner.passes[-1]
    path = one.project.root / last.output.path
    info = images.probe(path, name=last.output.path)
    if (found := sha256_file(path)) != last.output.sha256:
        # Planned, it would be refused when its run has begun, and no other plan would help.
        raise ContentDamaged(path, last.output.sha256, found)
    file = InputFile(
        ref=last.output.path,
        sha256=last.output.sha256,
        size_bytes=last.output.size_bytes,
        media_type=info.media_type.value,
        width=info.width,
        height=info.height,
        source=path,
    )
    return Given(file=file, backend=last.backend, version=last.version, notes=winner.notes)


def _kept(file: InputFile, kept: dict[str, Path]) -> InputFile:
    return file.model_copy(update={"source": kept.get(file.sha256)})


def _selected(jobs: tuple[Job, ...], only: tuple[str, ...]) -> Iterator[Job]:
    """Keep the jobs whose id, scene's name or path is asked for.

    Raises
    ------
    RequestInvalid
        If an entry fits none.
    """
    names = [{job.id, job.name, job.scene.ref} for job in jobs]
    for index, wanted in enumerate(only):
        if not any(wanted in several for several in names):
            problem, known = f"{wanted!r} has no winner there", sorted(set().union(*names))
            raise RequestInvalid("request", f"only[{index}]", problem, did_you_mean(wanted, known))
    yield from (job for job, several in zip(jobs, names, strict=True) if not only or several & set(only))
