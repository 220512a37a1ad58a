"""The plan of a run that draws nothing: the winners of an earlier run, taken through the passes after drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.errors import RequestInvalid
from kroma_nb.model.money import Forecast
from kroma_nb.planning.gate import gate_of
from kroma_nb.planning.postprocess import named_postprocess, plan_passes
from kroma_nb.planning.scenes import REQUEST
from kroma_nb.settings import Settings

if TYPE_CHECKING:
    from kroma_nb.model.backends import BackendOptions
    from kroma_nb.model.plan import Job, Plan, PlanRequest


def plan_finishing(
    before: Plan,
    jobs: tuple[Job, ...],
    request: PlanRequest,
    *,
    settings: Settings | None = None,
    backends: BackendOptions | None = None,
) -> Plan:
    """Plan to finish pictures that an earlier run has made; write nothing.

    Parameters
    ----------
    before : Plan
        The earlier run's.
    jobs : tuple of Job
        Its jobs, each with the picture that is `given`.
    request : PlanRequest
        Says which passes are on.
    settings : Settings or None
        Layered settings without the request's own layer; None takes the built-in defaults.
    backends : BackendOptions or None
        As for `plan`.

    Raises
    ------
    ValidationFailed
        If no pass is on, or one of them cannot be planned.
    """
    asked = (settings or Settings.built_in()).with_request(request)
    loaded = named_postprocess(asked)
    given = [job.given for job in jobs if job.given is not None]
    bought, is_cut = any(one.bought for one in given), any(one.cut_out for one in given)
    passes = plan_passes(loaded, asked, bought=bought, is_cut=is_cut, options=backends)
    if len(passes.pipeline_order) == 1:
        problem = "no pass is on, so there is nothing to finish"
        raise RequestInvalid(REQUEST, "postprocess", problem, "switch on bg_remove, upscale or color")
    card = before.card.model_copy(update={"paid": False, "price_per_picture": None, "least_per_picture": None})
    gate, _ = gate_of(before.stage)
    unused = f"Read but not used from {loaded.file}: {', '.join(loaded.unused)}."
    return before.model_copy(
        update={
            "gate": gate,
            "card": card,
            "generation": before.generation.model_copy(update={"candidates": 1}),
            "postprocess": passes,
            "jobs": jobs,
            "forecast": Forecast(pictures=len(jobs), paid_pictures=0, prices_as_of=before.forecast.prices_as_of),
            "notes": (unused,) if loaded.unused else (),
            "max_cost": None,
            "max_price": None,
        }
    )
