"""Many processes on one budget, killed among themselves: never one call past it."""

from __future__ import annotations

import json
import random
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from loopback import PRICES, Provider, write_catalog
from money.processes import start
from money.spend_budget import PRICE, pay
from studio import write_photograph

from kroma_nb.errors import BudgetExceeded
from kroma_nb.model.money import Money
from kroma_nb.run import Ledger
from kroma_nb.workbench import Project, Workbench, open_workbench
from kroma_nb.workbench.bookkeeping import ProjectPurse, read_ledger

# Around the end of a month in UTC; the last one says the same moment as another clock does.
TIMES = (
    "2026-11-30T23:59:59.998+00:00",
    "2026-11-30T23:59:59.999+00:00",
    "2026-12-01T00:00:00+00:00",
    "2026-11-30T23:00:00.001-01:00",
)
WORDS = ("ok", "ok", "ok", "kill before", "kill within", "kill after")
MONTHS = ("2026-11", "2026-12")


def calls_of(project: Project) -> dict[str, tuple[str, int]]:
    """Give the month and the charge of every call, as the ledger's lines have them, read as plain JSON."""
    calls: dict[str, tuple[str, int]] = {}
    path = project.root / "ledger.jsonl"
    for line in path.read_bytes().splitlines() if path.exists() else ():
        entry = json.loads(line)
        if entry["entry"] == "reserved":
            moment = datetime.fromisoformat(entry["at"].replace("Z", "+00:00"))
            calls[entry["call_id"]] = moment.astimezone(UTC).strftime("%Y-%m"), entry["upper"]["micro_usd"]
        else:
            calls[entry["call_id"]] = calls[entry["call_id"]][0], entry["cost"]["micro_usd"]
    return calls


def charged(project: Project) -> Counter[str]:
    """Add up the ledger by month."""
    sums: Counter[str] = Counter()
    for month, cost in calls_of(project).values():
        sums[month] += cost
    return sums


def check(server: Provider, project: Project, cap: Money) -> None:
    """Hold ledger, rows and the provider's bills against each other and the cap, while others go on paying."""
    index = project.bench.index
    with Ledger(project.root).held(), index.store.writing() as rows:
        index.put_card(rows, project, project.card)
        read_ledger(rows, str(project.card.id), project.root)
        wanted = "SELECT month, SUM(charged_micro) AS charged FROM reservations WHERE project_id = :key GROUP BY month"
        found = rows.execute(sa.text(wanted), {"key": str(project.card.id)})
        in_rows = {row.month: row.charged for row in found}
        assert in_rows == dict(charged(project))
        with server.lock:
            bills = Counter(month for call, (month, _) in calls_of(project).items() if call in server.billed)
    for month in MONTHS:
        assert in_rows.get(month, 0) <= cap.micro_usd
        assert bills[month] <= cap.micro_usd // PRICE.micro_usd


def spend(server: Provider, project: Project, cap: Money, *, patience_s: float) -> int:
    """Let a process pay until the months are empty; one that is killed is started again. Gives how often it was."""
    kills = 0
    while True:
        process = start("spend_budget.py", project.bench.home, project.slug, *TIMES)
        try:
            # The first one is killed wherever it is, unless it has come to its end.
            code = process.wait(timeout=60 if kills else patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        check(server, project, cap)
        if code != -9:
            assert code == 0
            return kills
        kills += 1


@pytest.fixture
def gris(bench: Workbench, story: Project) -> Project:
    return bench.create_project("gris")


def test_eight_processes_across_a_months_end_never_make_one_call_past_a_budget(server, story, gris) -> None:
    caps = {story: Money.of("0.70"), gris: Money.of("0.10")}
    for project, cap in caps.items():
        project.costs.set_budget(per_month=cap)
    chance = random.Random(4)
    server.script.extend(
        chance.choice(["ok", "ok", "ok", "kill before", "kill within", "kill after"]) for _ in range(24)
    )

    with ThreadPoolExecutor(10) as slots:
        works = [
            slots.submit(spend, server, project, caps[project], patience_s=chance.uniform(1.0, 4.0))
            for project in [story] * 8 + [gris] * 2
        ]
        kills = sum(work.result() for work in works)

    assert kills > 8
    for project, cap in caps.items():
        check(server, project, cap)
        # Not one past it, and none is left over either: what does not divide the cap is what stays.
        most = cap.micro_usd // PRICE.micro_usd
        assert charged(project) == dict.fromkeys(MONTHS, most * PRICE.micro_usd)
    assert server.bills <= sum(2 * (cap.micro_usd // PRICE.micro_usd) for cap in caps.values())


def test_a_budget_that_is_raised_and_lowered_meanwhile_holds_from_the_next_call_on(server, story, gris) -> None:
    low, high = Money.of("0.10"), Money.of("0.40")
    story.costs.set_budget(per_month=high)
    gris.costs.set_budget(per_month=high)

    processes = [start("spend_budget.py", story.bench.home, story.slug, *TIMES) for _ in range(4)]
    while any(process.poll() is None for process in processes):
        for cap in (low, high):
            story.costs.set_budget(per_month=cap)
            check(server, story, high)
    assert [process.wait() for process in processes] == [0] * 4
    story.costs.set_budget(per_month=high)
    assert spend(server, story, high, patience_s=60) == 0
    story.costs.set_budget(per_month=low)

    assert charged(story) == dict.fromkeys(MONTHS, 12 * PRICE.micro_usd)
    with pytest.raises(BudgetExceeded, match=r"2026-12 is \$0\.10, of which \$0\.399996 is charged"):
        pay(ProjectPurse(story, Money.of(1000)), datetime.fromisoformat(TIMES[2]))
    assert (charged(gris), server.bills) == ({}, 24)


def test_eight_real_runs_share_a_budget_with_kills_among_them(server, bench, story, tmp_path: Path) -> None:
    write_catalog(bench.home, first="odd")
    story.costs.set_budget(per_month="0.50")
    chance = random.Random(11)
    server.script.extend(chance.choice(WORDS) for _ in range(12))
    for number in range(8):
        (tmp_path / f"pages_{number}").mkdir()
        for page in range(2):
            write_photograph(tmp_path / f"pages_{number}" / f"page_{page}.png", seed=100 + 10 * number + page)

    processes = [start("play_some.py", bench.home, "noir", tmp_path / f"pages_{n}", "odd") for n in range(8)]
    codes = [process.wait(timeout=120) for process in processes]

    assert -9 in codes
    assert set(codes) <= {0, -9}
    fresh = open_workbench(bench.home).project("noir")
    rows = {row.call_id: row for row in fresh.costs.rows()}
    spent = sum(row.cost_micro_usd for row in rows.values())
    assert spent == sum(cost for _, cost in calls_of(fresh).values()) <= 15 * PRICES["odd"]
    assert set(server.billed) <= set(rows)
    assert {one.status.value for one in fresh.runs} <= {"ok", "partial", "interrupted", "failed"}
    assert spent == sum(one.log.spent.micro_usd for one in fresh.runs)
    server.script.clear()  # a kill that nobody has asked for yet would be this very process's
    for one in fresh.runs:
        fresh.runs.resume(one.run_id, confirm_spend=True)
    # Money that was put aside for a call that was refused in the end may have kept another one waiting until now.
    assert fresh.costs.total.micro_usd == 15 * PRICES["odd"]
    with closing(fresh.bench.index.store):
        assert server.bills <= 15
