"""Reads the predecessor's database through a copy, so that nothing is written to it or beside it."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kroma_nb.errors import FileMissing, ImportInvalid
from kroma_nb.exchange.fields import moment_of, text_of
from kroma_nb.exchange.kroma_rows import LEFT, TABLES, Tables, costs_by_run, runs_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kroma_nb.exchange.kroma_rows import KromaRun

MAGIC = b"SQLite format 3\x00"
# What stands beside a database while it is written; `-shm` is made anew from the log.
_BESIDE = ("", "-wal", "-journal")
_TRIES = 3


@dataclass(frozen=True, slots=True)
class KromaProject:
    """A row of ``projects``, and the folders that ``project_storage`` names for it, as written."""

    id: str
    slug: str
    name: str
    description: str
    archived: bool
    created_at: datetime | None
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KromaAsset:
    """A row of ``assets``; its path as written."""

    id: str
    project_id: str
    path: str
    kind: str
    sha256: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class KromaLink:
    """A row of ``asset_links``."""

    project_id: str
    parent_id: str
    child_id: str
    type: str


@dataclass(frozen=True, slots=True)
class LeftTable:
    """A table that is not imported: how many rows it has, why, and what they are called."""

    name: str
    rows: int
    why: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KromaDatabase:
    """What can be used of a database.

    Attributes
    ----------
    problems : tuple of ImportInvalid
        Tables that cannot be read, each with its name and what is missing.
    """

    name: str
    projects: tuple[KromaProject, ...]
    runs: tuple[KromaRun, ...]
    assets: tuple[KromaAsset, ...]
    links: tuple[KromaLink, ...]
    left: tuple[LeftTable, ...]
    problems: tuple[ImportInvalid, ...]


def read_database(path: Path) -> KromaDatabase:
    """Read an ``app.db``.

    The file and its write-ahead log are copied to a temporary folder that only this user can enter, and the copy is
    read: SQLite would make files beside a database in WAL mode, also when it only reads. A table that lacks a needed
    column is named in ``problems``; the others are read all the same.

    Raises
    ------
    FileMissing
        If the file is not there or cannot be read.
    ImportInvalid
        If it is no database, is damaged as a whole, is none of Kroma, or changes while it is copied.
    """
    with _copy(path) as copy, closing(sqlite3.connect(copy)) as connection:
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA query_only = ON")
            rows = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
            names = [str(name) for (name,) in rows]
        except sqlite3.Error as cause:
            raise ImportInvalid(str(path), "", f"it cannot be read: {cause}", "name a database of Kroma") from None
        return _read(connection, path, names)


def _read(connection: sqlite3.Connection, path: Path, names: list[str]) -> KromaDatabase:
    problems: list[ImportInvalid] = []
    read: Tables = {}
    for table in TABLES:
        if table in names:
            try:
                read[table] = _rows(connection, path, table)
            except ImportInvalid as problem:
                problems.append(problem)
    if not read:
        field, what = (problems[0].field, problems[0].problem) if problems else ("", "it has no table of Kroma")
        raise ImportInvalid(str(path), field, what, "name a database of Kroma, such as var/backend/app.db")
    costs = costs_by_run(read)
    return KromaDatabase(
        name=path.name,
        projects=_projects(read),
        runs=tuple(runs_of(read, costs)),
        assets=_assets(read),
        links=_links(read),
        left=tuple(_left(connection, names)),
        problems=tuple(problems),
    )


@contextmanager
def _copy(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kroma-import-") as folder:
        copy = Path(folder) / "app.db"
        for _ in range(_TRIES):
            before = _state(path)
            for suffix in _BESIDE:
                _copy_one(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix), needed=not suffix)
            if _state(path) == before:
                break
        else:
            raise ImportInvalid(str(path), "", "it changes while it is read", "stop Kroma, then import again")
        yield copy


def _state(path: Path) -> list[tuple[int, int] | None]:
    found: list[tuple[int, int] | None] = []
    for suffix in _BESIDE:
        try:
            stat = path.with_name(path.name + suffix).stat()
            found.append((stat.st_size, stat.st_mtime_ns))
        except OSError:
            found.append(None)
    return found


def _copy_one(source: Path, target: Path, *, needed: bool) -> None:
    target.unlink(missing_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError as cause:
        if needed:
            raise FileMissing(source, "the import", cause.strerror or str(cause)) from None
    except OSError as cause:
        raise FileMissing(source, "the import", cause.strerror or str(cause)) from cause


def _rows(connection: sqlite3.Connection, path: Path, table: str) -> list[dict[str, Any]]:
    """Read the known columns of a table in the order in which its rows were written."""
    needed, others = TABLES[table]
    try:
        there = [str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")')]
        missing = [column for column in needed if column not in there]
        if missing:
            problem = f"the column {', '.join(missing)} is missing; no row of the table {table} can be used"
            way_out = "open the database once with the last version of Kroma, which adds its columns"
            raise ImportInvalid(str(path), f"{table}.{missing[0]}", problem, way_out)
        columns = [column for column in (*needed, *others) if column in there]
        listed = ", ".join(f'"{column}"' for column in columns)
        cursor = connection.execute(f'SELECT {listed} FROM "{table}" ORDER BY rowid')  # noqa: S608 - our own names
        return [dict(zip(columns, row, strict=True)) for row in cursor]
    except sqlite3.Error as cause:
        problem = f"the table {table} cannot be read: {cause}"
        raise ImportInvalid(str(path), table, problem, "mend the database, or restore it from a copy") from None


def _projects(read: Tables) -> tuple[KromaProject, ...]:
    storage: dict[str, list[str]] = {}
    for row in read.get("project_storage", ()):
        base = text_of(row.get("local_base_dir"))
        folders = storage.setdefault(str(row["project_id"]), [])
        folders += filter(None, (text_of(row.get("local_project_root")), f"{base}/" if base else ""))
    return tuple(_project(row, storage.get(str(row["id"]), [])) for row in read.get("projects", ()))


def _project(row: dict[str, Any], folders: list[str]) -> KromaProject:
    slug = text_of(row["slug"])
    return KromaProject(
        id=str(row["id"]),
        slug=slug,
        name=text_of(row.get("name")) or slug,
        description=text_of(row.get("description")),
        archived=text_of(row.get("status")).lower() == "archived",
        created_at=moment_of(row.get("created_at")),
        # A base folder ends in a slash: the project's own lies in it by its slug.
        folders=tuple(f"{folder}{slug}" if folder.endswith("/") else folder for folder in folders),
    )


def _assets(read: Tables) -> tuple[KromaAsset, ...]:
    return tuple(
        KromaAsset(
            id=str(row["id"]),
            project_id=str(row["project_id"]),
            path=(text_of(row.get("rel_path")) or text_of(row.get("storage_uri"))).replace("\\", "/"),
            kind=text_of(row.get("asset_kind")) or text_of(row.get("kind")),
            sha256=_sha256(row.get("sha256")),
            created_at=moment_of(row.get("created_at")),
        )
        for row in read.get("assets", ())
    )


def _sha256(value: Any) -> str:
    written = text_of(value).lower()
    return written if re.fullmatch(r"[0-9a-f]{64}", written) else ""


def _links(read: Tables) -> tuple[KromaLink, ...]:
    return tuple(
        KromaLink(
            str(row["project_id"]), str(row["parent_asset_id"]), str(row["child_asset_id"]), text_of(row["link_type"])
        )
        for row in read.get("asset_links", ())
    )


def _left(connection: sqlite3.Connection, names: list[str]) -> Iterator[LeftTable]:
    for table in sorted(set(names) - set(TABLES)):
        why = LEFT.get(table, "it is no table of Kroma")
        quoted = '"' + table.replace('"', '""') + '"'
        try:
            count = int(connection.execute(f"SELECT count(*) FROM {quoted}").fetchone()[0])  # noqa: S608 - quoted
            called = _names(connection, table) if table in LEFT else ()
        except sqlite3.Error as cause:
            count, called, why = 0, (), f"{why}; it could not be counted: {cause}"
        if count:
            yield LeftTable(table, count, why, called)


def _names(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    columns = {"provider_accounts": "provider_code", "reference_set_items": "label"}
    column = columns.get(table, "name")
    there = {str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")')}
    if table not in NAMED or column not in there:
        return ()
    return tuple(text_of(row[0]) for row in connection.execute(f'SELECT "{column}" FROM "{table}" ORDER BY 1'))  # noqa: S608 - our own names


# What an artist made by hand: the report says how each row is called. Nothing else is read of these tables.
NAMED = frozenset(
    {"style_guides", "characters", "prompt_templates", "reference_sets", "reference_set_items", "provider_accounts"}
)
