"""Disks, databases and folders that fail in the middle of a paid run: a clear error, nothing lost, and it goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from loopback import write_catalog
from money.processes import ENVIRONMENT
from studio import write_photograph

from kroma_nb.errors import InUse, KromaError, RecordInvalid, RequestInvalid
from kroma_nb.model.words import CandidateStatus, RunStatus
from kroma_nb.run import Ledger
from kroma_nb.workbench import Project, Run, open_workbench

PLAY = """
import resource, signal, sys
from pathlib import Path
from kroma_nb.workbench import open_workbench

home, scenes, most_bytes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
story = open_workbench(home).project("noir")
planned = story.plan(manifest=scenes / "manifest.json", provider="loopback")

def follow(event):
    if event.event == "call_started" and most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
story.run(planned, confirm_spend=True, workers=1, on_event=follow)
"""


def play(story: Project, scenes: Path, most_bytes: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PLAY, str(story.bench.home), str(scenes), str(most_bytes)]
    return subprocess.run(
        command, env=os.environ | ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False
    )


def candidates(run: Run) -> list:
    return [candidate for job in run.log.jobs for candidate in job.candidates]


@pytest.mark.parametrize("most_bytes", [300, 3_000, 9_000])
def test_a_disk_that_is_full_during_a_paid_run_loses_nothing_that_came_and_bills_nothing_twice(
    server, story, scenes, most_bytes
) -> None:
    # From the first call on, no file may grow beyond so many bytes: not the answer's, the ledger's, the journal's.
    played = play(story, scenes, most_bytes)
    before = server.bills

    _ = story.runs.rows()
    run = story.runs["latest"]
    story.runs.resume(run.run_id, confirm_spend=True)

    said = played.stderr.splitlines()[-1]
    assert re.search(r"(WriteFailed|DatabaseUnusable): .*(File too large; free some space|the disk fails)", said)
    ends = [c.status for c in candidates(run)]
    doubtful = ends.count(CandidateStatus.IN_DOUBT)
    charged = story.costs.total.micro_usd // 40_000
    assert set(ends) <= {CandidateStatus.DONE, CandidateStatus.IN_DOUBT}
    assert server.bills <= charged <= server.bills + doubtful
    assert len(ends) == 6
    assert before <= 6
    assert run.log.spent == story.costs.total


def test_a_database_that_another_program_holds_stops_the_call_and_not_the_run_for_good(
    server, bench, story, paid
) -> None:
    hasty = open_workbench(bench.home, busy_s=0.2).project("noir")
    planned, path = paid(candidates=1), bench.index.path
    _ = story.runs.rows()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.warns(UserWarning, match="not in the index yet"):
            run = hasty.run(planned, confirm_spend=True)
        other.execute("ROLLBACK")

    assert server.bills == 0
    assert {c.failure.error_code for c in candidates(run)} == {"database_locked"}
    assert story.costs.total.micro_usd == 0
    story.runs.resume(run.run_id, confirm_spend=True)
    assert (run.status, server.bills) == (RunStatus.OK, 3)


def test_a_database_that_is_deleted_in_the_middle_forgets_nothing_that_was_paid(server, bench, story, paid) -> None:
    write_catalog(bench.home, concurrency=1)
    story.costs.set_budget(per_run="0.16")
    ended = 0

    def follow(event) -> None:
        nonlocal ended
        ended += event.event == "call_ended"
        if event.event == "call_ended" and ended == 2:
            for path in bench.index.path.parent.glob("kroma.db*"):
                path.unlink()

    run = story.run(paid(), confirm_spend=True, on_event=follow)

    assert server.bills == 4
    assert str(run.log.spent) == str(story.costs.total) == "$0.16"


def test_an_original_that_was_damaged_is_not_taken_up_and_is_bought_again_only_with_a_confirmation(
    server, story, paid
) -> None:
    run = story.run(paid(candidates=1, only=["scene_0.png"]), confirm_spend=True)
    original = story.root / candidates(run)[0].calls[0].original.path
    original.chmod(0o644)
    original.write_bytes(original.read_bytes()[:-1] + b"\0")

    again = paid(candidates=1, only=["scene_0.png"])

    assert str(again.forecast().cost_high) == "$0.04"
    second = story.run(again, confirm_spend=True)
    assert (second.status, server.bills) == (RunStatus.OK, 2)
    # What was sent then is written anew where the same comes again; it is whole.
    assert story.runs.verify(second.run_id).ok


@pytest.mark.parametrize("change", ["torn", "half", "older", "forged"])
def test_a_ledger_that_was_tampered_with_is_not_believed(server, story, paid, change) -> None:
    story.run(paid(candidates=1, only=["scene_0.png"]), confirm_spend=True)
    ledger = story.root / "ledger.jsonl"
    older = ledger.read_bytes()
    story.run(paid(candidates=1, only=["scene_1.png"]), confirm_spend=True)
    whole = ledger.read_bytes()
    ledger.write_bytes(
        {
            "torn": whole + b'{"entry": "reserv',
            "half": whole[: len(whole) // 2],
            "older": older,
            "forged": whole.replace(b'"cost":{"micro_usd":40000}', b'"cost":{"micro_usd":-4000}', 1),
        }[change]
    )

    run = story.run(paid(candidates=1, only=["scene_2.png"]), confirm_spend=True)

    if change in {"torn", "forged"}:
        # What was read before is not read again: a line that was forged since lowers nothing.
        assert (run.status, server.bills) == (RunStatus.OK, 3)
        assert str(story.costs.total) == "$0.12"
        lost = story.bench.reindex().unreadable
        assert [one.error_code for one in lost] == (["invalid_record"] if change == "forged" else [])
    else:
        assert server.bills == 2
        assert candidates(run)[0].failure.error_code == "invalid_record"


def test_two_that_go_on_with_one_run_at_once_buy_nothing_twice(server, story, paid) -> None:
    server.script.extend(["refuse"] * 6)
    run = story.run(paid(), confirm_spend=True)
    server.slow_s = 0.2
    benches = [open_workbench(story.bench.home).project("noir") for _ in range(2)]

    def go_on(project: Project) -> str:
        try:
            project.runs.resume(run.run_id, confirm_spend=True)
        except (InUse, RequestInvalid) as error:
            return error.error_code
        return "ok"

    with ThreadPoolExecutor(2) as both:
        answers = sorted(both.map(go_on, benches))

    assert answers in (["in_use", "ok"], ["invalid_request", "ok"], ["ok", "ok"])
    assert server.bills == 6
    assert run.status is RunStatus.OK


def test_a_run_that_is_played_is_not_gone_on_with_and_it_says_who_plays_it(server, story, paid) -> None:
    server.slow_s, said = 0.2, []

    def follow(event) -> None:
        if event.event == "call_started" and not said:
            with pytest.raises(InUse, match=rf"process {os.getpid()} on "):
                story.runs.resume("latest", confirm_spend=True)
            said.append(event)

    assert story.run(paid(candidates=1), confirm_spend=True, on_event=follow).status is RunStatus.OK
    assert said


def test_a_copied_project_pays_nothing(server, story, paid, scenes) -> None:
    story.run(paid(candidates=1, only=["scene_0.png"]), confirm_spend=True)
    shutil.copytree(story.root, story.root.with_name("copy"))
    card = story.root.with_name("copy") / ".kroma" / "project.json"
    card.write_text(card.read_text().replace('"slug": "noir"', '"slug": "copy"'))
    copy = open_workbench(story.bench.home).project("copy")

    with pytest.warns(UserWarning, match="not in the index"):
        run = copy.run(
            copy.plan(manifest=scenes / "manifest.json", provider="loopback", only=["scene_1.png"]),
            confirm_spend=True,
        )

    assert server.bills == 1
    assert {c.failure.error_code for c in candidates(run)} == {"invalid_record"}


def test_money_of_a_deleted_run_stays_charged(server, story, paid) -> None:
    run = story.run(paid(candidates=1), confirm_spend=True)

    run.delete()

    assert str(story.costs.total) == "$0.12"
    story.costs.set_budget(per_month="0.15")
    more = story.run(paid(candidates=2), confirm_spend=True)
    assert more.status is RunStatus.PARTIAL
    assert server.bills == 3


@pytest.mark.parametrize("word", ["kill before", "kill after"])
def test_a_killed_run_that_is_deleted_before_anybody_lists_it_leaves_no_call_without_an_end(
    server, bench, story, scenes, word
) -> None:
    write_catalog(bench.home, concurrency=1)
    server.script.extend(["ok", word])
    assert play(story, scenes, 0).returncode == -signal.SIGKILL
    (journal,) = (story.root / "runs").glob("*/journal.jsonl")
    fresh = open_workbench(bench.home).project("noir")

    fresh.runs[journal.parent.name].delete()

    lines = [json.loads(line) for line in (story.root / "ledger.jsonl").read_bytes().splitlines()]
    ends = {line["call_id"]: line.get("ended", "open") for line in lines}
    assert sorted(ends.values()) == ["in_doubt", "settled"]
    assert not journal.parent.exists()
    assert str(fresh.costs.total) == "$0.08"
    fresh.bench.reindex()
    assert str(fresh.costs.total) == "$0.08"
    assert server.bills * 40_000 <= fresh.costs.total.micro_usd


LIST = """
import os, sys
import kroma_nb.report.views, kroma_nb.run.recovery, kroma_nb.run.reading, kroma_nb.store.database
from kroma_nb.workbench import open_workbench

