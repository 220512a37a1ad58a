"""A run made again, and a run proven: what a notebook holds of it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from kroma_nb import planning, report, run
from kroma_nb.errors import ContentDamaged, FileMissing, KromaError, PassUnavailable, PathRefused
from kroma_nb.model.finishing import Finishers
from kroma_nb.model.postprocess import PostprocessPlan
from kroma_nb.workbench.backends import finishers_for, finishers_in
from kroma_nb.workbench.begun import begun, unaltered
from kroma_nb.workbench.caching import cache_of
from kroma_nb.workbench.paying import crew_of, painter_here, painter_of
from kroma_nb.workbench.recovering import recover_one
from kroma_nb.workbench.watching import watched

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from kroma_nb.model.brief import Painter
    from kroma_nb.model.plan import Plan
    from kroma_nb.model.postprocess import ColorPlan, ColorProfile
    from kroma_nb.model.replay import PassCheck, Verification
    from kroma_nb.workbench.paying import How
    from kroma_nb.workbench.project import Project
    from kroma_nb.workbench.run_handle import Run


@dataclass(frozen=True, repr=False)
class Proof:
    """What making a run again has shown: pass by pass, and what differs from the record. It shows itself.

    Attributes
    ----------
    record : Verification
        All of it as values.
    """

    record: Verification

    @property
    def ok(self) -> bool:
        """Whether every pass is exact or within tolerance, and no file of the run or its cache was altered."""
        return self.record.ok

    def frame(self) -> pd.DataFrame:
        """Give one row a pass; `docs/reproducibility.md` names the columns."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - pandas loads when a frame is asked for

        return frame_of(report.proof_table(self.record), report.ProofRow)

    @property
    def view(self) -> report.View:
        """What it shows of itself."""
        return report.proof_view(self.record)

    def __repr__(self) -> str:
        return self.view.text()

    def _repr_html_(self) -> str:
        return self.view.html()


def verified(one: Run, *, workers: int | None = None, on_check: Callable[[PassCheck], object] | None = None) -> Proof:
    """Make every local pass of a run again in scratch space, and compare."""
    folder = begun(one)
    project = one.project
    present = run.Present(
        painter_of=lambda plan: cast("Painter", painter_here(plan, project.bench.home)),
        finishers_of=partial(_finishers_here, project),
        profile_of=partial(_profile_of, project),
        cache=cache_of(project),
    )
    return Proof(run.verify_run(folder, present, workers=workers, on_check=on_check))


def _profile_of(project: Project, plan: ColorPlan) -> ColorProfile | None:
    with contextlib.suppress(KromaError):
        return planning.profile_now(plan, project.settings())
    return None


def _finishers_here(project: Project, plan: Plan) -> Finishers:
    """Give the backends of a plan that are here; a pass without any stays unproven."""
    options, asked = planning.backend_options_of(project.bench.home), plan.postprocess
    cut, found = asked.bg_remove, Finishers()
    each = [cut.model_copy(update={"backends": (one,)}) for one in cut.backends] if cut else []
    for passes in (*(PostprocessPlan(bg_remove=one) for one in each), PostprocessPlan(upscale=asked.upscale)):
        # One whose model or program is gone takes none of the others with it.
        with contextlib.suppress(PassUnavailable, FileMissing, PathRefused, ContentDamaged):
            here = finishers_for(passes, options)
            found = Finishers((*found.segmenters, *here.segmenters), here.upscaler)
    return found


def replayed(one: Run, how: How) -> str:
    """Make a run again into a new one, and give its id."""
    folder = unaltered(one)
    recover_one(one.project, one.run_id)
    rest = run.rest_of(folder)
    # Nobody is called and nothing is bought, so that a paid engine need not even be installed.
    draws = rest.plan.draws and not rest.plan.card.paid
    painter = cast("Painter", painter_of(rest.plan, one.project.bench.home)) if draws else run.recorded_engine(rest)
    with crew_of(how) as crew:
        # Nothing is taken from the cache either.
        equipment = run.Equipment(executor=crew, finishers=finishers_in(one.project.bench.home, rest.plan.postprocess))
        events = run.replay_run(folder, rest, painter=painter, equipment=equipment, stop=how.get("stop"))
        return watched(one.project, events, how.get("on_event"))
