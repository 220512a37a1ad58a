"""What a person sees of money and of recovery, in rows and in a terminal, from files and from the database."""

from __future__ import annotations

import threading

import pandas as pd
from loopback import write_catalog

from kroma_nb.model.words import CandidateStatus


def test_rows_from_the_record_and_from_the_database_say_the_same_of_money(server, bench, story, paid) -> None:
    server.script.extend(["ok", "busy", "html", "drop", "refuse"])
    run = story.run(paid(max_cost="0.20"), confirm_spend=True)
    story.runs.resume(run.run_id, confirm_spend=True)
    run.retry(run.log.jobs[0].id, candidates=2, confirm_spend=True)
    again = story.run(paid(), confirm_spend=True)

    frame = pd.concat([run.frame(), again.frame()], ignore_index=True)

    pd.testing.assert_frame_equal(frame, story.runs.candidates(), check_like=True)
    assert frame["cost_micro_usd"].sum() == story.costs.total.micro_usd
    # What is in doubt in the first run is not bought by the second one, and the rest is bought already.
    assert (frame["reused"].sum(), (again.frame()["status"] == CandidateStatus.IN_DOUBT.value).sum()) == (5, 1)
    assert frame["retry_of"].notna().sum() == 2
    assert frame["attempts"].max() == 2
    doubtful = run.frame().query("status == @CandidateStatus.IN_DOUBT.value")
    assert doubtful["request_id"].str.fullmatch("[0-9a-f]{32}").all()
    rows = {row.run_id: row for row in story.runs.rows()}
    assert (rows[run.run_id].resumed, rows[again.run_id].resumed) == (2, 0)
    limit = run.log.spend_limit
    assert rows[run.run_id].spend_limit_micro_usd == limit.micro_usd


def test_a_project_shows_its_budget_and_what_is_charged_this_month_and_one_without_money_shows_neither(
    server, bench, story, paid
) -> None:
    before = repr(story)
    story.run(paid(), confirm_spend=True)
    without = repr(story)
    story.costs.set_budget(per_run="0.50", per_month=1)

    assert "budget" not in before
    assert "no limit but what is confirmed for each run" in without
    assert "$0.24 charged" in without
    assert "$0.50 a run, $1.00 a month" in repr(story)
    assert "$0.24 of $1.00 charged, $0.76 left" in repr(story)
    assert story.costs.this_month.micro_usd == 240_000


def test_a_run_shows_what_was_spent_and_that_all_of_it_was_made_before(server, story, paid) -> None:
    first = story.run(paid(), confirm_spend=True)
    second = story.run(paid())

    assert "Spent: $0.24 of the $0.24 that was confirmed, in 6 calls." in repr(first)
    assert "All 6 pictures taken from what was made before." in repr(second)
    assert "$" not in repr(second)


def test_a_model_that_refuses_is_shown_with_its_free_tries(server, bench, story, paid) -> None:
    write_catalog(bench.home, tries=1)
    server.script.extend(["refuse"] * 6)

    run = story.run(paid(), confirm_spend=True)

    assert "Spent: $0.00 of the $0.24 that was confirmed, in 6 calls." in repr(run)
    assert run.frame()["cost_micro_usd"].sum() == 0


def test_a_workspace_names_runs_that_were_cut_short_until_they_go_on_or_are_put_away(
    server, bench, story, paid
) -> None:
    stop = threading.Event()

    def after_the_first(event: object) -> None:
        if event.event == "candidate_finished":
            stop.set()

    run = story.run(paid(), confirm_spend=True, stop=stop, on_event=after_the_first)
    found = bench.status()
    run.archive()
    away = bench.status()
    run.archive(undo=True)
    story.runs.resume(run.run_id, confirm_spend=True)

    assert found.cut_short == (f"noir/{run.run_id}",)
    assert f"1 run was cut short: noir/{run.run_id}. `kroma resume`" in repr(found)
    assert away.cut_short == bench.status().cut_short == ()
    assert "cut short" not in repr(bench.status())


def test_costs_say_what_is_in_doubt_and_whose_price_it_is(server, story, paid) -> None:
    server.script.extend(["drop"])
    story.run(paid(), confirm_spend=True)

    said = repr(story.costs)

    assert "Of that $0.04 for 1 call of which nobody knows whether it was billed" in said
    assert "For 5 calls the provider named no amount: the catalog's price counts." in said
    assert "$0.04 in doubt" in story.costs.bars("provider")
    assert story.costs.by("provider")["loopback"] == story.costs.total
