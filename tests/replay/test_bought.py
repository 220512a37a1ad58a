"""A bought picture is proven by what was asked for it, wherever it was bought, and by ledger and receipts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from loopback import provider, write_catalog
from replay.forging import odd, paid_run, put, record_as_it_lies, rewrite, said

from kroma_nb.model.replay import CauseKind, Verdict
from kroma_nb.model.words import CallState
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


def test_a_bought_picture_that_was_swapped_for_another_with_its_record_is_caught(story: Project, bought: Run) -> None:
    picture = swap(bought)

    proof = story.runs.verify(bought.run_id)

    assert not proof.ok
    (check,) = odd(proof)
    assert (check.path, check.verdict) == (picture, Verdict.CHANGED)
    assert "not what was bought for this candidate" in str(check.causes[0])


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


def alter_ledger(run: Run, entry: str, **changed: object) -> None:
    """Change the first line of a kind in the ledger."""
    path = run.project.root / "ledger.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    next(line for line in lines if line["entry"] == entry).update(changed)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def first_call(run: Run) -> str:
    return json.loads((run.project.root / "ledger.jsonl").read_text().splitlines()[0])["call_id"]


FORGED = {
    "upper": ("reserved", {"upper": {"micro_usd": 1}}, "$0.04 in the record, $0.000001 now"),
    "attempt": ("reserved", {"attempt": 2}, "1 in the record, 2 now"),
    "at": ("reserved", {"at": "2020-01-01T00:00:00Z"}, "2020-01-01 00:00:00+00:00 now"),
    "candidate": ("reserved", {"candidate": 9}, "c9 now"),
    "ended": ("ended", {"ended": "released"}, "settled in the record, released now"),
    "cost": ("ended", {"cost": {"micro_usd": 0}}, "$0.04 in the record, $0.00 now"),
    "request_id": ("ended", {"request_id": "req-0"}, "req-0 now"),
    "usage": ("ended", {"usage": {"output_tokens": 1}}, "{'output_tokens': 1} now"),
    "original": ("ended", {"original": None}, "nothing now"),
}


@pytest.mark.parametrize("field", FORGED)
def test_each_field_of_the_ledger_that_was_altered_is_named(story: Project, bought: Run, field: str) -> None:
    entry, changed, words = FORGED[field]
    alter_ledger(bought, entry, **changed)

    proof = story.runs.verify(bought.run_id)

    assert not proof.ok
    (cause,) = proof.record.differs
    assert cause.kind is CauseKind.RECORD
    assert cause.what.startswith(f"ledger.jsonl, {field} of call ")
    assert words in str(cause)
    assert proof.record.count(Verdict.EXACT) == 4


def test_a_ledger_that_is_gone_is_named_once(story: Project, bought: Run) -> None:
    (story.root / "ledger.jsonl").unlink()

    proof = story.runs.verify(bought.run_id)

    assert said(proof) == "ledger.jsonl is gone: it has had 4 calls of this run"
    assert not proof.ok


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("reserved", "ledger.jsonl has no line for call {}"),
        ("ended", "ledger.jsonl does not say how call {} ended"),
    ],
)
def test_a_line_that_was_taken_out_of_the_ledger_is_named(story: Project, bought: Run, entry: str, words: str) -> None:
    call = first_call(bought)
    path = story.root / "ledger.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    gone = next(n for n, line in enumerate(lines) if call in line and f'"entry":"{entry}"' in line)
    path.write_text("".join(lines[:gone] + lines[gone + 1 :]))

    proof = story.runs.verify(bought.run_id)

    assert words.format(call) in said(proof)
    assert len(proof.record.differs) == 1
    assert not proof.ok


def test_a_call_that_was_taken_out_of_the_journal_is_named(story: Project, bought: Run) -> None:
    call = first_call(bought)
    journal = bought.folder / "journal.jsonl"
    journal.write_text("".join(line for line in journal.read_text().splitlines(keepends=True) if call not in line))
    rewrite(bought, lambda _: None)

    proof = story.runs.verify(bought.run_id)

    assert f"the journal does not know call {call}, which ledger.jsonl has" in said(proof)
    assert not proof.ok


def test_receipts_that_are_gone_or_are_none_are_named(story: Project, bought: Run) -> None:
    gone, torn = receipts(story)[:2]
    gone.unlink()
    put(torn, b"{}")

    proof = story.runs.verify(bought.run_id)

    assert f"{gone.relative_to(story.root)} is gone" in said(proof)
    assert str(torn.relative_to(story.root)) in said(proof)
    assert len(proof.record.differs) == 2
    assert proof.record.count(Verdict.EXACT) == 4
    assert not proof.ok


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("original", {"path": "originals/00/0.png", "sha256": "0" * 64, "size_bytes": 1}),
        ("cost", {"micro_usd": 1}),
        ("request_id", "req-0"),
        ("key", "0" * 64),
        ("call_id", "0" * 32),
    ],
)
def test_each_field_of_a_receipt_that_was_altered_is_named(
    story: Project, bought: Run, field: str, value: object
) -> None:
    path = receipts(story)[0]
    put(path, json.dumps(json.loads(path.read_text()) | {field: value}).encode())

    proof = story.runs.verify(bought.run_id)

    (cause,) = proof.record.differs
    assert cause.what.startswith(f"{path.relative_to(story.root)}, {field}")
    assert not proof.ok


def test_calls_of_every_end_are_as_the_ledger_says(story: Project, scenes: Path) -> None:
    write_catalog(story.bench.home, tries=2, concurrency=1)
    with provider() as server:
        server.script.extend(["busy", "ok", "drop", "cheap", "html", "ok"])
        run = paid_run(story, scenes)
        run = story.runs.resume(run.run_id, confirm_spend=True, pay_again=True)

    proof = story.runs.verify(run.run_id)

    ends = {call.ended for job in run.log.jobs for c in job.candidates for call in c.calls}
    assert ends == {CallState.RELEASED, CallState.SETTLED, CallState.IN_DOUBT}
    assert proof.record.differs == ()
    assert proof.ok
