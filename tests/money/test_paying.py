"""Pictures that cost money: what is asked, kept, charged and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from loopback import write_catalog
from studio import dump

from kroma_nb.blobs import sha256_file
from kroma_nb.errors import RequestInvalid, SpendNotConfirmed
from kroma_nb.model.money import Money
from kroma_nb.model.words import CallState, CandidateStatus, RunStatus


def test_a_forecast_says_what_would_be_called_and_paid(paid) -> None:
    forecast = paid().forecast()

    assert (forecast.pictures, forecast.paid_pictures, forecast.already_paid) == (6, 6, 0)
    assert (str(forecast.cost_low), str(forecast.cost_high)) == ("$0.24", "$0.24")
    assert [(one.provider, one.model, one.calls) for one in forecast.calls] == [("loopback", "plain", 6)]


def test_without_a_confirmation_nothing_is_called_and_nothing_is_made(server, story, paid) -> None:
    with pytest.raises(SpendNotConfirmed, match=r"6 pictures would cost up to \$0\.24"):
        story.run(paid())

    assert (server.arrived, list(story.runs)) == ([], [])


def test_a_paid_run_keeps_what_was_sent_with_its_receipt_and_says_what_it_cost(server, story, paid) -> None:
    run = story.run(paid(), confirm_spend=True)

    assert run.status is RunStatus.OK
    assert server.bills == 6
    assert run.log.spent == Money(micro_usd=240_000)
    for job in run.log.jobs:
        for candidate in job.candidates:
            (call,) = candidate.calls
            original = story.root / call.original.path
            assert call.ended is CallState.SETTLED
            assert original.read_bytes() == server.billed[call.call_id]
            assert original.stat().st_mode & 0o222 == 0
            assert (call.request_id, call.answered_by) == (f"req-{call.call_id[:8]}", "loopback-2026")
            assert call.usage == {"output_tokens": call.original.size_bytes}
            # What is in the run's own folder is what was sent, byte for byte.
            assert sha256_file(story.root / candidate.output) == call.original.sha256
            assert candidate.passes[0].reused is False


def test_the_ledger_the_record_and_the_rows_say_the_same(server, bench, story, paid) -> None:
    run = story.run(paid(), confirm_spend=True)

    lines = [json.loads(line) for line in (story.root / "ledger.jsonl").read_text().splitlines()]
    assert [line["entry"] for line in lines].count("reserved") == 6
    charged = sum(line["cost"]["micro_usd"] for line in lines if line["entry"] == "ended")
    assert charged == run.log.spent.micro_usd == story.costs.total.micro_usd == story.runs.rows()[0].cost_micro_usd
    before = dump(bench.index.path)
    bench.index.store.close()
    bench.index.path.unlink()
    bench.reindex()
    assert dump(bench.index.path) == before


def test_the_same_again_calls_nobody_and_costs_nothing(server, story, paid) -> None:
    story.run(paid(), confirm_spend=True)

    again = paid()
    run = story.run(again)

    assert (again.forecast().already_paid, again.forecast().cost_high) == (6, Money())
    assert (server.bills, run.log.spent) == (6, Money())
    assert all(record.reused for job in run.log.jobs for c in job.candidates for record in c.passes)


def test_pictures_that_were_bought_are_found_also_without_cache_and_database(server, bench, story, paid) -> None:
    import shutil

    story.run(paid(), confirm_spend=True)
    shutil.rmtree(story.root / "cache")
    bench.index.store.close()
    bench.index.path.unlink()

    assert paid().forecast().cost_high == Money()
    story.run(paid())
    assert server.bills == 6


def test_an_upper_price_that_the_provider_undercuts_is_settled_at_what_it_names(server, story, paid) -> None:
    server.script.extend(["cheap"] * 6)

    run = story.run(paid(), confirm_spend=True)

    assert run.log.spent == Money(micro_usd=6 * 12_345)
    assert story.costs.frame()["reported"].all()


def test_more_than_the_maximum_is_not_spent_and_the_rest_can_be_bought_later(server, story, paid) -> None:
    run = story.run(paid(max_cost="0.10"), confirm_spend=True)

    assert (run.status, server.bills) == (RunStatus.PARTIAL, 2)
    ends = [c.status for job in run.log.jobs for c in job.candidates]
    assert ends.count(CandidateStatus.SKIPPED_BUDGET) == 4
    assert "kroma resume" in run.log.next_step
    with pytest.raises(SpendNotConfirmed, match=r"4 pictures would cost up to \$0\.16"):
        story.runs.resume("latest")


def test_a_monthly_budget_holds_and_raising_it_lets_the_run_go_on(server, story, paid) -> None:
    story.costs.set_budget(per_month="0.13")
    run = story.run(paid(), confirm_spend=True)
    failures = {c.failure.error_code for job in run.log.jobs for c in job.candidates if c.failure}

    story.costs.set_budget(per_month=1)
    story.runs.resume(run.run_id, confirm_spend=True)

    assert failures == {"budget_exceeded"}
    assert (run.status, server.bills) == (RunStatus.OK, 6)
    assert str(story.costs.total) == "$0.24"
    assert run.log.resumed == 1


def test_a_model_without_a_price_is_refused_unless_a_cap_is_given(server, bench, story, paid) -> None:
    models = bench.home / "config" / "models.toml"
    models.write_text(models.read_text().replace("price_per_picture = { micro_usd = 40000 }\n", "", 1))

    with pytest.raises(RequestInvalid, match="price of loopback plain is not known"):
        paid()
    assert str(paid(max_price="0.50").forecast().cost_high) == "$3.00"


def test_costs_show_themselves_in_tables_and_bars(server, story, paid, tmp_path: Path) -> None:
    run = story.run(paid(), confirm_spend=True)

    costs = story.costs

    assert "Charged: $0.24." in repr(costs)
    assert {name: str(amount) for name, amount in costs.by("run").items()} == {run.run_id: "$0.24"}
    assert list(costs.by("stage")) == ["style"]
    assert costs.bars("provider").startswith("<svg")
    with pytest.raises(RequestInvalid, match="no way to add up"):
        costs.by("weather")


def test_a_damaged_ledger_is_named_and_nothing_is_paid_for(server, story, paid) -> None:
    story.run(paid(), confirm_spend=True)
    ledger = story.root / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join([lines[0], b'{"entry": "res\n', *lines[2:]]))

    run = story.run(paid(stage="time", time="night"), confirm_spend=True)

    assert server.bills == 6
    assert run.status is RunStatus.FAILED
    assert "ledger.jsonl" in run.log.jobs[0].candidates[0].failure.message
    assert [lost.error_code for lost in story.runs.unreadable] == ["invalid_record"]


def test_a_catalog_of_ones_own_stands_before_the_built_in_one(bench, story, scenes) -> None:
    write_catalog(bench.home)

    planned = story.plan(manifest=scenes / "manifest.json")

    assert planned.plan.card.provider == "ink"
    assert not planned.forecast().cost_high
