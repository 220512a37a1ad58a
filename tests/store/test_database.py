"""The database file: made, checked, brought up to date, refused."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from studio import draw, dump, write_scenes

import kroma_nb as kn
from kroma_nb import store
from kroma_nb.errors import DatabaseLocked, DatabaseNewer, DatabaseUnusable
from kroma_nb.store import database, migrating, schema
from kroma_nb.workbench import Workbench
from kroma_nb.workbench.index import IndexBehind


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """A workspace with one run of one scene."""
    bench = kn.open_workbench(tmp_path / "workspace")
    draw(bench, "noir", write_scenes(tmp_path / "scenes", 1))
    return bench


def again(bench: Workbench) -> Workbench:
    bench.index.store.close()
    return kn.open_workbench(bench.home)


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    opened = store.open_store(tmp_path / "kroma.db")

    with opened.reading() as rows:
        context = MigrationContext.configure(rows, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, schema.metadata) == []
        checks = {
            name: sorted(re.findall(r"CHECK \((.*)\)", sql))
            for name, sql in rows.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        }
        wanted = {
            table.name: sorted(str(c.sqltext) for c in table.constraints if isinstance(c, sa.CheckConstraint))
            for table in schema.metadata.tables.values()
        }
        assert {name: checks[name] for name in wanted} == wanted


def test_the_newest_migration_is_the_one_that_the_code_names(bench: Workbench) -> None:
    with bench.index.store.reading() as rows:
        script = ScriptDirectory.from_config(migrating.config(rows))

        assert script.get_current_head() == schema.HEAD
        assert {step.revision for step in script.walk_revisions()} == {*database.OLDER, schema.HEAD}


def test_the_log_is_write_ahead_and_foreign_keys_are_on(bench: Workbench) -> None:
    with bench.index.store.reading() as rows:
        assert rows.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert rows.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert rows.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert rows.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


RUNS = ("projects", "project_storage", "runs", "run_jobs", "run_candidates")


def made_by(
    revision: str, path: Path, rows: dict[str, list[tuple[object, ...]]], tables: tuple[str, ...] = RUNS
) -> None:
    """Make a database as an older kroma_nb did, and fill it with what fits into its columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.upgrade(migrating.config(connection), revision)
        connection.exec_driver_sql(f"PRAGMA application_id = {database.APPLICATION_ID}")
        for name in tables:
            columns = sa.inspect(connection).get_columns(name)
            for row in rows[name]:
                given = row[: len(columns)]
                marks = ", ".join("?" * len(given))
                connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({marks})", given)
    engine.dispose()


@pytest.mark.parametrize("revision", database.OLDER)
def test_an_older_database_is_migrated_with_a_copy_of_it_beside(revision: str, bench: Workbench) -> None:
    wanted = dump(bench.index.path)
    bench.index.store.close()
    for path in bench.index.path.parent.glob("kroma.db*"):
        path.unlink()
    made_by(revision, bench.index.path, wanted)
    older = dump(bench.index.path)

    opened = kn.open_workbench(bench.home)
    with opened.index.store.reading() as rows:
        assert rows.scalar(sa.text("SELECT version_num FROM alembic_version")) == schema.HEAD
    opened.index.catch_up(opened.projects)

    (copy,) = bench.index.path.parent.glob("kroma.db.*.bak")
    assert f".{revision}-" in copy.name
    assert dump(copy) == older
    assert dump(opened.index.path) == wanted


def test_a_page_that_was_given_to_a_later_run_is_linked_when_an_older_database_is_migrated(
    bench: Workbench, tmp_path: Path
) -> None:
    noir = bench.project("noir")
    page = noir.runs["latest"].winners[0].stored
    draw(bench, "noir", tmp_path / "scenes", scene_refs=(str(noir.root / page.path),))
    wanted = dump(bench.index.path)
    (copy,) = [asset.record for asset in noir.assets.where(kind="input") if asset.record.sha256 == page.sha256]
    bench.index.store.close()
    for path in bench.index.path.parent.glob("kroma.db*"):
        path.unlink()
    links = [row for row in wanted["asset_links"] if str(copy.id) != row[2]]
    tables = (*RUNS, "assets", "run_inputs", "asset_links")
    made_by("0004", bench.index.path, wanted | {"asset_links": links}, tables)

    _ = kn.open_workbench(bench.home).index.store

    assert len(wanted["asset_links"]) == len(links) + 1
    assert dump(bench.index.path)["asset_links"] == wanted["asset_links"]


