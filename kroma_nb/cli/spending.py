"""Before money is spent: what is foreseen is shown, and a person is asked once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from kroma_nb.cli import screen
from kroma_nb.errors import SpendNotConfirmed

if TYPE_CHECKING:
    from kroma_nb.model.money import Forecast, Money
    from kroma_nb.workbench import Project


def agreed(forecast: Forecast, *, most: Money | None, confirm_spend: bool, ask: bool) -> bool:
    """Tell whether somebody has agreed to what may be spent: by an option, or by a yes at a terminal.

    What costs nothing is not asked about. Where nobody can be asked, nobody has agreed; who says no ends the command.

    Parameters
    ----------
    forecast : Forecast
    most : Money or None
        What is spent at most, whatever the forecast says.
    confirm_spend : bool
        Whether the option was given.
    ask : bool
        Whether a question may be put at all.
    """
    if confirm_spend or not forecast.cost_high:
        return confirm_spend
    if not (ask and sys.stdin.isatty()):
        return False
    try:
        sure = typer.confirm(question(forecast, most))
    except typer.Abort:
        # Ctrl-C or the end of input at the question is a no.
        typer.echo()
        sure = False
    if not sure:
        screen.say("Nothing was bought.")
        raise typer.Exit(SpendNotConfirmed.exit_code)
    return True


def say_what_budgets_leave(project: Project, forecast: Forecast, run_id: str = "") -> None:
    """Say before the question that a budget leaves less than what is foreseen.

    Parameters
    ----------
    project : Project
    forecast : Forecast
    run_id : str
        Of a run that goes on.
    """
    left = project.costs.left_for(run_id)
    if left is not None and left < forecast.cost_high:
        screen.say(f"The project's budget leaves {left} for it; what is above that is not bought.")


def question(forecast: Forecast, most: Money | None) -> str:
    """Ask whether what is foreseen may be spent.

    Examples
    --------
    >>> from datetime import date
    >>> from kroma_nb.model.money import Forecast, Money
    >>> cost = Money.of("0.24")
    >>> forecast = Forecast(pictures=6, paid_pictures=6, cost_high=cost, prices_as_of=date(2026, 1, 1))
    >>> question(forecast, None)
    '6 pictures would cost up to $0.24. Go ahead?'
    >>> question(forecast, Money.of("0.10"))
    '6 pictures would cost up to $0.24, and at most $0.10 is spent. Go ahead?'
    """
    pictures = "1 picture" if forecast.to_buy == 1 else f"{forecast.to_buy:,} pictures"
    capped = most is not None and most < forecast.cost_high
    limit = f", and at most {most} is spent" if capped else ""
    return f"{pictures} would cost up to {forecast.cost_high}{limit}. Go ahead?"
