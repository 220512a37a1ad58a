"""What the page on money promises, tried where it is hardest to keep."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import loopback
import pytest
from loopback import write_catalog
from money.processes import ENVIRONMENT, start
from studio import write_photograph

from kroma_nb.errors import CatalogInvalid, RequestInvalid, SpendNotConfirmed
from kroma_nb.model.words import CallState, CandidateStatus, RunStatus
from kroma_nb.run import Ledger
from kroma_nb.workbench import open_workbench


def candidates(run) -> list:
    return [candidate for job in run.log.jobs for candidate in job.candidates]


def one(paid, **words: object):
    return paid(candidates=1, only=["scene_0.png"], **words)


def in_doubt(server, story, paid, model: str):
    """Make a run whose only call nobody knows the end of."""
    write_catalog(story.bench.home, first=model, tries=1, timeout_s=0.5)
    server.script.append("drop")
    run = story.run(one(paid), confirm_spend=True)
    assert candidates(run)[0].status is CandidateStatus.IN_DOUBT
    return run


def test_a_call_that_is_asked_after_costs_what_was_put_aside_for_it_whatever_the_price_is_by_now(
    server, story, paid
) -> None:
    run = in_doubt(server, story, paid, "asked")
    story.costs.set_budget(per_month="0.05")
    write_catalog(story.bench.home, first="asked", price_micro=900_000)

    story.runs.resume(run.run_id)

    assert (run.status, server.bills) == (RunStatus.OK, 1)
    assert str(run.log.spent) == str(story.costs.total) == "$0.04"


def test_a_call_that_never_arrived_is_made_anew_only_within_what_is_confirmed_at_todays_price(
    server, story, paid
) -> None:
    run = in_doubt(server, story, paid, "asked")
    server.billed.clear()  # it never arrived after all
    write_catalog(story.bench.home, first="asked", price_micro=900_000)

    story.runs.resume(run.run_id)

    assert server.bills == 0
    (candidate,) = candidates(run)
    assert (candidate.status, candidate.calls[0].ended) == (CandidateStatus.SKIPPED_BUDGET, CallState.RELEASED)
    with pytest.raises(SpendNotConfirmed, match=r"\$0\.90"):
        story.runs.resume(run.run_id)
    story.runs.resume(run.run_id, confirm_spend=True)
    assert str(run.log.spent) == str(story.costs.total) == "$0.90"


def test_a_call_that_never_arrived_gives_its_money_back_so_that_a_resume_that_costs_nothing_buys_nothing(
    server, story, paid
) -> None:
    run = in_doubt(server, story, paid, "asked")
    server.billed.clear()  # it never arrived after all
    left = story.runs.left(run.run_id)

    story.runs.resume(run.run_id, max_cost=0)

    assert not left.forecast.cost_high
    assert (server.bills, str(run.log.spent)) == (0, "$0.00")
    story.runs.resume(run.run_id, confirm_spend=True)
    assert (run.status, server.bills, str(run.log.spent)) == (RunStatus.OK, 1, "$0.04")


def test_a_call_that_never_arrived_is_released_once_also_where_another_run_buys_the_picture_meanwhile(
    server, story, paid
) -> None:
    first = in_doubt(server, story, paid, "asked")
    second = story.run(one(paid))
    server.billed.clear()  # it never arrived after all
    write_catalog(story.bench.home, first="asked", timeout_s=30)
    server.slow_s = 1.0

    with ThreadPoolExecutor(1) as beside:
        buys = beside.submit(story.runs.resume, second.run_id, confirm_spend=True, pay_again=True)
        while not server.arrived[1:]:
            threading.Event().wait(0.01)
        open_workbench(story.bench.home).project("noir").runs.resume(first.run_id)
        buys.result()

    ends = [entry for entry, _ in Ledger(story.root).entries() if entry.entry == "ended"]
    (call,) = candidates(first)[0].calls
    assert [end.ended for end in ends if end.call_id == call.call_id] == [CallState.IN_DOUBT, CallState.RELEASED]
    assert (first.status, second.status, server.bills) == (RunStatus.OK, RunStatus.OK, 1)
    assert (str(first.log.spent), str(second.log.spent)) == ("$0.00", "$0.04")


def test_a_price_that_is_not_known_any_more_is_not_paid_at_the_old_one(server, story, paid) -> None:
    server.script.append("refuse")
    run = story.run(one(paid), confirm_spend=True)
    models = story.bench.home / "config" / "models.toml"
    known = models.read_text()
    models.write_text("".join(line for line in known.splitlines(keepends=True) if "price_per" not in line))

    for ask in (story.runs.left, lambda run_id: story.runs.resume(run_id, confirm_spend=True)):
        with pytest.raises(RequestInvalid, match="the price of loopback plain is not known"):
            ask(run.run_id)

    assert server.bills == 0
    models.write_text(known)
    assert story.runs.resume(run.run_id, confirm_spend=True).status is RunStatus.OK


def test_a_call_under_a_key_is_not_sent_again_where_it_could_cost_more_than_was_put_aside(server, story, paid) -> None:
    run = in_doubt(server, story, paid, "keyed")
    write_catalog(story.bench.home, first="keyed", price_micro=900_000)

    story.runs.resume(run.run_id)
    left = story.runs.left(run.run_id, pay_again=True)

    assert candidates(run)[0].status is CandidateStatus.IN_DOUBT
    assert len(server.arrived) == 1
    assert str(left.forecast.cost_low) == "$0.90"


def test_a_key_that_a_provider_has_forgotten_by_now_is_not_trusted(server, story, paid) -> None:
    run = in_doubt(server, story, paid, "keyed")
    write_catalog(story.bench.home, first="keyed", key_valid_s=0)

    story.runs.resume(run.run_id)

    assert candidates(run)[0].status is CandidateStatus.IN_DOUBT
    write_catalog(story.bench.home, first="keyed")
    story.runs.resume(run.run_id)
    assert (run.status, server.bills, str(run.log.spent)) == (RunStatus.OK, 1, "$0.04")


def test_what_one_picture_may_cost_holds_also_when_a_run_goes_on(server, story, paid) -> None:
    server.script.append("refuse")
    run = story.run(one(paid, max_price="0.05"), confirm_spend=True)
    write_catalog(story.bench.home, price_micro=900_000)

    with pytest.raises(RequestInvalid, match=r"max_price: a picture of loopback plain costs up to \$0\.90"):
        story.runs.resume(run.run_id, confirm_spend=True)

    assert server.bills == 0


def test_a_picture_that_is_in_doubt_is_not_bought_by_another_run_unless_somebody_says_so(server, story, paid) -> None:
    first = in_doubt(server, story, paid, "plain")
    planned = one(paid)

    second = story.run(planned)

    forecast = planned.forecast()
    assert (forecast.in_doubt, str(forecast.cost_high), forecast.calls) == (1, "$0.00", ())
    (candidate,) = candidates(second)
    assert (candidate.status, candidate.failure.error_code) == (CandidateStatus.IN_DOUBT, "call_in_doubt")
    assert first.run_id in candidate.failure.message
    assert server.bills == 1
    story.runs.resume(second.run_id, confirm_spend=True)
    assert server.bills == 1
    story.runs.resume(second.run_id, pay_again=True, confirm_spend=True)
    assert (second.status, server.bills) == (RunStatus.OK, 2)
    third = one(paid).forecast()
    assert (third.already_paid, third.in_doubt, third.to_buy, str(third.cost_high)) == (1, 0, 0, "$0.00")
    # What is there now is there for the first one too.
    story.runs.resume(first.run_id, pay_again=True, confirm_spend=True)
    assert (first.status, server.bills) == (RunStatus.OK, 2)


def test_the_twin_of_a_picture_in_doubt_is_in_doubt_with_it(server, story, scenes) -> None:
    write_photograph(scenes / "scene_1.png", 0)
    write_catalog(story.bench.home, tries=1, concurrency=2)
    server.script.append("drop")
    both = [str(scenes / "scene_0.png"), str(scenes / "scene_1.png")]
    words = {"scenes": both, "provider": "loopback", "candidates": 1}

    run = story.run(story.plan(**words), confirm_spend=True)

    forecast = story.plan(**words).forecast()
    assert (forecast.in_doubt, forecast.to_buy) == (2, 0)

    assert [candidate.status for candidate in candidates(run)] == [CandidateStatus.IN_DOUBT] * 2
    assert (server.bills, str(run.log.spent)) == (1, "$0.04")
    story.runs.resume(run.run_id, pay_again=True, confirm_spend=True)
    assert (run.status, server.bills) == (RunStatus.OK, 2)


def test_a_photograph_that_stands_for_two_scenes_is_foreseen_and_bought_once(server, story, scenes) -> None:
    write_photograph(scenes / "scene_1.png", 0)
    both = [str(scenes / "scene_0.png"), str(scenes / "scene_1.png")]
    planned = story.plan(scenes=both, provider="loopback", candidates=1)
    forecast = planned.forecast()

    run = story.run(planned, confirm_spend=True)

    assert (forecast.pictures, forecast.to_buy, str(forecast.cost_high)) == (2, 1, "$0.04")
    assert (run.status, server.bills, str(run.log.spent)) == (RunStatus.OK, 1, "$0.04")


def test_two_that_plan_the_same_pictures_at_once_buy_each_once(server, story, paid) -> None:
    server.slow_s = 0.1
    benches = [open_workbench(story.bench.home).project("noir") for _ in range(2)]
    planned = [paid() for _ in benches]

    with ThreadPoolExecutor(2) as both:
        runs = list(both.map(lambda one: one[0].run(one[1], confirm_spend=True), zip(benches, planned, strict=True)))

    assert [run.status for run in runs] == [RunStatus.OK] * 2
    assert (server.bills, str(story.costs.total)) == (6, "$0.24")


def test_two_processes_that_ask_for_the_same_pictures_at_once_buy_each_once(server, bench, story, tmp_path) -> None:
    (tmp_path / "pages").mkdir()
    for page in range(3):
        write_photograph(tmp_path / "pages" / f"page_{page}.png", seed=page)
    server.slow_s = 0.3

    both = [start("play_some.py", bench.home, "noir", tmp_path / "pages", "plain") for _ in range(2)]

    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert (server.bills, str(story.costs.total)) == (6, "$0.24")
    assert {run.status for run in story.runs} == {RunStatus.OK}


def test_a_budget_that_is_lowered_while_a_call_waits_for_its_turn_holds_for_it(server, story, paid) -> None:
    story.costs.set_budget(per_month=1)
    planned, ledger = one(paid), Ledger(story.root)
    lowered, ready = threading.Event(), threading.Event()

    def hold() -> None:
        with ledger.held():
            ready.set()
            lowered.wait(20)

    with ThreadPoolExecutor(2) as slots:
        slots.submit(hold)
        ready.wait(20)

        def follow(event) -> None:
            # Its reservation is what comes next, and that waits for whoever holds the ledger.
            if event.event == "candidate_started":
                threading.Timer(0.3, lower).start()

        def lower() -> None:
            story.costs.set_budget(per_month="0.01")
            lowered.set()

        run = slots.submit(story.run, planned, confirm_spend=True, on_event=follow).result()

    assert (server.bills, candidates(run)[0].status) == (0, CandidateStatus.SKIPPED_BUDGET)


@pytest.mark.parametrize("word", ["busy", "refuse", "error"])
def test_the_providers_name_for_a_call_is_kept_also_where_it_gave_no_picture(server, story, paid, word) -> None:
    write_catalog(story.bench.home, tries=1)
    server.script.append(word)

    run = story.run(one(paid), confirm_spend=True)

    (call,) = candidates(run)[0].calls
    (row,) = story.costs.rows(free=True)
    assert call.request_id == row.request_id == f"req-{call.call_id[:8]}"


def test_a_paid_engine_that_costs_nothing_is_refused_so_that_nobody_pays_unasked(story, paid) -> None:
    write_catalog(story.bench.home, price_micro=0)

    with pytest.raises(CatalogInvalid, match="a paid picture costs nothing"):
        paid()


def test_a_cap_of_nothing_is_no_price(story, paid) -> None:
    models = story.bench.home / "config" / "models.toml"
    models.write_text(models.read_text().replace("price_per_picture = { micro_usd = 40000 }\n", "", 1))

    with pytest.raises(RequestInvalid, match="max_price"):
        paid(max_price=0)


CRASH = """
import os, signal, sys
from pathlib import Path
from kroma_nb import images
from kroma_nb.workbench import open_workbench

