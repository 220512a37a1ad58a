"""A planned run: what would be made, shown before anything is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb import report
from kroma_nb.model.rows import PlanRow

if TYPE_CHECKING:
    import pandas as pd

    from kroma_nb.model.money import Forecast
    from kroma_nb.model.plan import Job, Plan


@dataclass(frozen=True)
class PlannedRun:
    """A plan in a notebook's hands; give it to `Project.run`.

    Attributes
    ----------
    plan : Plan
        The value itself: the same files and arguments give an equal one.
    promised : Forecast
        What was foreseen when it was planned; it is what ``confirm_spend`` confirms.
    """

    plan: Plan
    promised: Forecast

    def forecast(self) -> Forecast:
        """Give pictures, calls to each provider, the cost from least to most, seconds and bytes."""
        return self.promised

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The scenes, each with its candidates."""
        return self.plan.jobs

    @property
    def pictures(self) -> int:
        """How many candidates would be made."""
        return self.plan.pictures

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before the run starts, as whole sentences."""
        return self.plan.notes

    def frame(self) -> pd.DataFrame:
        """Give one row a candidate: scene, job, size, seeds, prompt."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - pandas loads when a frame is asked for

        return frame_of(report.plan_table(self.plan), PlanRow)

    @property
    def view(self) -> report.View:
        """What it shows of itself, as a small table."""
        return report.plan_view(self.plan, self.promised)

    def __repr__(self) -> str:
        return self.view.text()

    def _repr_html_(self) -> str:
        return self.view.html()
