"""Winners of a run taken through the passes after drawing, in a run of their own."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import dataclass

import cv2
import pytest
from studio import Stencil, draw, posed

from kroma_nb import report, run
from kroma_nb.errors import ContentDamaged, PassUnavailable, PostprocessInvalid, RequestInvalid
from kroma_nb.images import load
from kroma_nb.model.finishing import Finishers
from kroma_nb.model.plan import PlanRequest, PostprocessRequest
from kroma_nb.model.postprocess import UpscaleBackend
from kroma_nb.model.replay import Verdict
from kroma_nb.model.words import PassName, RunStatus
from kroma_nb.planning import plan
from kroma_nb.providers.lanczos import LanczosUpscaler
from kroma_nb.report import StepKind, lineage
from kroma_nb.store.assets import HISTORY

PASSES = {"upscale": True, "color_profile": "cinematic_warm"}


@pytest.fixture
def story(bench):
    return bench.project("noir")


@pytest.fixture
def style(story):
    return story.runs[1]


@pytest.fixture
def finished(story, style):
    return story.run(story.plan(finish=style.run_id, **PASSES))


def test_every_winner_is_finished_and_nothing_is_drawn(story, style, finished) -> None:
    won = {job.id: job.winner for job in style.log.jobs}

    assert finished.status is RunStatus.OK
    assert [job.id for job in finished.log.jobs] == list(won)
    for job in finished.log.jobs:
        (candidate,) = job.candidates
        given, *made = candidate.passes
        winner = won[job.id]
        assert given.output.sha256 == given.input.sha256 == winner.final.sha256
        assert (candidate.candidate_index, candidate.seeds) == (winner.candidate_index, winner.seeds)
        assert (job.follows.run_id, job.follows.candidate) == (style.run_id, winner.candidate_index)
        assert [record.name for record in made] == [PassName.UPSCALE, PassName.COLOR]
        # What was given was coloured there: that pass is the one that made it.
        assert (given.backend, given.version) == (winner.passes[-1].backend, winner.passes[-1].version)
        assert load(story.root / candidate.final_output).shape == (192, 128, 3)
    assert "Nothing was drawn" in repr(finished)
    assert style.run_id in repr(finished)
    assert "made before" not in repr(finished)
    # The pages for the browser and for the notebook say it too.
    shown = report.gallery(finished.log, lambda path: (story.root / path).read_bytes())
    assert "Nothing was drawn" in shown
    assert "Nothing was drawn" in finished.show()._repr_html_()


def test_finishing_again_makes_nothing_anew(story, style, finished) -> None:
    again = story.run(story.plan(finish=style.run_id, **PASSES))

    assert all(record.reused for job in again.log.jobs for c in job.candidates for record in c.passes)
    assert [job.winner.final.sha256 for job in again.log.jobs] == [job.winner.final.sha256 for job in finished.log.jobs]
    assert "made before" in repr(again)


def test_a_finished_run_stands_by_itself_once_the_one_that_drew_it_is_gone(story, style, finished) -> None:
    shutil.rmtree(story.root / "cache")
    style.delete(force=True)

    proof = story.runs.verify(finished.run_id)
    replayed = story.runs.replay(finished.run_id)

    assert proof.ok, proof
    assert finished.diff(replayed).record.is_empty


def test_the_final_picture_leads_back_to_the_page_and_its_scene(story, style, finished) -> None:
    (job, *_) = finished.log.jobs

    chain = story.assets[job.final_output].lineage()

    above = set(chain.frame()["path"])
    page = next(one for one in style.log.jobs if one.id == job.id).winner
    assert {page.final_output, page.output, style.log.inputs[0].file.path} <= above


def test_a_pass_that_nothing_here_makes_is_refused_when_it_is_planned(story, style, tmp_path) -> None:
    (tmp_path / "refined.json").write_text('{"bg_remove": {"openai": {"enabled": true}}}')

    with pytest.raises(PassUnavailable, match="bg_refine"):
        story.plan(finish=style.run_id, bg_remove=True, postprocess=str(tmp_path / "refined.json"))


@dataclass(frozen=True)
class Enlarging(LanczosUpscaler):
    """Stands for a program that is not installed here."""

    @property
    def backend(self) -> str:
        return "ncnn"


def test_a_program_that_is_gone_leaves_its_pass_unproven_and_no_other(story, scenes) -> None:
    asked = PostprocessRequest(upscale=True, upscale_backend=UpscaleBackend.NCNN)
    made = plan(PlanRequest(project="noir", root=scenes, manifest_path=scenes / "manifest.json", postprocess=asked))
    equipment = run.Equipment(finishers=Finishers((), Enlarging()))
    (begun, *_) = run.execute(made, root=story.root, painter=Stencil(), equipment=equipment)
    config = story.bench.home / "config"
    config.mkdir(exist_ok=True)
    (config / "backends.toml").write_text('[ncnn]\nprogram = "gone/realesrgan"\n')

    checks = story.runs.verify(begun.run_id).record.checks

    unproven = {check.pass_name for check in checks if check.verdict is Verdict.UNPROVEN}
    assert unproven == {PassName.UPSCALE}


def test_a_damaged_winner_is_refused_and_nothing_is_made(story, style) -> None:
    planned = story.plan(finish=style.run_id, **PASSES)
    page = story.root / style.log.jobs[0].winner.final.path
    page.chmod(0o644)
    page.write_bytes(page.read_bytes()[:-1])
    before = story.runs.ids

    with pytest.raises(Exception, match="changed"):
        story.run(planned)

    assert story.runs.ids == before


def test_a_winner_of_the_right_size_that_is_another_is_refused_before_a_run_is_begun(story, style) -> None:
    page = story.root / style.log.jobs[0].winner.final.path
    page.chmod(0o644)
    page.write_bytes(page.read_bytes()[:-1] + b"?")

    with pytest.raises(ContentDamaged, match="restore the file"):
        story.plan(finish=style.run_id, **PASSES)


def test_a_jpg_of_what_was_cut_out_before_is_refused_too(story, style, tmp_path) -> None:
    scenes = tmp_path / "posed"
    scenes.mkdir()
    cv2.imwrite(str(scenes / "one.png"), posed(1))
    (scenes / "manifest.json").write_text('{"scenes": [{"ref": "one.png"}], "generation": {"size": "64x48"}}')
    (scenes / "jpg.json").write_text('{"upscale": {"format": "jpg"}}')
    drawn = draw(story.bench, "noir", scenes)
    cut = story.run(story.plan(finish=drawn, bg_remove=True))
    coloured = story.run(story.plan(finish=cut, color_profile="cold_rain"))
    jpg = {"upscale": True, "postprocess": str(scenes / "jpg.json")}

    assert story.plan(finish=drawn, **jpg).plan.postprocess.upscale.format == "jpg"
    with pytest.raises(PostprocessInvalid, match="no transparency"):
        story.plan(finish=coloured, **jpg)


def test_where_the_guard_lets_nothing_through_no_other_seeds_are_promised(story, style, tmp_path) -> None:
    post = tmp_path / "post.json"
    post.write_text('{"color": {"settings_file": "colours.json"}}')
    dark = {"default_profile": "dark", "profiles": {"dark": {"brightness": 0}}}
    (tmp_path / "colours.json").write_text(json.dumps(dark))

    black = story.run(story.plan(finish=style.run_id, color_profile="dark", postprocess=str(post)))

    assert black.status is RunStatus.FAILED
    assert "`kroma finish` makes them with other settings" in black.log.next_step
    shown = report.gallery(black.log, lambda path: (story.root / path).read_bytes())
    assert "kroma retry" not in shown
    assert "kroma finish" in shown


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"finish": "nothing"}, "run"),
        ({"finish": "latest"}, "postprocess"),
        ({"finish": "latest", "upscale": True, "candidates": 3}, "candidates"),
        ({"finish": "latest", "upscale": True, "follow": "latest"}, "follow"),
        ({"finish": "latest", "upscale": True, "stage": "weather"}, "stage"),
        ({"finish": "latest", "upscale": True, "time": "night"}, "time"),
        ({"finish": "latest", "upscale": True, "only": ["no such scene"]}, r"only\[0\]"),
    ],
)
def test_what_cannot_be_finished_is_one_clear_error(story, words, field) -> None:
    before = story.runs.ids

    with pytest.raises(RequestInvalid, match=f"request: {field}"):
        story.plan(**words)

    assert story.runs.ids == before


def test_more_candidates_are_asked_of_the_run_that_draws(finished) -> None:
    with pytest.raises(RequestInvalid, match="nothing is drawn"):
        finished.retry(finished.log.jobs[0].id)


def test_what_was_only_finished_tells_nothing_of_how_long_drawing_takes(story, style, scenes) -> None:
    drawing = {"manifest": scenes / "manifest.json"}
    before = story.plan(**drawing).forecast()

    for _ in range(HISTORY):
        story.run(story.plan(finish=style.run_id, color_profile="cold_rain"))

    after = story.plan(**drawing).forecast()
    assert before.seconds is not None
    assert (after.seconds, after.size_bytes) == (before.seconds, before.size_bytes)


def test_only_some_winners_may_be_finished(story, style) -> None:
    planned = story.plan(finish=style.run_id, upscale=True, only=[style.log.jobs[1].id])

    assert [job.id for job in planned.jobs] == [style.log.jobs[1].id]
    assert (planned.forecast().paid_pictures, planned.forecast().pictures) == (0, 1)


def test_a_run_that_finishes_says_so_before_anything_is_made(story, style) -> None:
    stop = threading.Event()
    stop.set()

    cut_short = story.run(story.plan(finish=style.run_id, **PASSES), stop=stop)

    assert cut_short.status is RunStatus.INTERRUPTED
    assert all(job.given and not job.candidates for job in cut_short.log.jobs)
    assert "finished" in repr(cut_short).splitlines()[0]


def test_the_chain_of_a_page_names_what_it_finishes_and_no_time_for_what_was_given(finished) -> None:
    (job, *_) = finished.log.jobs

    steps = lineage(finished.log, job, job.candidates[0])

    (whose,) = [step for step in steps if step.kind is StepKind.FINISHED]
    (given,) = [step for step in steps if step.title == "given"]
    assert job.follows.run_id in whose.detail
    assert given.detail == " ".join((job.candidates[0].passes[0].backend, job.candidates[0].passes[0].version))
