"""Amounts of money that people write: a comma never turns cents into dollars."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import write_catalog

from kroma_nb.cli import main
from kroma_nb.errors import CatalogInvalid, RequestInvalid
from kroma_nb.exchange.kroma_costs import cost_event
from kroma_nb.model.money import Money
from kroma_nb.planning import load_catalog
from kroma_nb.workbench import Project

DOUBTFUL = [
    *("1,50", "0,04", "$1,5", "0,500", "1,0", ",5", "5,", "1,,000", "1,00,000", "1.000,50", "10,0000", "1000,000"),
    *("1,000.5,0", "-1,000", "01,000", "1,000e3", "1, 000", "\u0661,\u0665\u0660\u0660"),
]


@pytest.mark.parametrize("text", DOUBTFUL)
def test_a_comma_that_parts_no_thousands_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no amount of money; write 1\.50, with a point"):
        Money.of(text)


@pytest.mark.parametrize(
    ("text", "micro_usd"),
    [
        ("1,000.50", 1_000_500_000),
        ("$1,000", 1_000_000_000),
        (" $ 12,345,678.9 ", 12_345_678_900_000),
        ("999,999.000001", 999_999_000_001),
        ("1000.50", 1_000_500_000),
        (".5", 500_000),
    ],
)
def test_whole_groups_of_thousands_are_read(text: str, micro_usd: int) -> None:
    assert Money.of(text).micro_usd == micro_usd


@pytest.mark.parametrize("micro_usd", [0, 1, 40_000, 999_999_999, 1_000_000_000, 1_234_567_890_123, 2**53 - 1])
def test_an_amount_as_it_is_shown_is_read_as_it_was(micro_usd: int) -> None:
    amount = Money(micro_usd=micro_usd)

    assert Money.of(str(amount)) == amount


@pytest.fixture
def scenes_of_a_paid_engine(story: Project, scenes: Path) -> dict[str, object]:
    write_catalog(story.bench.home)
    return {"manifest": str(scenes / "manifest.json"), "provider": "loopback"}


Asked = Callable[[Project, dict[str, object]], object]
IN_PYTHON: dict[str, tuple[str, Asked]] = {
    "plan, max_cost": ("max_cost", lambda story, words: story.plan(**words, max_cost="1,50")),
    "plan, max_price": ("max_price", lambda story, words: story.plan(**words, max_price="0,04")),
    "a budget for a run": ("per_run", lambda story, _: story.costs.set_budget(per_run="1,50")),
    "a budget for a month": ("per_month", lambda story, _: story.costs.set_budget(per_month="1,50")),
    "resume": ("max_cost", lambda story, _: story.runs.resume("latest", max_cost="1,50")),
}


@pytest.mark.parametrize("where", IN_PYTHON)
def test_every_amount_in_a_notebook_is_refused_by_its_name(where, story, scenes_of_a_paid_engine) -> None:
    field, ask = IN_PYTHON[where]
    story.run(story.plan(manifest=scenes_of_a_paid_engine["manifest"]))

    with pytest.raises(RequestInvalid, match=r"write 1\.50, with a point") as caught:
        ask(story, scenes_of_a_paid_engine)

    assert caught.value.field == field
    assert (story.costs.budget.per_run, story.costs.budget.per_month) == (None, None)


ON_THE_COMMAND_LINE = [
    ("plan", "--max-cost"),
    ("plan", "--max-price"),
    ("run", "--max-cost"),
    ("run", "--max-price"),
    ("resume", "--max-cost"),
    ("retry", "--max-cost"),
    ("budget", "--per-run"),
    ("budget", "--per-month"),
]


@pytest.mark.parametrize(("command", "option"), ON_THE_COMMAND_LINE)
def test_every_amount_on_the_command_line_is_refused_by_its_name(
    command, option, story, scenes_of_a_paid_engine, capsys
) -> None:
    made = story.run(story.plan(manifest=scenes_of_a_paid_engine["manifest"]))
    paid = ["--manifest", scenes_of_a_paid_engine["manifest"], "--provider", "loopback"]
    words = {"plan": paid, "run": [*paid, "--confirm-spend"], "resume": [made.run_id], "budget": []}
    words["retry"] = [made.run_id, made.log.jobs[0].id]

    with pytest.raises(SystemExit) as ended:
        main([command, *words[command], option, "1,50", "--project", "noir", "--home", str(story.bench.home)])

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"{option[2:].replace('-', '_')}: '1,50' is no amount of money; write 1.50" in " ".join(said.split())


@pytest.mark.parametrize("price", ['"1,50"', '{ micro_usd = "1,50" }'])
def test_a_price_in_a_catalog_is_whole_millionths_and_nothing_else(price: str, tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    card = f'provider = "p"\nmodel = "m"\npaid = true\nprice_per_picture = {price}\n'
    path.write_text(f"as_of = 2026-01-31\n[[models]]\n{card}")

    with pytest.raises(CatalogInvalid) as caught:
        load_catalog(path)

    assert caught.value.field.startswith("models[0].price_per_picture")


@pytest.mark.parametrize("amount", ["1,50", "0,04", "1,000.50"])
def test_an_imported_amount_with_a_comma_is_not_guessed_at(amount: str) -> None:
    assert cost_event({"cost_usd": amount}, model="m") is None