open_workbench(sys.argv[2]).project("noir").runs.rows()  # what is imported is not readable for everybody
os.setgid(65534)
os.setuid(65534)
project = open_workbench(sys.argv[1]).project("noir")
print([str(one.status) for one in project.runs.rows()], project.runs["latest"].status)
"""


def test_a_killed_run_is_listed_by_somebody_who_may_not_write(server, bench, story, paid) -> None:
    run = story.run(paid(candidates=1), confirm_spend=True)
    journal = run.folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-2]))
    (run.folder / "run.json").unlink()
    bench.index.store.close()

    # The folders of a test are closed to others, and are closed again by whoever starts another session of tests.
    with tempfile.TemporaryDirectory() as name:
        open_to_all = Path(name)
        open_to_all.chmod(0o755)
        homes = [shutil.copytree(bench.home, open_to_all / name) for name in ("home", "copy")]
        command = [sys.executable, "-W", "ignore", "-c", LIST, *map(str, homes)]
        seen = subprocess.run(command, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=False)
        closed = (homes[0] / run.folder.relative_to(bench.home) / "run.json").exists()

    assert seen.returncode == 0, seen.stderr
    assert "interrupted" in seen.stdout
    assert not closed


def test_a_signal_during_a_call_lets_it_come_to_its_end_and_books_it(server, bench, scenes, story) -> None:
    write_catalog(bench.home, concurrency=1)
    server.slow_s = 0.5
    command = [sys.executable, "-c", "from kroma_nb.cli import main; main()", "run", "--home", str(bench.home)]
    command += [
        "--project",
        "noir",
        "--manifest",
        str(scenes / "manifest.json"),
        "--provider",
        "loopback",
        "--confirm-spend",
    ]
    with subprocess.Popen(command, env=os.environ | ENVIRONMENT, stdout=subprocess.DEVNULL) as process:
        waited = threading.Event()
        while not server.arrived and process.poll() is None:
            waited.wait(0.02)
        process.send_signal(signal.SIGTERM)

    assert process.returncode == 6
    run = story.runs["latest"]
    assert run.status is RunStatus.INTERRUPTED
    assert run.log.spent.micro_usd == 40_000 * server.bills
    assert all(ended is not None for _, ended in Ledger(story.root).calls_of(run.run_id))


HOLD = """
import sys
from pathlib import Path
from kroma_nb.run import Ledger

