"""What was spent: a table of calls, and bars that add it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.money import Money
from kroma_nb.model.words import CallState
from kroma_nb.report.elements import Element, el
from kroma_nb.report.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kroma_nb.model.money import Budget
    from kroma_nb.model.rows import CostRow

COLUMNS = ("when", "provider", "model", "stage", "run", "job", "state", "cost", "request", "says")
# A bar's row and the room for names and amounts, in pixels.
ROW, NAMES, BARS, AMOUNTS, LONGEST = 26, 190, 340, 110, 26


def costs_view(slug: str, costs: Sequence[CostRow], budget: Budget) -> View:
    """Show a project's paid calls, newest first, with what they come to."""
    rows = tuple(_row(cost) for cost in reversed(costs))
    total = sum((Money(micro_usd=cost.cost_micro_usd) for cost in costs), Money())
    held = [cost for cost in costs if cost.state in {CallState.OPEN, CallState.IN_DOUBT}]
    notes = [f"Charged: {total}." if costs else "Nothing was paid for in this project."]
    if held:
        upper = sum((Money(micro_usd=cost.cost_micro_usd) for cost in held), Money())
        notes.append(
            f"Of that {upper} for {len(held)} calls of which nobody knows yet whether they were billed: "
            "look for the request in the provider's account."
        )
    notes.append(budget_words(budget))
    return View(f"Costs of {slug}", COLUMNS if rows else (), rows, tuple(notes))


def _row(cost: CostRow) -> tuple[str, ...]:
    # A call of which nobody knows more is found at the provider's by the name that it was given here.
    request = cost.request_id or (cost.call_id or "")
    amount = str(Money(micro_usd=cost.cost_micro_usd))
    return (
        f"{cost.at:%Y-%m-%d %H:%M:%S}",
        cost.provider,
        cost.model,
        cost.stage.value,
        cost.run_id,
        f"{cost.job} c{cost.candidate}" if cost.candidate is not None else cost.job,
        cost.state.value.replace("_", " "),
        amount if cost.reported else f"{amount} (catalog)",
        request,
        cost.says,
    )


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


def cost_bars(sums: Mapping[str, Money], title: str) -> str:
    """Draw amounts as bars, as an SVG document of its own.

    Parameters
    ----------
    sums : mapping of str to Money
        In the order in which they are drawn.
    title : str
    """
    return str(drawn_bars(sums, title))


def drawn_bars(sums: Mapping[str, Money], title: str) -> Element:
    """Draw amounts as bars, as an element of a page."""
    most = max((amount.micro_usd for amount in sums.values()), default=0) or 1
    width, height = NAMES + BARS + AMOUNTS, ROW * (len(sums) + 1) + 10
    rows = [part for place, (name, amount) in enumerate(sums.items(), 1) for part in _bar(place, name, amount, most)]
    spoken = ", ".join(f"{name} {amount}" for name, amount in sums.items()) or "nothing"
    return el(
        "svg",
        el("title", f"{title}: {spoken}"),
        _text(title, 0, 17, weight="600"),
        *rows,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        style="max-width:100%;color:inherit",
    )


def _bar(place: int, name: str, amount: Money, most: int) -> tuple[Element, ...]:
    top = ROW * place + 4
    length = max(2.0, BARS * amount.micro_usd / most)
    shown = name if len(name) <= LONGEST else f"{name[: LONGEST - 13]}…{name[-12:]}"
    outline = f"M{NAMES} {top}h{length:.1f}v{ROW - 10}h{-length:.1f}z"
    return (
        _text(shown, NAMES - 10, top + 12, anchor="end"),
        el("path", d=outline, fill="#c2542d"),
        _text(str(amount), NAMES + length + 8, top + 12),
    )


def _text(text: str, x: float, y: float, *, anchor: str = "start", weight: str = "400") -> Element:
    style = f"font:{weight} 13px system-ui,sans-serif"
    return el("text", text, x=f"{x:.1f}", y=y, fill="currentColor", text_anchor=anchor, style=style)
