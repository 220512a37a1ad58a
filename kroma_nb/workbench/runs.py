"""The runs of a project in a notebook's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb import report, run, store
from kroma_nb.errors import KromaError, RequestInvalid
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.model.rows import CandidateRow, RunRow
from kroma_nb.run import RunFolder
from kroma_nb.workbench.marking import is_archived
from kroma_nb.workbench.replaying import Proof, replayed, verified
from kroma_nb.workbench.requests import money, refuse_limit
from kroma_nb.workbench.resuming import Decision, left_to_do, resumed
from kroma_nb.workbench.run_handle import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Unpack

    import pandas as pd

    from kroma_nb.model.money import Money
    from kroma_nb.model.replay import PassCheck
    from kroma_nb.model.rows import Unreadable
    from kroma_nb.workbench.paying import How
    from kroma_nb.workbench.project import Project
    from kroma_nb.workbench.resuming import LeftToDo

SHOWN = 60
"""How many runs the list shows of itself."""
SUFFIX = 4
"""How many signs of a run's end are enough to name it."""


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

    def replay(self, run_id: str | int, **how: Unpack[How]) -> Run:
        """Make a run again from its plan, its inputs and its originals, into a new run.

        Nothing is taken from the cache, and nothing is bought: pictures that were bought are those that were sent then.

        Parameters
        ----------
        run_id : str or int
            As for ``runs[...]``.
        **how
            As for `Project.run`.

        Raises
        ------
        FileMissing, ContentDamaged
            Before anything is made: if an input of the run is gone, or is something else.
        ValidationFailed
            If it cannot be played here, or was made by another program.
        """
        return Run(self._project, replayed(self[run_id], how))

    def verify(
        self,
        run_id: str | int,
        *,
        workers: int | None = None,
        on_check: Callable[[PassCheck], object] | None = None,
    ) -> Proof:
        """Prove a run: make every local pass of it again in scratch space, and compare; nothing is written.

        Parameters
        ----------
        run_id : str or int
            As for ``runs[...]``.
        workers : int, optional
            How many candidates at once; by default as many as there are processors.
        on_check : callable, optional
            Is told each pass when it is compared.

        Raises
        ------
        ValidationFailed
            If this installation has not the engine, or another program has made the run.
        InUse
            If a living process plays it.
        """
        return verified(self[run_id], workers=workers, on_check=on_check)

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
