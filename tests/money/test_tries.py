"""Providers that are busy, silent or wrong: what is tried again, what stays charged, what is kept."""

from __future__ import annotations

import json
import shutil
import threading
import time

import pytest
from loopback import write_catalog

from kroma_nb.errors import SpendNotConfirmed
from kroma_nb.model.money import Money
from kroma_nb.model.words import CallState, CandidateStatus, RunStatus

CENTS_4 = Money(micro_usd=40_000)


def candidates(run) -> list:
    return [candidate for job in run.log.jobs for candidate in job.candidates]


def one(paid, **words: object):
    """Plan a single paid picture."""
    return paid(candidates=1, only=["scene_0.png"], **words)


def test_a_busy_provider_is_tried_again_and_every_try_is_on_record(server, story, paid) -> None:
    server.script.extend(["busy", "down"])

    run = story.run(one(paid), confirm_spend=True)

    (candidate,) = candidates(run)
    assert [call.ended for call in candidate.calls] == [CallState.RELEASED, CallState.RELEASED, CallState.SETTLED]
    assert [call.attempt for call in candidate.calls] == [1, 2, 3]
    assert [call.failure.error_code for call in candidate.calls if call.failure] == ["rate_limited"] * 2
    assert (run.status, run.log.spent) == (RunStatus.OK, CENTS_4)
    assert len(story.costs.rows(free=True)) == 3


def test_a_provider_is_tried_as_often_as_the_settings_say(server, story, paid) -> None:
    write_catalog(story.bench.home, tries=2)
    server.script.extend(["busy"] * 9)

    run = story.run(one(paid), confirm_spend=True)

    (candidate,) = candidates(run)
    assert (len(server.arrived), len(candidate.calls)) == (2, 2)
    assert candidate.failure.error_code == "rate_limited"
    assert (run.log.spent, story.costs.total) == (Money(), Money())


def test_a_provider_that_asks_for_an_hour_is_not_waited_for(server, story, paid) -> None:
    server.script.append("wait")
    began = time.monotonic()

    run = story.run(one(paid), confirm_spend=True)

    assert time.monotonic() - began < 60
    assert candidates(run)[0].failure.error_code == "rate_limited"
    story.runs.resume(run.run_id, confirm_spend=True)
    assert run.status is RunStatus.OK


def test_what_a_provider_refuses_for_good_is_not_tried_again_and_costs_nothing(server, story, paid) -> None:
    server.script.append("refuse")

    run = story.run(one(paid), confirm_spend=True)

    (candidate,) = candidates(run)
    assert len(server.arrived) == 1
    assert candidate.failure.error_code == "moderation_blocked"
    assert run.log.exit_code == 4
    assert run.log.spent == Money()


@pytest.mark.parametrize("word", ["drop", "hang"])
def test_a_call_without_an_answer_is_in_doubt_and_paid_again_only_when_somebody_says_so(
    server, story, paid, word
) -> None:
    write_catalog(story.bench.home, timeout_s=0.5)
    server.script.append(word)
    run = story.run(one(paid), confirm_spend=True)
    (doubtful,) = candidates(run)

    same = story.runs.resume(run.run_id, confirm_spend=True)

    assert doubtful.status is CandidateStatus.IN_DOUBT
    assert (run.status, same, server.bills) == (RunStatus.PARTIAL, run, 1)
    assert run.log.spent == CENTS_4
    assert "--pay-again" in run.log.next_step
    assert f"{doubtful.calls[0].call_id}" in repr(story.costs)
    with pytest.raises(SpendNotConfirmed):
        story.runs.resume(run.run_id, pay_again=True)
    story.runs.resume(run.run_id, pay_again=True, confirm_spend=True)
    assert (run.status, server.bills, run.log.spent) == (RunStatus.OK, 2, CENTS_4 * 2)
    (candidate,) = candidates(run)
    assert [earlier.status for earlier in candidate.earlier] == [CandidateStatus.IN_DOUBT]


@pytest.mark.parametrize("model", ["keyed", "asked"])
def test_where_a_provider_takes_a_key_or_can_be_asked_nothing_stays_in_doubt(server, story, paid, model) -> None:
    write_catalog(story.bench.home, first=model)
    server.script.append("drop")

    run = story.run(one(paid), confirm_spend=True)

    assert run.status is RunStatus.OK
    assert (server.bills, run.log.spent) == (1, CENTS_4)
    assert candidates(run)[0].calls[-1].ended is CallState.SETTLED


