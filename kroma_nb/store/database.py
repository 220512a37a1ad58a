"""The database file: opened, checked, brought up to date, and spoken to in transactions."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kroma_nb.blobs import held
from kroma_nb.errors import DatabaseLocked, DatabaseNewer, DatabaseUnusable, DatabaseUnwritable
from kroma_nb.store.schema import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

APPLICATION_ID = 0x4B524E42  # "KRNB", where SQLite keeps whose file it is
OLDER = ("0001", "0002", "0003", "0004")
BUSY_S = 30.0

WRITE, READ, STILL = "mode=rw", "mode=ro", "immutable=1"
REBUILD = "move the file away and give `kroma reindex`: it is made again from the projects' files"
_SPOKEN = {
    "SQLITE_BUSY": (DatabaseLocked, "another program has held it for too long", "try again when that one has ended"),
    "SQLITE_LOCKED": (DatabaseLocked, "another program has held it for too long", "try again when that one has ended"),
    "SQLITE_READONLY": (DatabaseUnwritable, "it cannot be written", "check the permissions of the file and its folder"),
    "SQLITE_CANTOPEN": (DatabaseUnwritable, "it cannot be opened", "check the permissions of the file and its folder"),
    "SQLITE_NOTADB": (DatabaseUnusable, "it is no SQLite database, or a damaged one", REBUILD),
    "SQLITE_CORRUPT": (DatabaseUnusable, "it is damaged", REBUILD),
    "SQLITE_ERROR": (DatabaseUnusable, "its tables are not those of this version", REBUILD),
    "SQLITE_FULL": (DatabaseUnusable, "the disk is full", "free some space and give `kroma reindex`"),
    "SQLITE_IOERR": (DatabaseUnusable, "the disk fails", "check the disk and give `kroma reindex`"),
}


Rows = sa.Connection
"""A connection in a transaction, as every function of this room takes it."""


class Store:
    """An open database.

    Attributes
    ----------
    path : Path
        Its file.
    mode : str
        How it was opened: to write, only to read, or as a file that nobody writes.
    """

    def __init__(self, path: Path, *, busy_s: float = BUSY_S, mode: str = WRITE) -> None:
        self.path, self.busy_s, self.mode = path, busy_s, mode
        uri = f"{path.absolute().as_uri()}?{mode}"
        self.engine = sa.create_engine("sqlite://", creator=lambda: connected(uri, busy_s), poolclass=sa.pool.QueuePool)
        sa.event.listen(self.engine, "begin", _begin)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Read in one transaction: what it shows does not change meanwhile.

        Raises
        ------
        DatabaseUnusable
            With what is wrong and the way out.
        """
        with speaking(self.path), self.engine.connect() as rows, rows.begin():
            yield rows

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Write in one transaction; others wait for it, and see all of it or nothing.

        Raises
        ------
        DatabaseUnusable
            With what is wrong and the way out.
        """
        with speaking(self.path), self.engine.connect().execution_options(kroma_writes=True) as rows, rows.begin():
            yield rows

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_store(path: Path, *, busy_s: float = BUSY_S) -> Store:
    """Open the database of a workspace; it is made where there is none, and brought up to date where it is older.

    Parameters
    ----------
    path : Path
    busy_s : float, seconds
        How long to wait for another program that writes.

    Raises
    ------
    DatabaseUnusable
        If the file is another program's, damaged, cannot be read, or cannot be made.
    DatabaseNewer
        If a newer kroma_nb has made it.
    DatabaseLocked
        If another program holds it.
    """
    if not path.exists():
        _make(path)
    store, found = _opened(path, busy_s)
    if found == HEAD:
        return store
    if store.mode != WRITE:
        problem = (
            f"an older kroma_nb has made it (migration {found}), and it cannot be brought up to date where it lies"
        )
        raise DatabaseUnwritable(path, problem, "copy the workspace to where it can be written")
    _bring_up_to_date(path)
    return store


def _opened(path: Path, busy_s: float) -> tuple[Store, str | None]:
    """Open a database as well as its place allows: to write, to read, or as a file that nobody writes.

    Raises
    ------
    DatabaseUnusable
        If it can be opened in none of these ways.
    """
    journal = path.with_name(f"{path.name}-wal")
    # Without its log, which others may be writing, a file must never be taken for one that does not change.
    still = not journal.exists() or journal.stat().st_size == 0
    refused: DatabaseUnwritable | None = None
    for mode in (WRITE, READ, STILL) if still else (WRITE, READ):
        store = Store(path, busy_s=busy_s, mode=mode)
        try:
            return store, _revision(store)
        except DatabaseUnwritable as error:
            store.close()
            refused = error
    assert refused is not None
    raise refused


def _make(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f".{path.name}.lock")
        with held(lambda: lock.open("wb", buffering=0), path):
            if not path.exists():
                # A log that a deleted database has left would be played into the new one.
                for ending in ("-wal", "-shm"):
                    path.with_name(path.name + ending).unlink(missing_ok=True)
                path.touch()
    except OSError as cause:
        problem = f"it cannot be made: {cause.strerror or cause}"
        raise DatabaseUnusable(path, problem, "check the permissions of its folder") from cause


def connected(uri: str, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """Connect to a file, foreign keys on, transactions as they are asked for."""
    connection = sqlite3.connect(uri, uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    # In WAL mode a power cut may lose the newest rows, never the file; rows are made again from files.
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _begin(rows: sa.Connection) -> None:
    # A writer that first reads could otherwise lose its turn in the middle.
    writes = rows.get_execution_options().get("kroma_writes", False)
    rows.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def speaking(path: Path) -> Iterator[None]:
    """Turn what the driver says into an error that names the file and the way out."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        cause: Any = error.orig if isinstance(error, DBAPIError) else error
        name = getattr(cause, "sqlite_errorname", None) or ""
        kind = next((spoken for key, spoken in _SPOKEN.items() if name.startswith(key)), None)
        if kind is None:
            raise
        leaf, problem, way_out = kind
        raise leaf(path, problem, way_out) from error


def _revision(store: Store) -> str | None:
    """Give the migration that a database stands at; None for an empty one."""
    with store.reading() as rows:
        owner = rows.exec_driver_sql("PRAGMA application_id").scalar_one()
        tables = set(rows.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'table'")))
        if not tables and owner in {0, APPLICATION_ID}:
            return None
        if owner != APPLICATION_ID or "alembic_version" not in tables:
            hint = "; give `kroma import-kroma` its projects" if {"app_users", "projects"} <= tables else ""
            raise DatabaseUnusable(store.path, f"it is a database of another program{hint}", "move it elsewhere")
        found = rows.scalars(sa.text("SELECT version_num FROM alembic_version")).one_or_none()
    if found is not None and found not in {*OLDER, HEAD}:
        problem = f"a newer kroma_nb has made it (migration {found}; this one knows {HEAD})"
        raise DatabaseNewer(store.path, problem, "update kroma_nb, or name another workspace")
    return found


def _bring_up_to_date(path: Path) -> None:
    from kroma_nb.store.migrating import upgrade  # noqa: PLC0415 - Alembic is heavy, and seldom needed

    with speaking(path):
        upgrade(path)
