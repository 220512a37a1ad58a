"""The table of mended weaknesses: whole, and every test in it is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
ROW = re.compile(r"^\| (W\d+) \| [^|]+ \| (?:`(?P<file>[^:`]+)::(?P<test>\w+)`|not yet) \|$", re.MULTILINE)
PAGE = (CHECKOUT / "docs" / "mended.md").read_text()
MENDED_SO_FAR = {1, 3, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 27}


def rows() -> dict[str, re.Match[str]]:
    return {row[1]: row for row in ROW.finditer(PAGE)}


def test_every_weakness_has_one_row_in_order() -> None:
    assert re.findall(r"^\| (W\d+) ", PAGE, re.MULTILINE) == [f"W{number}" for number in range(1, 31)]
    assert list(rows()) == [f"W{number}" for number in range(1, 31)]


@pytest.mark.parametrize("number", sorted(MENDED_SO_FAR))
def test_what_this_version_mends_has_a_test(number: int) -> None:
    assert rows()[f"W{number}"]["test"] is not None


@pytest.mark.parametrize("name", [name for name, row in rows().items() if row["test"]])
def test_the_named_test_exists(name: str) -> None:
    row = rows()[name]

    tree = ast.parse((CHECKOUT / row["file"]).read_text())

    tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert row["test"] in tests
