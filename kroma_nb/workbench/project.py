"""A project: plans and plays its runs, and finds them again."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING

from kroma_nb import planning, report, run
from kroma_nb.errors import KromaError, WriteFailed
from kroma_nb.model.project import ProjectStatus
from kroma_nb.model.run import now
from kroma_nb.settings import load_settings
from kroma_nb.workbench.assets import Assets
from kroma_nb.workbench.ending import delete_project
from kroma_nb.workbench.following import followed
from kroma_nb.workbench.forecasting import forecast_of
from kroma_nb.workbench.founding import found, known_card, write_card
from kroma_nb.workbench.painters import painter_for
from kroma_nb.workbench.planned import PlannedRun
from kroma_nb.workbench.requests import plan_words, takes_plan_words
from kroma_nb.workbench.runs import Run, Runs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Executor
    from pathlib import Path
    from threading import Event as Flag

    from kroma_nb.model.plan import Plan, PlanRequest
    from kroma_nb.model.project import ProjectCard
    from kroma_nb.model.run import Event
    from kroma_nb.settings import Settings
    from kroma_nb.workbench.workbench import Workbench

RUN_BOOK = "KROMA_RUN_BOOK"
"""Names a file to which every run that begins is written, a line each: how batch knows what a notebook has made."""


class Project:
    """A universe: its folder, its plans, its runs and pictures.

    Attributes
    ----------
    bench : Workbench
        The workspace.
    slug : str
    """

    def __init__(self, bench: Workbench, slug: str) -> None:
        self.bench, self.slug = bench, slug

    @property
    def root(self) -> Path:
        """The project's own folder."""
        return self.bench.home / "var" / "projects" / self.slug

    @property
    def card(self) -> ProjectCard:
        """What the project says of itself: id, name, description, when it was made.

        Raises
        ------
        RecordInvalid
            If its card is missing, damaged, or another project's.
        RequestInvalid
            If the project is not there yet.
        """
        return known_card(self.root, self.slug)

    def settings(self, *, app_path: Path | None = None, project_path: Path | None = None) -> Settings:
        """Load the layers of settings that hold here.

        Raises
        ------
        SettingsInvalid, FileMissing
            With file, field and the way out.
        """
        return load_settings(self.bench.home, self.root, app_path=app_path, project_path=project_path)

    @takes_plan_words
    def plan(
        self, request: PlanRequest | None = None, *, settings: Settings | None = None, **words: object
    ) -> PlannedRun:
        """Plan a run; nothing is written.

        Parameters
        ----------
        request : PlanRequest, optional
            In place of words.
        settings : Settings, optional
            In place of the project's own.
        **words
            The fields of `kroma_nb.workbench.requests.PlanWords`: ``manifest``, ``scenes``, ``stage``, ``time``,
            ``weather``, ``candidates``, ``follow`` and so on.

        Raises
        ------
        ValidationFailed
            With file, field and the way out.
        """
        if request is None:
            asked = plan_words(words)
            request = asked.request(self.slug)
            if asked.follow is not None:
                request = request.model_copy(update={"follows": followed(self.runs, asked.follow, asked.stage)})
        made = planning.plan(request, settings=settings or self.settings())
        return PlannedRun(made, forecast_of(self, made))

    def run(
        self,
        planned: PlannedRun | Plan,
        *,
        workers: int | None = None,
        executor: Executor | None = None,
        stop: Flag | None = None,
        on_event: Callable[[Event], object] | None = None,
    ) -> Run:
        """Play a plan to its end, and give the run.

        Parameters
        ----------
        planned : PlannedRun or Plan
        workers : int, optional
            How many candidates are made at once; by default as many as there are processors.
        executor : concurrent.futures.Executor, optional
            Where candidates are made, in place of threads.
        stop : threading.Event, optional
            Once set, what is being made is finished and the run ends as ``interrupted``, as it does with Ctrl-C.
        on_event : callable, optional
            Is told each event when it has been journalled.

        Raises
        ------
        ValidationFailed
            Before anything is created.
        InfraFailed
            If the disk refuses; what was made is kept and can be read.
        """
        made = planned.plan if isinstance(planned, PlannedRun) else planned
        with ThreadPoolExecutor(workers) if workers and executor is None else nullcontext(executor) as crew:
            events = run.execute(made, root=self.root, painter=painter_for(made.card), executor=crew, stop=stop)
            found(self.root, self.slug)
            return Run(self, self._follow(events, on_event))

    def _follow(self, events: Generator[Event], on_event: Callable[[Event], object] | None) -> str:
        """Pass a run's events on, book and index it, and give its id."""
        run_id = ""
        try:
            for event in events:
                if event.event == "run_started":
                    run_id = event.run_id
                    self._book(run_id)
                if on_event is not None:
                    on_event(event)
        finally:
            # Also a run that was stopped or that failed has left its folder in order.
            events.close()
            if run_id:
                self.bench.index.note(self, run_id)
        return run_id

    def _book(self, run_id: str) -> None:
        path = os.environ.get(RUN_BOOK)
        if not path:
            return
        line = json.dumps({"root": str(self.root), "run_id": run_id}) + "\n"
        try:
            with open(path, "a", encoding="utf-8") as book:  # noqa: PTH123 - a path from the environment
                book.write(line)
        except OSError as cause:
            raise WriteFailed(self.root, f"{RUN_BOOK}: {cause.strerror or cause}") from cause

    @property
    def runs(self) -> Runs:
        """The runs that were made here, newest first."""
        return Runs(self)

    @property
    def assets(self) -> Assets:
        """The pictures that it keeps: inputs, and what every pass has made."""
        return Assets(self)

    def archive(self, *, undo: bool = False) -> None:
        """Put the project away: it is kept whole, and lists leave it out; or take it out again.

        Raises
        ------
        WriteFailed
            If the disk refuses.
        """
        status = ProjectStatus.ACTIVE if undo else ProjectStatus.ARCHIVED
        write_card(self.root, self.card.model_copy(update={"status": status, "updated_at": now()}))

    def delete(self, *, confirm: str) -> None:
        """Delete the project with every picture in it; nothing brings it back.

        Parameters
        ----------
        confirm : str
            The project's slug, once more.

        Raises
        ------
        PolicyRefused
            If it is not confirmed, or one of its runs is being played.
        """
        delete_project(self, confirm)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Project) and self.root == other.root

    def __hash__(self) -> int:
        return hash(self.root)

    def __repr__(self) -> str:
        return self._view().text()

    def _repr_html_(self) -> str:
        return self._view().html()

    def _view(self) -> report.View:
        """Show the project; what shows itself must not fail, so what is wrong with it is shown too."""
        try:
            card = self.card
        except KromaError as error:
            return report.View(f"Project {self.slug}", (), (("folder", str(self.root)),), (str(error),))
        try:
            return report.project_view(card, self.bench.projects.row(self.slug), "", str(self.root))
        except KromaError as error:
            return report.project_view(card, None, str(error), str(self.root))
