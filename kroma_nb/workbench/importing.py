"""Imports the predecessor's runs, pictures and projects; what is read stays as it is."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb.errors import ContentDamaged, FileMissing, FolderTaken, ImportInvalid, RecordInvalid
from kroma_nb.exchange import find_tree, read_database
from kroma_nb.model.imported import ImportItem, ImportReport, ItemKind, LeftItem, Reason
from kroma_nb.workbench.import_sources import Source, Sources, unnamed_pictures
from kroma_nb.workbench.imported_assets import AssetImport
from kroma_nb.workbench.imported_folder import alone, find_run, imported_before, same_moment, write_run
from kroma_nb.workbench.imported_list import read_assets
from kroma_nb.workbench.imported_runs import Origin, claims_of, prepare, stored_input

if TYPE_CHECKING:
    from kroma_nb.exchange import KromaAsset, KromaProject, KromaTree
    from kroma_nb.workbench.imported_runs import Claim, Prepared
    from kroma_nb.workbench.workbench import Workbench


def import_kroma(
    bench: Workbench, path: Path | str, *, project: str | None = None, dry_run: bool = False
) -> ImportReport:
    """Import what the predecessor left: run logs, and the projects, runs and pictures of its database.

    Nothing is written to what is imported or beside it. Importing again takes what is new and touches nothing else.

    Parameters
    ----------
    bench : Workbench
        Where it goes.
    path : Path or str
        A run log, a folder of run logs, a project's folder, the application's root, or an ``app.db``. Nothing outside
        of it is read; a run log or a project that lies under ``var/projects`` stands for the whole application.
    project : str, optional
        The project that everything goes to; by default each run's own.
    dry_run : bool
        Whether only the report is made.

    Returns
    -------
    ImportReport
        What was taken, mended and left.

    Raises
    ------
    FileMissing
        If there is nothing at the path.
    ImportInvalid
        If nothing there can be imported.
    RequestInvalid
        If the project's name cannot be one.
    WriteFailed
        If the disk refuses; what was taken until then is whole, and the same call goes on.
    """
    into = bench.project(project, missing_ok=True).slug if project is not None else None
    path = Path(path)
    tree = find_tree(path)
    sources = _sources(tree, into)
    if not (sources.found or sources.projects or (sources.database and sources.database.assets)):
        first = next((item.says for item in sources.left if item.reason is Reason.BROKEN), "nothing is in it")
        raise ImportInvalid(str(path), "", f"nothing can be imported: {first}", "name another file or folder")
    _refuse_own_folder(bench, sources, path)
    work = _Import(bench, sources, dry_run=dry_run)
    for slug in work.slugs:
        work.project(slug)
    return ImportReport(
        source=str(path),
        is_dry_run=dry_run,
        taken=tuple(work.taken),
        already_there=tuple(work.already_there),
        left=(*work.left, *sources.left),
    )


def _sources(tree: KromaTree, into: str | None) -> Sources:
    broken: list[LeftItem] = []
    database = None
    if tree.database is not None:
        try:
            database = read_database(tree.database)
        except (ImportInvalid, FileMissing) as error:
            if not tree.folders:
                raise
            broken.append(LeftItem(project="", source=tree.database.name, reason=Reason.BROKEN, says=str(error)))
    sources = Sources(tree, database, into, left=broken)
    sources.gather()
    return sources


def _refuse_own_folder(bench: Workbench, sources: Sources, path: Path) -> None:
    """Keep an import from writing into the very folders that it reads."""
    mine = (bench.home / "var" / "projects").resolve()
    theirs = [source.folder for source in sources.found] + [sources.folder_of(row.slug) for row in sources.projects]
    if any(folder.resolve().is_relative_to(mine) for folder in theirs):
        problem = f"it lies in the workspace {bench.home} itself"
        raise ImportInvalid(
            str(path), "", problem, "name another workspace with --home; what is imported stays as it is"
        )


@dataclass
class _Import:
    """One import: a project after the other, and what happened so far."""

    bench: Workbench
    sources: Sources
    dry_run: bool
    taken: list[ImportItem] = field(default_factory=list)
    already_there: list[ImportItem] = field(default_factory=list)
    left: list[LeftItem] = field(default_factory=list)
    claims: dict[Path, Claim] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for source in self.sources.found:
            for path, claim in claims_of(source.log, self.sources.tree, source.folder):
                self.claims[path] = max(claim, self.claims.get(path, claim))

    @property
    def slugs(self) -> list[str]:
        """Give the predecessor's projects by name; each goes to a project of ours."""
        named = {source.slug for source in self.sources.found} | {row.slug for row in self.sources.projects}
        for slug in sorted(named):
            if self.sources.target(slug) is None:
                says = f"The project {slug!r} was left: its name cannot be one here; name another with --project."
                self.left.append(LeftItem(project="", source=slug, reason=Reason.BROKEN, says=says))
        return [slug for slug in sorted(named) if self.sources.target(slug) is not None]

    def project(self, slug: str) -> None:
        """Import all of one project."""
        target = self.sources.target(slug)
        assert target is not None
        root = self.bench.project(target, missing_ok=True).root
        with contextlib.nullcontext() if self.dry_run else alone(root):
            _OneProject(self, slug, target, root).take()


