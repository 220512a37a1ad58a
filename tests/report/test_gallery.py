"""The gallery: what an art director reads on it, and that nothing can break it."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kroma_nb import images
from kroma_nb.errors import FileMissing, PictureUnreadable
from kroma_nb.model.postprocess import PostprocessPlan, UpscalePlan
from kroma_nb.model.quality import GuardSettings, HardReason, Rank, SoftWarning
from kroma_nb.model.run import Failure
from kroma_nb.model.runlog import ALL_FAILED
from kroma_nb.model.words import CandidateStatus, Gate, JobStatus, RunStatus, Stage
from kroma_nb.report import gallery, phrases
from kroma_nb.report.elements import readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Node, Story

    Read = Callable[[str], Node]

HOSTILE = '"><img src=x onerror=alert(1)>'


def test_the_winner_is_marked_in_words_and_every_candidate_says_where_it_stands(story: Story, read_page: Read) -> None:
    log = story.simple(candidates=3)

    page = read_page(gallery(log, story.pictures))

    winner = page.one("figure", "winner")
    assert "Winner" in winner.text
    places = [figure.one("span", "place").text for figure in page.all("figure", "candidate")]
    assert places == ["1st of 3", "2nd of 3", "3rd of 3"]


def test_near_ties_name_each_other(story: Story, read_page: Read) -> None:
    scene = story.source("a.jpg")
    first = story.drawn("o/1.png", 1, rank=Rank(hard_failures=0, soft_warnings=0, position=1, tied_with=(2, 3)))
    second = story.drawn("o/2.png", 2, rank=Rank(hard_failures=0, soft_warnings=0, position=2, tied_with=(1,)))
    log = story.run((scene,), (story.job(scene, (first, second)),))

    page = read_page(gallery(log, story.pictures))

    ties = [line.text for line in page.all("li", "tie")]
    assert ties == ["Tied with c2 and c3: too close to tell apart.", "Tied with c1: too close to tell apart."]


def test_a_failed_candidate_shows_its_error_and_its_way_out(story: Story, read_page: Read) -> None:
    scene, failure = (
        story.source("a.jpg"),
        Failure(error_kind="provider", error_code="provider_failed", message="ran <dry>."),
    )
    broken = story.failed(2, CandidateStatus.FAILED_PROVIDER, failure)
    log = story.run((scene,), (story.job(scene, (story.drawn("o/1.png", 1), broken)),))

    page = read_page(gallery(log, story.pictures))

    card = page.one("figure", "failed")
    assert "provider_failed: ran <dry>." in card.text
    assert "Way out: Mend the cause, then give kroma resume." in card.text
    assert not card.all("img")


def test_a_candidate_that_failed_the_guard_is_still_shown_with_every_reason(story: Story, read_page: Read) -> None:
    scene = story.source("a.jpg")
    reasons = (HardReason.BLANK, HardReason.NOT_GRAYSCALE_LIKE)
    bad = story.drawn(
        "o/1.png",
        1,
        status=CandidateStatus.FAILED_OUTPUT_GUARD,
        final_output=None,
        rank=Rank(hard_failures=2, soft_warnings=0),
        output_guard=story.report("o/1.png", hard_fail_reasons=reasons, chroma_delta=7.31),
    )
    log = story.run((scene,), (story.job(scene, (bad,), failure_reason=ALL_FAILED),))

    page = read_page(gallery(log, story.pictures))

    card = page.one("figure", "failed")
    assert len(card.all("img")) == 1
    assert "Nothing is drawn on it." in card.text
    assert "(chroma 7.3, at most 2)" in card.text
    assert "outside the ranking" in card.text
    assert "Every candidate failed the guard." in page.text


@pytest.mark.parametrize("warning", list(SoftWarning))
def test_every_warning_is_said_in_plain_words(story: Story, read_page: Read, warning: SoftWarning) -> None:
    scene = story.source("a.jpg")
    drawn = story.drawn("o/1.png", 1, output_guard=story.report("o/1.png", soft_warnings=(warning,)))
    log = story.run((scene,), (story.job(scene, (drawn,)),))

    said = read_page(gallery(log, story.pictures)).one("li", "warn").text

    assert said.startswith("Warning: ")
    assert warning.value not in said


@pytest.mark.parametrize(
    ("chroma", "most", "says"),
    [
        (12.04, 12.0, "(chroma 12.04, at most 12)"),
        (12.000_04, 12.0, "(chroma 12.00004, at most 12)"),
        (2.04, 2.03, "(chroma 2.04, at most 2.03)"),
        (0.0123, 0.0121, "(chroma 0.0123, at most 0.0121)"),
        (7.31, 2.0, "(chroma 7.3, at most 2)"),
        (2.0, 2.0, "(chroma 2.0, at most 2)"),
    ],
)
def test_a_chroma_and_its_limit_are_told_apart(story: Story, chroma: float, most: float, says: str) -> None:
    found = story.report("o/1.png", chroma_delta=chroma)
    log = story.run((), (), guard=GuardSettings(max_chroma_delta=most))
    job = story.job(story.source("a.jpg"), ())

    assert says in phrases.hard(HardReason.CHROMA_EXCEEDS_THRESHOLD, found, log=log, job=job)
    assert says in phrases.hard(HardReason.NOT_GRAYSCALE_LIKE, found, log=log, job=job)
    assert says in phrases.soft(SoftWarning.CHROMA_EXCEEDS_THRESHOLD, found, log=log)


def test_an_enlarged_page_of_the_wrong_size_is_told_the_size_that_it_should_have(story: Story) -> None:
    scene = story.source("a.jpg")
    found = story.report("o/1.png")
    job = story.job(scene, (story.drawn("o/1.png", 1, output_guard=found),))
    log = story.run((scene,), (job,), postprocess_plan=PostprocessPlan(upscale=UpscalePlan(scale=2)))

    assert "240 × 360 pixels were asked for" in phrases.hard(HardReason.WRONG_SIZE, found, log=log, job=job)


@pytest.mark.parametrize("reason", list(HardReason))
def test_every_reason_is_said_in_plain_words(story: Story, read_page: Read, reason: HardReason) -> None:
    scene = story.source("a.jpg")
    bad = story.drawn(
        "o/1.png",
        1,
        status=CandidateStatus.FAILED_OUTPUT_GUARD,
        output_guard=story.report("o/1.png", hard_fail_reasons=(reason,)),
        rank=Rank(hard_failures=1, soft_warnings=0),
    )
    log = story.run((scene,), (story.job(scene, (bad,)),))

    said = read_page(gallery(log, story.pictures)).all("li", "bad")[0].text

    assert said.startswith("Reason: ")
    assert reason.value not in said


@pytest.mark.parametrize("status", [status for status in CandidateStatus if status is not CandidateStatus.DONE])
def test_every_way_to_fail_has_a_way_out(story: Story, read_page: Read, status: CandidateStatus) -> None:
    scene = story.source("a.jpg")
    log = story.run((scene,), (story.job(scene, (story.failed(1, status),)),))

    card = read_page(gallery(log, story.pictures)).one("figure", "failed")

    assert card.one("li", "way-out").text.startswith("Way out: ")


def test_the_painters_notes_and_the_plans_notes_are_on_the_page(story: Story, read_page: Read) -> None:
    scene = story.source("a.jpg")
    drawn = story.drawn("o/1.png", 1, notes=("The horizon was estimated.",))
    log = story.run(
        (scene,), (story.job(scene, (drawn,)),), notes=("The key mood is not used.",), next_step="Resume it."
    )

    page = read_page(gallery(log, story.pictures))

    assert "Painter: The horizon was estimated." in page.one("li", "note").text
    assert "The key mood is not used." in page.text
    assert "Next: Resume it." in page.one("header", "top").text


def test_a_run_whose_gate_is_off_says_that_it_is_not_reviewed(story: Story) -> None:
    open_gate, closed = story.simple(gate=Gate.OFF), story.simple(gate=Gate.BASELINE)

    assert "not reviewed" in gallery(open_gate, story.pictures)
    assert "not reviewed" not in gallery(closed, story.pictures).lower()


def test_what_was_planned_and_not_drawn_has_its_place(story: Story, read_page: Read) -> None:
    scene = story.source("a.jpg")
    job = story.job(scene, (story.drawn("o/2.png", 2),), planned_candidates=3, status=JobStatus.PARTIAL)
    log = story.run((scene,), (job,), status=RunStatus.RUNNING, finished_at=None)

    page = read_page(gallery(log, story.pictures))

    names = [
        figure.one("p", "rank").one("b").text if i != 1 else "c2"
        for i, figure in enumerate(page.all("figure", "candidate"))
    ]
    assert names == ["c1", "c2", "c3"]
    assert page.text.count("Not drawn yet") == 2
    assert "1 of 3 candidates done" in page.text
    assert "still running" in page.text


def test_a_winner_that_keeps_its_number_leaves_no_place_of_one_not_drawn(story: Story, read_page: Read) -> None:
    scene = story.source("a.jpg")
    job = story.job(scene, (story.drawn("o/2.png", 2),), planned_candidates=1)

    page = read_page(gallery(story.run((scene,), (job,)), story.pictures))

    assert "Not drawn yet" not in page.text
    assert len(page.all("figure", "candidate")) == 1


def test_a_missing_an_unreadable_and_a_refused_file_are_named_gaps(story: Story, read_page: Read) -> None:
    scene = story.source("a.jpg")
    drawn = tuple(story.drawn(f"o/{n}.png", n) for n in (1, 2, 3, 4))
    log = story.run((scene,), (story.job(scene, drawn),))

    def pictures(path: str) -> bytes:
        match path:
            case "o/1.png":
                raise FileNotFoundError(2, "No such file or directory", path)
            case "o/2.png":
                return b"not a picture"
            case "o/3.png":
                raise PictureUnreadable(path, "it is locked")
            case "o/4.png":
                raise FileMissing(Path("/home/someone/secret") / path, "the run log")
            case _:
                return story.files[path]

    page = read_page(gallery(log, pictures))

    gaps = [gap.text for gap in page.all("div", "gap")]
    assert len(gaps) == 4
    assert all(f"o/{n}.png" in gaps[n - 1] for n in (1, 2, 3, 4))
    assert "/home/someone" not in page.text
    assert "it is locked" in gaps[2]


def test_a_file_that_has_changed_since_the_run_is_said_so(story: Story, read_page: Read) -> None:
    log = story.simple(candidates=2)
    story.files["runs/r1/outputs/harbour__c1.png"] = images.encode_png(np.zeros((20, 20), np.uint8))

    cards = read_page(gallery(log, story.pictures)).all("figure", "candidate")

    assert "This file has changed since the run stored it." in cards[0].text
    assert "has changed" not in cards[1].text


def test_a_chain_shows_each_scene_once_with_a_row_a_stage(story: Story, read_page: Read) -> None:
    logs = story.chain()

    page = read_page(gallery(logs, story.pictures))

    scene = page.one("section", "scene")
    assert [heading.text for heading in scene.all("h3")] == ["Style", "Time: day", "Weather: clear, day"]
    assert len(scene.all("figure", "source")) == 1


def test_a_later_stage_links_to_the_very_candidate_that_it_follows(story: Story, read_page: Read) -> None:
    logs = story.chain()

    page = read_page(gallery(logs, story.pictures))

    followed = page.all("li", "step-followed")
    assert len(followed) == 4
    target = followed[0].one("a").attributes["href"].removeprefix("#")
    figure = next(figure for figure in page.all("figure") if figure.attributes.get("id") == target)
    assert "winner" in figure.classes


def test_every_anchor_leads_somewhere_and_no_id_is_used_twice(story: Story, read_page: Read) -> None:
    logs = (*story.chain(), *story.chain())

    page = read_page(gallery(logs, story.pictures))

    ids = [node.attributes["id"] for node in page.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    links = [node.attributes["href"] for node in page.all("a")]
    assert all(link[1:] in ids for link in links if link.startswith("#"))


def test_full_files_are_linked_from_where_the_page_lies(story: Story, read_page: Read) -> None:
    log = story.simple(candidates=1, run_id="r1")

    beside = read_page(gallery(log, story.pictures)).all("a", "mat")
    elsewhere = read_page(gallery(log, story.pictures, place="exports/deep/down/page.html")).all("a", "mat")

    assert beside[1].attributes["href"] == "outputs/harbour__c1.png"
    assert beside[0].attributes["href"].startswith("../../inputs/")
    assert elsewhere[1].attributes["href"] == "../../../runs/r1/outputs/harbour__c1.png"


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(story: Story, read_page: Read) -> None:
    page = read_page(gallery(story.simple(), story.pictures))

    policy = next(meta.attributes["content"] for meta in page.all("meta") if "http-equiv" in meta.attributes)
    for tag in ("style", "script"):
        digest = b64encode(sha256(page.one(tag).text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


def test_the_page_refers_to_nothing_outside_of_itself(story: Story, read_page: Read) -> None:
    html = gallery(story.chain(), story.pictures)

    page = read_page(html)

    assert all(image.attributes["src"].startswith("data:image/webp;base64,") for image in page.all("img"))
    assert not re.search(r"https?:|url\(|@import|srcset|\bfetch\(|XMLHttp|innerHTML|insertAdjacent", html)
    assert not any(name.startswith("on") or name == "style" for node in page.all() for name in node.attributes)


def test_every_picture_that_is_judged_has_words_for_those_who_do_not_see_it(story: Story, read_page: Read) -> None:
    page = read_page(gallery(story.chain(), story.pictures))

    judged = [image for figure in page.all("figure") for image in figure.all("img")]
    assert len(judged) == 7
    assert all("Harbour at dawn" in image.attributes["alt"] for image in judged)
    assert {node.tag for node in page.all() if node.tag in {"header", "nav", "main", "footer"}} == {
        "header",
        "nav",
        "main",
        "footer",
    }


@pytest.mark.parametrize("name", [HOSTILE, "夜の港 🌃", "שלום \u202e", "x" * 5000, "a\x00b\x1b", "\n", " "])
def test_a_scenes_name_stays_text_wherever_it_stands(story: Story, read_page: Read, name: str) -> None:
    scene = story.source("a.jpg")
    job = story.job(scene, (story.drawn("o/1.png", 1),), name=name, prompt=name)
    later = job.model_copy(update={"mode": Stage.TIME})
    first = story.run((scene,), (job,), project=name, provider=name, notes=(name,), run_id="r1", next_step=name)
    second = story.run((scene,), (later,), project=name, run_id="r2", stage=Stage.TIME)

    page = read_page(gallery((first, second), story.pictures))

    expected = readable(name)
    assert page.one("section", "scene").one("h2").one("bdi").text == expected
    assert page.one("h1").text == expected
    assert page.one("title").text.startswith(f"\u2068{expected[:100]}")
    assert expected in page.all("p", "prompt")[0].text
    assert not any("onerror" in node.attributes for node in page.all())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_name_and_any_error_text_comes_through(story: Story, read_page: Read, text: str) -> None:
    scene = story.source("a.jpg")
    failure = Failure(error_kind="provider", error_code="provider_failed", message=text)
    broken = story.failed(1, CandidateStatus.FAILED_PROVIDER, failure)
    log = story.run((scene,), (story.job(scene, (broken,), name=text, scene_ref=text),))

    page = read_page(gallery(log, story.pictures))

    assert page.one("section", "scene").one("h2").one("bdi").text == readable(text)
    assert readable(text) in page.one("figure", "failed").text


def test_a_run_without_jobs_is_a_page_too(story: Story, read_page: Read) -> None:
    page = read_page(gallery(story.run((), (), status=RunStatus.INTERRUPTED), story.pictures))

    assert "stopped before its end" in page.text


def test_no_run_at_all_is_refused(story: Story) -> None:
    with pytest.raises(ValueError, match="at least one run log"):
        gallery((), story.pictures)


def test_the_same_run_gives_the_same_page(story: Story) -> None:
    log = story.simple()

    assert gallery(log, story.pictures) == gallery(log, story.pictures)


def test_two_hundred_candidates_make_a_bounded_page_and_each_picture_is_read_once(story: Story) -> None:
    jobs, scenes = [], []
    for number in range(50):
        scene = story.source(f"{number}.jpg")
        drawn = tuple(story.drawn(f"o/{number}-{n}.png", n) for n in (1, 2, 3, 4))
        scenes.append(scene)
        jobs.append(story.job(scene, drawn, id=f"j{number}", name=f"scene {number}"))
    log = story.run(tuple(scenes), tuple(jobs))
    asked: list[str] = []

    def pictures(path: str) -> bytes:
        asked.append(path)
        return story.files[path]

    html = gallery(log, pictures)

    assert len(asked) == len(set(asked)) == 250
    assert len(html) < 20_000_000


def test_an_embedded_picture_shows_the_stored_one(story: Story, read_page: Read) -> None:
    page = read_page(gallery(story.simple(candidates=1), story.pictures))

    data = b64decode(page.one("figure", "candidate").one("img").attributes["src"].partition(",")[2])
    shown = images.load(data, always_rgb=True).astype(int)
    stored = images.load(story.files["runs/r1/outputs/harbour__c1.png"], always_rgb=True).astype(int)
    assert shown.shape == stored.shape
    assert np.abs(shown - stored).mean() < 12
