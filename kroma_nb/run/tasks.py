"""What a worker does: one candidate from its scene to its judged picture, and the study of a style."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb import images
from kroma_nb.blobs import sha256_bytes, write_atomic
from kroma_nb.errors import ContentDamaged, FileMissing, KromaError, WriteFailed
from kroma_nb.model.parsing import plain_word
from kroma_nb.model.run import CandidateOutcome, Failure, PassRecord, StoredFile, now
from kroma_nb.model.words import CandidateStatus, PassName
from kroma_nb.passes import COLOR_VERSION, color, generate
from kroma_nb.qa import examine

if TYPE_CHECKING:
    from kroma_nb.images import Picture
    from kroma_nb.model.brief import Brief, Painted, Painter, Palette
    from kroma_nb.model.postprocess import ColorPlan
    from kroma_nb.model.quality import GuardSettings
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
    output_name : str
        File name of the generated picture.
    color : ColorPlan or None
        The colour pass, where the plan has one.
    """

    folder: RunFolder
    job_id: str
    index: int
    scene: StoredFile
    scene_ref: str
    output_name: str
    brief: Brief
    painter: Painter
    color: ColorPlan | None
    guard: GuardSettings


def make_candidate(task: CandidateTask) -> CandidateOutcome:
    """Make one candidate; what goes wrong with it is part of the outcome and ends only itself."""
    started_at = now()
    passes: list[PassRecord] = []
    notes: tuple[str, ...] = ()
    report, failure, status = None, None, CandidateStatus.DONE
    try:
        scene = _kept(task.folder.root, task.scene, task.scene_ref)
        painted = _generated(task, scene, passes)
        picture, notes = painted.picture, painted.notes
        if task.color is not None:
            picture = _colored(task, task.color, picture, passes)
        final = passes[-1].output
        seen = painted.drawn_of(scene)
        report = examine(picture, task.guard, name=final.path, expect_size=task.brief.size, scene=seen)
        if report.hard_fail_reasons:
            status = CandidateStatus.FAILED_OUTPUT_GUARD
    except KromaError as error:
        status = CandidateStatus.FAILED_PROVIDER
        message = task.folder.told(error)
        failure = Failure(error_kind=error.error_kind, error_code=error.error_code, message=message)
    return CandidateOutcome(
        job_id=task.job_id,
        index=task.index,
        status=status,
        seeds=task.brief.seeds,
        passes=tuple(passes),
        guard=report,
        notes=notes,
        failure=failure,
        started_at=started_at,
        finished_at=now(),
    )


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
    return painter.study(_kept(root, file, ref) for file, ref in files)


def _kept(root: Path, file: StoredFile, ref: str) -> Picture:
    """Load an input that the project keeps, if it is still what was stored."""
    path = root / file.path
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise FileMissing(path, ref, cause.strerror or str(cause)) from cause
    found = sha256_bytes(data)
    if found != file.sha256:
        raise ContentDamaged(path, file.sha256, found)
    return images.load(data, name=ref)


def _generated(task: CandidateTask, scene: Picture, passes: list[PassRecord]) -> Painted:
    started_at = now()
    painted = generate(scene, painter=task.painter, brief=task.brief)
    output = _write(task, PassName.GENERATE, task.output_name, painted.picture)
    passes.append(
        PassRecord(
            name=PassName.GENERATE,
            input=task.scene,
            output=output,
            width=painted.picture.shape[1],
            height=painted.picture.shape[0],
            backend=f"{task.painter.provider} {task.painter.model}",
            version=task.painter.version,
            started_at=started_at,
            finished_at=now(),
        )
    )
    return painted


def _colored(task: CandidateTask, plan: ColorPlan, picture: Picture, passes: list[PassRecord]) -> Picture:
    started_at = now()
    before = passes[-1].output
    colored = color(picture, plan.values)
    # The stem stays as it is: two job ids that differ only in signs must not end in one file.
    name = f"{Path(before.path).stem}_{plain_word(plan.profile)}.png"
    passes.append(
        PassRecord(
            name=PassName.COLOR,
            input=before,
            output=_write(task, PassName.COLOR, name, colored),
            width=colored.shape[1],
            height=colored.shape[0],
            backend=f"profile {plan.profile} ({plan.settings})",
            version=COLOR_VERSION,
            started_at=started_at,
            finished_at=now(),
        )
    )
    return colored


def _write(task: CandidateTask, pass_name: PassName, file_name: str, picture: Picture) -> StoredFile:
    path = task.folder.stored(pass_name, file_name)
    # The file says how it came to be, and nothing that differs between two equal runs.
    text = {
        "Software": "kroma_nb",
        "kroma_nb:model": f"{task.painter.provider} {task.painter.model} {task.painter.version}",
        "kroma_nb:scene": task.scene.sha256,
        "kroma_nb:stage": task.brief.stage.value,
        "kroma_nb:seeds": " ".join(str(seed) for _, seed in task.brief.seeds),
    }
    if (task.folder.root / path).exists():
        raise WriteFailed(task.folder.root / path, "there is a file already, and nothing is overwritten")
    data = images.encode_png(picture, text=text)
    write_atomic(task.folder.root / path, data)
    return StoredFile(path=path, sha256=sha256_bytes(data), size_bytes=len(data))
