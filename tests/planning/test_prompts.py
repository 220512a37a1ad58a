"""Prompts are composed in a fixed order, from the manifest's texts before the built-in ones."""

from __future__ import annotations

import itertools

import pytest

from kroma_nb import planning
from kroma_nb.errors import ManifestInvalid
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.planning.prompts import built_in_prompts

WORDS = {
    "style_base": " STYLE ",
    "time_day": "DAY",
    "time_night": "NIGHT",
    "weather_clear": "CLEAR",
    "weather_rain": "RAIN",
}


def prompts_of(story, manifest: dict[str, object], **asked) -> list[str]:
    story.picture("a.png")
    path = story.write("m.json", {"scene_refs": ["a.png"], **manifest})
    return [job.prompt for job in planning.plan(story.request(manifest_path=path, **asked)).jobs]


@pytest.mark.parametrize(
    ("stage", "time", "weather", "prompt"),
    [
        (Stage.STYLE, TimeOfDay.NIGHT, Weather.RAIN, "STYLE"),
        (Stage.TIME, TimeOfDay.DAY, Weather.RAIN, "STYLE DAY"),
        (Stage.TIME, TimeOfDay.NIGHT, Weather.RAIN, "STYLE NIGHT"),
        (Stage.WEATHER, TimeOfDay.DAY, Weather.CLEAR, "STYLE DAY CLEAR"),
        (Stage.WEATHER, TimeOfDay.NIGHT, Weather.RAIN, "STYLE NIGHT RAIN"),
    ],
)
def test_a_stage_takes_its_own_texts_in_order(story, stage, time, weather, prompt) -> None:
    manifest = {"prompts": WORDS, "policy": {"default_no_invention": False}}

    assert prompts_of(story, manifest, stage=stage, time=time, weather=weather) == [prompt]


def test_the_sentence_against_invention_comes_last(story) -> None:
    (prompt,) = prompts_of(story, {"prompts": WORDS}, stage=Stage.TIME)

    assert prompt == f"STYLE DAY {built_in_prompts()['no_invention']}"


def test_a_scenes_own_words_stand_before_the_sentence_against_invention(story) -> None:
    story.picture("a.png")
    scenes = [{"ref": "a.png", "prompt": "Keep the lamp lit."}, {"ref": "a.png"}]
    path = story.write("m.json", {"scenes": scenes, "prompts": WORDS})

    plan = planning.plan(story.request(manifest_path=path, stage=Stage.WEATHER))

    closing = built_in_prompts()["no_invention"]
    assert [job.prompt for job in plan.jobs] == [
        f"STYLE DAY CLEAR Keep the lamp lit. {closing}",
        f"STYLE DAY CLEAR {closing}",
    ]


@pytest.mark.parametrize(
    ("key", "stage"),
    [
        ("style_base", Stage.STYLE),
        ("time_day", Stage.TIME),
        ("time_day", Stage.WEATHER),
        ("weather_clear", Stage.WEATHER),
    ],
)
def test_a_blank_text_is_refused_by_name_where_it_is_needed(story, key, stage) -> None:
    with pytest.raises(ManifestInvalid) as caught:
        prompts_of(story, {"prompts": {key: " \n"}}, stage=stage)

    assert caught.value.field == f"prompts.{key}"


def test_a_blank_text_that_no_stage_needs_does_no_harm(story) -> None:
    assert len(prompts_of(story, {"prompts": {"weather_rain": ""}}, stage=Stage.WEATHER)) == 1


def test_texts_that_a_manifest_leaves_out_come_from_the_package(story) -> None:
    (prompt,) = prompts_of(story, {"prompts": {"time_day": "DAY"}}, stage=Stage.TIME)

    assert prompt == f"{built_in_prompts()['style_base']} DAY {built_in_prompts()['no_invention']}"


def test_the_built_in_texts_are_one_line_each_and_all_different() -> None:
    texts = built_in_prompts()

    assert set(texts) == {*WORDS, "no_invention"}
    assert all(text == text.strip() and text.isprintable() and len(text) > 40 for text in texts.values())
    assert all(one != other for one, other in itertools.combinations(texts.values(), 2))