def test_a_migration_that_fails_leaves_the_file_as_it_was(bench: Workbench) -> None:
    wanted = dump(bench.index.path)
    bench.index.store.close()
    for path in bench.index.path.parent.glob("kroma.db*"):
        path.unlink()
    made_by(database.OLDER[0], bench.index.path, wanted)
    with closing(sqlite3.connect(bench.index.path)) as rows:
        rows.execute("UPDATE run_jobs SET run_id = 'nobody'")
        rows.commit()
    older = dump(bench.index.path)

    with pytest.raises(DatabaseUnusable, match="do not hold together"):
        _ = kn.open_workbench(bench.home).index.store

    assert dump(bench.index.path) == older


def test_a_newer_database_is_refused_and_untouched(bench: Workbench) -> None:
    with bench.index.store.writing() as rows:
        rows.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    before = dump(bench.index.path)

    with pytest.raises(DatabaseNewer, match=r"9999.*update kroma_nb"):
        again(bench).project("noir").runs.rows()

    assert dump(bench.index.path) == before


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as rows:
        rows.execute("CREATE TABLE songs (title TEXT)")
        rows.commit()


def predecessors(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as rows:
        rows.execute("CREATE TABLE projects (id TEXT)")
        rows.execute("CREATE TABLE app_users (id TEXT)")
        rows.commit()


def no_database(path: Path) -> None:
    path.write_text("Dear diary,\n" * 500)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribbled_on(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data)


SPOILED = {
    "another program's": (foreign, "another program"),
    "the predecessor's": (predecessors, "kroma import-kroma"),
    "no database": (no_database, "no SQLite database"),
    "cut off": (cut_off, "damaged"),
    "scribbled on": (scribbled_on, "damaged"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_file_that_is_no_index_is_named_with_the_way_out_and_everything_else_works(
    case: str, bench: Workbench, tmp_path: Path
) -> None:
    spoil, said = SPOILED[case]
    bench.index.store.close()
    for path in bench.index.path.parent.glob("kroma.db-*"):
        path.unlink()
    spoil(bench.index.path)
    before = bench.index.path.read_bytes()
    opened = kn.open_workbench(bench.home)
    noir = opened.project("noir")

    with pytest.raises(DatabaseUnusable, match=said) as refused:
        noir.assets.page()
    with pytest.warns(IndexBehind, match="its files stay as they are"):
        run_id = draw(opened, "noir", tmp_path / "scenes")

    assert str(bench.index.path) in str(refused.value)
    assert noir.runs[run_id].status == "ok"
    assert len(noir.runs["latest"].frame()) == 2
    assert str(refused.value.problem) in repr(noir)
    assert run_id in repr(noir.runs)
    assert bench.index.path.read_bytes() == before


def test_a_damaged_database_that_is_moved_away_is_made_again(bench: Workbench) -> None:
    wanted = dump(bench.index.path)
    bench.index.store.close()
    no_database(bench.index.path)

    bench.index.path.rename(bench.index.path.with_name("damaged"))
    opened = kn.open_workbench(bench.home)
    opened.reindex()

    assert dump(opened.index.path) == wanted


def test_a_database_that_another_program_holds_is_named_after_a_while(bench: Workbench, tmp_path: Path) -> None:
    holder = sqlite3.connect(bench.index.path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    impatient = store.open_store(bench.index.path, busy_s=0.2)
    with pytest.raises(DatabaseLocked, match=r"held it for too long; try again"), impatient.writing():
        pass

    # Readers do not wait for a writer, and the writer's turn comes when the other ends.
    assert len(bench.project("noir").runs.rows()) == 1
    threading.Timer(0.5, holder.execute, ["ROLLBACK"]).start()
    draw(bench, "noir", tmp_path / "scenes")
    assert len(bench.project("noir").runs.rows()) == 2
    holder.close()


READER = """
import os, sys
import kroma_nb as kn
from kroma_nb.errors import KromaError
import kroma_nb.store.migrating, kroma_nb.workbench.frames
if os.getuid() == 0:
    os.setuid(65534)  # permissions do not bind root
noir = kn.open_workbench(sys.argv[1]).project("noir")
print(len(noir.assets.page()), noir.runs["latest"].status.value)
try:
    noir.runs["latest"].delete(force=True)
except KromaError as error:
    print(type(error).__name__, error)
"""


def test_a_workspace_that_may_not_be_written_can_be_read(bench: Workbench) -> None:
    bench.index.store.close()
    for path in [bench.home, *bench.home.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    reachable = bench.home
    while reachable != reachable.parent:
        reachable.chmod(reachable.stat().st_mode | 0o055)
        reachable = reachable.parent

    said = subprocess.run(
        [sys.executable, "-c", READER, str(bench.home)], capture_output=True, text=True, timeout=60, check=False
    )

    assert said.stdout.splitlines()[0] == "4 ok", said.stderr
    assert "cannot be deleted" in said.stdout


def test_what_a_deleted_database_leaves_in_its_log_is_not_played_into_the_new_one(bench: Workbench) -> None:
    wanted = dump(bench.index.path)
    with bench.index.store.reading():  # somebody has it open, so that its log is not folded into it
        bench.index.path.unlink()
        assert bench.index.path.with_name("kroma.db-wal").stat().st_size > 0

        opened = kn.open_workbench(bench.home)
        opened.reindex()

    with opened.index.store.reading() as rows:
        assert rows.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert dump(opened.index.path) == wanted


def test_a_database_that_is_deleted_under_an_open_workbench_is_made_again(bench: Workbench) -> None:
    wanted = bench.project("noir").runs.rows()

    for path in bench.index.path.parent.glob("kroma.db*"):
        path.unlink()

    assert bench.project("noir").runs.rows() == wanted


OPENER = """
import sys
import kroma_nb as kn
_ = kn.open_workbench(sys.argv[1]).index.store
"""


def test_several_processes_that_open_a_new_workspace_at_once_make_one_database(tmp_path: Path) -> None:
    commands = [[sys.executable, "-W", "error", "-c", OPENER, str(tmp_path / "new")] for _ in range(6)]

    opened = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]

    assert [(process.communicate(timeout=60)[1], process.returncode) for process in opened] == [("", 0)] * 6
    assert not list((tmp_path / "new/var").glob("*.bak"))


def test_a_link_into_another_project_is_refused_by_the_database_itself(bench: Workbench, tmp_path: Path) -> None:
    draw(bench, "dawn", tmp_path / "scenes")
    noir, dawn = (bench.project(slug) for slug in ("noir", "dawn"))
    mine, theirs = noir.assets.page()[0].record, dawn.assets.page()[0].record

    link = {
        "project_id": str(noir.card.id),
        "parent_id": str(theirs.id),
        "child_id": str(mine.id),
        "link_type": "derived_from",
    }
    with pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"), bench.index.store.writing() as rows:
        rows.execute(sa.insert(schema.asset_links), link)


def test_a_status_that_is_not_in_the_list_is_refused_by_the_database_itself(bench: Workbench) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="status_known"), bench.index.store.writing() as rows:
        rows.execute(sa.update(schema.runs).values(status="fine"))


def test_rows_go_with_what_they_belong_to(bench: Workbench) -> None:
    key = str(bench.project("noir").card.id)

    with bench.index.store.writing() as rows:
        store.clear_project(rows, key)

    assert {name for name, left in dump(bench.index.path).items() if left} == set()


def test_a_workspace_without_projects_gets_no_database(tmp_path: Path) -> None:
    bench = kn.open_workbench(tmp_path)

    shown = repr(bench), repr(bench.projects), len(bench.projects), bench.projects.rows()

    assert "None yet" in shown[0]
    assert list(tmp_path.iterdir()) == []


def test_a_database_on_a_full_disk_is_named_and_the_run_is_kept(tmp_path: Path, bench: Workbench) -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, 8_192))\n"
    code += "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n" + OPENER
    shutil.rmtree(tmp_path / "new", ignore_errors=True)

    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "new")], capture_output=True, text=True, timeout=60, check=False
    )

    assert "DatabaseUnusable" in said.stderr.splitlines()[-1]
    assert "kroma.db" in said.stderr.splitlines()[-1]
