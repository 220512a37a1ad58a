"""What pages say of money, of what was made before, and of what was cut short: in words, and only where it is so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kroma_nb.model.money import Money
from kroma_nb.model.run import CandidateOutcome, Failure
from kroma_nb.model.runlog import CallRecord, Imported
from kroma_nb.model.words import CallState, CandidateStatus, RunStatus
from kroma_nb.report import contact_sheet, gallery, overview, run_table, run_view

from .conftest import BEGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from kroma_nb.model.runlog import CandidateRecord, RunLog

    from .conftest import Node, Story

    Read = Callable[[str], Node]

PRICE = Money(micro_usd=40_000)
HOSTILE = '"><script>alert(1)</script>`code`'


def call(number: int, ended: CallState | None = CallState.SETTLED, **changes: object) -> CallRecord:
    cost = Money() if ended is CallState.RELEASED else PRICE
    facts = {"call_id": f"{number:032x}", "attempt": 1, "started_at": BEGIN, "ended": ended, "upper": PRICE}
    return CallRecord.model_validate({**facts, "cost": cost, **changes})


def kept(record: CandidateRecord) -> CandidateRecord:
    """Give a candidate whose drawing was made before."""
    passes = tuple(one.model_copy(update={"reused": True}) for one in record.passes)
    return record.model_copy(update={"passes": passes})


def paid(story: Story, **changes: object) -> RunLog:
    """Give a run with everything that money can do to a candidate."""
    scene, lost = (
        story.source("a.jpg"),
        Failure(error_kind="provider", error_code="in_doubt", message="no answer came."),
    )
    busy = Failure(error_kind="provider", error_code="rate_limited", message=f"HTTP 429 {HOSTILE}")
    outcome = CandidateOutcome(
        job_id="harbour",
        index=1,
        status=CandidateStatus.FAILED_PROVIDER,
        seeds=story.drawn("o/0.png", 1).seeds,
        failure=busy,
        started_at=BEGIN,
        finished_at=BEGIN,
    )
    again = story.drawn(
        "o/1.png", 1, calls=(call(1, CallState.RELEASED, failure=busy), call(2, request_id=HOSTILE)), earlier=(outcome,)
    )
    doubtful = story.failed(3, CandidateStatus.IN_DOUBT, lost).model_copy(
        update={"calls": (call(3, CallState.IN_DOUBT),)}
    )
    skipped = story.failed(4, CandidateStatus.SKIPPED_BUDGET, None)
    added = story.drawn("o/5.png", 5, calls=(call(5),), retry_of=3)
    candidates = (again, kept(story.drawn("o/2.png", 2)), doubtful, skipped, added)
    facts = {"spent": PRICE * 3, "spend_limit": PRICE * 5, "status": RunStatus.PARTIAL, "resumed": 2}
    return story.run((scene,), (story.job(scene, candidates),), **{**facts, **changes})


def test_the_head_of_a_page_says_what_was_spent_of_what_was_confirmed_in_how_many_calls(
    story: Story, read_page: Read
) -> None:
    head = read_page(gallery(paid(story), story.pictures)).one("header").text

    assert "Spent $0.12 of the $0.20 that was confirmed, in 4 calls; $0.04 of it for 1 call in doubt." in head
    assert "1 of 3 pictures taken from what was made before." in head


def test_a_card_says_in_words_what_was_made_before_paid_added_doubtful_and_skipped(
    story: Story, read_page: Read
) -> None:
    cards = read_page(gallery(paid(story), story.pictures)).all("figure", "candidate")
    first, reused, doubtful, skipped, added = (card.text for card in cards)

    assert "$0.04 in 2 calls" in first
    assert "made before" in reused
    assert "$" not in reused
    assert "In doubt: nobody knows whether call 00000000000000000000000000000003 of 2026-11-22 18:00 UTC" in doubtful
    assert "bought again only with kroma resume --pay-again" in doubtful
    assert "skipped for the budget" in skipped
    assert "Retry: added to do better than c3." in added


def test_a_card_lists_every_call_and_every_earlier_attempt_and_hostile_words_stay_text(
    story: Story, read_page: Read
) -> None:
    html = gallery(paid(story), story.pictures)
    first = read_page(html).all("figure", "candidate")[0]

    (turns, attempts) = first.all("ol", "turns")
    assert "2 calls and 1 earlier attempt" in first.text
    assert [item.text for item in turns.all("li")] == [
        f"2026-11-22 18:00 UTCTry 1, not billed: HTTP 429 {HOSTILE}.{1:032x}",
        f"2026-11-22 18:00 UTCTry 1, paid, $0.04.{HOSTILE}",
    ]
    assert [item.text for item in attempts.all("li")] == [f"2026-11-22 18:00 UTCCould not be made: HTTP 429 {HOSTILE}."]
    assert "<script>alert" not in html


def test_a_run_that_costs_nothing_is_shown_without_a_word_of_money(story: Story, read_page: Read) -> None:
    log = story.simple()

    page = read_page(gallery(log, story.pictures))
    assert "$" not in page.one("main").text + page.one("header").text
    assert "$" not in overview(log, story.pictures)._repr_html_()
    assert "cost" not in run_view(log).text()


def test_a_run_in_a_terminal_says_what_it_has_cost_and_names_the_call_in_doubt(story: Story) -> None:
    said = run_view(paid(story)).text()

    assert "Spent: $0.12 of the $0.20 that was confirmed, in 4 calls; $0.04 of it for 1 call in doubt." in said
    assert "1 of 3 pictures taken from what was made before." in said
    assert "It went on twice, after it had ended or was cut short." in said
    assert f"{3:032x}" in said
    assert "added to do better than c3" in said


def test_a_run_of_which_everything_was_made_before_says_so_once(story: Story) -> None:
    scene = story.source("a.jpg")
    drawn = tuple(kept(story.drawn(f"o/{number}.png", number)) for number in range(1, 7))

    assert (
        "All 6 pictures taken from what was made before."
        in run_view(story.run((scene,), (story.job(scene, drawn),))).text()
    )


@pytest.mark.parametrize(
    ("kind", "way_out"),
    [
        ("validation", "Correct what it names; then give `kroma resume`."),
        ("policy", "Confirm it, or raise the limit that it names; then"),
        ("provider", "Check the engine's key and account, or wait until it serves again; then"),
        ("infra", "Look at the disk and at the machine's own log; then"),
        ("unknown", "Please report it."),
    ],
)
def test_a_run_that_was_cut_short_says_by_what_and_what_a_person_does_about_it(
    story: Story, read_page: Read, kind: str, way_out: str
) -> None:
    failure = Failure(error_kind=kind, error_code="its_code", message="it broke")
    log = story.simple(status=RunStatus.FAILED, failure=failure, next_step="it broke")

    (note,) = [note for note in run_view(log).notes if note.startswith("Cut short by ")]
    assert "(its_code): It broke. " in note
    assert way_out in note
    head = read_page(gallery(log, story.pictures)).one("header").text
    assert note.replace("`", "") in head
    assert head.count("t broke") == 1


def test_a_call_whose_end_is_not_written_yet_counts_in_full_and_is_not_said_to_be_paid(story: Story) -> None:
    scene = story.source("a.jpg")
    log = story.run(
        (scene,),
        (story.job(scene, (story.drawn("o/1.png", 1, calls=(call(1, None),)),)),),
        spent=PRICE,
        spend_limit=PRICE,
    )

    assert (
        "Spent: $0.04 of the $0.04 that was confirmed, in 1 call; $0.04 of it for 1 call in doubt."
        in run_view(log).notes
    )
    assert run_table(log)[0].cost_micro_usd == 40_000


def test_while_a_candidate_is_under_way_its_calls_are_not_counted_wrong(story: Story) -> None:
    log = story.simple(spent=PRICE, spend_limit=PRICE * 3, status=RunStatus.RUNNING)

    assert "Spent: $0.04 of the $0.12 that was confirmed." in run_view(log).notes


def test_an_imported_run_is_not_told_to_be_gone_on_with_here(story: Story, read_page: Read) -> None:
    scene = story.source("a.jpg")
    job = story.job(scene, (story.failed(1, CandidateStatus.FAILED_PROVIDER),))
    log = story.run((scene,), (job,), imported=Imported(source="run.json", sha256="a" * 64))

    assert "kroma resume" not in read_page(gallery(log, story.pictures)).text


def test_a_row_has_what_the_card_shows(story: Story) -> None:
    first, reused, doubtful, _, added = run_table(paid(story))

    assert (first.attempts, first.cost_micro_usd, first.request_id) == (2, 40_000, HOSTILE)
    assert (reused.reused, reused.cost_micro_usd, reused.request_id) == (True, 0, "")
    assert (doubtful.cost_micro_usd, doubtful.request_id) == (40_000, f"{3:032x}")
    assert (added.retry_of, added.reused) == (3, False)


def test_a_contact_sheet_is_drawn_of_everything_that_money_can_do(story: Story) -> None:
    assert contact_sheet(paid(story), story.pictures).startswith(b"\x89PNG")
