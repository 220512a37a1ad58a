"""A paid run that is killed at every kind of moment: nothing is billed twice, nothing that came is lost."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from doomed import Doomed, doomed
from loopback import Provider
from studio import dump

from kroma_nb.blobs import sha256_file
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.words import CallState, CandidateStatus, RunStatus
from kroma_nb.run import RunFolder
from kroma_nb.run.runlog import folded_document
from kroma_nb.workbench import Project, Run

# The process is killed as it enters a system call for the N-th time in one of its threads.
POINTS = [
    *(("fsync", number) for number in range(1, 17)),
    *(("rename", number) for number in range(1, 13)),
    *(("write", number) for number in range(1, 28, 2)),
    *(("sendto", number) for number in range(1, 5)),
]
WORDS = [*itertools.product(("kill before", "kill within", "kill after"), range(6))]


@pytest.fixture(scope="module")
def player() -> Iterator[Doomed]:
    with doomed() as ready:
        yield ready


def paid_run(server: Provider, story: Project, scenes: Path) -> dict[str, object]:
    words = {"manifest": str(scenes / "manifest.json"), "provider": "loopback"}
    return {"home": str(story.bench.home), "url": server.url, "words": words}


def ledger_of(story: Project) -> dict[str, dict]:
    """Give every call by its id, with its newest end."""
    calls: dict[str, dict] = {}
    path = story.root / "ledger.jsonl"
    for line in path.read_bytes().splitlines() if path.exists() else ():
        entry = json.loads(line)
        if entry["entry"] == "reserved":
            calls[entry["call_id"]] = entry | {"ended": "open"}
        else:
            calls[entry["call_id"]] |= entry
    return calls


def recovered(story: Project, scenes: Path) -> Run:
    """Go on with what was left; where nothing was begun, begin."""
    _ = story.runs.rows()
    begun = [one for one in story.runs if (one.folder / "run.json").exists()]
    try:
        return story.runs.resume(begun[0].run_id, confirm_spend=True) if begun else anew(story, scenes)
    except RequestInvalid:
        return anew(story, scenes)  # it was killed before its scenes were kept


def anew(story: Project, scenes: Path) -> Run:
    return story.run(story.plan(manifest=scenes / "manifest.json", provider="loopback"), confirm_spend=True)


def check(server: Provider, story: Project, run: Run) -> None:
    """Compare what the provider has billed with ledger, journal, record, rows and pictures."""
    calls = ledger_of(story)
    ends = Counter(call["ended"] for call in calls.values())
    charged = ends["settled"] + ends["in_doubt"]
    assert ends["open"] == 0
    assert server.bills <= charged <= server.bills + ends["in_doubt"]
    pictures = Counter((call["job_id"], call["candidate"]) for call in calls.values() if call["ended"] != "released")
    assert max(pictures.values(), default=1) == 1, "a picture was paid for twice"
    for call in calls.values():
        if call["ended"] == "settled":
            original = story.root / call["original"]["path"]
            assert original.read_bytes() == server.billed[call["call_id"]]
    assert run.log.spent.micro_usd == 40_000 * charged == story.costs.total.micro_usd
    done = [c for job in run.log.jobs for c in job.candidates if c.status is CandidateStatus.DONE]
    assert len(done) + ends["in_doubt"] == 6
    assert all(sha256_file(story.root / c.final.path) == c.final.sha256 for c in done)
    folder = RunFolder(story.root, run.run_id)
    written = json.loads(folder.log_path.read_text())
    assert written == folded_document(folder, folder.plan()), "the record is not what its journal says"
    assert written["status"] == run.status == ("partial" if ends["in_doubt"] else "ok")
    before = dump(story.bench.index.path)
    story.bench.reindex()
    assert dump(story.bench.index.path) == before


def finish(server: Provider, story: Project, run: Run) -> None:
    """Pay again for what is in doubt, now that somebody says so."""
    doubtful = [c for job in run.log.jobs for c in job.candidates if c.status is CandidateStatus.IN_DOUBT]
    if not doubtful:
        return
    before = server.bills
    story.runs.resume(run.run_id, pay_again=True, confirm_spend=True)
    assert run.status is RunStatus.OK
    assert server.bills == before + len(doubtful)
    assert all(call.ended is not CallState.OPEN for job in run.log.jobs for c in job.candidates for call in c.calls)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point[0]}-{point[1]}")
def test_a_kill_at_a_system_call_bills_nothing_twice_and_loses_nothing(server, story, scenes, player, point) -> None:
    ended = player.play_traced(*point, **paid_run(server, story, scenes))
    assert ended == "killed", "it came to its end before that"

    run = recovered(story, scenes)
    check(server, story, run)
    finish(server, story, run)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: f"{word[0]}-{word[1]}")
def test_a_kill_around_an_answer_bills_nothing_twice_and_loses_nothing(server, story, scenes, player, word) -> None:
    kind, place = word
    server.script.extend(["ok"] * place + [kind])

    assert player.play(**paid_run(server, story, scenes)) == "killed"

    run = recovered(story, scenes)
    check(server, story, run)
    finish(server, story, run)
