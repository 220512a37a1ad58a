"""What is made again goes on as it began, and only what is as it was planned is gone on with or made again."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import loopback
import pytest
from loopback import provider, write_catalog

from kroma_nb.cli import main
from kroma_nb.errors import RecordInvalid, RequestInvalid
from kroma_nb.model.words import CandidateStatus, RunStatus
from kroma_nb.workbench import Project, Run, open_workbench


def results(run: Run) -> list[str | None]:
    return [c.final.sha256 if c.final else None for job in run.log.jobs for c in job.candidates]


def stopped_replay(story: Project, run: Run) -> Run:
    """Make a run again, and stop before its first picture."""
    stop = threading.Event()
    stop.set()
    again = story.runs.replay(run.run_id, stop=stop)
    assert again.status is RunStatus.INTERRUPTED
    return again


def bought(story: Project, scenes: Path, **words: object) -> Run:
    return story.run(story.plan(manifest=scenes / "manifest.json", provider="loopback", **words), confirm_spend=True)


def test_a_replay_that_was_stopped_goes_on_without_the_cache(story, made) -> None:
    again = stopped_replay(story, made)

    story.runs.resume(again.run_id)

    assert again.status is RunStatus.OK
    assert results(again) == results(made)
    assert not any(record.reused for job in again.log.jobs for c in job.candidates for record in c.passes)
    assert again.log.replays == made.run_id


def test_a_paid_replay_that_was_stopped_goes_on_without_buying_whatever_its_engine_is_by_now(
    story, scenes, monkeypatch
) -> None:
    write_catalog(story.bench.home)
    with provider() as server:
        run = bought(story, scenes)
        again = stopped_replay(story, run)
        monkeypatch.setattr(loopback, "painter", None)

        left = story.runs.left(again.run_id)
        story.runs.resume(again.run_id)

        assert server.bills == 4
    assert not left.forecast.cost_high
    assert (again.status, results(again), again.log.spent.micro_usd) == (RunStatus.OK, results(run), 0)
    with pytest.raises(RequestInvalid, match=f"more candidates of {run.run_id}"):
        again.retry(again.log.jobs[0].id)


def test_an_original_that_is_put_back_is_taken_up_when_its_replay_goes_on(story, scenes, tmp_path) -> None:
    write_catalog(story.bench.home)
    with provider() as server:
        run = bought(story, scenes)
        original = story.root / run.log.jobs[0].candidates[0].calls[0].original.path
        original.rename(tmp_path / "lost.png")
        again = story.runs.replay(run.run_id)
        partial, step = again.status, again.log.next_step
        (tmp_path / "lost.png").rename(original)

        story.runs.resume(again.run_id)

        assert server.bills == 4
    assert partial is RunStatus.PARTIAL
    assert "put back what is missing under originals/" in step
    assert (again.status, results(again)) == (RunStatus.OK, results(run))


def test_what_was_never_bought_is_not_missed_by_a_replay_and_not_bought_for_it(story, scenes, capsys) -> None:
    write_catalog(story.bench.home)
    with provider() as server:
        run = bought(story, scenes, max_cost="0.08")

        again = story.runs.replay(run.run_id)
        story.runs.resume(again.run_id, confirm_spend=True)

        assert server.bills == 2
    ends = [c.status for job in again.log.jobs for c in job.candidates]
    assert sorted(ends) == [CandidateStatus.CANCELED] * 2 + [CandidateStatus.DONE] * 2
    assert {c.failure.error_code for job in again.log.jobs for c in job.candidates if c.failure} == {"not_bought"}
    story.bench.index.store.close()
    with pytest.raises(SystemExit):
        main(["runs", "show", again.run_id, "--home", str(story.bench.home), "--project", "noir"])
    assert "resume" not in capsys.readouterr().out


@pytest.mark.parametrize("how", ["edited", "renamed", "copied"])
def test_a_run_that_is_not_as_it_was_planned_is_neither_gone_on_with_nor_made_again(story, made, how) -> None:
    runs, name = story.runs, made.run_id
    if how == "edited":
        plan = json.loads((made.folder / "plan.json").read_text())
        plan["jobs"][0]["candidates"][0]["seeds"]["style"] += 1
        (made.folder / "plan.json").write_text(json.dumps(plan))
    elif how == "renamed":
        name = made.run_id[:-6] + "abcdef"
        made.folder.rename(made.folder.with_name(name))
    else:
        other = story.bench.create_project("other")
        shutil.copytree(made.folder, other.root / "runs" / name)
        runs = other.runs
    before = runs.ids

    for ask in (runs.replay, runs.resume, runs.left, lambda name: runs[name].retry("style_1_scene_0")):
        with pytest.raises(RecordInvalid, match=r"changed after the run had started|calls itself|of project noir"):
            ask(name)

    assert runs.ids == before


def test_a_journal_that_is_lost_is_named_and_not_called_another_programs(story, made) -> None:
    (made.folder / "journal.jsonl").write_bytes(b"")
    for ask in (story.runs.verify, story.runs.replay, story.runs.left, story.runs.resume):
        with pytest.raises(RecordInvalid, match=r"journal\.jsonl: it is lost"):
            ask(made.run_id)


def test_a_run_that_was_cut_short_before_it_began_says_that_nothing_was_made(story, made) -> None:
    (made.folder / "journal.jsonl").unlink()
    (made.folder / "run.json").unlink()
    with pytest.raises(RequestInvalid, match="so nothing was made yet; plan it again, and delete this one"):
        story.runs.resume(made.run_id)


def test_a_run_that_was_stopped_before_its_inputs_were_kept_names_no_command_that_cannot_work(
    story, scenes, capsys
) -> None:
    stop = threading.Event()
    stop.set()
    run = story.run(story.plan(manifest=scenes / "manifest.json"), stop=stop)

    assert run.status is RunStatus.INTERRUPTED
    assert "plan it again, and delete this one" in run.log.next_step
    with pytest.raises(RequestInvalid, match="plan it again, and delete this one"):
        story.runs.left(run.run_id)
    story.bench.index.store.close()
    with pytest.raises(SystemExit):
        main(["runs", "show", run.run_id, "--home", str(story.bench.home), "--project", "noir"])
    assert "kroma resume" not in capsys.readouterr().out


def test_the_end_of_a_scene_counts_by_the_order_of_the_journal_also_where_the_clock_jumped(story, made) -> None:
    journal = made.folder / "journal.jsonl"
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    place = next(n for n, event in enumerate(events) if event["event"] == "job_finished")
    # Killed between the last candidate of a scene and its end, an hour behind the clock of before.
    job = events[place]["job_id"]
    last = max(n for n, e in enumerate(events) if e["event"] == "candidate_finished" and e["outcome"]["job_id"] == job)
    late = json.loads(json.dumps(events[last]).replace("T1", "T0").replace("T2", "T1"))
    kept = [event for event in events if event["event"] != "run_finished"]
    journal.write_text("".join(json.dumps(event) + "\n" for event in [*kept, late]))
    (made.folder / "run.json").unlink()

    bench = open_workbench(story.bench.home)
    run = bench.project("noir").runs.resume(made.run_id)

    assert run.status is RunStatus.OK
    assert all(job.selected_candidate for job in run.log.jobs)
    told = [json.loads(line)["event"] for line in journal.read_text().splitlines()]
    assert told.count("job_finished") == 3


def test_a_ledger_that_is_broken_holds_up_no_run_that_costs_nothing(story, made) -> None:
    (story.root / "ledger.jsonl").write_text("no entry\n")

    assert story.runs.verify(made.run_id).ok
    assert story.runs.replay(made.run_id).status is RunStatus.OK
    made.retry(made.log.jobs[0].id, 1)
    assert made.status is RunStatus.OK
