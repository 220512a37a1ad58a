"""Bringing a database up to date: one writer, one transaction, a copy of the older file beside it."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from kroma_nb.errors import DatabaseUnusable
from kroma_nb.model.run import now
from kroma_nb.store.database import APPLICATION_ID, BUSY_S, REBUILD, connected
from kroma_nb.store.schema import HEAD

SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(path: Path) -> None:
    """Bring a database to the newest migration; of several processes one does it, and the others find it done.

    Raises
    ------
    DatabaseUnusable
        If the migrated rows would not hold together; the file stays as it was.
    """
    _keep_a_log(path)
    engine = sa.create_engine("sqlite://", creator=lambda: connected(f"{path.absolute().as_uri()}?mode=rw"))
    sa.event.listen(engine, "begin", lambda rows: rows.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.connect() as rows:
        # Tables are made anew while they are migrated; that they hold together is checked at the end.
        rows.connection.dbapi_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
        with rows.begin():
            _upgrade(rows, path)
    engine.dispose()


def _upgrade(rows: sa.Connection, path: Path) -> None:
    known = "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
    found = rows.scalar(sa.text("SELECT version_num FROM alembic_version")) if rows.scalar(sa.text(known)) else None
    if found == HEAD:
        return
    if found is not None:
        _keep_a_copy(path, found)
    command.upgrade(config(rows), "head")
    rows.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    if rows.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise DatabaseUnusable(path, f"its rows from migration {found} do not hold together", REBUILD)


def config(rows: sa.Connection) -> Config:
    """Give Alembic's configuration for a connection that is in a transaction."""
    made = Config(attributes={"connection": rows})
    made.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return made


def _keep_a_copy(path: Path, revision: str) -> None:
    copy = path.with_name(f"{path.name}.{revision}-{now():%Y%m%dT%H%M%SZ}.bak")
    with closing(sqlite3.connect(path, timeout=BUSY_S)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _keep_a_log(path: Path) -> None:
    """Switch to the write-ahead log; SQLite does not wait for others here, so this does."""
    until = time.monotonic() + BUSY_S
    with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as rows:
        while True:
            try:
                rows.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return
