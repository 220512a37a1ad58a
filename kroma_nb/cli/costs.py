"""Commands about money: `costs` and `budget`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.options import AsJson, Home, Options, Slug, takes
from kroma_nb.errors import RequestInvalid

if TYPE_CHECKING:
    from kroma_nb.model.money import Budget, Money
    from kroma_nb.workbench import Costs, Project

NO_LIMIT = "none"


class By(StrEnum):
    """What costs are added up by."""

    PROVIDER = "provider"
    STAGE = "stage"
    MONTH = "month"
    RUN = "run"


@dataclass(frozen=True)
class CostOptions(Options):
    """How `costs` shows them."""

    by: Annotated[By | None, typer.Option(help="Add them up; else every call is listed.")] = None
    svg: Annotated[Path | None, typer.Option(help="Draw the sums as bars into this file; by month unless --by.")] = None


@takes(CostOptions)
def costs(options: CostOptions, project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Show what the paid calls of a project have cost, and what of that is in doubt."""
    from kroma_nb import report
    from kroma_nb.blobs import write_atomic

    svg, by = options.svg, options.by
    if svg is not None and svg.suffix.lower() != ".svg":
        raise RequestInvalid("request", "svg", f"{svg} is no name for a drawing", "let it end with .svg")
    place = _project(home, project)
    found = place.costs
    rows = found.rows()
    if svg is not None:
        write_atomic(svg, found.bars((by or By.MONTH).value).encode())
    if as_json:
        sums = {"by": {name: one.micro_usd for name, one in found.by(by.value).items()}} if by else {}
        facts = {"project": place.slug, "total_micro_usd": found.total.micro_usd, **sums, **_limits(found.budget)}
        screen.show_json({"ok": True, **facts, "calls": [row.to_json() for row in rows]})
        return
    view = report.costs_view(place.slug, rows, found.budget)
    screen.show(_summed(view, found, by) if by and rows else view)
    if svg is not None:
        screen.say(str(svg))


def _summed(view: Any, found: Costs, by: By) -> Any:
    sums = tuple((name, str(amount)) for name, amount in found.by(by.value).items())
    return replace(view, title=f"{view.title} by {by.value}", columns=(by.value, "charged"), rows=sums)


@dataclass(frozen=True)
class BudgetOptions(Options):
    """What `budget` sets."""

    per_run: Annotated[
        str | None, typer.Option(metavar="USD", help="What each run may cost; `none` takes the limit away.")
    ] = None
    per_month: Annotated[
        str | None, typer.Option(metavar="USD", help="What each month (UTC) may cost; `none` takes the limit away.")
    ] = None
    none: Annotated[bool, typer.Option("--none", help="Take both limits away.")] = False


@takes(BudgetOptions)
def budget(options: BudgetOptions, project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Show what a project may cost, or set it; a limit that is not named stays as it is."""
    given = {"per_run": options.per_run, "per_month": options.per_month}
    named = {name: amount for name, amount in given.items() if amount is not None}
    if options.none and named:
        raise RequestInvalid("request", "none", "it is given beside an amount", "choose one of them")
    place = _project(home, project)
    if options.none:
        place.costs.set_budget()
    elif named:
        there = place.costs.budget
        before = {"per_run": there.per_run, "per_month": there.per_month}
        place.costs.set_budget(**{**before, **{name: _amount(said) for name, said in named.items()}})
    _show_budget(place, as_json=as_json)


def _amount(said: str) -> str | None:
    return None if said.strip().lower() == NO_LIMIT else said


def _show_budget(place: Project, *, as_json: bool) -> None:
    from kroma_nb import report
    from kroma_nb.model.run import now

    month, so_far, limits = f"{now():%Y-%m}", place.costs.this_month, place.costs.budget
    if as_json:
        facts = {"project": place.slug, "month": month, "charged_micro_usd": so_far.micro_usd}
        screen.show_json({"ok": True, **facts, **_limits(limits)})
        return
    screen.say(report.budget_words(limits))
    screen.say(f"Charged in {month} (UTC): {so_far}{_of(limits.per_month)}.")


def _of(limit: Money | None) -> str:
    return f" of {limit}" if limit is not None else ""


def _limits(limits: Budget) -> dict[str, Any]:
    micro = {f"{name}_micro_usd": one.micro_usd if one is not None else None for name, one in limits}
    return {"budget": micro}


def _project(home: Path | None, slug: str | None) -> Project:
    from kroma_nb.workbench import open_workbench

    return open_workbench(home).project(slug)
