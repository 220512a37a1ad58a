"""A plan as a whole: precedence of inputs, determinism, round trip, and that nothing is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kroma_nb import planning
from kroma_nb.errors import FileMissing, ManifestInvalid, RequestInvalid
from kroma_nb.model.plan import Plan, PostprocessRequest
from kroma_nb.model.words import Gate, Stage, TimeOfDay, Weather
from kroma_nb.settings import load_settings


def refs(plan: Plan) -> list[str]:
    return [job.scene.ref for job in plan.jobs]


def test_the_same_files_and_arguments_give_an_equal_plan(told) -> None:
    request = told.request(manifest_path=Path("manifest.json"), candidates=3, stage=Stage.WEATHER)

    assert planning.plan(request) == planning.plan(request)


def test_a_plan_survives_its_file(told) -> None:
    plan = planning.plan(
        told.request(
            manifest_path=Path("manifest.json"),
            candidates=2,
            stage=Stage.TIME,
            postprocess=PostprocessRequest(color=True, upscale=True, bg_remove=True),
        )
    )

    read = Plan.model_validate_json(json.dumps(plan.to_json()))

    assert read.to_json() == plan.to_json()
    assert all(file.source is None for file in read.inputs)
    assert all(file.source is not None and file.source.is_absolute() for file in plan.inputs)


def test_a_moved_story_plans_the_same(told, tmp_path) -> None:
    before = planning.plan(told.request(manifest_path=Path("manifest.json")))
    moved = tmp_path / "moved"
    shutil.move(told.root, moved)

    after = planning.plan(told.request(root=moved, manifest_path=Path("manifest.json")))

    assert after.to_json() == before.to_json()


def test_planning_writes_nothing(told) -> None:
    told.write("post.json", {"color": {"default_profile": "neutral"}})
    told.write("jobs.json", [{"id": "a", "prompt": "b", "input_images": ["photos/attic.png"]}])
    before = told.snapshot()

    planning.plan(told.request(manifest_path=Path("manifest.json")))
    planning.plan(told.request(input=Path("photos"), postprocess=PostprocessRequest(config_path=Path("post.json"))))
    planning.plan(told.request(jobs_file=Path("jobs.json")))
    with pytest.raises(FileMissing):
        planning.plan(told.request(scene_refs=("gone.png",)))

    assert told.snapshot() == before


def test_a_request_that_names_no_scene_is_told_its_four_ways(story) -> None:
    with pytest.raises(RequestInvalid) as caught:
        planning.plan(story.request())

    for way in ("input", "scene_refs", "manifest_path", "jobs_file"):
        assert way in str(caught.value)


def test_a_manifest_without_scenes_is_refused(story) -> None:
    path = story.write("m.json", {})

    with pytest.raises(ManifestInvalid, match=r"m\.json: scene_refs: names no scene"):
        planning.plan(story.request(manifest_path=path))


def test_input_or_scene_refs_take_the_place_of_the_manifests_scenes(told) -> None:
    told.picture("more/bridge.png")
    by_input = planning.plan(told.request(manifest_path=Path("manifest.json"), input=Path("more")))

    by_refs = planning.plan(told.request(manifest_path=Path("manifest.json"), scene_refs=("photos/attic.png",)))

    assert refs(by_input) == ["more/bridge.png"]
    assert refs(by_refs) == ["photos/attic.png"]
    assert [file.ref for file in by_input.jobs[0].references] == ["styles/look.png"]


def test_input_and_scene_refs_together_are_refused(told) -> None:
    with pytest.raises(RequestInvalid, match="input"):
        planning.plan(told.request(input=Path("photos"), scene_refs=("photos/attic.png",)))


@pytest.mark.parametrize("key", ["scene_refs", "style_refs"])
def test_a_blank_reference_of_a_request_is_refused(told, key) -> None:
    with pytest.raises(RequestInvalid) as caught:
        planning.plan(told.request(**{"scene_refs": ("photos/attic.png",), key: ("photos/attic.png", " ")}))

    assert caught.value.field == f"{key}[1]"


def test_manifest_paths_start_at_the_manifest_wherever_the_request_starts(told, tmp_path) -> None:
    plan = planning.plan(told.request(root=tmp_path, manifest_path=Path("story/manifest.json")))

    assert refs(plan)[0] == "photos/harbour.png"


def test_settings_can_name_the_manifest_and_a_request_names_another(told) -> None:
    told.write("config/pipeline.settings.json", {"manifest_path": "manifest.json"})
    told.write("other.json", {"scene_refs": ["photos/attic.png"]})
    settings = load_settings(told.root)

    from_settings = planning.plan(told.request(), settings=settings)
    from_request = planning.plan(told.request(manifest_path=Path("other.json")), settings=settings)

    assert (len(from_settings.jobs), len(from_request.jobs)) == (3, 1)


def test_a_missing_manifest_is_named_by_the_settings_that_name_it(told) -> None:
    told.write("config/pipeline.settings.json", {"manifest_path": "gone.json"})

    with pytest.raises(FileMissing, match=r"pipeline\.settings\.json: manifest_path: .*gone\.json"):
        planning.plan(told.request(), settings=load_settings(told.root))


def test_the_stage_character_says_what_it_waits_for(told) -> None:
    with pytest.raises(RequestInvalid, match=r"request: stage: .*character set"):
        planning.plan(told.request(manifest_path=Path("manifest.json"), stage=Stage.CHARACTER))


@pytest.mark.parametrize("project", ["", " ", "a b", "a/b", "..", "é", "a\n"])
def test_a_project_name_that_is_no_name_is_refused(told, project) -> None:
    with pytest.raises(RequestInvalid, match="request: project"):
        planning.plan(told.request(project=project, manifest_path=Path("manifest.json")))


@pytest.mark.parametrize(("stage", "said"), [(Stage.STYLE, False), (Stage.TIME, True), (Stage.WEATHER, True)])
def test_the_gate_is_off_and_later_stages_say_so(told, stage, said) -> None:
    plan = planning.plan(told.request(manifest_path=Path("manifest.json"), stage=stage))

    assert plan.gate is Gate.OFF
    assert any("Not reviewed" in note and stage in note for note in plan.notes) is said


def test_a_legacy_key_is_listed_in_the_notes(told) -> None:
    path = told.write("m.json", {"scene_refs": ["photos/attic.png"], "policy": {"allowed_style_roots": ["x/"]}})

    assert planning.plan(told.request(manifest_path=path)).notes == (
        "Read but not used from m.json: policy.allowed_style_roots.",
    )


def test_a_plan_says_what_its_guard_and_generation_are(told) -> None:
    path = told.write(
        "m.json",
        {
            "scene_refs": ["photos/attic.png"],
            "generation": {"seed": 3, "max_candidates": 9, "hand": {"tones": 2}},
            "output_guard": {"enforce_grayscale": True, "max_chroma_delta": 1.5},
        },
    )

    plan = planning.plan(told.request(manifest_path=path, time=TimeOfDay.NIGHT, weather=Weather.RAIN))

    assert (plan.generation.seed, plan.generation.max_candidates, plan.generation.hand.tones) == (3, 9, 2)
    assert (plan.guard.enforce_grayscale, plan.guard.max_chroma_delta, plan.guard.judge_chroma) == (True, 1.5, True)
    # Also where the stage does not use them.
    assert (plan.time, plan.weather, plan.jobs[0].time, plan.jobs[0].weather) == ("night", "rain", "night", "rain")


def test_a_picture_that_many_jobs_use_is_looked_at_once(told) -> None:
    plan = planning.plan(told.request(manifest_path=Path("manifest.json")))

    assert len({id(job.references[0]) for job in plan.jobs}) == 1
    assert len(plan.inputs) == 4


def test_a_picture_that_is_written_in_two_ways_keeps_both(told) -> None:
    plan = planning.plan(told.request(scene_refs=("photos/attic.png", "./photos/attic.png")))

    assert refs(plan) == ["photos/attic.png", "./photos/attic.png"]


def test_an_upright_picture_gives_an_upright_page(story) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(story.root / "a.jpg", exif=exif)

    plan = planning.plan(story.request(scene_refs=("a.jpg",)))

    scene = plan.jobs[0].scene
    assert (scene.width, scene.height, scene.media_type) == (40, 60, "image/jpeg")
    assert str(plan.jobs[0].size) == "1024x1536"
