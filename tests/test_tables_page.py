"""The page about columns names every column, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kroma_nb.model.asset import AssetRecord
from kroma_nb.model.diff import ChangeRow
from kroma_nb.model.lineage import AffectedRow, Relative
from kroma_nb.model.rows import CandidateRow, PlanRow, ProjectRow, RunRow
from kroma_nb.model.value import Value
from kroma_nb.report import ProofRow
from kroma_nb.store import schema
from kroma_nb.workbench.requests import PlanWords

DOCS = Path(__file__).parents[1] / "docs"
SECTIONS = {
    "Candidates": CandidateRow,
    "Runs": RunRow,
    "Pictures": AssetRecord,
    "Projects": ProjectRow,
    "Plans": PlanRow,
    "Changes": ChangeRow,
    "Lineage": Relative,
    "What must be made again": AffectedRow,
    "Replay": ProofRow,
}


def section(name: str) -> str:
    return re.split(r"^## ", (DOCS / "tables.md").read_text(), flags=re.MULTILINE)[1 + list(SECTIONS).index(name)]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_column_of_a_frame_is_explained(name: str) -> None:
    kind: type[Value] = SECTIONS[name]
    text = section(name)
    rows = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    named = re.findall(r"`(\w+)`", " ".join(rows) if rows else text.split(": ", 1)[1])

    assert named == list(kind.model_fields)


def test_every_table_of_the_database_is_explained() -> None:
    rows = re.findall(r"^\| (`[^|]+) \|", (DOCS / "memory.md").read_text(), re.MULTILINE)

    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(schema.metadata.tables)


def test_every_word_of_a_plan_is_named() -> None:
    text = (DOCS / "finding.md").read_text().split("The words of `project.plan` are ")[1].split(". A word")[0]

    assert set(re.findall(r"`(\w+)`", text)) == set(PlanWords.model_fields)
