"""What was spent: a table of calls, and bars that add it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.money import Money
from kroma_nb.model.words import CallState
from kroma_nb.report.phrases import counted, made_by
from kroma_nb.report.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kroma_nb.model.money import Budget
    from kroma_nb.model.rows import CostRow

HELD = frozenset({CallState.OPEN, CallState.IN_DOUBT})
"""How a call stands that is charged in full, while nobody knows whether it was billed."""
COLUMNS = ("when", "engine", "run", "picture", "state", "cost", "request")
MOST_NAMED = 20
"""How many calls are named one by one below the table."""


def costs_view(slug: str, costs: Sequence[CostRow], budget: Budget) -> View:
    """Show a project's paid calls, newest first, with what they come to."""
    rows = tuple(_row(cost) for cost in reversed(costs))
    total = sum((Money(micro_usd=cost.cost_micro_usd) for cost in costs), Money())
    held = [cost for cost in reversed(costs) if cost.state in HELD]
    notes = [f"Charged: {total}." if costs else "Nothing was paid for in this project."]
    if held:
        upper = sum((Money(micro_usd=cost.cost_micro_usd) for cost in held), Money())
        notes.append(
            f"Of that {upper} for {counted(len(held), 'call')} of which nobody knows whether it was billed: "
            "look for its request in the provider's account."
        )
        # Whole, on lines of their own: these are what is looked for.
        notes += [_held(cost) for cost in held[:MOST_NAMED]]
    if told := sum(not cost.reported and cost.state is CallState.SETTLED for cost in costs):
        notes.append(f"For {counted(told, 'call')} the provider named no amount: the catalog's price counts.")
    notes.append(budget_words(budget))
    return View(f"Costs of {slug}", COLUMNS if rows else (), rows, tuple(notes))


def _row(cost: CostRow) -> tuple[str, ...]:
    return (
        f"{cost.at:%Y-%m-%d %H:%M}",
        made_by(cost.provider, cost.model),
        # The last signs of its id name a run wherever one is asked for.
        cost.run_id[-6:],
        _picture(cost),
        cost.state.value.replace("_", " "),
        str(Money(micro_usd=cost.cost_micro_usd)),
        cost.request_id,
    )


def _picture(cost: CostRow) -> str:
    return f"{cost.job} c{cost.candidate}" if cost.candidate is not None else cost.job


def _held(cost: CostRow) -> str:
    # A call of which nobody knows more is found at the provider's by the name that it was given here.
    named = f"request {cost.request_id}" if cost.request_id else f"call {cost.call_id}"
    said = f": {cost.says}" if cost.says else "."
    stands = "Under way" if cost.state is CallState.OPEN else "In doubt"
    return f"{stands}: {_picture(cost)} of run {cost.run_id[-6:]}, {named}{said}"


def budget_words(budget: Budget) -> str:
    """Say what a project may cost, as a sentence.

    Examples
    --------
    >>> from kroma_nb.model.money import Budget, Money
    >>> budget_words(Budget(per_run=Money(), per_month=Money.of(20)))
    'Budget: $0.00 a run, $20.00 a month.'
    """
    limits = [
        f"{amount} {what}"
        for amount, what in ((budget.per_run, "a run"), (budget.per_month, "a month"))
        if amount is not None
    ]
    return f"Budget: {', '.join(limits)}." if limits else "Budget: no limit but what is confirmed for each run."
