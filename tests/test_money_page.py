"""The page about money: its tables, its catalog, its ledger lines and its commands are what the code has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import click
import pytest
import typer

from kroma_nb.cli import app
from kroma_nb.model.ledger import Ended, Reserved, entry_adapter
from kroma_nb.model.limits import CallLimits
from kroma_nb.model.money import Money
from kroma_nb.model.rows import CostRow
from kroma_nb.model.run import Event
from kroma_nb.model.words import CallState
from kroma_nb.planning import catalog_of

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "money.md").read_text()


def table(heading: str, page: str = PAGE) -> list[list[str]]:
    """Give the rows of the table whose heading begins so."""
    start = page.index(f"| {heading}")
    lines = page[start:].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines]


def code(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[0]


def test_every_column_of_the_costs_is_explained() -> None:
    named = [name for row in table("column of `project.costs.frame()`") for name in re.findall(r"`(\w+)`", row[0])]

    assert sorted(named) == sorted(CostRow.model_fields)


def test_every_limit_on_calls_stands_there_with_its_default() -> None:
    rows = {row[0].strip("`"): float(row[1]) for row in table("`[limits.NAME]`")}

    assert rows == {name: float(field.default) for name, field in CallLimits.model_fields.items()}


def test_the_catalog_of_the_page_can_be_used_as_it_stands(tmp_path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "models.toml").write_text(code("toml"))

    catalog = catalog_of(tmp_path)

    card = catalog.find("example", "page-1")
    assert (card.lower_price, card.upper_price) == (Money(micro_usd=10_000), Money(micro_usd=40_000))
    assert catalog.limits_of("example") == CallLimits()


def test_the_ledger_lines_of_the_page_are_whole_and_every_field_is_named() -> None:
    reserved, ended = (entry_adapter.validate_json(line) for line in code("json").splitlines())

    assert isinstance(reserved, Reserved)
    assert isinstance(ended, Ended)
    for kind, (_, fields) in zip((Reserved, Ended), table("line | fields"), strict=True):
        named = set(re.findall(r"`(\w+)`", fields)) - {state.value for state in CallState}
        assert named == set(kind.model_fields) - {"entry", "schema_"}


def test_every_event_of_a_journal_is_named() -> None:
    page = re.sub(r"^  \|", "|", (DOCS / "run_folder.md").read_text(), flags=re.MULTILINE)
    named = [name for row in table("event |", page) for name in re.findall(r"`(\w+)`", row[0])]

    assert sorted(named) == sorted(kind.model_fields["event"].default for kind in get_args(Event))


@pytest.mark.parametrize(
    "line", sorted(set(re.findall(r"kroma ((?:plan|run|resume|retry|costs|budget)\b[^`\n#]*)", PAGE)))
)
def test_every_command_of_the_page_is_understood(line: str) -> None:
    name, *words = line.split()
    command = typer.main.get_command(app).commands[name]

    with click.Context(command) as context:
        _, _, order = command.make_parser(context).parse_args(words)
    assert {parameter.name for parameter in order} <= {parameter.name for parameter in command.params}
