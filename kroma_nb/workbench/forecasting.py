"""What a plan would take: money from the plan, bytes from what the project has made so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb import store
from kroma_nb.errors import KromaError
from kroma_nb.model.words import PassName

if TYPE_CHECKING:
    from kroma_nb.model.money import Forecast
    from kroma_nb.model.plan import Plan
    from kroma_nb.workbench.project import Project

# Pages of the embedded engine take 0.14 to 0.33 bytes a pixel as PNG (the demo universe, November 2026); a project
# with pictures of its own is told by those.
USUAL_DENSITY = 0.25
# Passes whose output is kept beside their input.
_KEPT = (PassName.GENERATE, PassName.BG_REMOVE, PassName.BG_REFINE, PassName.UPSCALE, PassName.COLOR)


def forecast_of(project: Project, plan: Plan) -> Forecast:
    """Add to a plan's forecast about how many bytes its pictures and inputs would take.

    Every pass of every candidate is kept, at the size of the page, times the bytes a pixel that the project's newest
    pictures have taken.
    """
    scale = plan.postprocess.upscale.scale if plan.postprocess.upscale else 1
    order = [name for name in plan.postprocess.pipeline_order if name in _KEPT]
    enlarged = order.index(PassName.UPSCALE) if PassName.UPSCALE in order else len(order)
    factor = sum(scale**2 if place >= enlarged else 1 for place in range(len(order)))
    pixels = sum(job.size.width * job.size.height * len(job.candidates) for job in plan.jobs) * factor
    inputs = sum(file.size_bytes for file in plan.inputs)
    made = round(pixels * (_density(project) or USUAL_DENSITY))
    return plan.forecast.model_copy(update={"size_bytes": made + inputs})


def _density(project: Project) -> float | None:
    # A forecast writes nothing, not even an index, and does not fail for want of one.
    if not project.bench.index.path.exists():
        return None
    try:
        with project.bench.index.rows(project, fresh=False) as (rows, key):
            return store.density(rows, key)
    except KromaError:
        return None
