"""What a worker does: one candidate from its scene to its judged picture, and the study of a style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb.errors import KromaError
from kroma_nb.model.run import CandidateOutcome, Failure, now
from kroma_nb.model.words import CandidateStatus
from kroma_nb.run.answers import code_of
from kroma_nb.run.finishing import finish
from kroma_nb.run.kept import load_kept
from kroma_nb.run.making import Making

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.brief import Brief, Engine, Painter, Palette, Size
    from kroma_nb.model.finishing import Finishers
    from kroma_nb.model.ledger import BoughtPicture
    from kroma_nb.model.plan import Given
    from kroma_nb.model.postprocess import PostprocessPlan
    from kroma_nb.model.quality import GuardSettings
    from kroma_nb.model.run import StoredFile
    from kroma_nb.run.cache import PassCache
    from kroma_nb.run.folder import RunFolder


@dataclass(frozen=True, slots=True)
class CandidateTask:
    """All that a worker needs for one candidate: values and a path, no pixels and no key.

    Attributes
    ----------
    scene : StoredFile
        The scene among the project's inputs.
    scene_ref : str
        How errors name it.
    scene_size : Size
        Of its picture, upright.
    output_name : str
        File name of the generated picture.
    engine : Engine
        Whose picture it is.
    painter : Painter or None
        Who draws it; None where it was bought, or given.
    postprocess : PostprocessPlan
        The passes after it.
    finishers : Finishers
        What those are made with.
    cache : PassCache or None
        What was made before; None makes everything.
    bought : BoughtPicture or None
        Its picture, where that was bought.
    bought_before : bool
        Whether that was for another candidate, or another run.
    given : tuple of (Given, StoredFile), or None
        The picture that is only finished, and where the project keeps it.
    """

    folder: RunFolder
    job_id: str
    index: int
    scene: StoredFile
    scene_ref: str
    scene_size: Size
    output_name: str
    brief: Brief
    engine: Engine
    painter: Painter | None
    postprocess: PostprocessPlan
    finishers: Finishers
    guard: GuardSettings
    cache: PassCache | None = None
    bought: BoughtPicture | None = None
    bought_before: bool = False
    given: tuple[Given, StoredFile] | None = None


def make_candidate(task: CandidateTask) -> CandidateOutcome:
    """Make one candidate; what goes wrong with it is part of the outcome and ends only itself."""
    started_at = now()
    making = Making(task)
    report, failure, status = None, None, CandidateStatus.DONE
    try:
        making.generate()
        finish(making)
        report = making.examine()
        if report.hard_fail_reasons:
            status = CandidateStatus.FAILED_OUTPUT_GUARD
    except KromaError as error:
        status = CandidateStatus.FAILED_PROVIDER
        failure = failure_of(error, task.folder)
    return CandidateOutcome(
        job_id=task.job_id,
        index=task.index,
        status=status,
        seeds=task.brief.seeds,
        passes=tuple(making.passes),
        guard=report,
        notes=making.notes,
        failure=failure,
        started_at=started_at,
        finished_at=now(),
    )


def failure_of(error: KromaError, folder: RunFolder) -> Failure:
    """Say an error in a form that may be stored."""
    return Failure(error_kind=error.error_kind, error_code=code_of(error), message=folder.told(error))


def study_style(painter: Painter, root: Path, files: tuple[tuple[StoredFile, str], ...]) -> Palette | None:
    """Read paper and ink off style references, each given with how errors name it.

    Raises
    ------
    PictureUnreadable, PictureTooLarge
        If a reference cannot be decoded.
    ContentDamaged
        If a stored reference is not what was stored.
    """
    # One at a time: a painter that only samples them never holds two.
    return painter.study(load_kept(root, file, ref) for file, ref in files)