sys.stdin.readline()
with Ledger(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("when", ["before the call", "during the call"])
def test_a_ledger_that_a_stopped_process_holds_is_named_after_a_while_and_nothing_is_lost(
    server, story, paid, monkeypatch, when
) -> None:
    monkeypatch.setattr("kroma_nb.run.ledger.PATIENCE_S", 0.3)  # a minute, elsewhere
    server.slow_s = 1.0
    planned = paid(candidates=1, only=["scene_0.png"])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, "-c", HOLD, str(story.root)]

    with subprocess.Popen(command, env=os.environ | ENVIRONMENT, text=True, **pipes) as process:

        def hold() -> None:
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "held\n"
            process.send_signal(signal.SIGSTOP)

        if when == "before the call":
            hold()
        follow = {"on_event": lambda event: hold() if event.event == "call_started" else None}
        try:
            run = story.run(planned, confirm_spend=True, **(follow if when == "during the call" else {}))
        finally:
            process.kill()

    (candidate,) = candidates(run)
    assert (candidate.status, candidate.failure.error_code) == (CandidateStatus.FAILED_PROVIDER, "lock_held")
    assert "ledger.jsonl has been held by another process" in candidate.failure.message
    assert server.bills == (1 if when == "during the call" else 0)
    story.runs.resume(run.run_id, confirm_spend=True)
    assert (run.status, server.bills, str(run.log.spent), str(story.costs.total)) == (RunStatus.OK, 1, "$0.04", "$0.04")


def test_scenes_that_change_after_the_plan_cost_nothing(server, story, paid, scenes) -> None:
    planned = paid()
    write_photograph(scenes / "scene_1.png", 77, width=80)

    with pytest.raises(KromaError):
        story.run(planned, confirm_spend=True)

    assert server.bills == 0
    assert story.costs.total.micro_usd == 0


def test_a_receipt_that_was_damaged_is_named(server, story, paid) -> None:
    story.run(paid(candidates=1, only=["scene_0.png"]), confirm_spend=True)
    (receipt,) = (story.root / "originals" / "receipts").rglob("*.json")
    receipt.chmod(0o644)
    receipt.write_text("{}")

    with pytest.raises(RecordInvalid, match="receipts"):
        paid(candidates=1, only=["scene_0.png"])
