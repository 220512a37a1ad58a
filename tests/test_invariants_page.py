"""The page about invariants: its limits are the code's, and a part of its rates is counted again."""

from __future__ import annotations

from pathlib import Path

import pytest
from invariant_faults import FAULTS
from invariant_rates import SEEDS, rate

from kroma_nb.model.invariants import InvariantName, InvariantSettings
from kroma_nb.qa.invariants import COLOR_LIMITS, CUTOUT_LIMITS, UPSCALE_LIMITS

PAGE = (Path(__file__).parents[1] / "docs" / "invariants.md").read_text()
COUNTED_AGAIN = [("patchy flat black", 6), ("nearest-neighbour alpha", 0.5), ("a ring of ground", 2)]


def table(heading: str) -> list[list[str]]:
    """Give the rows of the table whose heading begins so."""
    lines = PAGE[PAGE.index(f"| {heading}") :].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines]


def test_every_invariant_is_explained_with_its_strictness() -> None:
    rows = {row[0].strip("`"): row[1] for row in table("invariant | by default")}

    assert rows == {name.value: InvariantSettings().strictness(name).value for name in InvariantName}


def test_the_limits_of_the_page_are_those_of_the_code() -> None:
    limits = {"upscale": UPSCALE_LIMITS, "bg_remove": CUTOUT_LIMITS, "color": COLOR_LIMITS}
    rows = [(row[0].strip("`"), row[1].strip("`"), row[2]) for row in table("pass | invariant | limit")]

    shown = {(pass_name, name): float(limit) for pass_name, name, limit in rows if limit != "1 % to 98 %"}
    assert shown == {(pass_name, name.value): one[name] for pass_name, one in limits.items() for name in one}


def test_every_fault_of_the_sweeps_stands_there_with_its_severities() -> None:
    rows = {
        row[0].split(" (")[0]: [part.split(":")[0] for part in row[2].split(", ")] for row in table("fault | seen by")
    }

    assert rows == {fault.name: [f"{severity:g}" for severity in fault.severities] for fault in FAULTS}


@pytest.mark.parametrize(("name", "severity"), COUNTED_AGAIN)
def test_a_rate_of_the_page_is_what_is_counted(name: str, severity: float) -> None:
    fault = next(one for one in FAULTS if one.name == name)
    row = next(row for row in table("fault | seen by") if row[0].split(" (")[0] == name)
    said = dict(part.split(": ") for part in row[2].split(", "))

    seen, of = rate(fault, severity, 1)

    assert of == SEEDS == 40
    # A count may differ by one where another machine rounds otherwise.
    assert abs(seen - int(said[f"{severity:g}"])) <= 1
