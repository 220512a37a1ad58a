"""Calls whose run is gone, or has ended without writing what became of them: each gets its end, and blocks nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from doomed import Doomed, doomed
from loopback import write_catalog

from kroma_nb.model.words import CandidateStatus, RunStatus
from kroma_nb.run import Ledger
from kroma_nb.workbench import open_workbench


@pytest.fixture(scope="module")
def player() -> Iterator[Doomed]:
    with doomed() as ready:
        yield ready


@pytest.fixture
def killed(player, server, story, scenes):
    """Give the id of a run that was killed in the middle of its only call; nobody has looked at it since."""
    write_catalog(story.bench.home, tries=1, timeout_s=1)
    words = {"manifest": str(scenes / "manifest.json"), "provider": "loopback", "candidates": 1}
    server.script.append("kill after")
    how = player.play(home=str(story.bench.home), url=server.url, words=words | {"only": ["scene_0.png"]})
    assert (how, server.bills) == ("killed", 1)
    (run_id,) = story.runs.ids
    assert [ended for _, ended in Ledger(story.root).calls_of(run_id)] == [None]
    return run_id


def one(paid):
    return paid(candidates=1, only=["scene_0.png"])


def check_pay_again(server, story, paid) -> None:
    """See that a call whose run nobody finds is in doubt, and is paid again only where somebody says so."""
    assert [row.state.value for row in story.costs.rows()] == ["in_doubt"]
    assert one(paid).forecast().in_doubt == 1
    run = story.run(one(paid))
    (candidate,) = run.log.jobs[0].candidates
    assert (candidate.status, candidate.failure.error_code) == (CandidateStatus.IN_DOUBT, "call_in_doubt")
    story.runs.resume(run.run_id, confirm_spend=True, pay_again=True)
    assert (run.status, server.bills) == (RunStatus.OK, 2)


def test_a_call_of_a_run_whose_folder_was_removed_is_in_doubt(server, story, paid, killed) -> None:
    shutil.rmtree(story.root / "runs" / killed)

    check_pay_again(server, story, paid)


def test_a_call_of_a_damaged_run_that_was_deleted_is_in_doubt(server, story, paid, killed) -> None:
    (story.root / "runs" / killed / "plan.json").write_text("{")
    story.runs[killed].delete()

    check_pay_again(server, story, paid)


def test_a_call_whose_run_is_damaged_is_in_doubt_as_soon_as_its_picture_is_asked_for(
    server, story, paid, killed
) -> None:
    (story.root / "runs" / killed / "plan.json").write_text("{")

    run = story.run(one(paid), confirm_spend=True)

    (candidate,) = run.log.jobs[0].candidates
    assert (candidate.status, candidate.failure.error_code) == (CandidateStatus.IN_DOUBT, "call_in_doubt")
    story.runs.resume(run.run_id, confirm_spend=True, pay_again=True)
    assert (run.status, server.bills) == (RunStatus.OK, 2)


def test_a_run_that_goes_on_beside_one_that_was_killed_does_not_wait_for_it(
    server, player, story, scenes, paid
) -> None:
    write_catalog(story.bench.home, tries=1)
    server.script.append("refuse")
    run = story.run(one(paid), confirm_spend=True)
    words = {"manifest": str(scenes / "manifest.json"), "provider": "loopback", "candidates": 1}
    server.script.append("kill after")
    assert player.play(home=str(story.bench.home), url=server.url, words=words | {"only": ["scene_0.png"]}) == "killed"

    story.runs.resume(run.run_id, confirm_spend=True)

    (candidate,) = run.log.jobs[0].candidates
    assert (candidate.status, candidate.failure.error_code) == (CandidateStatus.IN_DOUBT, "call_in_doubt")


def test_a_call_that_a_run_could_not_end_is_ended_by_whoever_looks_next(server, story, paid, monkeypatch) -> None:
    monkeypatch.setattr("kroma_nb.run.ledger.PATIENCE_S", 0.2)  # a minute, elsewhere
    held = Ledger(story.root).held()
    server.slow_s = 0.5

    def hold(event) -> None:
        if event.event == "call_started":
            held.__enter__()

    run = story.run(one(paid), confirm_spend=True, on_event=hold)
    held.__exit__(None, None, None)
    assert [ended for _, ended in Ledger(story.root).calls_of(run.run_id)] == [None]

    again = open_workbench(story.bench.home).project("noir")

    assert [row.state.value for row in again.costs.rows()] == ["settled"]
    assert str(again.runs[run.run_id].log.spent) == "$0.04"
    assert (again.run(one(paid)).status, server.bills) == (RunStatus.OK, 1)
