"""What remembering costs: ingest against the driver alone, pages at any depth, opening, and what a run pays for it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import cv2
import pytest
from studio import draw, write_scenes

import kroma_nb as kn
from kroma_nb import run, store
from kroma_nb.model.asset import AssetFilter, AssetKind
from kroma_nb.model.plan import Plan, PlanRequest, PostprocessRequest
from kroma_nb.model.project import ProjectCard
from kroma_nb.model.run import Event, now
from kroma_nb.planning import plan
from kroma_nb.providers.ink import InkPainter
from kroma_nb.run.journal import open_journal
from kroma_nb.run.runlog import write_run_log
from kroma_nb.store.database import connected
from kroma_nb.workbench import Workbench

SCENES, CANDIDATES = 150, 4
EVERY = AssetFilter()
TABLES = ("runs", "run_files", "run_jobs", "run_candidates", "assets", "run_inputs", "asset_links", "quality_reports")


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A workspace with one run of 600 candidates, each with a colour pass."""
    folder = tmp_path_factory.mktemp("big")
    bench = kn.open_workbench(folder / "workspace")
    scenes = write_scenes(folder / "scenes", SCENES, candidates=CANDIDATES)
    draw(bench, "big", scenes, postprocess=PostprocessRequest(color=True, color_profile="cinematic_warm"))
    return bench


@pytest.mark.benchmark
def test_an_ingest_takes_at_most_three_times_what_the_driver_takes_for_its_rows(ratios, big, tmp_path) -> None:
    project = big.project("big")
    folder, key = next(run.run_folders(project.root)), str(project.card.id)
    with closing(sqlite3.connect(big.index.path)) as rows:
        data = {name: rows.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}
    empty = [made_empty(tmp_path / f"{number}.db", project.card) for number in range(24)]
    fresh = iter(empty)

    def driver(_: int) -> None:
        with closing(connected(f"{next(fresh).path.as_uri()}?mode=rw")) as rows:
            rows.execute("BEGIN IMMEDIATE")
            for name, held in data.items():
                rows.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(held[0]))})", held)
            rows.execute("COMMIT")

    def ingest(_: int) -> None:
        with next(fresh).writing() as rows, run.open_record(folder, project="big") as record:
            store.put_run(rows, key, record.head, record.jobs, store.Beside())

    found = ratios(base=driver, rounds=9, ingest=ingest)

    count = sum(len(held) for held in data.values())
    print(f"\ningest of {count:,} rows, parsing included: {found['ingest']:.2f} x executemany")
    assert found["ingest"] <= 3


def made_empty(path: Path, card: ProjectCard) -> store.Store:
    opened = store.open_store(path)
    with opened.writing() as rows:
        store.put_project(rows, card, "var/projects/big")
    return opened


# A million pictures, as fast as SQLite can count.
MILLION = """
WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < :count)
INSERT INTO assets (id, project_id, kind, path, sha256, size_bytes, media_type, width, height, is_last, created_at)
SELECT
    printf('%08x-0000-5000-8000-%012x', n, n), :project, CASE n % 2 WHEN 0 THEN 'input' ELSE 'imported' END,
    printf('imported/%08d.png', n), printf('%064x', n), 1000, 'image/png', 64, 96, 0,
    strftime('%Y-%m-%dT%H:%M:%fZ', 1767225600 + n / 10.0, 'unixepoch')
FROM counted
"""


def with_pictures(path: Path, count: int) -> tuple[store.Store, str]:
    card = ProjectCard(id=uuid4(), slug="many", name="many", created_at=now())
    opened = made_empty(path, card)
    with opened.writing() as rows:
        rows.exec_driver_sql(MILLION.replace(":count", "?").replace(":project", "?"), (count, str(card.id)))
    return opened, str(card.id)


@pytest.mark.benchmark
def test_a_page_is_as_fast_among_a_million_pictures_as_among_a_thousand(ratios, tmp_path) -> None:
    few, key_few = with_pictures(tmp_path / "few.db", 1_000)
    many, key_many = with_pictures(tmp_path / "many.db", 1_000_000)

    def record(opened: store.Store, key: str, number: int):
        with opened.reading() as rows:
            (found,) = store.list_assets(rows, key, AssetFilter(path=f"imported/{number:08d}.png"))
        return found

    def pages(opened: store.Store, key: str, after, which: AssetFilter = EVERY):
        def twenty(_: int) -> None:
            for _ in range(20):
                with opened.reading() as rows:
                    assert len(store.list_assets(rows, key, which, after=after)) == 60

        return twenty

    found = ratios(
        base=pages(few, key_few, record(few, key_few, 900)),
        rounds=15,
        newest=pages(many, key_many, None),
        shallow=pages(many, key_many, record(many, key_many, 999_000)),
        middle=pages(many, key_many, record(many, key_many, 500_000)),
        deepest=pages(many, key_many, record(many, key_many, 61)),
        inputs=pages(many, key_many, record(many, key_many, 1_000), AssetFilter(kind=AssetKind.INPUT)),
    )

    print("\n" + ", ".join(f"{name} {ratio:.2f}" for name, ratio in found.items()) + " x a page of a thousand")
    assert max(found.values()) <= 1.5


