"""What older tools lacked around paid calls: tries, pace, side by side, a stop; and a record of each."""

from __future__ import annotations

import threading
from itertools import pairwise

from loopback import write_catalog

from kroma_nb.model.ledger import Receipt
from kroma_nb.model.words import CallState, CandidateStatus, RunStatus


def test_calls_are_tried_again_paced_made_side_by_side_and_stopped(server, story, paid) -> None:
    write_catalog(story.bench.home, concurrency=3, per_minute=600)
    server.slow_s, stop = 0.5, threading.Event()
    server.script.append("busy")

    def follow(event) -> None:
        if event.event == "call_ended" and event.ended is CallState.SETTLED:
            stop.set()

    run = story.run(paid(), confirm_spend=True, stop=stop, on_event=follow)

    candidates = [c for job in run.log.jobs for c in job.candidates]
    calls = sorted((call for c in candidates for call in c.calls), key=lambda call: call.started_at)
    tried_again = [[call.ended.value for call in c.calls] for c in candidates if len(c.calls) > 1]
    assert tried_again == [["released", "settled"]]
    gaps = [(after.started_at - before.started_at).total_seconds() for before, after in pairwise(calls)]
    # A tenth of a second apart, but for what the disk takes before each.
    assert sum(gaps) > 0.06 * len(gaps)
    assert any(after.started_at < before.ended_at for before, after in pairwise(calls))
    assert run.status is RunStatus.INTERRUPTED
    done = [c for c in candidates if c.status is CandidateStatus.DONE]
    assert len(done) == server.bills < 6


def test_a_real_run_leaves_costs_times_and_dimensions(server, story, paid) -> None:
    run = story.run(paid(), confirm_spend=True)

    costs = story.costs.frame()
    assert (len(costs), costs.units.sum(), costs.cost_micro_usd.sum()) == (6, 6, 240_000)
    assert costs[["unit_micro_usd", "stage", "model", "request_id", "usage"]].notna().all(axis=None)
    for job in run.log.jobs:
        for candidate in job.candidates:
            (drawn,), (call,) = candidate.passes, candidate.calls
            (receipt,) = story.root.glob(f"originals/receipts/*/*/{call.call_id}.json")
            kept = Receipt.model_validate_json(receipt.read_bytes())
            assert run.log.timestamp <= call.started_at <= call.ended_at <= drawn.finished_at <= run.log.finished_at
            assert (drawn.width, drawn.height) == (kept.width, kept.height) == (64, 96)
