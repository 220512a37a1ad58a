"""The predecessor's database: read as it stands, and left as it is."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from predecessor import SECRET, OldStudio, candidate, everything, insert, job, run_log

from kroma_nb.errors import FileMissing, ImportInvalid
from kroma_nb.exchange import read_database, read_log

LOG = run_log(job("style_1_quay", [candidate(1, "var/projects/noir/outputs/a.png")], "photos/quay.png"))


@pytest.fixture
def filled(old: OldStudio) -> OldStudio:
    with closing(old.connect()) as connection:
        old.fill(connection)
        old.ingest(connection, LOG, "r1", "var/projects/noir/runs/run_1714558272-345.json")
    return old


def test_projects_runs_and_what_is_left_are_read(filled: OldStudio) -> None:
    found = read_database(filled.database)

    assert [(p.slug, p.name, p.description, p.archived) for p in found.projects] == [
        ("noir", "Noir City", "Rain and ink.", False)
    ]
    assert [run.log_path for run in found.runs] == ["var/projects/noir/runs/run_1714558272-345.json"]
    assert {table.name: (table.rows, table.names) for table in found.left} == {
        "project_secrets": (1, ()),
        "style_guides": (1, ("Ash and Ink",)),
        "users": (1, ()),
    }
    assert found.problems == ()
    assert SECRET not in repr(found)


def test_a_run_whose_log_is_gone_is_made_again_of_its_rows(filled: OldStudio) -> None:
    (run,) = read_database(filled.database).runs

    log = read_log(run.record, name="rows")

    assert (log.project, log.model, log.stage.value) == ("noir", "gpt-image-1", "style")
    assert log.timestamp is not None
    assert log.timestamp.microsecond == 345_000
    assert log.jobs == read_log(json.dumps(LOG).encode(), name="log").jobs


def test_rows_without_the_logs_own_words_give_the_run_too(filled: OldStudio) -> None:
    with closing(sqlite3.connect(filled.database)) as connection:
        connection.execute("UPDATE run_jobs SET meta_json = NULL")
        connection.execute("UPDATE runs SET meta_json = 'torn {', settings_snapshot_json = NULL")
        connection.commit()

    (run,) = read_database(filled.database).runs
    (made,) = read_log(run.record, name="rows").jobs

    assert (made.id, made.prompt, made.selected) == ("style_1_quay", "One noir drawing hand.", 1)
    assert made.candidates[0].final_output == "var/projects/noir/outputs/a.png"


def test_the_candidate_that_was_made_up_for_a_dry_job_is_none(old: OldStudio) -> None:
    planned = job("style_1_quay", [], "photos/quay.png", status="planned")
    with closing(old.connect()) as connection:
        old.fill(connection)
        old.ingest(connection, run_log(planned, mode="dry"), "r1", "var/projects/noir/runs/run_1.json")

    (run,) = read_database(old.database).runs

    assert read_log(run.record, name="rows").jobs[0].candidates == ()


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_database_that_is_in_use_is_read_and_nothing_beside_it_changes(filled: OldStudio, journal: str) -> None:
    with closing(sqlite3.connect(filled.database)) as writer:
        writer.execute(f"PRAGMA journal_mode = {journal}")
        writer.execute("UPDATE projects SET name = 'In use'")
        writer.commit()
        writer.execute("UPDATE projects SET name = 'Not yet'")
        before = everything(filled.root)

        found = read_database(filled.database)

        assert found.projects[0].name == "In use"
        assert everything(filled.root) == before


def test_a_database_in_wal_mode_that_nobody_uses_gets_no_files_beside_it(filled: OldStudio) -> None:
    assert [path.name for path in filled.database.parent.iterdir()] == ["app.db"]
    before = everything(filled.root)

    read_database(filled.database)

    assert everything(filled.root) == before


@pytest.mark.parametrize(
    ("table", "column"),
    [("projects", "slug"), ("runs", "project_id"), ("run_jobs", "run_id"), ("assets", "project_id")],
)
def test_a_missing_column_is_named_with_table_and_file_and_the_rest_is_read(
    filled: OldStudio, table: str, column: str
) -> None:
    with closing(sqlite3.connect(filled.database)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.executescript(f"DROP TABLE {table}; CREATE TABLE {table} (id TEXT PRIMARY KEY, other TEXT)")

    found = read_database(filled.database)

    (problem,) = found.problems
    assert problem.file == str(filled.database)
    assert problem.field == f"{table}.{column}"
    assert column in str(problem)
    assert bool(found.projects) is (table != "projects")
    assert bool(found.runs) is (table != "runs")
    if table == "run_jobs":
        assert found.runs[0].record == b""


def test_columns_that_came_later_may_be_missing(old: OldStudio) -> None:
    old.database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(old.database)) as connection:
        connection.executescript(
            """CREATE TABLE projects (id TEXT PRIMARY KEY, slug TEXT);
            CREATE TABLE runs (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, status TEXT, stage TEXT, created_at TEXT);
            CREATE TABLE run_jobs (id TEXT PRIMARY KEY, run_id TEXT NOT NULL, job_key TEXT, status TEXT);
            CREATE TABLE run_job_candidates (id TEXT PRIMARY KEY, job_id TEXT NOT NULL, candidate_index INTEGER,
              status TEXT, output_path TEXT, final_output_path TEXT);
            CREATE TABLE assets (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, kind TEXT, storage_uri TEXT);"""
        )
        insert(connection, "projects", ("p1", "noir"))
        insert(connection, "runs", ("r1", "p1", "ok", "style", "2024-05-01T10:11:12Z"))
        insert(connection, "run_jobs", ("j1", "r1", "quay", "done"))
        insert(connection, "run_job_candidates", ("c1", "j1", 1, "done", "outputs/a.png", "outputs/a.png"))
        insert(connection, "assets", ("a1", "p1", "upload", "uploads/x.png"))
        connection.commit()

    found = read_database(old.database)

    assert found.problems == ()
    assert [(asset.path, asset.kind) for asset in found.assets] == [("uploads/x.png", "upload")]
    assert read_log(found.runs[0].record, name="rows").jobs[0].selected == 1


def test_the_costs_of_a_run_are_read_in_micro_dollars(filled: OldStudio) -> None:
    with closing(sqlite3.connect(filled.database)) as connection:
        for number, dollars in enumerate((0.04, -3.0)):
            row = (f"e{number}", "p1", "r1", "j", "openai", None, "image_generation", 1.0, 0.04, dollars, "USD", "{}")
            insert(connection, "cost_events", (*row, "2024-05-01T10:11:12Z"))
        connection.commit()

    (run,) = read_database(filled.database).runs

    assert [(cost.total_cost.micro_usd, cost.model) for cost in run.costs] == [(40_000, "gpt-image-1")]
    assert run.uncounted == 1


def test_what_is_no_database_of_kroma_is_refused_with_its_reason(old: OldStudio) -> None:
    def refused(name: str, data: bytes) -> str:
        path = old.root / name
        path.write_bytes(data)
        with pytest.raises(ImportInvalid) as error:
            read_database(path)
        return str(error.value)

    with closing(sqlite3.connect(old.root / "other.db")) as connection:
        connection.execute("CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT)")
    other = (old.root / "other.db").read_bytes()

    assert "not a database" in refused("text.db", b"this is no database " * 100)
    assert "no table of Kroma" in refused("songs.db", other)
    assert "no table of Kroma" in refused("empty.db", b"")
    assert refused("cut.db", other[: len(other) // 2 - 700])
    with pytest.raises(FileMissing):
        read_database(old.root / "none.db")


def test_a_table_that_is_damaged_inside_is_named_and_the_others_are_read(filled: OldStudio) -> None:
    with closing(sqlite3.connect(filled.database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'assets'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    data = bytearray(filled.database.read_bytes())
    data[(page - 1) * size : page * size] = b"\x55" * size
    filled.database.write_bytes(data)

    found = read_database(filled.database)

    assert [problem.field for problem in found.problems] == ["assets"]
    assert found.projects[0].slug == "noir"
    assert len(found.runs) == 1


def test_text_that_is_not_utf8_does_not_stop_the_reading(filled: OldStudio) -> None:
    with closing(sqlite3.connect(filled.database)) as connection:
        connection.execute("UPDATE projects SET name = CAST(x'ff41' AS TEXT)")
        connection.commit()

    assert read_database(filled.database).projects[0].name == "\ufffdA"


def test_views_and_triggers_of_a_strange_database_are_not_run(old: OldStudio, tmp_path: Path) -> None:
    with closing(sqlite3.connect(old.root / "app.db")) as connection:
        connection.executescript("CREATE VIEW projects AS SELECT 1 AS id, 'noir' AS slug; CREATE TABLE runs (id)")

    with pytest.raises(ImportInvalid, match="project_id"):
        read_database(old.root / "app.db")


KILLED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute(f"PRAGMA journal_mode = {sys.argv[2]}")
connection.execute("PRAGMA cache_size = 2")
connection.execute("UPDATE projects SET name = 'Saved'")
connection.commit()
connection.execute("UPDATE projects SET name = 'Torn'")
for number in range(400):
    connection.execute("INSERT INTO assets (id, project_id, rel_path) VALUES (?, 'p1', ?)", (f"x{number}", "y" * 900))
os._exit(1)
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_what_a_killed_program_had_saved_is_read_and_what_it_left_beside_stays(filled: OldStudio, journal: str) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(filled.database), journal], check=False)
    assert len(list(filled.database.parent.iterdir())) > 1
    before = everything(filled.root)

    found = read_database(filled.database)

    assert found.projects[0].name == "Saved"
    assert found.assets == ()
    assert everything(filled.root) == before
