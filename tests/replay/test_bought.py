"""A bought picture is proven by what was asked for it, wherever it was bought, and by ledger and receipts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from loopback import provider, write_catalog
from replay.forging import odd, paid_run, put, record_as_it_lies

from kroma_nb.model.replay import Verdict
from kroma_nb.workbench import Project, Run


@pytest.fixture
def bought(story: Project, scenes: Path) -> Run:
    """A run that has bought its pictures: four calls."""
    write_catalog(story.bench.home)
    with provider():
        return paid_run(story, scenes)


@pytest.fixture
def taken_up(story: Project, scenes: Path, bought: Run) -> Run:
    """A run of the same pictures, which takes them up and calls nobody."""
    run = paid_run(story, scenes)
    assert not any(candidate.calls for job in run.log.jobs for candidate in job.candidates)
    return run


def swap(run: Run) -> str:
    """Put the second candidate's picture in the place of the first one's, and let the record say so."""
    one, other = (candidate.passes[0].output.path for candidate in run.log.jobs[0].candidates)
    put(run.project.root / one, (run.project.root / other).read_bytes())
    record_as_it_lies(run, one)
    return one


def receipts(story: Project) -> list[Path]:
    return sorted((story.root / "originals" / "receipts").rglob("*.json"))


def test_a_picture_that_was_taken_up_is_proven(story: Project, taken_up: Run) -> None:
    assert story.runs.verify(taken_up.run_id).ok
    assert story.runs.verify(story.runs.replay(taken_up.run_id).run_id).ok


def test_a_picture_that_was_taken_up_and_swapped_with_its_record_is_caught(story: Project, taken_up: Run) -> None:
    picture = swap(taken_up)

    proof = story.runs.verify(taken_up.run_id)

    assert not proof.ok
    (check,) = odd(proof)
    assert (check.path, check.verdict) == (picture, Verdict.CHANGED)
    assert "not what was bought for this candidate" in str(check.causes[0])


def test_a_picture_of_a_replay_that_was_swapped_with_its_record_is_caught(story: Project, bought: Run) -> None:
    again = story.runs.replay(bought.run_id)
    picture = swap(again)

    proof = story.runs.verify(again.run_id)

    assert [(check.path, check.verdict) for check in odd(proof)] == [(picture, Verdict.CHANGED)]


def test_a_picture_of_which_no_receipt_tells_is_unproven(story: Project, taken_up: Run) -> None:
    for path in receipts(story):
        path.unlink()

    proof = story.runs.verify(taken_up.run_id)

    assert not proof.ok
    assert {check.verdict for check in proof.record.checks} == {Verdict.UNPROVEN}
    assert "neither a call nor a receipt says" in str(proof.record.checks[0].causes[0])


def test_a_receipt_that_is_none_leaves_its_picture_unproven_and_the_others_proven(
    story: Project, taken_up: Run
) -> None:
    path = receipts(story)[0]
    put(path, b"{}")

    proof = story.runs.verify(taken_up.run_id)

    (check,) = odd(proof)
    assert check.verdict is Verdict.UNPROVEN
    assert str(path.relative_to(story.root)) in str(check.causes[0])


def test_every_picture_that_was_bought_under_a_key_may_be_the_one_that_was_taken_up(
    story: Project, scenes: Path, taken_up: Run
) -> None:
    # The newest receipt under a key is another one by now: its picture was bought when the first one was lost.
    originals = [candidate.passes[0].output.sha256 for candidate in taken_up.log.jobs[0].candidates]
    path = next(path for path in receipts(story) if originals[0] in path.read_text())
    receipt = json.loads(path.read_text())
    later = {"call_id": "f" * 32, "at": "2099-01-01T00:00:00Z", "original": newer(story, receipt["original"])}
    path.with_name("f" * 32 + ".json").write_text(json.dumps(receipt | later))

    assert story.runs.verify(taken_up.run_id).ok


def newer(story: Project, original: dict) -> dict:
    other = next(one for one in map(json.loads, map(Path.read_text, receipts(story))) if one["original"] != original)
    return other["original"]


def test_a_picture_that_was_taken_up_after_its_own_calls_gave_none_is_proven(story: Project, scenes: Path) -> None:
    write_catalog(story.bench.home, tries=1)
    with provider() as server:
        server.script.extend(["html"] * 4)
        first = paid_run(story, scenes)
        paid_run(story, scenes)
    # What another run has got by now is taken up.
    story.runs.resume(first.run_id)

    proof = story.runs.verify(first.run_id)

    assert proof.record.count(Verdict.EXACT) == 4
    assert proof.ok
