"""Seeds follow the scene, its stage and the candidate, and a followed picture keeps its hand and light."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from kroma_nb import planning
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.brief import Seeds
from kroma_nb.model.plan import Followed, Plan
from kroma_nb.model.words import Stage

PINNED = Seeds(style=11, time=22, weather=33)


def seeds_by_scene(plan: Plan) -> dict[str, list[Seeds]]:
    return {job.scene.ref: [candidate.seeds for candidate in job.candidates] for job in plan.jobs}


def followed(sha256: str, stage: Stage, *, seeds: Seeds = PINNED, candidate: int = 2) -> Followed:
    return Followed(
        scene_sha256=sha256,
        stage=stage,
        run_id="20260101T000000000Z-abc",
        job_id="style_1_harbour",
        candidate=candidate,
        sha256="f" * 64,
        seeds=seeds,
    )


def test_a_seed_is_the_first_48_bits_of_a_documented_text() -> None:
    text = b"kroma_nb.seed/1\n7\nabc\nstyle\n3\n"

    assert planning.seed_of(7, "abc", Stage.STYLE, 3) == int(hashlib.sha256(text).hexdigest()[:12], 16)


def test_every_part_of_a_seed_matters() -> None:
    told_apart = {
        planning.seed_of(root, scene, stage, index)
        for root in (0, 1)
        for scene in ("a" * 64, "b" * 64)
        for stage in (Stage.STYLE, Stage.TIME, Stage.WEATHER)
        for index in (1, 2, 11)
    }

    assert len(told_apart) == 36
    assert all(0 <= seed < 2**48 for seed in told_apart)


def test_inserting_removing_and_sorting_scenes_changes_no_other_scenes_seeds(told) -> None:
    before = seeds_by_scene(planning.plan(told.request(manifest_path=Path("manifest.json"), candidates=3)))
    told.picture("photos/bridge.png")
    order = ["photos/attic.png", "photos/bridge.png", "photos/harbour.png"]
    told.write("manifest.json", {"scene_refs": order})

    after = seeds_by_scene(planning.plan(told.request(manifest_path=Path("manifest.json"), candidates=3)))

    assert {ref: after[ref] for ref in before if ref in after} == {
        ref: before[ref] for ref in ("photos/harbour.png", "photos/attic.png")
    }


def test_renaming_a_scene_changes_no_seed(told) -> None:
    before = planning.plan(told.request(scene_refs=("photos/attic.png",)))
    (told.root / "photos/attic.png").rename(told.root / "photos/loft.png")

    after = planning.plan(told.request(scene_refs=("photos/loft.png",)))

    assert after.jobs[0].candidates == before.jobs[0].candidates


def test_more_candidates_leave_the_first_ones_as_they_were(told) -> None:
    few = planning.plan(told.request(scene_refs=("photos/attic.png",), candidates=2))

    many = planning.plan(told.request(scene_refs=("photos/attic.png",), candidates=5))

    assert many.jobs[0].candidates[:2] == few.jobs[0].candidates
    assert [candidate.index for candidate in many.jobs[0].candidates] == [1, 2, 3, 4, 5]


def test_the_manifests_seed_moves_every_scene_and_a_scenes_own_seed_wins(story) -> None:
    story.picture("a.png")
    story.picture("b.png")
    scenes = [{"ref": "a.png"}, {"ref": "b.png", "seed": 5}]
    zero = planning.plan(story.request(manifest_path=story.write("m.json", {"scenes": scenes})))
    path = story.write("m.json", {"scenes": scenes, "generation": {"seed": 8}})

    eight = planning.plan(story.request(manifest_path=path))

    assert eight.jobs[0].candidates != zero.jobs[0].candidates
    assert eight.jobs[1].candidates == zero.jobs[1].candidates
    sha256 = eight.jobs[1].scene.sha256
    assert eight.jobs[1].candidates[0].seeds.style == planning.seed_of(5, sha256, Stage.STYLE, 1)


def test_a_later_stage_that_follows_nothing_has_the_hand_of_the_style_stage(told) -> None:
    style = planning.plan(told.request(scene_refs=("photos/attic.png",)))

    time = planning.plan(told.request(scene_refs=("photos/attic.png",), stage=Stage.TIME))

    assert time.jobs[0].candidates == style.jobs[0].candidates


@pytest.mark.parametrize(
    ("stage", "earlier", "kept"),
    [
        (Stage.TIME, Stage.STYLE, {"style"}),
        (Stage.WEATHER, Stage.STYLE, {"style", "time"}),
        (Stage.WEATHER, Stage.TIME, {"style", "time"}),
    ],
)
def test_a_followed_picture_fixes_the_seeds_of_the_stages_before(told, stage, earlier, kept) -> None:
    free = planning.plan(told.request(manifest_path=Path("manifest.json"), stage=stage, candidates=2))
    pinned = followed(free.jobs[1].scene.sha256, earlier)

    plan = planning.plan(
        told.request(manifest_path=Path("manifest.json"), stage=stage, candidates=2, follows=(pinned,))
    )

    assert plan.jobs[1].follows == pinned
    for candidate, unbound in zip(plan.jobs[1].candidates, free.jobs[1].candidates, strict=True):
        for name in ("style", "time", "weather"):
            source = PINNED if name in kept else unbound.seeds
            assert getattr(candidate.seeds, name) == getattr(source, name)
    assert (plan.jobs[0], plan.jobs[2]) == (free.jobs[0], free.jobs[2])


@pytest.mark.parametrize(
    ("stage", "earlier"),
    [
        (Stage.STYLE, Stage.STYLE),
        (Stage.TIME, Stage.TIME),
        (Stage.TIME, Stage.WEATHER),
        (Stage.WEATHER, Stage.WEATHER),
        (Stage.WEATHER, Stage.CHARACTER),
    ],
)
def test_only_an_earlier_stage_can_be_followed(told, stage, earlier) -> None:
    with pytest.raises(RequestInvalid) as caught:
        planning.plan(
            told.request(scene_refs=("photos/attic.png",), stage=stage, follows=(followed("a" * 64, earlier),))
        )

    assert caught.value.field == "follows[0].stage"


def test_a_followed_picture_of_no_scene_is_noted(told) -> None:
    follows = (followed("a" * 64, Stage.STYLE), followed("b" * 64, Stage.STYLE))

    plan = planning.plan(told.request(scene_refs=("photos/attic.png",), stage=Stage.TIME, follows=follows))

    assert plan.jobs[0].follows is None
    assert any("follows[0] and 1 more" in note for note in plan.notes)


def test_a_selection_is_silent_about_the_followed_pictures_that_it_leaves_out(told) -> None:
    every = planning.plan(told.request(manifest_path=Path("manifest.json")))
    follows = tuple(followed(job.scene.sha256, Stage.STYLE) for job in every.jobs)

    plan = planning.plan(
        told.request(manifest_path=Path("manifest.json"), stage=Stage.TIME, follows=follows, only=("attic",))
    )

    assert not any("followed" in note.lower() for note in plan.notes)
    assert plan.jobs[0].follows == follows[2]


def test_scenes_that_follow_nothing_are_counted_where_others_follow(told) -> None:
    every = planning.plan(told.request(manifest_path=Path("manifest.json")))
    first = (followed(every.jobs[0].scene.sha256, Stage.STYLE),)

    some, none = (
        planning.plan(told.request(manifest_path=Path("manifest.json"), stage=Stage.TIME, follows=follows))
        for follows in (first, ())
    )

    assert any(note.startswith("2 of 3 scenes follow nothing") for note in some.notes)
    assert not any("follow nothing" in note for note in none.notes)


def test_one_followed_picture_serves_every_scene_with_its_content(story) -> None:
    for name in ("a.png", "b.png"):
        story.picture(name, content="same")
    sha256 = planning.plan(story.request(input=Path())).jobs[0].scene.sha256

    plan = planning.plan(story.request(input=Path(), stage=Stage.TIME, follows=(followed(sha256, Stage.STYLE),)))

    assert [job.follows is not None for job in plan.jobs] == [True, True]


def test_as_many_followed_pictures_as_scenes_with_one_content_go_in_order(story) -> None:
    for name in ("a.png", "b.png"):
        story.picture(name, content="same")
    sha256 = planning.plan(story.request(input=Path())).jobs[0].scene.sha256
    follows = tuple(followed(sha256, Stage.STYLE, candidate=index) for index in (1, 2))

    plan = planning.plan(story.request(input=Path(), stage=Stage.TIME, follows=follows))

    assert tuple(job.follows for job in plan.jobs) == follows


def test_two_followed_pictures_for_one_scene_are_refused(told) -> None:
    sha256 = planning.plan(told.request(scene_refs=("photos/attic.png",))).jobs[0].scene.sha256
    follows = tuple(followed(sha256, Stage.STYLE, candidate=index) for index in (1, 2))

    with pytest.raises(RequestInvalid, match=r"follows\[1\].*one picture"):
        planning.plan(told.request(scene_refs=("photos/attic.png",), stage=Stage.TIME, follows=follows))
