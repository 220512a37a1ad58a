"""What a run has left: shown before it is made, at today's prices."""

from __future__ import annotations

import threading

import pytest

from kroma_nb.errors import InUse
from kroma_nb.model.words import CandidateStatus, RunStatus


def test_what_is_left_shows_itself_with_reason_cost_and_the_call_in_doubt(server, story, paid) -> None:
    server.script.extend(["ok", "drop", "refuse"])
    run = story.run(paid(), confirm_spend=True)

    left = story.runs.left("latest")

    (doubtful,) = [row for row in left.rows if row.in_doubt]
    (refused,) = [row for row in left.rows if not row.in_doubt]
    assert refused.says == "loopback: HTTP 400."
    assert (doubtful.status, doubtful.held_micro_usd) == (CandidateStatus.IN_DOUBT, 40_000)
    assert doubtful.call_id in repr(left)
    assert "$0.04 stays charged" in repr(left)
    assert "1 picture to make" in left._repr_html_()
    assert run.status is RunStatus.PARTIAL
    again = story.runs.left("latest", pay_again=True)
    assert {row.call_id: row.again for row in again.rows}[doubtful.call_id] is True
    assert [row.again for row in again.rows] == [row.call_id == doubtful.call_id for row in again.rows]
    assert len(again.rows) == 2
    assert len(server.arrived) == 6


def test_a_whole_run_has_nothing_left(server, story, paid) -> None:
    story.run(paid(), confirm_spend=True)

    left = story.runs.left("latest")

    assert left.rows == ()
    assert not left.forecast.cost_high
    assert "Nothing to make" in repr(left)


def test_what_is_left_is_bought_at_todays_price_and_recorded_as_before(server, bench, story, paid) -> None:
    run = story.run(paid(max_cost="0.08"), confirm_spend=True)
    models = bench.home / "config" / "models.toml"
    models.write_text(models.read_text().replace("2026-11-01", "2027-06-01").replace("40000", "90000"))

    left = story.runs.left(run.run_id)
    story.runs.resume(run.run_id, confirm_spend=True)

    assert (str(left.forecast.cost_high), str(left.forecast.prices_as_of)) == ("$0.36", "2027-06-01")
    assert str(run.log.spent) == str(story.costs.total) == "$0.44"
    assert (run.status, server.bills) == (RunStatus.OK, 6)
    written = (run.folder / "run.json").read_bytes()
    (run.folder / "run.json").unlink()
    assert run.log.to_json() == type(run.log).model_validate_json(written).to_json()


def test_a_run_that_is_played_cannot_be_asked_what_it_has_left(server, story, paid) -> None:
    seen: list[str] = []
    stop = threading.Event()

    def follow(event) -> None:
        if event.event == "call_started" and not seen:
            with pytest.raises(InUse) as raised:
                story.runs.left("latest")
            seen.append(str(raised.value))
            stop.set()

    story.run(paid(), confirm_spend=True, on_event=follow, stop=stop)

    assert "process" in seen[0]
    assert "wait for its end" in seen[0]
