"""Gathers what an import is about: run logs on disk, runs of the database, and what is left of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb.errors import ImportInvalid
from kroma_nb.exchange import read_log, run_logs
from kroma_nb.model.imported import LeftItem, Reason
from kroma_nb.workbench.imported_folder import ROWS
from kroma_nb.workbench.workbench import SLUG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.exchange import KromaDatabase, KromaLog, KromaProject, KromaRun, KromaTree
    from kroma_nb.model.runlog import CostEvent

FEW = 10


@dataclass(frozen=True)
class Source:
    """One run to import: its log, the bytes that it was read from, and where it belongs.

    Attributes
    ----------
    is_rebuilt : bool
        Whether the log was made of the database's rows.
    """

    log: KromaLog
    record: bytes
    moment: datetime
    slug: str
    folder: Path
    costs: tuple[CostEvent, ...] = ()
    is_rebuilt: bool = False


@dataclass
class Sources:
    """All that was found.

    Attributes
    ----------
    into : str or None
        The project that everything goes to; None keeps each run's own.
    found : list of Source
    left : list of LeftItem
    """

    tree: KromaTree
    database: KromaDatabase | None
    into: str | None
    found: list[Source] = field(default_factory=list)
    left: list[LeftItem] = field(default_factory=list)

    def gather(self) -> None:
        """Read every run log, then the runs of the database whose log is gone or broken."""
        rows, unplaced = self._rows_by_log()
        for folder in self.tree.folders:
            for path in folder.logs:
                self._log(path, folder.slug, folder.path, rows.pop(path, None))
        seen = {folder.path for folder in self.tree.folders}
        for project in self.projects:
            if (place := self.folder_of(project.slug)) not in seen:
                for path in run_logs(place, self.tree.root):
                    self._log(path, project.slug, place, rows.pop(path, None))
        for path, run in rows.items():
            self._log(path, self._slug_of(run), self.folder_of(self._slug_of(run)), run)
        for run in unplaced:
            self._rebuilt(run)
        self._drop_twins()
        self._name_what_is_left()

    def _drop_twins(self) -> None:
        """Leave a run made of rows where a log tells of the same project and millisecond: the log is the record."""
        told = {(source.slug, source.moment): source.log.name for source in self.found if not source.is_rebuilt}
        for source in [source for source in self.found if source.is_rebuilt]:
            if name := told.get((source.slug, source.moment)):
                self.found.remove(source)
                says = f"The rows of {source.log.name} were not needed: {name} is the log of that run."
                project = self.target(source.slug) or ""
                left = {"project": project, "source": source.log.name, "reason": Reason.NOT_IMPORTED, "says": says}
                self.left.append(LeftItem.model_validate(left))

    def folder_of(self, slug: str) -> Path:
        """Give the predecessor's folder of a project: the one that its database names, else the usual place."""
        usual = self.tree.root / "var" / "projects" / slug
        project = next((p for p in self.projects if p.slug == slug), None)
        for written in project.folders if project else ():
            place = (self.tree.root / written).resolve()
            if place.is_relative_to(self.tree.root) and place != self.tree.root and place.is_dir():
                return place
        return usual

    @property
    def projects(self) -> tuple[KromaProject, ...]:
        """The projects of the database."""
        return self.database.projects if self.database else ()

    def target(self, slug: str) -> str | None:
        """Give the project that a run of the predecessor's project goes to; None where the name cannot be one."""
        name = self.into or slug
        return name if SLUG.fullmatch(name) else None

    def slug_of_project(self, project_id: str) -> str:
        """Give the slug of a project's row; empty where there is none."""
        return next((project.slug for project in self.projects if project.id == project_id), "")

    def _slug_of(self, run: KromaRun) -> str:
        return self.slug_of_project(run.project_id)

    def _rows_by_log(self) -> tuple[dict[Path, KromaRun], list[KromaRun]]:
        found: dict[Path, KromaRun] = {}
        unplaced: list[KromaRun] = []
        for run in self.database.runs if self.database else ():
            path = self.tree.locate(run.log_path, self.folder_of(self._slug_of(run)))
            if not isinstance(path, Path) or found.setdefault(path, run).project_id != run.project_id:
                unplaced.append(run)
        return found, unplaced

    def _log(self, path: Path, slug: str, folder: Path, run: KromaRun | None) -> None:
        name = path.relative_to(self.tree.root).as_posix() if path.is_relative_to(self.tree.root) else path.name
        try:
            data = path.read_bytes()
            log = read_log(data, name=path.name)
            moment = log.timestamp or datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
        except ImportInvalid as error:
            self._leave(slug, name, f"The run log {name} was left: {error.problem}; {error.way_out}.")
        except OSError as cause:
            self._leave(slug, name, f"The run log {name} cannot be read: {cause.strerror}.")
        else:
            self._count_costs(slug, run, log)
            self._add(Source(log, data, moment, slug or log.project, folder, run.costs if run else ()))
            return
        if run is not None:
            self._rebuilt(run)

    def _rebuilt(self, run: KromaRun) -> None:
        assert self.database is not None
        slug, name = self._slug_of(run), f"{ROWS}{run.id}"
        if not run.record:
            says = f"The run {run.id} was left: its log {run.log_path or ''} is gone and its rows cannot be read."
            self._leave(slug, name, says)
            return
        log = read_log(run.record, name=name)
        moment = log.timestamp or run.created_at or datetime.fromtimestamp(0, UTC)
        self._count_costs(slug, run, log)
        folder = self.folder_of(slug)
        self._add(Source(log, run.record, moment, slug or log.project, folder, run.costs, is_rebuilt=True))

    def _count_costs(self, slug: str, run: KromaRun | None, log: KromaLog) -> None:
        if run is not None and run.uncounted and not log.costs:
            says = f"{run.uncounted} costs of the run {log.name} were left: they are no amounts that can be counted."
            self._leave(slug, log.name, says, count=run.uncounted)

    def _add(self, source: Source) -> None:
        if self.target(source.slug) is None:
            name = repr(source.slug) if source.slug else "nothing"
            says = f"The run log {source.log.name} names {name} as its project; name one with --project."
            self._leave("", source.log.name, says)
            return
        self.found.append(source)

    def _leave(self, slug: str, source: str, says: str, *, count: int = 1) -> None:
        project = self.target(slug) or ""
        self.left.append(LeftItem(project=project, source=source, reason=Reason.BROKEN, says=says, count=count))

    def _name_what_is_left(self) -> None:
        for link in self.tree.passed_over:
            self._leave("", link, f"The link {link} was left: it leads out of what is imported, and was not followed.")
        if self.database is None:
            return
        for problem in self.database.problems:
            self._leave("", self.database.name, str(problem))
        for table in self.database.left:
            called = ", ".join(table.names[:FEW]) + (f" and {len(table.names) - FEW} more" if table.names[FEW:] else "")
            says = f"Rows of the table {table.name} were not imported: {table.why}" + (f" ({called})" if called else "")
            self.left.append(
                LeftItem(
                    project="",
                    source=f"{self.database.name}: {table.name}",
                    reason=Reason.NOT_IMPORTED,
                    says=f"{says}.",
                    count=table.rows,
                )
            )


def unnamed_pictures(folder: Path, taken: set[Path]) -> Iterator[tuple[str, int]]:
    """Count the files in a project's folders of pictures that no record names."""
    for name in ("outputs", "background_removed", "upscaled", "color_corrected", "archive/bad", "archive/replaced"):
        place = folder / name
        try:
            files = [path for path in place.rglob("*") if path.is_file() and path.resolve() not in taken]
        except OSError:
            continue
        if files:
            yield name, len(files)
