"""A run in a notebook's hands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from kroma_nb import report, run
from kroma_nb.blobs import write_atomic
from kroma_nb.errors import KromaError
from kroma_nb.model.words import RunStatus
from kroma_nb.workbench.candidates import Candidates
from kroma_nb.workbench.diffs import Diff
from kroma_nb.workbench.ending import archive_run, delete_run
from kroma_nb.workbench.files import read_stored
from kroma_nb.workbench.marking import is_archived, seen
from kroma_nb.workbench.requests import money
from kroma_nb.workbench.resuming import Decision, resumed

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    import pandas as pd

    from kroma_nb.model.money import Money
    from kroma_nb.model.runlog import RunLog
    from kroma_nb.workbench.paying import How
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
        self._read: tuple[str, RunLog] | None = None

    @property
    def folder(self) -> Path:
        """Where it keeps what it made."""
        return self.project.root / "runs" / self.run_id

    @property
    def log(self) -> RunLog:
        """What was done, as its own files say; read again when they have changed.

        Raises
        ------
        RecordInvalid
            If its files are missing, damaged, or another project's.
        """
        looks = seen(self.folder)
        if self._read is None or self._read[0] != looks or self._read[1].status is RunStatus.RUNNING:
            self._read = looks, run.read_run(self.folder, project=self.project.slug)
        return self._read[1]

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
        return report.overview(logs, partial(read_stored, self.project.root))

    def publish(self, *earlier: Run) -> Publication:
        """Write gallery and contact sheet beside the run log; with earlier runs, of the whole chain.

        Raises
        ------
        WriteFailed
            If the disk refuses.
        """
        logs = [*(one.log for one in earlier), self.log]
        made = Publication(self.folder / "gallery.html", self.folder / "contact_sheet.png")
        write_atomic(made.gallery, report.gallery(logs, partial(read_stored, self.project.root)).encode())
        write_atomic(made.contact_sheet, report.contact_sheet(logs, partial(read_stored, self.project.root)))
        return made

    def retry(
        self,
        job: str,
        candidates: int = 4,
        *,
        confirm_spend: bool = False,
        max_cost: Money | str | float | None = None,
        **how: Unpack[How],
    ) -> Run:
        """Add candidates with new seeds to one of its scenes; what was made before stays, and is linked.

        Parameters
        ----------
        job : str
            The job's id, or its scene's name or path.
        candidates : int
            How many.
        confirm_spend : bool
            That they may cost up to the upper end of their forecast.
        max_cost : Money, str or float, US dollars, optional
            What they may cost at most, whatever their forecast says.
        **how
            As for `Project.run`.

        Raises
        ------
        RequestInvalid
            If there is no such job, or there would be too many.
        PolicyRefused
            If they cost something and that is not confirmed, or the run is being played.
        InfraFailed
            If the disk refuses; what was made is kept and can be read.
        """
        return resumed(self, Decision(confirm_spend, max_cost=money(max_cost, "max_cost")), how, more=(job, candidates))

    def diff(self, other: Run | str) -> Diff:
        """Say what differs between this run and another one, which counts as the later.

        Parameters
        ----------
        other : Run or str
            A run of any project; or one of this project by its id, the last signs of its id, or ``latest``.

        Raises
        ------
        RecordInvalid
            If the files of one of them are missing or damaged.
        RequestInvalid
            If there is no such run.
        """
        return Diff(self, self.project.runs[other] if isinstance(other, str) else other)

    def archive(self, *, undo: bool = False) -> None:
        """Put the run away: it is kept whole, and lists leave it out; or take it out again.

        Raises
        ------
        WriteFailed
            If the disk refuses.
        """
        archive_run(self, undo=undo)

    def delete(self, *, force: bool = False) -> None:
        """Delete the run with every picture that it made; nothing brings it back.

        Parameters
        ----------
        force : bool
            Also where other runs have followed its winners.

        Raises
        ------
        PolicyRefused
            If it is being played, or other runs have followed it.
        """
        delete_run(self, force=force)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and (self.project, self.run_id) == (other.project, other.run_id)

    def __hash__(self) -> int:
        return hash((self.project, self.run_id))

    def __repr__(self) -> str:
        return self._view().text()

    def _repr_html_(self) -> str:
        return self._view().html()

    def _view(self) -> report.View:
        try:
            view = report.run_view(self.log)
        except KromaError as error:
            return report.View(f"Run {self.run_id}", notes=(str(error),))
        return replace(view, notes=("It is put away.", *view.notes)) if is_archived(self.folder) else view
