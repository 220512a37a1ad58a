"""What a run is made with and paid from: the confirmation, the till, the pass cache."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypedDict, cast

from kroma_nb import planning, run
from kroma_nb.errors import ProviderFailed, RequestInvalid, SpendNotConfirmed
from kroma_nb.model.brief import Engine
from kroma_nb.model.money import Money
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.workbench.at_home import Absent
from kroma_nb.workbench.backends import finishers_in
from kroma_nb.workbench.bookkeeping import ProjectPurse
from kroma_nb.workbench.caching import kept_passes
from kroma_nb.workbench.painters import painter_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor
    from pathlib import Path
    from threading import Event as Flag

    from kroma_nb.model.brief import Painter
    from kroma_nb.model.money import Forecast
    from kroma_nb.model.paid import PaidPainter
    from kroma_nb.model.plan import Plan
    from kroma_nb.model.run import Event
    from kroma_nb.workbench.project import Project


class How(TypedDict, total=False):
    """How a run is played.

    Attributes
    ----------
    workers : int
        How many candidates are made at once; by default as many as there are processors.
    executor : concurrent.futures.Executor
        Where candidates are made, in place of threads.
    stop : threading.Event
        Once set, what is being made is finished and the run ends as ``interrupted``, as it does with Ctrl-C.
    on_event : callable
        Is told each event when it has been journalled.
    """

    workers: int | None
    executor: Executor | None
    stop: Flag | None
    on_event: Callable[[Event], object] | None


@contextmanager
def crew_of(how: How) -> Iterator[Executor | None]:
    """Give where candidates are made; threads that are made for it end with it.

    Raises
    ------
    RequestInvalid
        If there is a word that `How` does not have: whoever believes in a limit that is none would pay for it.
    """
    for word in how:
        if word not in How.__annotations__:
            raise RequestInvalid("request", word, "there is no such word", did_you_mean(word, How.__annotations__))
    executor, workers = how.get("executor"), how.get("workers")
    if executor is not None or not workers:
        yield executor
        return
    with ThreadPoolExecutor(workers) as threads:
        yield threads


def least(*limits: Money | None) -> Money | None:
    """Give the lowest of some limits; None where none of them is one."""
    return min((limit for limit in limits if limit is not None), default=None)


def confirmed(forecast: Forecast, *, confirm_spend: bool, max_cost: Money | None) -> Money | None:
    """Give what a run may cost; None where it costs nothing, and nothing is asked.

    Raises
    ------
    SpendNotConfirmed
        If it may cost something, and nobody has confirmed that.
    """
    if not forecast.cost_high:
        return None
    if not confirm_spend:
        raise SpendNotConfirmed(forecast.to_buy, forecast.cost_high)
    return least(forecast.cost_high, max_cost)


def equipment_for(
    project: Project,
    plan: Plan,
    painter: Painter | PaidPainter | Engine,
    *,
    executor: Executor | None = None,
    limit: Money | None = None,
) -> run.Equipment:
    """Give what a plan is played with in a project."""
    cache, finishers = kept_passes(project), finishers_in(project.bench.home, plan.postprocess)
    if not plan.card.paid:
        return run.Equipment(executor=executor, cache=cache, finishers=finishers)
    limits = planning.catalog_of(project.bench.home).limits_of(plan.card.provider)
    till = run.Till(cast("PaidPainter", painter), ProjectPurse(project, limit or Money()), limits)
    return run.Equipment(executor=executor, cache=cache, till=till, spend_limit=limit, finishers=finishers)


def painter_of(plan: Plan, home: Path | None = None) -> Painter | PaidPainter | Engine:
    """Give the engine of a plan in a workspace, of the kind that its card says; only its name where nothing is drawn.

    Raises
    ------
    RequestInvalid
        If this installation has no such engine, or it is of another kind.
    """
    if not plan.draws:
        return Engine(provider=plan.card.provider, model=plan.card.model, version="")
    painter = painter_for(plan.card, home)
    wanted = "send" if plan.card.paid else "paint"
    if not hasattr(painter, wanted):
        kind = "paid" if plan.card.paid else "free"
        problem = f"the catalog calls {plan.card.provider} {plan.card.model} {kind}, and the engine is not"
        raise RequestInvalid("request", "provider", problem, "correct `paid` in config/models.toml")
    return painter


def painter_here(plan: Plan, home: Path) -> Painter | PaidPainter | Engine:
    """Give the engine of a plan as `painter_of` does; in place of a server that does not answer, one that says so."""
    try:
        return painter_of(plan, home)
    except ProviderFailed as why:
        return Absent(plan.card.provider, plan.card.model, why)
