"""Jobs: ids, names, selection; and that nothing moves when scenes are added."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kroma_nb import planning
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.planning.jobs import job_id, suffix_of


@pytest.mark.parametrize(
    ("stem", "suffix"),
    [
        # The three examples are the predecessor's specification's.
        ("Scene 01", "scene_01"),
        ("__A__b--c", "a_b--c"),
        ("夜", ""),
        ("-a-", "-a-"),
        ("a.b.c", "a_b_c"),
        ("a _ b", "a_b"),
        ("Äb", "b"),
        # Kelvin sign and dotted capital I turn into ASCII when they are lowered.
        ("5\N{KELVIN SIGN}", "5"),
        ("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}x", "x"),
    ],
)
def test_a_stem_is_reduced_to_what_is_safe_in_a_file_name(stem, suffix) -> None:
    assert suffix_of(stem) == suffix


@given(st.text(), st.integers(1, 99_999))
def test_an_id_is_always_a_safe_and_short_file_name(stem, number) -> None:
    made = job_id(Stage.WEATHER, number, stem)

    assert re.fullmatch(r"weather_[0-9]+_[a-z0-9_-]+", made)
    assert len(made) <= 120


def test_the_longest_name_that_a_disk_holds_leaves_room_for_every_pass(story) -> None:
    story.picture("x" * 251 + ".png")

    plan = planning.plan(story.request(input=Path()))

    assert len(plan.jobs[0].id) == len("style_1_") + 80
    assert plan.jobs[0].name == "x" * 251


def test_ids_have_stage_position_and_stem(told) -> None:
    told.picture("photos/夜.png")

    plan = planning.plan(told.request(input=Path("photos"), stage=Stage.TIME))

    assert [job.id for job in plan.jobs] == ["time_1_attic", "time_2_harbour", "time_3_stairs", "time_4_4"]
    assert [job.name for job in plan.jobs] == ["attic", "harbour", "stairs", "夜"]


def test_same_stems_in_different_folders_get_different_ids(story) -> None:
    story.picture("a/x.png")
    story.picture("b/x.png")

    plan = planning.plan(story.request(scene_refs=("a/x.png", "b/x.png")))

    assert [job.id for job in plan.jobs] == ["style_1_x", "style_2_x"]


def test_a_job_holds_its_scene_and_every_style_reference_in_order(told) -> None:
    told.picture("styles/more.png")

    plan = planning.plan(
        told.request(manifest_path=Path("manifest.json"), style_refs=("styles/more.png", "styles/look.png"))
    )

    assert {tuple(file.ref for file in job.references) for job in plan.jobs} == {("styles/more.png", "styles/look.png")}
    assert [file.ref for file in plan.inputs] == [
        "photos/harbour.png",
        "styles/more.png",
        "styles/look.png",
        "photos/stairs.png",
        "photos/attic.png",
    ]


def test_a_scene_brings_its_name_seed_and_ground_line(story) -> None:
    story.picture("a.png")
    story.picture("b.png")
    scenes = [{"ref": "a.png", "name": "Hafen, nachts 夜", "seed": 9, "ground_line": 0.75}, {"ref": "b.png"}]
    path = story.write("m.json", {"scenes": scenes})

    plan = planning.plan(story.request(manifest_path=path))

    assert [(job.name, job.ground_line) for job in plan.jobs] == [("Hafen, nachts 夜", 0.75), ("b", None)]


def test_a_scene_indoors_takes_no_part_in_rain_and_in_nothing_else(story) -> None:
    story.picture("a.png")
    story.picture("b.png")
    path = story.write("m.json", {"scenes": [{"ref": "a.png", "name": "Attic", "indoors": True}, {"ref": "b.png"}]})

    rain, clear, night = (
        planning.plan(story.request(manifest_path=path, stage=stage, weather=weather, time=TimeOfDay.NIGHT))
        for stage, weather in (
            (Stage.WEATHER, Weather.RAIN),
            (Stage.WEATHER, Weather.CLEAR),
            (Stage.TIME, Weather.RAIN),
        )
    )

    assert [job.id for job in rain.jobs] == ["weather_2_b"]
    assert "Left out, because it does not rain indoors: Attic." in rain.notes
    assert len(clear.jobs) == len(night.jobs) == 2


def test_a_control_character_in_a_files_name_does_not_reach_readers(story) -> None:
    story.picture("photos/a\x1b[31m.png")

    plan = planning.plan(story.request(input=Path("photos")))

    assert plan.jobs[0].name.isprintable()


@pytest.mark.parametrize(
    ("only", "kept"),
    [
        (("photos/stairs.png",), ["style_2_stairs"]),
        (("stairs",), ["style_2_stairs"]),
        (("style_2_stairs",), ["style_2_stairs"]),
        (("attic", "style_1_harbour"), ["style_1_harbour", "style_3_attic"]),
        (("attic", "photos/attic.png"), ["style_3_attic"]),
    ],
)
def test_a_selection_keeps_the_ids_of_the_full_list(told, only, kept) -> None:
    plan = planning.plan(told.request(manifest_path=Path("manifest.json"), only=only))

    assert [job.id for job in plan.jobs] == kept


def test_a_selection_changes_nothing_about_the_jobs_that_it_keeps(told) -> None:
    whole = planning.plan(told.request(manifest_path=Path("manifest.json"), candidates=3))

    part = planning.plan(told.request(manifest_path=Path("manifest.json"), candidates=3, only=("stairs",)))

    assert part.jobs == whole.jobs[1:2]
    assert part.forecast.pictures == 3


def test_a_selection_does_not_need_the_scenes_that_it_leaves_out(told) -> None:
    (told.root / "photos/attic.png").unlink()

    plan = planning.plan(told.request(manifest_path=Path("manifest.json"), only=("stairs",)))

    assert len(plan.jobs) == 1


def test_an_unknown_selection_gets_a_hint(told) -> None:
    with pytest.raises(RequestInvalid) as caught:
        planning.plan(told.request(manifest_path=Path("manifest.json"), only=("attic", "stair")))

    assert caught.value.field == "only[1]"
    assert "did you mean 'stairs'?" in str(caught.value)


def test_an_unknown_selection_in_a_large_plan_gets_a_short_message(story) -> None:
    refs = tuple(f"{number:05}.png" for number in range(10_000))

    with pytest.raises(RequestInvalid) as caught:
        planning.plan(story.request(scene_refs=refs, only=("zzz",)))

    assert len(str(caught.value)) < 400


def test_two_scenes_with_the_same_picture_get_the_same_seeds_and_a_note(story) -> None:
    story.picture("a.png", content="same")
    story.picture("b.png", content="same")
    story.picture("c.png", content="same")

    plan = planning.plan(story.request(input=Path()))

    assert len({job.id for job in plan.jobs}) == 3
    assert len({job.candidates for job in plan.jobs}) == 1
    (note,) = plan.notes
    assert "style_2_b has the same picture as style_1_a" in note
    assert "1 more" in note
