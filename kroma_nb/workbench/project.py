"""A project: plans and plays its runs, and finds them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb import planning, report, run
from kroma_nb.errors import KromaError
from kroma_nb.model.project import ProjectStatus
from kroma_nb.settings import load_settings
from kroma_nb.workbench.assets import Assets
from kroma_nb.workbench.backends import finishers_in
from kroma_nb.workbench.costs import Costs
from kroma_nb.workbench.ending import delete_project
from kroma_nb.workbench.finishing import plan_of_finishing
from kroma_nb.workbench.following import followed
from kroma_nb.workbench.forecasting import forecast_of
from kroma_nb.workbench.founding import change_card, found, known_card
from kroma_nb.workbench.paying import confirmed, crew_of, equipment_for, least, painter_of
from kroma_nb.workbench.planned import PlannedRun
from kroma_nb.workbench.recovering import recover_all
from kroma_nb.workbench.requests import money, plan_words, takes_plan_words
from kroma_nb.workbench.run_handle import Run
from kroma_nb.workbench.runs import Runs
from kroma_nb.workbench.watching import watched

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    from kroma_nb.model.money import Money
    from kroma_nb.model.plan import Plan, PlanRequest
    from kroma_nb.model.project import ProjectCard
    from kroma_nb.settings import Settings
    from kroma_nb.workbench.paying import How
    from kroma_nb.workbench.requests import PlanWords
    from kroma_nb.workbench.workbench import Workbench


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
        asked, settings = plan_words(words), settings or self.settings()
        if request is None and asked.finish is not None:
            made = plan_of_finishing(self, asked, settings)
        else:
            home = self.bench.home
            catalog, backends = planning.catalog_of(home), planning.backend_options_of(home)
            wanted = request or self._request(asked)
            made = planning.plan(wanted, settings=settings, catalog=catalog, backends=backends)
        # A pass that nothing here can make is said now, and not when everything is drawn.
        finishers_in(self.bench.home, made.postprocess)
        return PlannedRun(made, forecast_of(self, made))

    def _request(self, asked: PlanWords) -> PlanRequest:
        request = asked.request(self.slug)
        if asked.follow is None:
            return request
        return request.model_copy(update={"follows": followed(self.runs, asked.follow, asked.stage)})

    def run(
        self,
        planned: PlannedRun | Plan,
        *,
        confirm_spend: bool = False,
        max_cost: Money | str | float | None = None,
        **how: Unpack[How],
    ) -> Run:
        """Play a plan to its end, and give the run.

        Parameters
        ----------
        planned : PlannedRun or Plan
        confirm_spend : bool
            That the run may cost up to the upper end of the plan's forecast; asked for where that is above nothing.
        max_cost : Money, str or float, US dollars, optional
            What it may cost at most, where that is less than what the plan says.
        **how
            The words of `kroma_nb.workbench.paying.How`: ``workers``, ``executor``, ``stop``, ``on_event``.

        Raises
        ------
        ValidationFailed
            Before anything is created.
        SpendNotConfirmed
            If it would cost something, and that is not confirmed; then nothing is created.
        InfraFailed
            If the disk refuses; what was made is kept and can be read.
        """
        made = planned.plan if isinstance(planned, PlannedRun) else planned
        promised = planned.promised if isinstance(planned, PlannedRun) else forecast_of(self, made)
        most = least(made.max_cost, money(max_cost, "max_cost"))
        limit = confirmed(promised, confirm_spend=confirm_spend, max_cost=most)
        painter = painter_of(made, self.bench.home)
        if made.card.paid:
            # A call that a killed process has left open would look like one that is under way.
            recover_all(self)
        with crew_of(how) as crew:
            equipment = equipment_for(self, made, painter, executor=crew, limit=limit)
            events = run.execute(made, root=self.root, painter=painter, equipment=equipment, stop=how.get("stop"))
            found(self.root, self.slug)
            return Run(self, watched(self, events, how.get("on_event")))

    @property
    def runs(self) -> Runs:
        """The runs that were made here, newest first."""
        return Runs(self)

    @property
    def assets(self) -> Assets:
        """The pictures that it keeps: inputs, and what every pass has made."""
        return Assets(self)

    @property
    def costs(self) -> Costs:
        """What its paid calls have cost, and what it may cost."""
        return Costs(self)

    def archive(self, *, undo: bool = False) -> None:
        """Put the project away: it is kept whole, and lists leave it out; or take it out again.

        Raises
        ------
        WriteFailed
            If the disk refuses.
        """
        status = ProjectStatus.ACTIVE if undo else ProjectStatus.ARCHIVED
        change_card(self.root, self.slug, status=status)

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
            counted, month = self.bench.projects.row(self.slug), self.costs.this_month
            return report.project_view(card, counted, "", str(self.root), month=month)
        except KromaError as error:
            return report.project_view(card, None, str(error), str(self.root))
