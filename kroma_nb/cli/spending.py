"""Before money is spent: what is foreseen is shown, and a person is asked once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from kroma_nb.model.money import Forecast, Money


def agreed(forecast: Forecast, *, most: Money | None, confirm_spend: bool, ask: bool) -> bool:
    """Tell whether somebody has agreed to what may be spent: by an option, or by a yes at a terminal.

    What costs nothing is not asked about. Where nobody can be asked, nobody has agreed.

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
        return typer.confirm(question(forecast, most))
    except typer.Abort:
        # Ctrl-C or the end of input at the question is a no.
        typer.echo()
        return False


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
