"""A run in a notebook's hands, and the runs of a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb import report, run
from kroma_nb.blobs import write_atomic
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.workbench.candidates import Candidates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from kroma_nb.model.runlog import RunLog
    from kroma_nb.model.words import RunStatus
    from kroma_nb.workbench.project import Project


@dataclass(frozen=True, slots=True)
class Publication:
    """Where runs can be looked at, outside a notebook."""

    gallery: Path
    contact_sheet: Path


class Run:
    """One run: its record, its candidates, its pages.

    Attributes
    ----------
    project : Project
    run_id : str
    """

    def __init__(self, project: Project, run_id: str) -> None:
        self.project, self.run_id = project, run_id
        self._read: RunLog | None = None

    @property
    def folder(self) -> Path:
        """Where it keeps what it made."""
        return self.project.root / "runs" / self.run_id

    @property
    def log(self) -> RunLog:
        """What was done, as its own files say; read again until the run has ended.

        Raises
        ------
        RecordInvalid
            If its files are missing, damaged, or another project's.
        """
        if self._read is None:
            log = run.read_run(self.folder, project=self.project.slug)
            if log.finished_at is None:
                return log
            self._read = log
        return self._read

    @property
    def status(self) -> RunStatus:
        """How it stands."""
        return self.log.status

    @property
    def candidates(self) -> Candidates:
        """Every candidate, in the order of the scenes."""
        return Candidates.of(self.project, self.log)

    @property
    def winners(self) -> Candidates:
        """The first-ranked candidate of each scene that has one."""
        return Candidates.of(self.project, self.log, won=True)

    def frame(self) -> pd.DataFrame:
        """Give one row a candidate with every number that the gallery shows; `docs/tables.md` names the columns."""
        return self.candidates.frame()

    def show(self, *earlier: Run) -> report.Overview:
        """Show the candidates side by side in a notebook, at most about 600 KB of them.

        Parameters
        ----------
        *earlier : Run
            Runs whose winners this one followed, oldest first; the same scenes stand together.
        """
        logs = [*(one.log for one in earlier), self.log]
        return report.overview(logs, self.project.picture)

    def publish(self, *earlier: Run) -> Publication:
        """Write gallery and contact sheet beside the run log; with earlier runs, of the whole chain.

        Raises
        ------
        WriteFailed
            If the disk refuses.
        """
        logs = [*(one.log for one in earlier), self.log]
        made = Publication(self.folder / "gallery.html", self.folder / "contact_sheet.png")
        write_atomic(made.gallery, report.gallery(logs, self.project.picture).encode())
        write_atomic(made.contact_sheet, report.contact_sheet(logs, self.project.picture))
        return made

    @property
    def view(self) -> report.View:
        """What it shows of itself, as a small table."""
        return report.run_view(self.log)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and (self.project, self.run_id) == (other.project, other.run_id)

    def __hash__(self) -> int:
        return hash((self.project, self.run_id))

    def __repr__(self) -> str:
        return self.view.text()

    def _repr_html_(self) -> str:
        return self.view.html()


class Runs:
    """The runs of a project, newest first; ``runs["latest"]`` is the newest that has begun."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @property
    def ids(self) -> tuple[str, ...]:
        """Every run that has a folder, newest first."""
        return tuple(path.name for path in run.run_folders(self._project.root))

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Run]:
        return (Run(self._project, run_id) for run_id in self.ids)

    def __getitem__(self, run_id: str) -> Run:
        ids = self.ids
        wanted = next((name for name in ids if self._has_begun(name)), run_id) if run_id == "latest" else run_id
        if wanted not in ids:
            hint = did_you_mean(run_id, ids) if ids else "the project has no runs yet"
            problem = f"there is no run {run_id!r} in project {self._project.slug}"
            raise RequestInvalid("request", "run", problem, hint)
        return Run(self._project, wanted)

    def _has_begun(self, run_id: str) -> bool:
        return any((self._project.root / "runs" / run_id / name).exists() for name in ("journal.jsonl", "run.json"))

    def _ipython_key_completions_(self) -> list[str]:
        return ["latest", *self.ids]
