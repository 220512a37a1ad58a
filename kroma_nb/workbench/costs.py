"""What a project has cost, call by call, and what it may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kroma_nb import report, store
from kroma_nb.errors import KromaError, RequestInvalid
from kroma_nb.model.money import Budget, Money
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.model.rows import CostRow
from kroma_nb.model.run import now
from kroma_nb.workbench.founding import change_card, read_card
from kroma_nb.workbench.requests import money

if TYPE_CHECKING:
    import pandas as pd

    from kroma_nb.workbench.project import Project

BY = ("provider", "stage", "month", "run")
By = Literal["provider", "stage", "month", "run"]


class Costs:
    """The paid calls of a project: what each has cost, and how they add up."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def rows(self, *, free: bool = False) -> tuple[CostRow, ...]:
        """Give every paid call and every cost of an imported run, oldest first.

        Parameters
        ----------
        free : bool
            Also calls that cost nothing in the end, such as tries that a provider has turned away.
        """
        with self._project.bench.index.rows(self._project) as (rows, key):
            return store.list_costs(rows, key, free=free)

    def frame(self, *, free: bool = False) -> pd.DataFrame:
        """Give one row a paid call; `docs/money.md` names the columns."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - pandas loads when a frame is asked for

        return frame_of(self.rows(free=free), CostRow)

    def by(self, what: By) -> dict[str, Money]:
        """Add up what was charged by ``provider``, ``stage``, ``month`` or ``run``, in the order of the first call.

        Raises
        ------
        RequestInvalid
            If it is none of these.
        """
        self._refuse(what)
        return {bar.name: bar.charged for bar in self._bars(what)}

    def bars(self, what: By = "month") -> str:
        """Draw what was charged as bars, an SVG of its own; what is in doubt is hatched."""
        self._refuse(what)
        return report.cost_bars(self._bars(what), f"Cost by {what}")

    def _bars(self, what: By) -> tuple[report.Bar, ...]:
        return report.bars_of(self.rows(), "run_id" if what == "run" else what)

    @property
    def total(self) -> Money:
        """Everything that was charged; what is open or in doubt counts with its upper price."""
        return sum(self.by("provider").values(), Money())

    @property
    def this_month(self) -> Money:
        """What is charged to this calendar month in UTC; imported costs were paid elsewhere and do not count."""
        with self._project.bench.index.rows(self._project) as (rows, key):
            return store.charged_in(rows, key, store.month_of(now()))

    def left_for(self, run_id: str = "") -> Money | None:
        """Give what the project's budgets leave now for a run; None where there is no budget.

        Parameters
        ----------
        run_id : str
            A run that goes on, with what it is charged already; empty for a new one.
        """
        if read_card(self._project.root) is None:
            return None  # a project that its first run makes
        budget = self.budget
        with self._project.bench.index.rows(self._project) as (rows, key):
            so_far = store.charged(rows, key, run_id=run_id, month=store.month_of(now()))
        limits = ((budget.per_run, so_far.run), (budget.per_month, so_far.month))
        return min((allowed - charged for allowed, charged in limits if allowed is not None), default=None)

    @property
    def budget(self) -> Budget:
        """What each run, and each month, may cost."""
        return self._project.card.budget

    def set_budget(
        self,
        *,
        per_run: Money | str | float | None = None,
        per_month: Money | str | float | None = None,
    ) -> Budget:
        """Set what each run, and each month, may cost, in US dollars; None is no limit. It holds from the next call on.

        Raises
        ------
        RequestInvalid
            If an amount is none.
        WriteFailed
            If the disk refuses.
        """
        budget = Budget(per_run=money(per_run, "per_run"), per_month=money(per_month, "per_month"))
        change_card(self._project.root, self._project.slug, budget=budget)
        return budget

    def _refuse(self, what: str) -> None:
        if what not in BY:
            raise RequestInvalid("request", "by", f"{what!r} is no way to add up costs", did_you_mean(str(what), BY))

    def __repr__(self) -> str:
        return self._view().text()

    def _repr_html_(self) -> str:
        view = self._view()
        return view.html(report.drawn_bars(self._bars("month"), "Cost by month")) if view.rows else view.html()

    def _view(self) -> report.View:
        try:
            return report.costs_view(self._project.slug, self.rows(), self.budget)
        except KromaError as error:
            return report.View(f"Costs of {self._project.slug}", notes=(str(error),))
