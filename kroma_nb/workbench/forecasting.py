"""What a plan would take: money, calls, time and bytes, judged by what the project has made so far."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from kroma_nb import run, store
from kroma_nb.blobs import BlobStore
from kroma_nb.errors import KromaError
from kroma_nb.model.brief import Engine
from kroma_nb.model.money import Forecast, ProviderCalls
from kroma_nb.model.words import PassName, Stage
from kroma_nb.workbench.painters import painter_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from kroma_nb.model.plan import Candidate, Job, Plan
    from kroma_nb.store import Rows
    from kroma_nb.workbench.project import Project

    T = TypeVar("T")

# What the embedded engine's pages take as PNG, bytes a pixel: the means of the demo universe are 0.075 (style), 0.080
# (night) and 0.153 (rain). A project with pictures of its own is told by those.
USUAL_DENSITY = {Stage.WEATHER: 0.15}
ELSE_DENSITY = 0.08


def forecast_of(project: Project, plan: Plan) -> Forecast:
    """Add to a plan's forecast what this project knows: what it has bought before, and how its runs have gone."""
    turns = [(job, candidate) for job in plan.jobs for candidate in job.candidates]
    priced = price_of(project, plan, turns)
    made = priced.to_buy if plan.card.paid else priced.pictures
    return priced.model_copy(update={"size_bytes": _size(project, plan), "seconds": _seconds(project, plan, made)})


def price_of(
    project: Project, plan: Plan, turns: Iterable[tuple[Job, Candidate]], *, pay_again: bool = False
) -> Forecast:
    """Say what it would cost to make some candidates of a plan.

    The upper end holds a share for paid calls that give no picture: as many of them as this project has seen. What is
    in doubt elsewhere is not bought, unless it is to be paid again.
    """
    turns, card = list(turns), plan.card
    low, high = card.lower_price, card.upper_price
    if not card.paid or low is None or high is None:
        return Forecast(pictures=len(turns), paid_pictures=0, prices_as_of=plan.forecast.prices_as_of)
    keys = _keys(project, plan, turns)
    originals = run.Originals(project.root)
    bought = {key for key in set(keys) if originals.bought(key) is not None}
    asked = frozenset() if pay_again else _asked(project, store.keys_in_doubt) or frozenset()
    doubtful = asked - bought
    to_buy = len(set(keys) - bought - doubtful)
    in_doubt = sum(key in doubtful for key in keys)
    luck = _asked(project, lambda rows, key: store.luck(rows, key, card.provider, card.model))
    lost = math.ceil(to_buy * (1 - luck.usable / luck.charged)) if luck and luck.charged else 0
    calls = ProviderCalls(provider=card.provider, model=card.model, calls=to_buy, upper_price=high)
    return Forecast(
        pictures=len(turns),
        paid_pictures=len(turns),
        calls=(calls,) if to_buy else (),
        already_paid=len(turns) - to_buy - in_doubt,
        in_doubt=in_doubt,
        cost_low=low * to_buy,
        cost_high=high * (to_buy + lost),
        prices_as_of=plan.forecast.prices_as_of,
    )


def _keys(project: Project, plan: Plan, turns: Iterable[tuple[Job, Candidate]]) -> list[str]:
    painter = painter_for(plan.card, project.bench.home)
    engine = Engine(provider=painter.provider, model=painter.model, version=painter.version)
    return [
        run.paid_key(
            engine, job.brief(candidate, plan, None), job.scene.sha256, tuple(file.sha256 for file in job.references)
        )
        for job, candidate in turns
    ]


def _size(project: Project, plan: Plan) -> int:
    """Guess the bytes that a run would keep.

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
    density = _asked(project, lambda rows, key: store.density(rows, key, plan.stage))
    return round(pixels * (density or USUAL_DENSITY.get(plan.stage, ELSE_DENSITY))) + inputs


def _seconds(project: Project, plan: Plan, pictures: int) -> float | None:
    if not plan.draws:
        return None
    card = plan.card
    each = _asked(project, lambda rows, key: store.pace(rows, key, plan.stage, card.provider, card.model))
    return round(each * pictures / (os.cpu_count() or 1), 1) if each is not None else None


def _asked(project: Project, question: Callable[[Rows, str], T]) -> T | None:
    """Ask the index, where there is one: a forecast writes nothing, not even an index, and does not fail for want."""
    if not project.bench.index.path.exists():
        return None
    try:
        with project.bench.index.rows(project, fresh=False) as (rows, key):
            return question(rows, key)
    except KromaError:
        return None
