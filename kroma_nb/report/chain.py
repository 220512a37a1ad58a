"""Where a picture comes from: scene, references, the picture it follows, every pass, the final file."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from kroma_nb.model.value import Value
from kroma_nb.report.journey import Take
from kroma_nb.report.phrases import took

if TYPE_CHECKING:
    from kroma_nb.model.plan import Followed
    from kroma_nb.model.run import PassRecord
    from kroma_nb.model.runlog import CandidateRecord, JobRecord, RunLog

SHORT = 12


class StepKind(StrEnum):
    """What a step of a lineage is."""

    SCENE = "scene"
    REFERENCE = "reference"
    FOLLOWED = "followed"
    FINISHED = "finishes"
    MADE = "pass"
    FINAL = "final"


class Step(Value):
    """One link of a picture's chain back to its source.

    Attributes
    ----------
    kind : StepKind
    title : str
        What it is, such as the scene's ref or the pass's name.
    detail : str
        How it was made, such as the tool, its version and the time taken; may be empty.
    sha256 : str
        Of the file that the step gives; empty where the log does not name one.
    path : str
        Of that file, relative to the project root; may be empty.
    intact : bool
        False where a pass did not start from what the step before it gave; True where that is not known.
    """

    kind: StepKind
    title: str
    detail: str = ""
    sha256: str = ""
    path: str = ""
    intact: bool = True


def lineage(log: RunLog, job: JobRecord, candidate: CandidateRecord) -> tuple[Step, ...]:
    """Give a candidate's chain from its source to its last file.

    Parameters
    ----------
    log : RunLog
        The run that holds the job.
    job : JobRecord
        The job that holds the candidate.
    candidate : CandidateRecord

    Returns
    -------
    tuple of Step
        Scene first; then style references, the followed picture, every pass in order, and the final file of a
        candidate that is done.
    """
    sources = _sources(Take(0, 0, log, job))
    kind = StepKind.FINISHED if job.given else StepKind.FOLLOWED
    follows = (_followed(job.follows, kind),) if job.follows else ()
    before = [None, *(record.output.sha256 for record in candidate.passes)]
    passes = tuple(_pass(record, came) for record, came in zip(candidate.passes, before, strict=False))
    final = candidate.final
    ends = (
        (Step(kind=StepKind.FINAL, title=final.path.rsplit("/", 1)[-1], sha256=final.sha256, path=final.path),)
        if final
        else ()
    )
    return (*sources, *follows, *passes, *ends)


def _sources(take: Take) -> tuple[Step, ...]:
    source, job = take.source, take.job
    scene = Step(
        kind=StepKind.SCENE,
        title=job.scene_ref,
        detail=f"{source.width} × {source.height} pixels" if source else "its file is not in the run log",
        sha256=job.scene_sha256 or "",
        path=source.file.path if source else "",
    )
    references = (
        Step(
            kind=StepKind.REFERENCE,
            title=entry.ref,
            detail=f"{entry.width} × {entry.height} pixels",
            sha256=entry.file.sha256,
            path=entry.file.path,
        )
        for entry in take.references
    )
    return (scene, *references)


def _followed(followed: Followed, kind: StepKind) -> Step:
    return Step(
        kind=kind,
        title=f"{followed.stage} · {followed.job_id} · c{followed.candidate}",
        detail=f"run {followed.run_id}",
        sha256=followed.sha256,
    )


def _pass(record: PassRecord, came: str | None) -> Step:
    how = (record.backend, record.version)
    unknown = () if record.input else ("what it started from is not kept",)
    # A page that was given is what it started from: nothing was made, so nothing took time.
    given = record.input is not None and record.input.sha256 == record.output.sha256
    time = () if given else (took(record.started_at, record.finished_at),)
    return Step(
        kind=StepKind.MADE,
        title="given" if given else record.name.value,
        detail=" · ".join((" ".join(filter(None, how)), *time, *unknown)),
        sha256=record.output.sha256,
        path=record.output.path,
        intact=came is None or record.input is None or came == record.input.sha256,
    )