@dataclass
class _OneProject:
    """The import of one project of the predecessor into one of ours."""

    whole: _Import
    slug: str
    target: str
    root: Path
    in_runs: dict[Path, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    made: dict[str, str] = field(default_factory=dict)

    def take(self) -> None:
        """Take the project, its runs, its other pictures and their links; then say what nothing names."""
        sources = [source for source in self.whole.sources.found if source.slug == self.slug]
        rows = [row for row in self.whole.sources.projects if row.slug == self.slug]
        self._project(rows, sources)
        known = {asset.path: asset.sha256 for asset in self._assets(rows) if asset.sha256}
        before = imported_before(self.root)
        for source in sorted(sources, key=lambda source: (source.moment, source.log.name)):
            origin = Origin(self.target, self.whole.sources.tree, source.folder, self.whole.claims, known)
            prepared = prepare(source.log, source.record, origin, moment=source.moment, costs=source.costs)
            sha256 = source.log.sha256
            there = self.made.get(sha256) or find_run(before, sha256)
            there = there or same_moment(before, prepared.log.run_id, is_rebuilt=source.is_rebuilt)
            self._run(prepared, there)
            self.made[sha256] = there or prepared.log.run_id
        looked = self._other_pictures(rows)
        self._unnamed(sources, set(self.in_runs) | looked)

    def _assets(self, rows: list[KromaProject]) -> list[KromaAsset]:
        database, ids = self.whole.sources.database, {row.id for row in rows}
        return [asset for asset in database.assets if asset.project_id in ids] if database else []

    def _project(self, rows: list[KromaProject], sources: list[Source]) -> None:
        first = min((source.moment for source in sources), default=datetime.now(UTC))
        row = rows[0] if rows else None
        mended = (f"{len(rows)} owners had a project of this name; they are one now.",) if rows[1:] else ()
        facts = {"project": self.target, "source": self.slug, "target": ".kroma/project.json", "mended": mended}
        item = ImportItem.model_validate({"kind": ItemKind.PROJECT, **facts})
        path = self.root / ".kroma" / "project.json"
        (self.whole.already_there if path.exists() else self.whole.taken).append(item)
        if not path.exists() and not self.whole.dry_run:
            self._create(row, (row.created_at if row else None) or first)

    def _create(self, row: KromaProject | None, created_at: datetime) -> None:
        said = {"name": row.name, "description": row.description} if row else {}
        made = self.whole.bench.create_project(self.target, **said, created_at=created_at)
        if row is not None and row.archived:
            made.archive()

    def _run(self, prepared: Prepared, there: str | None) -> None:
        log = prepared.log
        assert log.imported is not None
        item = ImportItem(
            project=self.target,
            kind=ItemKind.RUN,
            source=log.imported.source,
            target=there or log.run_id,
            pictures=len(prepared.copies),
            size_bytes=self._new_bytes(prepared),
            mended=log.imported.mended,
        )
        if there is None and not self.whole.dry_run:
            try:
                write_run(self.root, prepared)
            except (FileMissing, ContentDamaged, FolderTaken) as error:
                says = f"The run {log.imported.source} was left: {error}"
                self._leave(log.imported.source, Reason.BROKEN, says)
                return
        (self.whole.taken if there is None else self.whole.already_there).append(item)
        self._remember(prepared, there or log.run_id)

    def _new_bytes(self, prepared: Prepared) -> int:
        """Count what a run brings; an input that several runs share is stored once, and counted with the first."""
        new = [found for found in prepared.inputs if found.path not in self.in_runs]
        return sum(found.size_bytes for found in (*prepared.copies.values(), *new))

    def _remember(self, prepared: Prepared, run_id: str) -> None:
        for path, found in prepared.copies.items():
            self.in_runs[found.path] = path.replace(f"runs/{prepared.log.run_id}/", f"runs/{run_id}/", 1)
        for found in prepared.inputs:
            self.in_runs.setdefault(found.path, stored_input(found))
        assert prepared.log.imported is not None
        for path, why in prepared.lost.items():
            self.lost.add(path)
            reason = Reason.MISSING if why.is_missing else Reason.BROKEN
            says = f"The picture {path} of {prepared.log.imported.source} was left: {why.reason}."
            self._leave(path, reason, says)

    def _other_pictures(self, rows: list[KromaProject]) -> set[Path]:
        assets, ids = self._assets(rows), {row.id for row in rows}
        database = self.whole.sources.database
        links = [link for link in database.links if link.project_id in ids] if database else []
        folder = self.whole.sources.folder_of(self.slug)
        try:
            before = read_assets(self.root)
        except RecordInvalid as error:
            self._leave(f"{self.target}: assets", Reason.BROKEN, str(error))
            return set()
        work = AssetImport(self.target, self.whole.sources.tree, folder, self.in_runs, self.lost, before)
        work.look(assets, links)
        if (work.assets or work.links) and not self.whole.dry_run:
            work.write(self.root)
        new, old = work.items()
        self.whole.taken += new
        self.whole.already_there += old
        self.whole.left += work.left
        return work.seen

    def _unnamed(self, sources: list[Source], taken: set[Path]) -> None:
        for folder in sorted({source.folder for source in sources} | {self.whole.sources.folder_of(self.slug)}):
            for name, count in unnamed_pictures(folder, taken):
                place = f"{folder.name}/{name}"
                says = f"Files in {place} were left, because no record that was imported says what they are."
                self._leave(place, Reason.NOT_IMPORTED, says, count=count)

    def _leave(self, source: str, reason: Reason, says: str, *, count: int = 1) -> None:
        self.whole.left.append(LeftItem(project=self.target, source=source, reason=reason, says=says, count=count))
