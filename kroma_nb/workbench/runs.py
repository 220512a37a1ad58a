"""A run in a notebook's hands, and the runs of a project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from kroma_nb import report, run, store
from kroma_nb.blobs import write_atomic
from kroma_nb.errors import KromaError, RequestInvalid
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.model.rows import CandidateRow, RunRow
from kroma_nb.model.words import RunStatus
from kroma_nb.run import RunFolder
from kroma_nb.workbench.candidates import Candidates
from kroma_nb.workbench.diffs import Diff
from kroma_nb.workbench.ending import archive_run, delete_run
from kroma_nb.workbench.files import read_stored
from kroma_nb.workbench.marking import is_archived, seen
from kroma_nb.workbench.requests import money, refuse_limit
from kroma_nb.workbench.resuming import Decision, left_to_do, resumed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Unpack

    import pandas as pd

    from kroma_nb.model.money import Money
    from kroma_nb.model.rows import Unreadable
    from kroma_nb.model.runlog import RunLog
    from kroma_nb.workbench.paying import How
    from kroma_nb.workbench.project import Project
    from kroma_nb.workbench.resuming import LeftToDo

SHOWN = 60
"""How many runs the list shows of itself."""
SUFFIX = 4
"""How many signs of a run's end are enough to name it."""


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

    def retry(self, job: str, candidates: int = 4, *, confirm_spend: bool = False, **how: Unpack[How]) -> Run:
        """Add candidates with new seeds to one of its scenes; what was made before stays, and is linked.

        Parameters
        ----------
        job : str
            The job's id, or its scene's name or path.
        candidates : int
            How many.
        confirm_spend : bool
            That they may cost up to the upper end of their forecast.
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
        return resumed(self, Decision(confirm_spend), how, more=(job, candidates))

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


class Runs:
    """The runs of a project, newest first; ``runs["latest"]`` is the newest that has begun."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @property
    def ids(self) -> tuple[str, ...]:
        """Every run that has a folder, newest first; also those that are put away."""
        return tuple(path.name for path in run.run_folders(self._project.root))

    @property
    def put_away(self) -> int:
        """How many runs are put away."""
        return len(self.ids) - len(self)

    def resume(
        self,
        run_id: str | int,
        *,
        confirm_spend: bool = False,
        pay_again: bool = False,
        max_cost: Money | str | float | None = None,
        **how: Unpack[How],
    ) -> Run:
        """Make what has no good result in a run that was cut short, or in which something failed.

        Parameters
        ----------
        run_id : str or int
            As for ``runs[...]``.
        confirm_spend : bool
            That the rest may cost up to the upper end of its forecast.
        pay_again : bool
            Also buy pictures again of which nobody knows whether they were billed.
        max_cost : Money, str or float, US dollars, optional
            What the rest may cost at most, whatever its forecast says.
        **how
            As for `Project.run`.

        Raises
        ------
        PolicyRefused
            If the rest costs something and that is not confirmed, or the run is being played.
        ValidationFailed
            If it cannot be played here, or was made by another program.
        InfraFailed
            If the disk refuses; what was made is kept and can be read.
        """
        decision = Decision(confirm_spend, pay_again, money(max_cost, "max_cost"))
        return resumed(self[run_id], decision, how)

    def left(self, run_id: str | int, *, pay_again: bool = False) -> LeftToDo:
        """Tell what `resume` would make of a run, what that would cost, and what is in doubt.

        Raises
        ------
        PolicyRefused
            If the run is being played.
        ValidationFailed
            If it was made by another program.
        """
        return left_to_do(self[run_id], pay_again=pay_again)

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """The runs whose files are damaged, changed or another project's, each with its cause."""
        return self._project.bench.index.catch_up([self._project])

    def rows(self, *, after: Run | None = None, limit: int | None = None, archived: bool = False) -> tuple[RunRow, ...]:
        """Give one row a run, newest first; a page of them as fast at any depth.

        Parameters
        ----------
        after : Run, optional
            The last one of the page before.
        limit : int, optional
            At most so many.
        archived : bool
            Also those that are put away.
        """
        last = after.run_id if after else None
        refuse_limit(limit)
        with self._project.bench.index.rows(self._project, fresh=after is None) as (rows, key):
            return store.list_runs(rows, key, after=last, limit=limit, archived=archived)

    def frame(self) -> pd.DataFrame:
        """Give one row a run."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - pandas loads when a frame is asked for

        return frame_of(self.rows(archived=True), RunRow)

    def candidates(self) -> pd.DataFrame:
        """Give one row a candidate, of every run, oldest first: the same columns as `Run.frame`."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - pandas loads when a frame is asked for

        with self._project.bench.index.rows(self._project) as (rows, key):
            return frame_of(list(store.list_candidates(rows, key)), CandidateRow)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Run]:
        every = (Run(self._project, run_id) for run_id in self.ids)
        return (one for one in every if not is_archived(one.folder))

    def __getitem__(self, run: str | int) -> Run:
        """Give a run: by its id, the last signs of its id (4 or more), ``latest``, or its place, 0 for the newest.

        Raises
        ------
        RequestInvalid
            If there is none, or the end fits several.
        """
        ids = self.ids
        if isinstance(run, int):
            shown = tuple(one.run_id for one in self)
            fits = shown[run : run + 1 or None]
        elif run == "latest":
            fits = tuple(name for name in ids if self._has_begun(name))[:1]
        else:
            ends = isinstance(run, str) and len(run) >= SUFFIX
            fits = (run,) if run in ids else tuple(name for name in ids if ends and name.endswith(run))
        if len(fits) != 1:
            problem = f"there is no run {run!r} in project {self._project.slug}"
            if fits:
                problem = f"{len(fits)} runs of project {self._project.slug} end with {run!r}"
            hint = did_you_mean(str(run), ids) if ids else "the project has no runs yet"
            raise RequestInvalid("request", "run", problem, hint)
        return Run(self._project, fits[0])

    def _has_begun(self, run_id: str) -> bool:
        folder = RunFolder(self._project.root, run_id)
        begun = folder.journal_path.exists() or folder.log_path.exists()
        return begun and not is_archived(folder.path)

    def _ipython_key_completions_(self) -> list[str]:
        return ["latest", *self.ids]

    def __repr__(self) -> str:
        return self._view().text()

    def _repr_html_(self) -> str:
        return self._view().html()

    def _view(self) -> report.View:
        try:
            return report.runs_view(self._project.slug, self.rows(limit=SHOWN), self.unreadable, hidden=self.put_away)
        except KromaError as error:
            return report.View(
                f"Runs of {self._project.slug}", ("run",), tuple((one,) for one in self.ids), (str(error),)
            )