@pytest.mark.parametrize("word", ["half", "html", "error"])
def test_an_answer_that_is_no_picture_is_charged_and_kept_and_named(server, story, paid, word) -> None:
    server.script.append(word)

    run = story.run(one(paid), confirm_spend=True)

    (candidate,) = candidates(run)
    (call,) = candidate.calls
    assert candidate.failure.error_code == "answer_unusable"
    assert (call.ended, run.log.spent) == (CallState.SETTLED, CENTS_4)
    kept, page = (story.root / call.original.path).read_bytes(), b"<html><body>Sign in</body></html>"
    whole = server.billed[call.call_id]
    assert kept == {"half": whole[: len(whole) // 2], "html": page, "error": b'{"error": "overloaded"}'}[word]
    story.runs.resume(run.run_id, confirm_spend=True)
    assert (run.status, run.log.spent) == (RunStatus.OK, CENTS_4 * 2)


def test_a_project_that_has_seen_unusable_answers_foresees_some_and_then_repeats_them(server, story, paid) -> None:
    server.script.append("html")
    story.run(one(paid), confirm_spend=True)
    planned = paid(stage="time", time="night")
    server.script.append("html")

    run = story.run(planned, confirm_spend=True)

    assert (str(planned.forecast().cost_low), str(planned.forecast().cost_high)) == ("$0.24", "$0.48")
    assert run.status is RunStatus.OK
    assert run.log.spent == CENTS_4 * 7


def test_a_jpeg_is_kept_as_a_jpeg_whatever_it_was_called(server, story, paid) -> None:
    server.script.append("jpeg")

    run = story.run(one(paid), confirm_spend=True)

    (candidate,) = candidates(run)
    assert candidate.output.endswith(".jpg")
    assert (story.root / candidate.output).read_bytes().startswith(b"\xff\xd8")


def test_a_run_that_is_stopped_finishes_the_call_under_way_and_makes_no_other(server, story, paid) -> None:
    write_catalog(story.bench.home, concurrency=1)
    server.slow_s, stop = 0.3, threading.Event()

    def follow(event) -> None:
        if event.event == "call_started":
            stop.set()

    run = story.run(paid(), confirm_spend=True, stop=stop, on_event=follow)

    assert run.status is RunStatus.INTERRUPTED
    assert server.bills == len([c for c in candidates(run) if c.status is CandidateStatus.DONE]) <= 2
    assert run.log.spent == CENTS_4 * server.bills
    story.runs.resume(run.run_id, confirm_spend=True)
    assert (run.status, server.bills) == (RunStatus.OK, 6)


def test_a_stop_cuts_a_wait_short(server, story, paid) -> None:
    write_catalog(story.bench.home, backoff_s=600, longest_wait_s=600)
    server.script.extend(["busy"] * 8)
    stop, began = threading.Event(), time.monotonic()

    def follow(event) -> None:
        if event.event == "call_ended":
            stop.set()

    run = story.run(paid(), confirm_spend=True, stop=stop, on_event=follow)

    assert time.monotonic() - began < 60
    assert (run.status, run.log.spent) == (RunStatus.INTERRUPTED, Money())


def test_calls_are_no_more_at_once_and_no_faster_than_the_settings_say(server, story, paid) -> None:
    write_catalog(story.bench.home, concurrency=6, per_minute=600)

    run = story.run(paid(), confirm_spend=True)

    starts = sorted(call.started_at for c in candidates(run) for call in c.calls)
    # A tenth of a second apart, but for what the clock's milliseconds and the disk take.
    assert (starts[-1] - starts[0]).total_seconds() > 0.4
    assert len(starts) == 6


def test_no_provider_at_all_is_named_and_costs_nothing(story, paid, monkeypatch) -> None:
    monkeypatch.setenv("LOOPBACK_URL", "http://127.0.0.1:9")
    write_catalog(story.bench.home, tries=2)

    run = story.run(one(paid), confirm_spend=True)

    assert candidates(run)[0].failure.error_code == "provider_busy"
    assert (run.log.exit_code, run.log.spent) == (4, Money())


def test_candidates_that_are_added_are_new_and_linked_and_everything_before_stays(server, story, paid) -> None:
    run = story.run(paid(), confirm_spend=True)
    before = {c.output for c in candidates(run)}
    job = run.log.jobs[1]

    run.retry(job.id, candidates=2, confirm_spend=True)

    after = run.log.jobs[1]
    assert [c.candidate_index for c in after.candidates] == [1, 2, 3, 4]
    assert [c.retry_of for c in after.candidates] == [None, None, *[job.selected_candidate] * 2]
    assert len({c.seeds.style for c in after.candidates}) == 4
    assert before < {c.output for c in candidates(run)}
    assert (server.bills, run.log.spent) == (8, CENTS_4 * 8)
    assert sorted(c.rank.position for c in after.candidates) == [1, 2, 3, 4]
    assert json.loads((run.folder / "run.json").read_text())["jobs"][1]["planned_candidates"] == 4


def test_two_scenes_of_one_photograph_are_bought_once(server, story, scenes, paid) -> None:
    server.slow_s = 0.05
    for name in ("scene_1.png", "scene_2.png"):
        shutil.copy(scenes / "scene_0.png", scenes / name)

    run = story.run(paid(candidates=1), confirm_spend=True)

    assert (run.status, server.bills) == (RunStatus.OK, 1)
    assert [c.passes[0].reused for job in run.log.jobs for c in job.candidates].count(True) == 2
