"""Two run logs held against each other: words, jobs, what is unknown, and how it is shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kroma_nb.model.diff import Change, RunDiff, Section, Where, WordKind
from kroma_nb.model.quality import Rank
from kroma_nb.model.runlog import Imported
from kroma_nb.model.words import JobStatus, RunStatus
from kroma_nb.report import compare_runs, diff_page, diff_view
from kroma_nb.report.diff.asked import asked
from kroma_nb.report.diff.pairing import Side, paired
from kroma_nb.report.diff.wording import hunks, word_diff

from .conftest import Story

if TYPE_CHECKING:
    from collections.abc import Callable

    from kroma_nb.model.runlog import JobRecord, RunLog

    from .conftest import Node

HOSTILE = '"><img src=x onerror=alert(1)></del><script>alert(2)</script>'
TEXTS = st.lists(st.sampled_from(["lamp", "rain", "ink", "the", "a", "night,"]), max_size=14)


def fields(before: RunLog, after: RunLog) -> list[tuple[str, str, str]]:
    return [(c.section.value, c.where.scene, c.where.field) for c in compare_runs(before, after).changes]


def with_job(log: RunLog, **changes: object) -> RunLog:
    return log.model_copy(update={"jobs": (log.jobs[0].model_copy(update=changes), *log.jobs[1:])})


def drawn_jobs(story: Story, *refs: str) -> RunLog:
    """Give a run with a job a ref, each with one candidate; the same ref is the same scene."""
    sources = {ref: story.source(ref) for ref in refs}
    jobs = tuple(
        story.job(sources[ref], (story.drawn(f"o/{n}_{ref}", 1),), id=f"style_{n}", name=ref.split(".")[0])
        for n, ref in enumerate(refs)
    )
    return story.run(tuple(sources.values()), jobs)


@given(TEXTS, TEXTS)
def test_the_words_that_stay_and_go_are_the_old_text_and_those_that_stay_and_come_the_new(old, new) -> None:
    found = word_diff(" ".join(old), "\n ".join(new))

    assert bool(found) == (old != new)
    for text, other in ((old, WordKind.ADDED), (new, WordKind.REMOVED)):
        assert " ".join(part.text for part in found if part.kind is not other) == (" ".join(text) if found else "")


@given(TEXTS, TEXTS)
def test_a_prompt_compared_the_other_way_round_is_the_mirror_image(old, new) -> None:
    story = Story()
    log = story.simple(candidates=1)
    before, after = with_job(log, prompt=" ".join(old)), with_job(log, prompt=" ".join(new))

    assert compare_runs(after, before) == compare_runs(before, after).mirrored()


@given(TEXTS, TEXTS)
def test_every_changed_word_stands_in_the_places_that_are_shown(old, new) -> None:
    found = word_diff(" ".join(old), " ".join(new))

    shown = [part for hunk in hunks(found, 2) for part in hunk if part.kind is not WordKind.SAME]

    assert shown == [part for part in found if part.kind is not WordKind.SAME]


def test_a_passage_that_was_written_anew_is_not_broken_by_the_small_words_in_it() -> None:
    found = word_diff(
        "firm ink outlines, large blacks and sparse hatching all over", "soft wash, low light and no line"
    )

    assert [part.kind for part in found] == [WordKind.REMOVED, WordKind.ADDED]


def test_texts_that_have_nothing_in_common_are_compared_at_once() -> None:
    old, new = (" ".join(f"{sign}{n % 40}" for n in range(5_000)) for sign in "ab")

    assert [part.kind for part in word_diff(old, new)] == [WordKind.REMOVED, WordKind.ADDED]


def test_a_run_does_not_differ_from_itself(story: Story) -> None:
    for log in (story.simple(), *story.chain(), drawn_jobs(story, "a.jpg", "a.jpg", "b.jpg")):
        assert compare_runs(log, log).is_empty


@given(st.lists(st.sampled_from("abcd"), max_size=7), st.lists(st.sampled_from("abcd"), max_size=7))
def test_every_job_is_matched_with_one_of_the_same_scene_or_stands_alone(old, new) -> None:
    story = Story()
    before, after = (drawn_jobs(story, *(f"{ref}.jpg" for ref in refs)) for refs in (old, new))

    found = paired(Side(before), Side(after))

    assert all(pair.before.job.scene_sha256 == pair.after.job.scene_sha256 for pair in found.pairs)
    assert len(found.pairs) == sum(min(old.count(ref), new.count(ref)) for ref in set(old))
    assert len(found.pairs) + len(found.removed) == len(old)
    assert len(found.pairs) + len(found.added) == len(new)


def test_what_changed_alike_in_every_scene_is_said_once(story: Story) -> None:
    before = drawn_jobs(story, "a.jpg", "b.jpg")
    jobs = tuple(job.model_copy(update={"prompt": "Noir wash page."}) for job in before.jobs)

    alike = before.model_copy(update={"jobs": jobs})

    assert fields(before, alike) == [("prompts", "", "prompt")]
    assert fields(before, with_job(before, prompt="Noir wash page.")) == [("prompts", "a", "prompt")]


def test_a_version_that_only_some_pictures_were_made_with_is_said_of_these(story: Story) -> None:
    def remade(job: JobRecord, version: str) -> JobRecord:
        made = job.candidates[0].passes[0].model_copy(update={"version": version})
        return job.model_copy(update={"candidates": (job.candidates[0].model_copy(update={"passes": (made,)}),)})

    before = drawn_jobs(story, "a.jpg", "b.jpg")
    mixed = before.model_copy(update={"jobs": (before.jobs[0], remade(before.jobs[1], "ink 2"))})
    swapped = before.model_copy(update={"jobs": (remade(before.jobs[0], "ink 2"), before.jobs[1])})
    every = before.model_copy(update={"jobs": tuple(remade(job, "ink 2") for job in before.jobs)})

    assert fields(before, mixed) == [("engine", "b", "generate.version")]
    assert fields(mixed, swapped) == [("engine", "a", "generate.version"), ("engine", "b", "generate.version")]
    assert fields(before, every) == [("engine", "", "generate.version")]


@pytest.mark.parametrize(("moved", "listed"), [(0.00004, []), (0.0002, [("metrics", "Harbour at dawn", "quality")])])
def test_what_differs_by_less_than_a_log_keeps_is_no_change(moved: float, listed: list, story: Story) -> None:
    log = story.simple(candidates=1)
    (winner,) = log.jobs[0].candidates
    rank = Rank(**{**winner.rank.model_dump(), "quality": round(winner.rank.quality, 4) + moved})

    other = with_job(log, candidates=(winner.model_copy(update={"rank": rank}),))

    assert fields(log, other) == listed


def imported(log: RunLog, *mended: str) -> RunLog:
    """Give a run as an import would know it: without seeds, settings, versions, measures and environment."""
    jobs = tuple(
        job.model_copy(
            update={
                "size": None,
                "candidates": tuple(
                    c.model_copy(
                        update={
                            "seeds": None,
                            "output_guard": c.output_guard.model_copy(update={"measures": None}),
                            "passes": tuple(made.model_copy(update={"version": ""}) for made in c.passes),
                        }
                    )
                    for c in job.candidates
                ),
            }
        )
        for job in log.jobs
    )
    facts = dict.fromkeys(("generation", "palette", "postprocess_plan", "plan_sha256", "environment"))
    told = Imported(source="run_1.json", sha256="c" * 64, mended=mended)
    return log.model_copy(update={"jobs": jobs, "imported": told, **facts})


def test_what_an_imported_run_does_not_tell_is_unknown_and_no_change(story: Story) -> None:
    log = story.simple()

    found = compare_runs(imported(log), log)

    assert found.is_empty
    open_before = {fact.field for fact in found.unknown if fact.before and not fact.after}
    assert {"environment", "generation", "passes", "seeds", "measures", "generate.version", "size"} <= open_before
    assert "Nothing that both records tell differs." in diff_view(found).text()
    assert "Unknown in the earlier run, and so not compared: " in diff_view(found).text()
    assert compare_runs(log, imported(log)) == found.mirrored()


def test_two_imported_runs_say_what_neither_tells(story: Story) -> None:
    log = imported(story.simple())

    found = compare_runs(log, with_job(log, prompt="Noir wash page."))

    assert [change.where.field for change in found.changes] == ["prompt"]
    assert all(fact.before and fact.after for fact in found.unknown)


def test_a_reference_that_an_import_has_lost_is_unknown_and_one_that_it_never_had_was_added(story: Story) -> None:
    log, sheet = story.simple(), story.source("sheet.png")
    job = log.jobs[0]
    styled = log.model_copy(update={"inputs": (*log.inputs, sheet)})
    styled = with_job(styled, input_images=(*job.input_images, sheet.file.path))
    lost = imported(log, "sheet.png: this input is not kept, because the file is not there.")

    assert fields(imported(log), styled) == [("references", "Harbour at dawn", "style.sheet.png")]
    assert fields(lost, styled) == []
    assert "style" in {fact.field for fact in compare_runs(lost, styled).unknown}


def test_a_scene_whose_content_nobody_knows_is_known_by_its_path(story: Story) -> None:
    log = imported(story.simple())
    unknown = with_job(log, scene_sha256=None, input_images=())

    assert compare_runs(log, unknown).is_empty
    assert "scene" in {fact.field for fact in compare_runs(log, unknown).unknown}
    assert compare_runs(with_job(unknown, scene_ref=""), with_job(unknown, scene_ref="")).is_empty


def test_a_run_that_was_stopped_has_another_status_and_no_winner(story: Story) -> None:
    log = story.simple(candidates=1)
    nothing = {"candidates": (), "selected_candidate": None, "final_output": None}
    stopped = with_job(log, status=JobStatus.PLANNED, **nothing).model_copy(update={"status": RunStatus.INTERRUPTED})

    assert fields(log, stopped) == [
        ("jobs", "", "status"),
        ("jobs", "Harbour at dawn", "status"),
        ("winners", "Harbour at dawn", "candidate"),
    ]


def test_hostile_texts_stay_text(story: Story, read_page: Callable[[str], Node]) -> None:
    log = story.simple(project=HOSTILE)
    other = with_job(log, name=HOSTILE, prompt=f"Noir {HOSTILE} page.", scene_ref=HOSTILE)
    second = story.source(HOSTILE)
    other = other.model_copy(update={"inputs": (*other.inputs, second)})
    other = with_job(other, input_images=(*log.jobs[0].input_images, second.file.path))

    diff = compare_runs(log, other)
    page = read_page(diff_page(diff, (log, other), (story.pictures, story.pictures)))

    assert (page.all("script"), page.all("img")) == ([], [])
    assert page.text.count(HOSTILE) >= 3
    assert page.one("ins").text == HOSTILE
    assert "+onerror=alert(1)></del><script>alert(2)</script>" in diff_view(diff).rows[1][3]


def test_a_page_marks_words_and_puts_winner_beside_winner(story: Story, read_page: Callable[[str], Node]) -> None:
    log = story.simple(candidates=2)
    first, second = log.jobs[0].candidates
    other = with_job(log, prompt="Noir wash page.", selected_candidate=2, final_output=second.final_output)

    page = read_page(diff_page(compare_runs(log, other), (log, other), (story.pictures, story.pictures)))

    assert (page.one("del").text, page.one("ins").text) == ("ink", "wash")
    assert [image.attributes["alt"] for image in page.all("img")] == [
        "Winner before: candidate 1",
        "Winner after: candidate 2",
    ]
    assert first.rank.quality > second.rank.quality
    assert "-0.05" in page.text


def test_a_picture_that_is_gone_is_named_and_the_page_still_made(story: Story) -> None:
    log = story.simple(candidates=2)
    other = with_job(log, selected_candidate=2, final_output=log.jobs[0].candidates[1].final_output)

    page = diff_page(compare_runs(log, other), (log, other), (story.pictures, {}.__getitem__))

    assert page.count("<img") == 1
    assert "the file is not there" in page


def test_a_page_of_many_scenes_stays_light_and_says_what_it_leaves_out(story: Story) -> None:
    log = drawn_jobs(story, *(f"{number:02}.jpg" for number in range(40)))
    jobs = [
        job.model_copy(
            update={
                "prompt": f"Page {job.id}.",
                "candidates": tuple(
                    c.model_copy(update={"rank": Rank(hard_failures=0, soft_warnings=0)}) for c in job.candidates
                ),
            }
        )
        for job in log.jobs
    ]
    other = log.model_copy(update={"jobs": tuple(jobs)})

    page = diff_page(compare_runs(log, other), (log, other), (story.pictures, story.pictures))

    assert len(page) < 1_000_000
    assert "… and 16 more scenes" in page


def other_seeds(log: RunLog, count: int) -> RunDiff:
    """Give a comparison that found so many candidates with another seed."""
    places = [Where(field="seeds.style", candidate=number) for number in range(count)]
    changes = [Change(section=Section.PARAMETERS, where=where, before=1, after=2) for where in places]
    return compare_runs(log, log).model_copy(update={"changes": tuple(changes)})


def calls_of(diff: RunDiff) -> int:
    """Count the functions that are called while the first half of a page is made."""
    counted: list[str] = []
    sys.setprofile(lambda _frame, event, _what: counted.append(event) if event in {"call", "c_call"} else None)
    try:
        list(asked(diff))
    finally:
        sys.setprofile(None)
    return len(counted)


def test_a_page_of_four_times_as_many_other_seeds_is_at_most_four_times_the_work(story: Story) -> None:
    log = story.simple(candidates=1)
    (_, _, folded) = asked(other_seeds(log, 100))

    few, many = calls_of(other_seeds(log, 100)), calls_of(other_seeds(log, 400))

    assert "100 candidates with other seeds" in str(folded)
    assert many <= 4 * few


def test_sections_come_in_one_order_and_results_last(story: Story) -> None:
    log = story.simple(candidates=2)
    other = with_job(log, prompt="x", selected_candidate=2, final_output=log.jobs[0].candidates[1].final_output)
    other = other.model_copy(update={"provider": "brush"})

    order = [change.section for change in compare_runs(log, other).changes]

    assert order == sorted(order, key=list(Section).index)
    assert order[-1] is Section.METRICS
