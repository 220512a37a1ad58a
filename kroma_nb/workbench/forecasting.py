"""What a plan would take: money from the plan, bytes from what the project has made so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb import store
from kroma_nb.blobs import BlobStore
from kroma_nb.errors import KromaError
from kroma_nb.model.words import PassName, Stage

if TYPE_CHECKING:
    from kroma_nb.model.money import Forecast
    from kroma_nb.model.plan import Plan
    from kroma_nb.workbench.project import Project

# What the embedded engine's pages take as PNG, bytes a pixel: the means of the demo universe are 0.075 (style), 0.080
# (night) and 0.153 (rain). A project with pictures of its own is told by those.
USUAL_DENSITY = {Stage.WEATHER: 0.15}
ELSE_DENSITY = 0.08


def forecast_of(project: Project, plan: Plan) -> Forecast:
    """Add to a plan's forecast about how many bytes its pictures and new inputs would take.

    Every pass of every candidate is kept, at the size of the page, times the bytes a pixel that the project's newest
    runs of this stage have taken.
    """
    scale = plan.postprocess.upscale.scale if plan.postprocess.upscale else 1
    order = plan.postprocess.pipeline_order
    enlarged = order.index(PassName.UPSCALE) if PassName.UPSCALE in order else len(order)
    factor = sum(scale**2 if place >= enlarged else 1 for place in range(len(order)))
    pixels = sum(job.size.width * job.size.height * len(job.candidates) for job in plan.jobs) * factor
    kept = BlobStore(project.root / "inputs")
    inputs = sum(file.size_bytes for file in plan.inputs if not kept.has(file.sha256))
    made = round(pixels * (_density(project, plan.stage) or USUAL_DENSITY.get(plan.stage, ELSE_DENSITY)))
    return plan.forecast.model_copy(update={"size_bytes": made + inputs})


def _density(project: Project, stage: Stage) -> float | None:
    # A forecast writes nothing, not even an index, and does not fail for want of one.
    if not project.bench.index.path.exists():
        return None
    try:
        with project.bench.index.rows(project, fresh=False) as (rows, key):
            return store.density(rows, key, stage)
    except KromaError:
        return None