OPEN = "import sys, kroma_nb as kn; kn.open_workbench(sys.argv[1]).index.store"


@pytest.mark.benchmark
def test_opening_a_workbench_and_its_database_stays_light(ratios, big) -> None:
    def start(*command: object) -> None:
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)

    found = ratios(
        base=lambda _: start(sys.executable, "-c", "pass"),
        rounds=9,
        opened=lambda _: start(sys.executable, "-c", OPEN, big.home),
    )

    print(f"\nopening a workbench with its database: {found['opened']:.1f} x a bare Python start")
    assert found["opened"] <= 60


@pytest.mark.benchmark
def test_what_journal_and_store_add_to_a_run_is_a_small_part_of_it(photographs, tmp_path) -> None:
    bench = kn.open_workbench(tmp_path / "workspace")
    project = bench.create_project("ink")
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), photographs[number][:, :, ::-1])
    planned = plan(PlanRequest(project="ink", root=tmp_path, scene_refs=("0.png", "1.png"), candidates=2))
    bench.reindex()  # a new workspace makes its database once
    shares = []
    for number in range(3):
        start = time.perf_counter()
        events = list(run.execute(planned, root=project.root, painter=InkPainter()))
        played = time.perf_counter() - start
        run_id = events[0].run_id
        copy = run.RunFolder.create(tmp_path / f"copy-{number}", run_id, planned)
        start = time.perf_counter()
        bench.index.note(project, run_id)  # once when it starts, once when it ends
        bench.index.note(project, run_id)
        written_again(copy, planned, events)
        shares.append((time.perf_counter() - start) / played)

    print(f"\njournal, record and store are {min(shares):.2%} to {max(shares):.2%} of a run of four candidates")
    assert sorted(shares)[1] <= 0.05
    assert copy.log_path.read_bytes() == (project.root / "runs" / run_id / "run.json").read_bytes()


def written_again(folder: run.RunFolder, planned: Plan, events: list[Event]) -> None:
    """Write a run's journal and record as playing it does: waiting for the disk at its beginning and its end."""
    with open_journal(folder.journal_path) as journal:
        for number, event in enumerate(events):
            journal.append(event)
            if number in {0, len(events) - 1}:
                journal.sync()
    write_run_log(folder, planned)


def with_runs(folder: Path, count: int) -> Workbench:
    """A workspace with many runs, copies of one under other ids."""
    bench = kn.open_workbench(folder / "workspace")
    first = draw(bench, "many", write_scenes(folder / "scenes", 1, candidates=6))
    runs = bench.project("many").root / "runs"
    for number in range(1, count):
        run_id = f"{first[:-6]}{number:06x}"
        (runs / run_id).mkdir()
        shutil.copy(runs / first / "plan.json", runs / run_id)
        (runs / run_id / "run.json").write_text((runs / first / "run.json").read_text().replace(first, run_id))
    return bench


@pytest.mark.benchmark
def test_a_page_of_pictures_is_as_fast_among_a_thousand_runs_as_among_twenty(ratios, tmp_path) -> None:
    few, many = with_runs(tmp_path / "few", 20), with_runs(tmp_path / "many", 1_000)

    def pages(bench: Workbench):
        assets = bench.project("many").assets

        def hundred(_: int) -> None:
            for _ in range(100):
                assert len(assets.page()) == 60

        return hundred

    found = ratios(base=pages(few), rounds=7, many=pages(many))

    print(f"\na page through the handles, a thousand runs: {found['many']:.2f} x twenty runs")
    assert found["many"] <= 1.5


@pytest.mark.benchmark
def test_writing_a_run_does_not_wait_for_what_the_project_holds(ratios, tmp_path) -> None:
    few, many = with_runs(tmp_path / "few", 2), with_runs(tmp_path / "many", 2)
    project = many.project("many")
    with many.index.store.writing() as rows:
        values = (200_000, str(project.card.id))
        rows.exec_driver_sql(MILLION.replace(":count", "?").replace(":project", "?"), values)

    def note(bench: Workbench):
        project, run_id = bench.project("many"), bench.project("many").runs.ids[0]

        def twenty(_: int) -> None:
            for _ in range(20):
                bench.index.note(project, run_id)

        return twenty

    found = ratios(base=note(few), rounds=9, many=note(many))

    print(f"\nwriting a run beside 200,000 pictures: {found['many']:.2f} x in an empty project")
    assert found["many"] <= 2
