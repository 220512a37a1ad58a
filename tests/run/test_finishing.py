"""The passes after drawing: in their order, with whichever backend answers, each a record of its own."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from studio import Stencil, write_scenes

from kroma_nb import run
from kroma_nb.errors import NoBackendLeft, PassUnavailable, ProviderFailed
from kroma_nb.images import as_rgb, load
from kroma_nb.model.brief import Brief, Painted
from kroma_nb.model.finishing import Finishers
from kroma_nb.model.invariants import InvariantName
from kroma_nb.model.plan import Given, InputFile, Plan, PlanRequest, PostprocessRequest
from kroma_nb.model.quality import HardReason
from kroma_nb.model.replay import Verdict
from kroma_nb.model.runlog import RunLog
from kroma_nb.model.words import CandidateStatus, PassName, RunStatus
from kroma_nb.planning import plan
from kroma_nb.report.finishing import told
from kroma_nb.run.finishing import NOT_HERE

CUT_AND_DOUBLED = PostprocessRequest(bg_remove=True, upscale=True, color=True, color_profile="cinematic_warm")


@dataclass(frozen=True)
class Half:
    """Takes the left half for the figure."""

    backend: str = "grabcut"
    version: str = "1"
    settings: dict[str, Any] = field(default_factory=lambda: {"side": "left"})

    def mask(self, picture: np.ndarray) -> np.ndarray:
        mask = np.zeros(picture.shape[:2], np.uint8)
        mask[:, : picture.shape[1] // 2] = 255
        return mask


@dataclass(frozen=True)
class Blind(Half):
    """Finds nothing, and says so."""

    backend: str = "onnx"

    def mask(self, _picture: np.ndarray, /) -> np.ndarray:
        raise ProviderFailed(self.backend, "it found no figure", "no_figure")


@dataclass(frozen=True)
class Nearest:
    """Repeats every pixel."""

    backend: str = "lanczos"
    version: str = "1"
    settings: dict[str, Any] = field(default_factory=dict)
    takes_alpha: bool = True

    def enlarge(self, picture: np.ndarray, scale: int) -> np.ndarray:
        return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)


@pytest.fixture
def plan_for(tmp_path: Path) -> Callable[..., Plan]:
    """Plan small pages of one photograph."""
    scenes = write_scenes(tmp_path / "scenes", 1, style=False)

    def make(candidates: int = 2, **asked: Any) -> Plan:
        manifest = scenes / "manifest.json"
        return plan(PlanRequest(project="ink", root=scenes, manifest_path=manifest, candidates=candidates, **asked))

    return make


def played(made: Plan, project: Path, *segmenters: Half, **words: Any) -> RunLog:
    equipment = run.Equipment(finishers=Finishers(segmenters, Nearest()), **words)
    events = list(run.execute(made, root=project, painter=Stencil(), equipment=equipment))
    return run.read_run(project / "runs" / events[0].run_id)


def test_the_passes_follow_in_their_order_each_from_the_one_before(plan_for, project) -> None:
    made = plan_for(postprocess=CUT_AND_DOUBLED)

    log = played(made, project, Half())

    assert log.status is RunStatus.OK
    for candidate in (c for job in log.jobs for c in job.candidates):
        assert [record.name for record in candidate.passes] == [
            PassName.GENERATE,
            PassName.BG_REMOVE,
            PassName.UPSCALE,
            PassName.COLOR,
        ]
        for before, after in zip(candidate.passes, candidate.passes[1:], strict=False):
            assert after.input == before.output
        generated, cut, doubled, colored = candidate.passes
        stem = Path(generated.output.path).stem
        assert Path(colored.output.path).name == f"{stem}_nobg_x2_cinematic_warm.png"
        assert (cut.backend, cut.settings) == ("grabcut", {"look_at": "page", "side": "left"})
        assert (doubled.backend, doubled.settings) == ("lanczos", {"scale": 2})
        assert (doubled.width, doubled.height) == (2 * generated.width, 2 * generated.height)
        final = load(project / candidate.final_output)
        assert final.shape == (doubled.height, doubled.width, 4)
        assert (final[:, -1, 3] == 0).all()
        assert candidate.output_guard.hard_fail_reasons == ()


def test_a_backend_that_gives_nothing_is_on_record_before_the_one_that_did(plan_for, project) -> None:
    made = plan_for(candidates=1, postprocess=PostprocessRequest(bg_remove=True))

    log = played(made, project, Blind(), Half())

    cut = log.jobs[0].candidates[0].passes[1]
    (failed,) = cut.tries
    assert (cut.backend, failed.backend, failed.error_code) == ("grabcut", "onnx", "no_figure")
    assert "it found no figure" in failed.says


@dataclass(frozen=True)
class Quitting(Half):
    """Ends the program, as scripts do that were made for a command line."""

    backend: str = "onnx"

    def mask(self, _picture: np.ndarray, /) -> np.ndarray:
        raise SystemExit(2)


def test_a_backend_that_ends_the_program_is_one_that_gives_nothing(plan_for, project) -> None:
    made = plan_for(candidates=1, postprocess=PostprocessRequest(bg_remove=True))

    cut = played(made, project, Quitting(), Half()).jobs[0].candidates[0].passes[1]

    assert (cut.backend, [one.says for one in cut.tries]) == ("grabcut", ["onnx: SystemExit: 2."])


def test_a_picture_is_counted_once_for_a_backend_that_is_named_twice(plan_for, project) -> None:
    made = plan_for(candidates=1, postprocess=PostprocessRequest(bg_remove=True))

    log = played(made, project, Blind(), Blind(), Half())

    assert list(told(log)) == ["1 picture cut out by grabcut, as onnx gave none: it found no figure."]


@dataclass(frozen=True)
class Bright(Half):
    """Takes what is bright for the figure."""

    def mask(self, picture: np.ndarray) -> np.ndarray:
        return np.where(picture.max(axis=2) > 127, 255, 0).astype(np.uint8)


@pytest.mark.parametrize(("look_at", "size"), [(None, "64x48"), ("page", "64x48"), (None, "64x96")])
def test_the_figure_is_looked_for_in_the_scene_where_the_page_shows_all_of_it(look_at, size, tmp_path, project) -> None:
    scenes = write_scenes(tmp_path / "scenes", 1, candidates=1, style=False)
    manifest = json.loads((scenes / "manifest.json").read_text())
    manifest["generation"]["size"] = size
    (scenes / "manifest.json").write_text(json.dumps(manifest))
    (scenes / "post.json").write_text(json.dumps({"bg_remove": {"look_at": look_at} if look_at else {}}))
    asked = PostprocessRequest(bg_remove=True, config_path=scenes / "post.json")
    made = plan(PlanRequest(project="ink", root=scenes, manifest_path=scenes / "manifest.json", postprocess=asked))

    log = played(made, project, Bright())

    generated, cut = log.jobs[0].candidates[0].passes
    seen = "scene" if look_at is None and size == "64x48" else "page"
    looked_at = {"scene": scenes / "scene_0.png", "page": project / generated.output.path}[seen]
    assert cut.settings["look_at"] == seen
    assert (load(project / cut.output.path)[..., 3] == Bright().mask(as_rgb(load(looked_at)))).all()


def test_where_no_backend_has_an_answer_only_that_candidate_fails_and_its_page_stays(plan_for, project) -> None:
    made = plan_for(candidates=1, postprocess=PostprocessRequest(bg_remove=True))

    log = played(made, project, Blind(), Blind(backend="rembg"))

    candidate = log.jobs[0].candidates[0]
    assert (log.status, candidate.status) == (RunStatus.FAILED, CandidateStatus.FAILED_PROVIDER)
    assert candidate.failure.error_code == "no_backend_left"
    assert all(word in candidate.failure.message for word in ("onnx", "rembg", "it found no figure"))
    assert [record.name for record in candidate.passes] == [PassName.GENERATE]
    assert (project / candidate.output).is_file()


def test_what_was_cut_and_enlarged_is_taken_from_the_cache(plan_for, project) -> None:
    made = plan_for(candidates=1, postprocess=CUT_AND_DOUBLED)
    cache = run.PassCache(project / "cache")
    first = played(made, project, Half(), cache=cache)

    again = played(made, project, Half(), cache=cache)
    other = played(made, project, Half(settings={"side": "mine"}), cache=cache)

    reused = [[record.reused for record in log.jobs[0].candidates[0].passes] for log in (first, again, other)]
    # Another setting cuts anew; what follows starts from the same bytes, and is known.
    assert reused == [[False] * 4, [True] * 4, [True, False, True, True]]


@pytest.mark.parametrize(
    ("asked", "pass_name"),
    [
        (PostprocessRequest(bg_remove=True), "bg_remove"),
        (PostprocessRequest(upscale=True), "upscale"),
        (PostprocessRequest(bg_remove=True, bg_refine_openai=True), "bg_re"),
    ],
)
def test_a_pass_that_nothing_here_can_make_is_refused_before_anything_is_created(
    asked, pass_name, plan_for, project
) -> None:
    with pytest.raises(PassUnavailable, match=pass_name):
        next(run.execute(plan_for(postprocess=asked), root=project, painter=Stencil()))

    assert not project.exists()


def test_a_finished_run_is_proven_with_the_backend_that_had_answered(plan_for, project) -> None:
    made = plan_for(candidates=1, postprocess=CUT_AND_DOUBLED)
    log = played(made, project, Blind(), Half())
    folder = run.RunFolder(project, log.run_id)
    # By now the first one finds something else.
    seeing = Finishers((Half(backend="onnx", settings={}), Half()), Nearest())

    proof = run.verify_run(folder, present(project, seeing))

    assert proof.ok, proof
    assert {check.verdict for check in proof.checks} == {Verdict.EXACT}


def test_another_version_of_a_backend_is_named_as_a_cause(plan_for, project) -> None:
    log = played(plan_for(candidates=1, postprocess=CUT_AND_DOUBLED), project, Half())
    folder = run.RunFolder(project, log.run_id)

    newer = run.verify_run(folder, present(project, Finishers((Half(version="2"),), Nearest())))
    gone = run.verify_run(folder, present(project, Finishers()))

    assert any("bg_remove" in str(cause) and "grabcut" in str(cause) for cause in newer.differs)
    assert not gone.ok
    unproven = {check.pass_name for check in gone.checks if check.verdict is Verdict.UNPROVEN}
    assert unproven == {PassName.BG_REMOVE, PassName.UPSCALE, PassName.COLOR}
    assert NOT_HERE in str(gone.checks)


def test_a_page_too_long_for_its_format_fails_alone_and_what_was_made_before_stands(tmp_path, project) -> None:
    scenes = write_scenes(tmp_path / "scenes", 1, candidates=1, style=False)
    sized = {"scenes": [{"ref": "scene_0.png"}], "generation": {"candidates": 1, "size": "64x4200"}}
    (scenes / "manifest.json").write_text(json.dumps(sized))
    (scenes / "post.json").write_text(json.dumps({"upscale": {"scale": 4, "format": "webp"}}))
    asked = PostprocessRequest(upscale=True, config_path=scenes / "post.json")
    made = plan(PlanRequest(project="ink", root=scenes, manifest_path=scenes / "manifest.json", postprocess=asked))

    candidate = played(made, project).jobs[0].candidates[0]

    assert [record.name for record in candidate.passes] == [PassName.GENERATE]
    assert candidate.failure.error_code == "provider_failed"
    assert all(word in candidate.failure.message for word in ("16383", "png"))


@dataclass(frozen=True)
class Cropping(Stencil):
    """Draws all of its scene but one column of pixels, and says so."""

    def paint(self, scene: np.ndarray, brief: Brief) -> Painted:
        height, width = scene.shape[:2]
        return replace(super().paint(scene[:, 1:], brief), part=(0, height, 1, width))


def test_a_cut_out_that_saw_a_part_of_the_scene_is_not_taken_for_one_that_saw_all_of_it(tmp_path, project) -> None:
    scenes = write_scenes(tmp_path / "scenes", 1, candidates=1, style=False)
    sized = {"scenes": [{"ref": "scene_0.png"}], "generation": {"candidates": 1, "size": "64x48"}}
    (scenes / "manifest.json").write_text(json.dumps(sized))
    asked = PostprocessRequest(bg_remove=True)
    drawn = plan(PlanRequest(project="ink", root=scenes, manifest_path=scenes / "manifest.json", postprocess=asked))
    equipment = run.Equipment(finishers=Finishers((Bright(),)), cache=run.PassCache(project / "cache"))
    (first, *_) = run.execute(drawn, root=project, painter=Cropping(), equipment=equipment)
    page = run.read_run(project / "runs" / first.run_id).jobs[0].candidates[0].passes[0]

    file = InputFile(
        ref=page.output.path,
        sha256=page.output.sha256,
        size_bytes=page.output.size_bytes,
        media_type="image/png",
        width=64,
        height=48,
        source=project / page.output.path,
    )
    given = Given(file=file, backend=page.backend, version=page.version)
    finished = drawn.model_copy(update={"jobs": (drawn.jobs[0].model_copy(update={"given": given}),)})
    (second, *_) = run.execute(finished, root=project, painter=Stencil(), equipment=equipment)

    cut = run.read_run(project / "runs" / second.run_id).jobs[0].candidates[0].passes[-1]
    assert not cut.reused
    assert run.verify_run(run.RunFolder(project, second.run_id), present(project, equipment.finishers)).ok


@dataclass(frozen=True)
class Dark(Nearest):
    """Loses four fifths of the light."""

    def enlarge(self, picture: np.ndarray, scale: int) -> np.ndarray:
        large = super().enlarge(picture, scale)
        large[..., :3] //= 5
        return large


def test_what_must_hold_after_a_pass_is_measured_and_judged_as_the_plan_says(tmp_path, project) -> None:
    scenes = write_scenes(tmp_path / "scenes", 1, candidates=1, style=False)
    post, words = scenes / "post.json", []
    cache = run.PassCache(project / "cache")
    for strictness in ("hard", "soft", "off", "off"):
        looked_at = {name.value: "off" for name in InvariantName} | {"not_black": strictness}
        post.write_text(json.dumps({"invariants": looked_at}))
        asked = PostprocessRequest(bg_remove=True, upscale=True, config_path=post)
        made = plan(PlanRequest(project="ink", root=scenes, manifest_path=scenes / "manifest.json", postprocess=asked))
        equipment = run.Equipment(finishers=Finishers((Half(),), Dark()), cache=cache)
        events = list(run.execute(made, root=project, painter=Stencil(), equipment=equipment))
        candidate = run.read_run(project / "runs" / events[0].run_id).jobs[0].candidates[0]
        broken = [one.name for one in candidate.passes[-1].invariants if not one.holds]
        assert InvariantName.NOT_BLACK in broken
        report = candidate.output_guard
        words.append((candidate.status, report.hard_fail_reasons, report.soft_warnings.count("invariant_broken")))

    failed, warned, *passed = words
    assert failed == (CandidateStatus.FAILED_OUTPUT_GUARD, (HardReason.INVARIANT_BROKEN,), 0)
    assert warned == (CandidateStatus.DONE, (), 1)
    assert passed == [(CandidateStatus.DONE, (), 0)] * 2


def present(project: Path, finishers: Finishers) -> run.Present:
    return run.Present(
        painter_of=lambda _: Stencil(),
        finishers_of=lambda _: finishers,
        profile_of=lambda _: None,
        cache=run.PassCache(project / "cache"),
    )


def test_backends_and_their_errors_travel_between_processes() -> None:
    finishers = Finishers((Half(),), Nearest())

    assert pickle.loads(pickle.dumps(finishers)) == finishers
    error = NoBackendLeft("bg_remove", (("onnx", "onnx: it found no figure."),))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.tries) == (str(error), error.tries)
    assert str(error) == "bg_remove: onnx: it found no figure."
