"""Writes the folder of an imported run, as a whole or not at all, and finds it again."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from typing import TYPE_CHECKING

from kroma_nb import run
from kroma_nb.blobs import BlobStore, atomic_file, locked_folder, sha256_file, write_atomic
from kroma_nb.errors import ContentDamaged, FileMissing, FolderTaken, RecordInvalid, WriteFailed
from kroma_nb.workbench.imported_runs import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from kroma_nb.exchange import Found
    from kroma_nb.workbench.imported_runs import Prepared

RECORD = "imported.json"
INCOMING = ".incoming-"
# How the source of a run begins that was made of a database's rows.
ROWS = "app.db: runs "


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep other imports out of a project, and remove what killed ones have left in it.

    Raises
    ------
    WriteFailed
        If the project's folder of runs cannot be made.
    """
    with locked_folder(root / "runs") as held:
        if held:
            clear_incoming(root)
        yield


def imported_before(root: Path) -> dict[str, list[Path]]:
    """Give the imported runs of a project by the last part of their id, which begins their record's sha256."""
    found: dict[str, list[Path]] = {}
    for folder in run.run_folders(root):
        if (folder / RECORD).is_file():
            found.setdefault(folder.name[-6:], []).append(folder)
    return found


def find_run(before: Mapping[str, list[Path]], sha256: str) -> str | None:
    """Give the id of the run that was made of a record, if it was imported before."""
    found = (folder.name for folder in before.get(sha256[:6], ()) if sha256_file(folder / RECORD) == sha256)
    return next(found, None)


def same_moment(before: Mapping[str, list[Path]], run_id: str, *, is_rebuilt: bool) -> str | None:
    """Give the imported run of the same millisecond, where one of the two was made of the database's rows.

    Rows and log of one run differ in their bytes; a restored log must not bring its run a second time.
    """
    stamp = run_id[:-6]
    for folder in (folder for folders in before.values() for folder in folders if folder.name.startswith(stamp)):
        with contextlib.suppress(RecordInvalid):
            imported = run.read_run(folder).imported
            if is_rebuilt or (imported is not None and imported.source.startswith(ROWS)):
                return folder.name
    return None


def write_run(root: Path, prepared: Prepared) -> None:
    """Write a run folder: it is there as a whole, or not at all.

    Raises
    ------
    FileMissing, ContentDamaged
        If a picture was removed or changed since it was looked at.
    FolderTaken
        If another run has that id.
    WriteFailed
        If the disk refuses.
    """
    runs = root / "runs"
    incoming = runs / f"{INCOMING}{prepared.log.run_id}-{secrets.token_hex(4)}"
    inputs = BlobStore(root / "inputs", durable=True)
    try:
        for found in prepared.inputs:
            inputs.put_file(found.path, SUFFIXES[found.media_type])
        for path, found in prepared.copies.items():
            _copy(found, incoming / path.removeprefix(f"runs/{prepared.log.run_id}/"))
        write_atomic(incoming / RECORD, prepared.record, durable=True)
        run.write_log(incoming / "run.json", prepared.log)
        _settle(incoming, runs / prepared.log.run_id)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def _copy(found: Found, target: Path) -> None:
    try:
        source = found.path.open("rb")
    except OSError as cause:
        raise FileMissing(found.path, "the import", cause.strerror or str(cause)) from cause
    with source, atomic_file(target, durable=True) as file:
        shutil.copyfileobj(source, file, 1 << 20)
    if (now := sha256_file(target)) != found.sha256:
        raise ContentDamaged(found.path, found.sha256, now)


def _settle(incoming: Path, folder: Path) -> None:
    if os.path.lexists(folder):
        raise FolderTaken(folder)
    try:
        incoming.rename(folder)
    except OSError as cause:
        raise WriteFailed(folder, cause.strerror or str(cause)) from cause


def clear_incoming(root: Path) -> None:
    """Remove what killed imports left; the caller is the only import in this project."""
    with contextlib.suppress(OSError):
        for left in (root / "runs").glob(f"{INCOMING}*"):
            shutil.rmtree(left, ignore_errors=True)
        for store in ("inputs", "imported"):
            # Runs write into the stores too: only what no writer can be at work on any more goes.
            BlobStore(root / store).sweep()
