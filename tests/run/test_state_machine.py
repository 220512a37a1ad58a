"""Months of a project in any order: runs made, killed, gone on with; scenes edited; folders moved and deleted."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import ClassVar

import hypothesis.strategies as st
import pytest
from doomed import Doomed, doomed
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from loopback import provider, write_catalog
from studio import dump, write_photograph

from kroma_nb.blobs import sha256_file
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.money import Money
from kroma_nb.model.words import CandidateStatus, RunStatus
from kroma_nb.run.originals import UNSEEN
from kroma_nb.workbench import PlannedRun, Run, open_workbench
from kroma_nb.workbench.index import IndexBehind

MOST_RUNS, MOST_SCENES = 10, 3
# What the provider does with the next calls, and whether it bills for it: see `loopback.Provider`.
MISHAPS = ["busy", "down", "refuse", "drop", "half", "html", "error", "jpeg"]
DEATHS = ["kill before", "kill within", "kill after"]
SYNCED = {"run_started", "call_started", "call_ended", "run_finished"}
NOTHING_YET = ("so nothing was made yet", "has no journal")
places = st.sampled_from(["ledger", "ledger", "originals", "journal", "run.json", "outputs", ""])
mishaps = st.lists(st.sampled_from(MISHAPS), max_size=3)
touches = st.integers(1, 16)
mostly = st.sampled_from([True, True, True, False])
numbers = st.integers(min_value=0, max_value=10**6)


class Months(RuleBasedStateMachine):
    """A workspace with one project, a provider that bills, and a folder of scenes."""

    forks: ClassVar[Doomed]
    model: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="kroma-months-"))
        self.open = ExitStack()
        self.server = self.open.enter_context(provider())
        self.scenes: list[str] = []
        self.twin = ""
        self.photographs = 0
        self.moves = 0
        self.go_to(self.folder / "home-0")
        self.name_the_price(40_000)
        self.bench.create_project("noir")
        for _ in range(2):
            self.insert(0)

    def teardown(self) -> None:
        self.bench.index.store.close()
        self.open.close()
        shutil.rmtree(self.folder)

    def go_to(self, home: Path) -> None:
        """Open the workspace anew: what others have done to its runs may be seen only a second later."""
        self.bench = open_workbench(home)
        self.story = self.bench.project("noir", missing_ok=True)

    # What a person does.

    @rule(
        paid=mostly, fresh=mostly, candidates=st.integers(1, 2), mishaps=st.lists(st.sampled_from(MISHAPS), max_size=3)
    )
    def make(self, paid: bool, fresh: bool, candidates: int, mishaps: list[str]) -> None:
        if self.has_room(fresh=fresh):
            self.server.script.extend(mishaps if paid else [])
            self.story.run(self.planned(paid, candidates), confirm_spend=True, workers=1)
            self.server.script.clear()

    @rule(paid=mostly, fresh=mostly, about=places, touch=touches, tear=st.none() | numbers)
    def be_killed(self, paid: bool, fresh: bool, about: str, touch: int, tear: int | None) -> None:
        if self.has_room(fresh=fresh):
            before = set(self.story.runs.ids)
            how = self.elsewhere(words=self.words(paid, 2), about=about, kill_at=touch)
            assert how in {"killed", "ok"}, how
            if how == "killed" and tear is not None:
                self.cut_power(before, tear)

    @rule(fresh=mostly, word=st.sampled_from(DEATHS), at=st.integers(0, 3))
    def be_killed_around_an_answer(self, fresh: bool, word: str, at: int) -> None:
        if self.has_room(fresh=fresh):
            self.server.script.extend(["ok"] * at + [word])
            how = self.elsewhere(words=self.words(True, 2))
            self.server.script.clear()
            assert how in {"killed", "ok"}, how

    @rule(which=numbers, about=places, touch=touches)
    def be_killed_while_going_on(self, which: int, about: str, touch: int) -> None:
        if run := self.chosen(which):
            how = self.elsewhere(run_id=run.run_id, about=about, kill_at=touch)
            assert how in {"killed", "ok", "invalid_request"}, how

    @rule(which=numbers, pay_again=st.booleans())
    def go_on(self, which: int, pay_again: bool) -> None:
        run = self.chosen(which)
        if run is None:
            return
        doubtful = self.count(run, CandidateStatus.IN_DOUBT) if self.has_begun(run) else 0
        try:
            self.story.runs.resume(run.run_id, confirm_spend=True, pay_again=pay_again, workers=1)
        except RequestInvalid as error:
            if not any(words in str(error) for words in NOTHING_YET):
                raise
            return
        still = self.count(run, CandidateStatus.IN_DOUBT)
        assert still == 0 if pay_again else still <= doubtful
        if self.count(run, CandidateStatus.SKIPPED_BUDGET):
            # A call that never arrived is dearer by now than was put aside for it: that is confirmed once more.
            self.story.runs.resume(run.run_id, confirm_spend=True, pay_again=pay_again, workers=1)
        left = self.count(run, CandidateStatus.IN_DOUBT)
        assert (run.status is RunStatus.OK) is (left == 0)

    @rule(price_micro=st.sampled_from([20_000, 40_000, 90_000]))
    def change_the_price(self, price_micro: int) -> None:
        self.name_the_price(price_micro)

    @rule(which=numbers, job=numbers)
    def try_again(self, which: int, job: int) -> None:
        run = self.chosen(which)
        if run is None or not self.has_begun(run) or sum(len(job.candidates) for job in run.log.jobs) > 8:
            return
        before = {(job.id, c.candidate_index): c.passes for job in run.log.jobs for c in job.candidates}
        name = run.log.jobs[job % len(run.log.jobs)].id
        try:
            run.retry(name, candidates=1, confirm_spend=True, workers=1)
        except RequestInvalid as error:
            if not any(words in str(error) for words in NOTHING_YET):
                raise
            return
        after = {(job.id, c.candidate_index): c.passes for job in run.log.jobs for c in job.candidates}
        assert {key: after[key] for key in before} == before
        assert len(after) == len(before) + 1

    @rule(how=st.sampled_from(["edit", "insert", "twin"]), which=numbers)
    def change_a_scene(self, how: str, which: int) -> None:
        before = self.seeds()
        if how == "edit":
            edited = self.scenes[which % len(self.scenes)]
            self.photograph(edited)
            before = {ref: seeds for ref, seeds in before.items() if ref not in {edited, self.twin}}
        elif len(self.scenes) < MOST_SCENES:
            self.insert(which)
            self.twin = f"scene_{len(self.scenes) - 1}.png" if how == "twin" else self.twin
            self.copy_twin()
        after = self.seeds()
        assert {ref: after[ref] for ref in before} == before

    @rule(what=st.sampled_from(["cache", "database", "index"]))
    def lose(self, what: str) -> None:
        if what == "cache":
            shutil.rmtree(self.story.root / "cache", ignore_errors=True)
            return
        self.bench.index.store.close()
        for path in (self.bench.home / "var").glob("kroma.db*"):
            path.unlink()
        if what == "index":
            self.bench.reindex()

    @rule()
    def move_house(self) -> None:
        self.bench.index.store.close()
        self.moves += 1
        target = self.folder / f"home-{self.moves}"
        self.bench.home.rename(target)
        self.go_to(target)

    @rule(which=numbers, how=st.sampled_from(["put away", "take out", "delete"]))
    def tidy(self, which: int, how: str) -> None:
        run, charged = self.chosen(which), self.story.costs.total
        if run is None:
            return
        if how != "delete":
            # A run that was killed before its first line is in no list, and that is said.
            with nullcontext() if self.has_begun(run) else pytest.warns(IndexBehind, match=run.run_id):
                run.archive(undo=how == "take out")
            return
        run.delete(force=True)
        assert self.story.costs.total == charged
        assert not run.folder.exists()

    @rule()
    def make_the_same_again(self) -> None:
        """A plan whose every picture was bought costs nothing more, and asks for no confirmation."""
        planned = self.planned(True, 2)
        if len(self.story.runs.ids) >= MOST_RUNS or planned.forecast().already_paid < planned.pictures:
            return
        bills = self.server.bills
        run = self.story.run(planned, workers=1)
        assert (self.server.bills, run.log.spent, run.status) == (bills, Money(), RunStatus.OK)
        assert all(c.passes[0].reused for job in run.log.jobs for c in job.candidates)

    # What must hold.

    @invariant()
    def every_recorded_picture_is_there_and_no_run_is_running(self) -> None:
        rows = self.story.runs.rows(archived=True)
        assert RunStatus.RUNNING not in {row.status for row in rows}
        for run_id in self.story.runs.ids:
            run = Run(self.story, run_id)
            if not self.has_begun(run):
                continue
            log = run.log
            assert log.status is not RunStatus.RUNNING
            files = [record.file for record in log.inputs]
            files += [one.output for job in log.jobs for c in job.candidates for one in c.passes]
            for file in files:
                assert sha256_file(self.story.root / file.path) == file.sha256
            assert run_id in {row.run_id for row in rows}

    @invariant()
    def what_is_charged_is_what_was_billed_or_may_have_been(self) -> None:
        _ = self.story.runs.rows()
        calls = self.ledger()
        ends = Counter(call["ended"] for call in calls.values())
        charged = ends["settled"] + ends["in_doubt"]
        assert ends["open"] == 0
        assert self.server.bills <= charged <= self.server.bills + ends["in_doubt"]
        costs = {call_id: call["cost"]["micro_usd"] for call_id, call in calls.items()}
        uppers = {call_id: call["upper"]["micro_usd"] for call_id, call in calls.items()}
        paid = {call_id for call_id, call in calls.items() if call["ended"] != "released"}
        # Each at the price of the day on which its money was put aside.
        assert {call_id: costs[call_id] for call_id in paid} == {call_id: uppers[call_id] for call_id in paid}
        assert self.story.costs.total.micro_usd == sum(costs.values())
        for call_id, call in calls.items():
            if call["ended"] == "settled":
                sent = (self.story.root / call["original"]["path"]).read_bytes()
                assert self.server.billed[call_id].startswith(sent) or call["error_code"] == "answer_unusable"
        for run_id in self.story.runs.ids:
            if self.has_begun(run := Run(self.story, run_id)):
                mine = [costs[call_id] for call_id, call in calls.items() if call["run_id"] == run_id]
                assert run.log.spent.micro_usd == sum(mine)

    @invariant()
    def nothing_that_came_is_in_doubt_and_what_is_in_doubt_is_on_record(self) -> None:
        calls = self.ledger()
        receipts = (self.story.root / "originals" / "receipts").rglob("*.json")
        came = {path.stem.removesuffix(UNSEEN) for path in receipts}  # killed while decoding: known by its header
        assert all(calls[call_id]["ended"] == "settled" for call_id in came)
        for call in calls.values():
            run = Run(self.story, str(call["run_id"]))
            if call["ended"] == "in_doubt" and self.has_begun(run):
                ends = [c for job in run.log.jobs if job.id == call["job_id"] for c in job.candidates]
                assert call["candidate"] in {c.candidate_index for c in ends}
                assert call["call_id"] in {made.call_id for c in ends for made in c.calls}

    @invariant()
    def no_picture_was_bought_twice(self) -> None:
        good = [call for call in self.ledger().values() if call["ended"] == "settled" and not call["error_code"]]
        twice = [key for key, times in Counter(call["key"] for call in good).items() if times > 1]
        assert not twice

    @invariant()
    def the_database_is_what_a_rebuilt_one_would_be(self) -> None:
        _ = self.story.runs.rows()
        before = dump(self.bench.index.path)
        self.bench.reindex()
        after = dump(self.bench.index.path)
        assert {name: [set(rows) ^ set(after[name])] for name, rows in before.items() if rows != after[name]} == {}

    # How it is done.

    def has_room(self, *, fresh: bool) -> bool:
        """Tell whether one more run may be made; one of fresh scenes has everything to buy."""
        for scene in self.scenes if fresh else ():
            self.photograph(scene)
        self.copy_twin()
        return len(self.story.runs.ids) < MOST_RUNS

    def copy_twin(self) -> None:
        """Keep one scene the same photograph as another."""
        if self.twin:
            shutil.copy(self.folder / "scene_0.png", self.folder / self.twin)

    def elsewhere(self, **order: object) -> str:
        """Let another process play, and say how that ended."""
        self.bench.index.store.close()
        how = self.forks.play(home=str(self.bench.home), url=self.server.url, **order)
        self.go_to(self.bench.home)
        return how

    def name_the_price(self, price_micro: int) -> None:
        write_catalog(self.bench.home, first=self.model, tries=2, backoff_s=0.001, price_micro=price_micro)

    def words(self, paid: bool, candidates: int) -> dict[str, object]:
        generation = {"candidates": candidates, "size": "64x96"}
        manifest = self.folder / "manifest.json"
        manifest.write_text(json.dumps({"scenes": [{"ref": ref} for ref in self.scenes], "generation": generation}))
        return {"manifest": str(manifest), "provider": "loopback" if paid else "ink"}

    def planned(self, paid: bool, candidates: int) -> PlannedRun:
        return self.story.plan(**self.words(paid, candidates))

    def seeds(self) -> dict[str, object]:
        return {job.scene.ref: [c.seeds for c in job.candidates] for job in self.planned(True, 2).jobs}

    def insert(self, at: int) -> None:
        name = f"scene_{len(self.scenes)}.png"
        self.scenes.insert(at % (len(self.scenes) + 1), name)
        self.photograph(name)

    def photograph(self, name: str) -> None:
        self.photographs += 1
        write_photograph(self.folder / name, self.photographs)

    def chosen(self, which: int) -> Run | None:
        ids = self.story.runs.ids
        return Run(self.story, ids[which % len(ids)]) if ids else None

    def has_begun(self, run: Run) -> bool:
        """Tell whether a run came as far as the first line of its journal."""
        journal = run.folder / "journal.jsonl"
        return (run.folder / "plan.json").exists() and journal.exists() and b"\n" in journal.read_bytes()

    def count(self, run: Run, status: CandidateStatus) -> int:
        return sum(c.status is status for job in run.log.jobs for c in job.candidates)

    def cut_power(self, before: set[str], tear: int) -> None:
        """Take from the journal of a run that was just killed some of what nobody has waited for the disk to keep."""
        for run_id in set(self.story.runs.ids) - before:
            journal = self.story.root / "runs" / run_id / "journal.jsonl"
            if not journal.exists():
                continue
            data, kept, place = journal.read_bytes(), 0, 0
            for line in data.splitlines(keepends=True):
                place += len(line)
                if line.endswith(b"\n") and json.loads(line)["event"] in SYNCED:
                    kept = place
            journal.write_bytes(data[: kept + tear % (len(data) - kept + 1)])

    def ledger(self) -> dict[str, dict[str, object]]:
        """Give every call by its id, with its newest end."""
        calls: dict[str, dict[str, object]] = {}
        path = self.story.root / "ledger.jsonl"
        for line in path.read_bytes().splitlines() if path.exists() else ():
            entry = json.loads(line)
            if entry["entry"] == "reserved":
                calls[entry["call_id"]] = entry | {"ended": "open"}
            else:
                calls[entry["call_id"]] |= entry
        return calls


@pytest.mark.parametrize(("model", "examples"), [("plain", 16), ("keyed", 6), ("asked", 6)])
def test_whatever_happens_in_whatever_order_money_pictures_and_rows_agree(model: str, examples: int) -> None:
    quick = settings(
        max_examples=examples,
        stateful_step_count=12,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    Months.model = model
    with doomed() as Months.forks:
        run_state_machine_as_test(Months, settings=quick)