story = open_workbench(sys.argv[1]).project("noir")
planned = story.plan(manifest=Path(sys.argv[2]), provider="loopback", candidates=1, only=["scene_0.png"])
images.load = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
story.run(planned, confirm_spend=True)
"""


def test_what_was_sent_is_kept_before_it_is_decoded_so_that_a_decoder_that_crashes_loses_nothing(
    server, story, scenes
) -> None:
    command = [sys.executable, "-c", CRASH, str(story.bench.home), str(scenes / "manifest.json")]

    ended = subprocess.run(command, env=os.environ | ENVIRONMENT, check=False)

    assert ended.returncode == -signal.SIGKILL
    kept = [path.read_bytes() for path in (story.root / "originals").glob("??/*.png")]
    assert kept == list(server.billed.values())
    (call,) = story.costs.rows()
    assert (call.state, call.request_id) == (CallState.SETTLED, f"req-{call.call_id[:8]}")
    run = story.runs["latest"]
    story.runs.resume(run.run_id)
    assert (run.status, server.bills, str(run.log.spent)) == (RunStatus.OK, 1, "$0.04")


def test_whoever_brings_an_engine_up_to_date_does_not_pay_again(server, story, paid, monkeypatch) -> None:
    run = story.run(one(paid), confirm_spend=True)
    other = {"only": ["scene_1.png"]}
    doubtful = in_doubt(server, story, lambda **words: paid(**words | other), "plain")
    monkeypatch.setattr(loopback, "painter", lambda card: loopback.LoopbackPainter(card.model, version="2"))
    planned, again = one(paid), paid(candidates=1, **other)

    taken_up = story.run(planned)
    still = story.run(again)

    assert planned.forecast().to_buy == again.forecast().to_buy == 0
    assert (taken_up.status, candidates(taken_up)[0].passes[0].version) == (
        RunStatus.OK,
        candidates(run)[0].passes[0].version,
    )
    assert candidates(still)[0].status is CandidateStatus.IN_DOUBT
    assert doubtful.run_id in candidates(still)[0].failure.message
    assert server.bills == 2


def test_a_cap_that_is_given_to_run_or_retry_holds_and_a_word_that_is_none_is_refused(server, story, paid) -> None:
    run = story.run(paid(), confirm_spend=True, max_cost="0.08")

    assert (run.status, str(run.log.spent), server.bills) == (RunStatus.PARTIAL, "$0.08", 2)
    run.retry(run.log.jobs[0].id, 4, confirm_spend=True, max_cost="0.04")
    assert (str(run.log.spent), server.bills) == ("$0.12", 3)
    for call in (story.run, lambda plan, **words: run.retry(run.log.jobs[0].id, **words)):
        with pytest.raises(RequestInvalid, match="max_cots: there is no such word"):
            call(paid(), confirm_spend=True, max_cots=1)
    assert server.bills == 3
