"""The jobs file: ready-made jobs, strictly read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kroma_nb import planning
from kroma_nb.errors import FileMissing, JobsFileInvalid, PathRefused, PictureUnreadable
from kroma_nb.model.words import Stage, TimeOfDay, Weather

JOB = {"id": "one", "prompt": "Draw it.", "input_images": ["photos/harbour.png"]}


def plan_of(told, entries: object, **asked):
    told.write("jobs.json", entries)
    return planning.plan(told.request(jobs_file=Path("jobs.json"), **asked))


def test_jobs_are_taken_as_they_are_written(told) -> None:
    second = {
        "id": "B-2.x_",
        "name": "Zwei 二",
        "prompt": " Draw two. ",
        "input_images": ["photos/stairs.png", "styles/look.png", "photos/attic.png"],
        "mode": "Time",
        "time": " NIGHT ",
        "weather": "rain",
    }

    plan = plan_of(told, [JOB, second], stage=Stage.TIME, candidates=2)

    one, two = plan.jobs
    assert (one.id, one.name, one.prompt, one.references) == ("one", "one", "Draw it.", ())
    assert (one.mode, one.time, one.weather) == (Stage.TIME, TimeOfDay.DAY, Weather.CLEAR)
    assert (two.id, two.name, two.prompt) == ("B-2.x_", "Zwei 二", "Draw two.")
    assert (two.time, two.weather) == (TimeOfDay.NIGHT, Weather.RAIN)
    assert [file.ref for file in two.references] == ["styles/look.png", "photos/attic.png"]
    assert two.output_name(2) == "B-2.x___c2.png"


def test_the_request_says_time_and_weather_where_a_job_does_not(told) -> None:
    plan = plan_of(told, [JOB], stage=Stage.WEATHER, time=TimeOfDay.NIGHT, weather=Weather.RAIN)

    assert (plan.jobs[0].time, plan.jobs[0].weather) == (TimeOfDay.NIGHT, Weather.RAIN)


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ({}, ""),
        ("text", ""),
        (None, ""),
        ([JOB, "text"], "[1]"),
        ([JOB, None], "[1]"),
        ([{}], "[0].id"),
        ([{**JOB, "id": " "}], "[0].id"),
        ([{**JOB, "id": 3}], "[0].id"),
        ([{**JOB, "id": None}], "[0].id"),
        ([{**JOB, "id": "../up"}], "[0].id"),
        ([{**JOB, "id": "a/b"}], "[0].id"),
        ([{**JOB, "id": ".hidden"}], "[0].id"),
        ([{**JOB, "id": ".."}], "[0].id"),
        ([{**JOB, "id": "a b"}], "[0].id"),
        ([{**JOB, "id": "夜"}], "[0].id"),
        ([{**JOB, "id": "a\nb"}], "[0].id"),
        ([{**JOB, "id": "a."}], "[0].id"),
        ([{**JOB, "id": "CON"}], "[0].id"),
        ([{**JOB, "id": "lpt1.page"}], "[0].id"),
        ([{**JOB, "id": "x" * 121}], "[0].id"),
        ([JOB, {**JOB, "prompt": ""}], "[1].prompt"),
        ([{**JOB, "input_images": []}], "[0].input_images"),
        ([{**JOB, "input_images": "a.png"}], "[0].input_images"),
        ([{**JOB, "input_images": ["photos/harbour.png", ""]}], "[0].input_images[1]"),
        ([{**JOB, "input_images": [None]}], "[0].input_images[0]"),
        ([{**JOB, "mode": "sketch"}], "[0].mode"),
        ([{**JOB, "mode": ""}], "[0].mode"),
        ([{**JOB, "mode": "weather"}], "[0].mode"),
        ([{**JOB, "time": "dusk"}], "[0].time"),
        ([{**JOB, "weather": True}], "[0].weather"),
        ([JOB, JOB], "[1].id"),
        ([JOB, {**JOB, "id": "two"}, {**JOB, "id": "ONE"}], "[2].id"),
    ],
)
def test_a_wrong_job_is_refused_with_position_and_field(told, entries, field) -> None:
    with pytest.raises(JobsFileInvalid) as caught:
        plan_of(told, entries)

    assert caught.value.field == field
    assert "jobs.json" in str(caught.value)


def test_a_repeated_id_is_named_with_both_positions(told) -> None:
    with pytest.raises(JobsFileInvalid, match=r"\[2\]\.id: 'ONE' is the id of \[0\] already \('one'\)"):
        plan_of(told, [JOB, {**JOB, "id": "two"}, {**JOB, "id": "ONE"}])


def test_an_unknown_key_gets_a_hint(told) -> None:
    with pytest.raises(JobsFileInvalid, match=r"\[0\]\.input_image: .*did you mean 'input_images'"):
        plan_of(told, [{**JOB, "input_image": ["a.png"]}])


def test_paths_start_at_the_jobs_file_and_stay_there(told) -> None:
    told.write("deep/jobs.json", [JOB])

    with pytest.raises(FileMissing, match=r"jobs\.json: \[0\]\.input_images\[0\]"):
        planning.plan(told.request(jobs_file=Path("deep/jobs.json")))
    with pytest.raises(PathRefused, match=r"\[0\]\.input_images\[0\]"):
        plan_of(told, [{**JOB, "input_images": ["../photos/harbour.png"]}])


def test_every_picture_of_a_job_is_checked(told) -> None:
    told.write("photos/broken.png", "text")

    with pytest.raises(PictureUnreadable, match=r"\[0\]\.input_images\[1\]"):
        plan_of(told, [{**JOB, "input_images": ["photos/harbour.png", "photos/broken.png"]}])


def test_a_jobs_file_wins_over_every_other_input_and_says_so(told) -> None:
    plan = plan_of(
        told,
        [JOB],
        manifest_path=Path("manifest.json"),
        scene_refs=("photos/stairs.png",),
        style_refs=("styles/look.png",),
    )

    assert [job.id for job in plan.jobs] == ["one"]
    assert plan.jobs[0].references == ()
    assert any("scene_refs, style_refs" in note for note in plan.notes)


def test_the_manifest_still_says_how_the_jobs_are_made(told) -> None:
    told.write("m.json", {"generation": {"candidates": 3, "seed": 5, "size": "64x48"}, "output_guard": {}})

    plan = plan_of(told, [JOB], manifest_path=Path("m.json"))

    assert (len(plan.jobs[0].candidates), str(plan.jobs[0].size), plan.generation.seed) == (3, "64x48", 5)


def test_an_empty_jobs_file_plans_nothing_and_says_so(told) -> None:
    # The predecessor's specification calls an empty list a valid run of no jobs.
    plan = plan_of(told, [])

    assert (plan.jobs, plan.pictures, plan.forecast.pictures) == ((), 0, 0)
    assert any("nothing will be made" in note for note in plan.notes)


def test_a_selection_works_on_a_jobs_file(told) -> None:
    plan = plan_of(told, [JOB, {**JOB, "id": "two"}], only=("two",))

    assert [job.id for job in plan.jobs] == ["two"]


def test_a_missing_jobs_file_and_a_pipe_are_refused(told) -> None:
    os.mkfifo(told.root / "pipe.json")

    for name in ("nowhere.json", "pipe.json", "photos"):
        with pytest.raises(FileMissing, match="jobs file"):
            planning.plan(told.request(jobs_file=Path(name)))
