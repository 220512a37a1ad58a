"""Every column of a frame has the type that its field says, whatever stands in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest

from kroma_nb.model.asset import AssetRecord
from kroma_nb.model.rows import CandidateRow, PlanRow, ProjectRow, RunRow
from kroma_nb.model.value import Value
from kroma_nb.model.words import Stage
from kroma_nb.workbench.frames import frame_of


class Row(Value):
    """A row with a field of every kind."""

    name: str
    stage: Stage
    place: int
    wins: bool
    words: tuple[str, ...]
    made_at: datetime
    quality: float | None
    width: int | None
    ended_at: datetime | None
    follows: str | None


TYPES = {
    "place": "int64",
    "wins": "bool",
    "made_at": "datetime64[us, UTC]",
    "quality": "float64",
    "width": "Int64",
    "ended_at": "datetime64[us, UTC]",
}
BERLIN = timezone(timedelta(hours=1))
NOON = datetime(2026, 11, 22, 12, 0, 0, 345_000, UTC)
BARE = Row(
    name="quay",
    stage=Stage.STYLE,
    place=1,
    wins=True,
    words=("soft",),
    made_at=NOON.astimezone(BERLIN),
    quality=None,
    width=None,
    ended_at=None,
    follows=None,
)
WHOLE = BARE.model_copy(update={"quality": 0.5, "width": 2**53 + 1, "ended_at": NOON, "follows": "r1"})


@pytest.mark.parametrize("rows", [[], [BARE], [BARE, WHOLE], [WHOLE]], ids=["empty", "missing", "mixed", "whole"])
def test_a_column_has_the_type_of_its_field(rows: list[Row]) -> None:
    frame = frame_of(rows, Row)

    assert list(frame) == list(Row.model_fields)
    assert {name: str(frame[name].dtype) for name in TYPES} == TYPES


def test_values_are_kept_as_they_are_and_missing_ones_are_missing() -> None:
    frame = frame_of([BARE, WHOLE], Row)

    assert frame["width"].tolist() == [pd.NA, 2**53 + 1]
    assert frame["quality"].sum() == 0.5
    assert frame["ended_at"].tolist() == [pd.NaT, pd.Timestamp(NOON)]
    assert frame["made_at"].tolist() == [pd.Timestamp(NOON)] * 2
    assert frame["stage"].tolist() == ["style", "style"]
    assert frame["words"].tolist() == [("soft",), ("soft",)]
    assert frame["follows"].isna().tolist() == [True, False]


def test_quality_that_nobody_measured_can_be_described() -> None:
    described = frame_of([BARE, BARE], Row).groupby("stage").quality.describe()

    assert described.loc["style", "count"] == 0
    assert "mean" in described


@pytest.mark.parametrize("kind", [AssetRecord, CandidateRow, PlanRow, ProjectRow, RunRow])
def test_no_number_and_no_time_of_any_table_is_an_object_also_of_no_rows(kind: type[Value]) -> None:
    frame = frame_of([], kind)

    words = {"int": "i", "float": "f", "datetime": "M", "bool": "b"}
    for name, info in kind.model_fields.items():
        said = getattr(info.annotation, "__name__", "") if "|" not in str(info.annotation) else str(info.annotation)
        expected = words.get(said.removesuffix(" | None").rsplit(".", 1)[-1])
        assert expected in {None, frame[name].dtype.kind}, name
