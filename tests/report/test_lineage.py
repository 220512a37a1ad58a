"""Lineage: every picture leads back to its source without an orphan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.run import StoredFile
from kroma_nb.model.words import CandidateStatus, PassName, Stage
from kroma_nb.report import StepKind, lineage

if TYPE_CHECKING:
    from .conftest import Story


def test_a_pictures_chain_goes_from_scene_over_references_and_passes_to_the_final_file(story: Story) -> None:
    scene, style = story.source("a.jpg"), story.source("style.png")
    job = story.job(scene, (story.drawn("o/1.png", 1),), input_images=(scene.file.path, style.file.path))
    log = story.run((scene, style), (job,))

    steps = lineage(log, job, job.candidates[0])

    assert [step.kind for step in steps] == [StepKind.SCENE, StepKind.REFERENCE, StepKind.MADE, StepKind.FINAL]
    assert [step.title for step in steps] == ["a.jpg", "style.png", "generate", "1.png"]
    assert steps[0].sha256 == scene.file.sha256
    assert steps[-1].sha256 == job.candidates[0].passes[0].output.sha256
    assert steps[2].detail == "local ink 1 · 4.2 s"


def test_a_later_stages_chain_names_run_job_and_candidate_that_it_follows(story: Story) -> None:
    style, time, _ = story.chain()
    job = time.jobs[0]

    steps = lineage(time, job, job.candidates[1])

    followed = next(step for step in steps if step.kind is StepKind.FOLLOWED)
    assert followed.title == f"{Stage.STYLE} · harbour · c1"
    assert followed.detail == "run r1"
    assert followed.sha256 == style.jobs[0].candidates[0].passes[-1].output.sha256


def test_a_pass_that_did_not_start_from_the_one_before_is_a_broken_link(story: Story) -> None:
    scene = story.source("a.jpg")
    drawn = story.drawn("o/1.png", 1)
    stranger = StoredFile(path="o/other.png", sha256="c" * 64, size_bytes=1)
    good = drawn.passes[0].model_copy(update={"name": PassName.UPSCALE, "input": drawn.passes[0].output})
    bad = good.model_copy(update={"input": stranger})
    job = story.job(scene, (drawn,))
    log = story.run((scene,), (job,))

    whole = lineage(log, job, drawn.model_copy(update={"passes": (drawn.passes[0], good)}))
    broken = lineage(log, job, drawn.model_copy(update={"passes": (drawn.passes[0], bad)}))

    assert all(step.intact for step in whole)
    assert [step.title for step in broken if not step.intact] == ["upscale"]


def test_a_failed_candidates_chain_ends_where_it_stopped(story: Story) -> None:
    scene = story.source("a.jpg")
    job = story.job(scene, (story.failed(1, CandidateStatus.FAILED_PROVIDER),))
    log = story.run((scene,), (job,))

    assert [step.kind for step in lineage(log, job, job.candidates[0])] == [StepKind.SCENE]


def test_a_log_that_lacks_the_scenes_file_still_gives_its_sha256(story: Story) -> None:
    job = story.job(story.source("a.jpg"), (story.drawn("o/1.png", 1),), input_images=())
    log = story.run((), (job,))

    scene = lineage(log, job, job.candidates[0])[0]

    assert (scene.sha256, scene.path) == (job.scene_sha256, "")
