"""Going on with a run: what is left of it, what that costs, and making it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

from kroma_nb import planning, run
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.money import Forecast, Money
from kroma_nb.model.paid import Repeats
from kroma_nb.model.run import now
from kroma_nb.model.words import RunStatus
from kroma_nb.run import RunFolder
from kroma_nb.workbench.at_home import Absent
from kroma_nb.workbench.backends import finishers_in
from kroma_nb.workbench.begun import unaltered
from kroma_nb.workbench.forecasting import price_of
from kroma_nb.workbench.left import left_rows, left_view
from kroma_nb.workbench.paying import confirmed, crew_of, equipment_for, painter_here
from kroma_nb.workbench.recovering import account_for
from kroma_nb.workbench.watching import watched

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.brief import Engine, Painter
    from kroma_nb.model.ledger import Reserved
    from kroma_nb.model.left import LeftRow
    from kroma_nb.model.money import Catalog
    from kroma_nb.model.paid import PaidPainter
    from kroma_nb.model.plan import Plan
    from kroma_nb.report import View
    from kroma_nb.workbench.paying import How
    from kroma_nb.workbench.run_handle import Run


@dataclass(frozen=True, repr=False)
class LeftToDo:
    """What a run has left, and what it would cost; it shows itself.

    Attributes
    ----------
    rest : Rest
    forecast : Forecast
        Of the rest alone.
    in_doubt : int
        Pictures that stay as they are, because nobody knows whether they were billed.
    painter : Painter, PaidPainter or Engine
        The engine, or an `Absent` one; of a paid replay only what its record says, as nobody is called.
    """

    rest: run.Rest
    forecast: Forecast
    in_doubt: int
    painter: Painter | PaidPainter | Engine

    @property
    def rows(self) -> tuple[LeftRow, ...]:
        """Every candidate without a good result, with the reason and the call that is in doubt."""
        return left_rows(self.rest)

    @property
    def view(self) -> View:
        """What it shows of itself."""
        return left_view(self.rest, self.forecast)

    def __repr__(self) -> str:
        return self.view.text()

    def _repr_html_(self) -> str:
        return self.view.html()


def left_to_do(one: Run, *, pay_again: bool = False, more: tuple[str, int] | None = None) -> LeftToDo:
    """Find what a run has left, or what it would have with more candidates of one of its jobs.

    A run whose process is gone is closed first, so that every call of it is accounted for.

    Raises
    ------
    RequestInvalid
        If another program has made it, nothing was made yet, there is no such job, or a picture's price is not known.
    InUse
        If a living process plays it.
    RecordInvalid
        If its files are not what was written.
    """
    folder = unaltered(one)
    account_for(one.project, one.run_id)
    rest = run.rest_of(folder, pay_again=pay_again)
    run.refuse_without_inputs(folder, rest)
    if rest.replays is not None:
        return _left_of_replay(folder, rest, one.project.bench.home, more)
    catalog = planning.catalog_of(one.project.bench.home)
    plan = _at_todays_price(rest.plan, catalog)
    painter = painter_here(plan, one.project.bench.home)
    if plan.card.paid:
        takes_over = partial(_takes_over, cast("PaidPainter", painter), plan, catalog)
        rest = run.rest_of(folder, pay_again=pay_again, takes_over=takes_over)
    rest = replace(rest, plan=plan)
    if more is not None:
        rest = run.more_of(rest, *more)
    # A call that is only asked after, or sent again under its key, has its money put aside already.
    turns = [(turn.job, turn.candidate) for turn in rest.turns if turn.doubtful is None]
    forecast = price_of(one.project, rest.plan, turns, pay_again=pay_again)
    return LeftToDo(rest, forecast, len(rest.in_doubt), painter)


def _left_of_replay(folder: RunFolder, rest: run.Rest, home: Path, more: tuple[str, int] | None) -> LeftToDo:
    """Find what a replay has left: it goes on as one, so that nothing is bought, and nothing comes from the cache.

    Raises
    ------
    RequestInvalid
        If more candidates are asked for: a replay has those of its run.
    """
    assert rest.replays is not None
    if more is not None:
        problem = f"run {folder.run_id} makes run {rest.replays} again, and has no candidates of its own"
        raise RequestInvalid("request", "run", problem, f"ask for more candidates of {rest.replays}")
    draws = rest.plan.draws and not rest.plan.card.paid
    rest = run.taken_up(folder, rest, RunFolder(folder.root, rest.replays))
    engine = painter_here(rest.plan, home) if draws else run.recorded_engine(rest)
    nothing = Forecast(pictures=len(rest.turns), paid_pictures=0, prices_as_of=rest.plan.forecast.prices_as_of)
    return LeftToDo(rest, nothing, 0, engine)


def _takes_over(painter: PaidPainter, plan: Plan, catalog: Catalog, call: Reserved) -> bool:
    """Tell whether a call in doubt goes on under the money that was put aside for it.

    One that is sent again under its key may be the first to arrive, and is then billed at today's price; and a provider
    forgets a key some day. Where either could cost more than was put aside, a person decides.
    """
    if painter.repeats is not Repeats.KEY:
        return painter.repeats is Repeats.ASK
    upper, limits = plan.card.upper_price, catalog.limits_of(call.provider)
    is_young = (now() - call.at).total_seconds() < limits.key_valid_s
    return is_young and upper is not None and not call.upper < upper


def _at_todays_price(plan: Plan, catalog: Catalog) -> Plan:
    """Give a plan with what its pictures cost today, where the catalog knows that; months may lie between.

    Raises
    ------
    RequestInvalid
        If a picture costs more by now than the plan allows, or its price is not known any more and nothing caps it.
    """
    if not plan.card.paid:
        return plan
    card = catalog.find(plan.card.provider, plan.card.model)
    if card is None or not card.paid:
        return plan
    card = planning.capped(card, plan.max_price)
    forecast = plan.forecast.model_copy(update={"prices_as_of": catalog.as_of})
    return plan.model_copy(update={"card": card, "forecast": forecast})


@dataclass(frozen=True)
class Decision:
    """What a person has decided about money.

    Attributes
    ----------
    confirm_spend : bool
        That the rest may cost up to the upper end of its forecast.
    pay_again : bool
        That pictures are bought again of which nobody knows whether they were billed.
    max_cost : Money or None
        What the rest may cost at most, whatever its forecast says.
    """

    confirm_spend: bool = False
    pay_again: bool = False
    max_cost: Money | None = None


def resumed(one: Run, decision: Decision, how: How, *, more: tuple[str, int] | None = None) -> Run:
    """Make what a run has left, or more candidates of one of its jobs.

    Raises
    ------
    ProviderFailed
        If a server at home that draws for it does not answer; then nothing is begun.
    """
    left = left_to_do(one, pay_again=decision.pay_again, more=more)
    if not left.rest.turns and one.status is not RunStatus.INTERRUPTED:
        return one
    if isinstance(left.painter, Absent):
        raise left.painter.why
    project, plan = one.project, left.rest.plan
    allowed = confirmed(left.forecast, confirm_spend=decision.confirm_spend, max_cost=decision.max_cost)
    # What the whole run may cost: what it has cost so far, and what is confirmed for the rest.
    limit = one.log.spent + (allowed or Money())
    with crew_of(how) as crew:
        if left.rest.replays is None:
            painter = cast("Painter | PaidPainter", left.painter)
            equipment = equipment_for(project, plan, painter, executor=crew, limit=limit)
        else:
            equipment = run.Equipment(executor=crew, finishers=finishers_in(project.bench.home, plan.postprocess))
        folder = RunFolder(project.root, one.run_id)
        events = run.resume_run(folder, left.rest, painter=left.painter, equipment=equipment, stop=how.get("stop"))
        watched(project, events, how.get("on_event"), one.run_id)
    return one
