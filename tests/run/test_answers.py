"""What engines of other packages give back: brought into bounds, and always in a form that can be written and read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kroma_nb.errors import AnswerLost
from kroma_nb.model.ledger import Ended
from kroma_nb.model.money import Money
from kroma_nb.model.paid import PaidAnswer
from kroma_nb.model.run import now
from kroma_nb.model.words import CallState
from kroma_nb.run.answers import DEAREST, LONGEST, MOST_NOTES, USAGE_DEPTH, bounded, said_by

WELL = PaidAnswer(b"picture", "id", "model", {"tokens": 3}, Money(micro_usd=40_000), ("Fine.",))


def nested(depth: int) -> dict[str, object]:
    """Give a dict of so many dicts, one in the other."""
    value: dict[str, object] = {}
    for _ in range(depth - 1):
        value = {"in": value}
    return value


def forged(micro_usd: object) -> Money:
    """Give an amount as an engine may build it, without its checks."""
    return Money.model_construct(micro_usd=micro_usd)


def test_an_answer_that_is_as_it_should_be_stays_as_it_is() -> None:
    assert bounded(WELL, "shop") == WELL
    assert bounded(replace(WELL, data=memoryview(b"picture")), "shop") == WELL


@pytest.mark.parametrize("answer", [None, "picture", b"picture", *(replace(WELL, data=d) for d in (None, "x", [1], 5))])
def test_an_answer_without_bytes_leaves_the_call_in_doubt(answer) -> None:
    with pytest.raises(AnswerLost, match="in place of"):
        bounded(answer, "shop")


@pytest.mark.parametrize(
    "cost", [0.04, "0.04", True, *map(forged, (-1, 0.5, float("nan"), True, None, DEAREST.micro_usd + 1))]
)
def test_a_cost_that_cannot_be_one_counts_as_not_said(cost) -> None:
    assert bounded(replace(WELL, cost=cost), "shop").cost is None


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [1],
        {"a": float("nan")},
        {"a": object()},
        {"a": "x" * 100_000},
        {"a": 10**5_000},
        *(nested(depth) for depth in (USAGE_DEPTH + 1, 300, 2_000, 50_000)),
        {"a": [[[nested(USAGE_DEPTH)]]]},
    ],
    ids=range(11),
)
def test_usage_that_could_not_be_written_and_read_again_counts_as_not_said(usage) -> None:
    assert bounded(replace(WELL, usage=usage), "shop").usage == {}


@pytest.mark.parametrize("usage", [nested(USAGE_DEPTH - 1), {"a": 10**25}, {"\ud800": "\ud800"}, {1: {None: 2}}])
def test_usage_that_is_kept_can_be_written_and_read_again(usage) -> None:
    kept = bounded(replace(WELL, usage=usage), "shop").usage
    ended = Ended(at=now(), call_id="0" * 32, ended=CallState.SETTLED, cost=Money(), usage=kept)

    assert kept
    assert Ended.model_validate_json(ended.model_dump_json()) == ended


def test_names_and_notes_are_words_of_a_bounded_length() -> None:
    odd = replace(WELL, request_id=7, answered_by="x" * 100_000, notes=("a\ud800", None, 3, *["n"] * 100))

    kept = bounded(odd, "shop")

    assert (kept.request_id, len(kept.answered_by)) == ("", LONGEST)
    assert kept.notes[0] == "a\\ud800"
    assert len(kept.notes) <= MOST_NOTES
    assert bounded(replace(WELL, notes="abc"), "shop").notes == ()


class Mute(Exception):
    """Cannot be said."""

    def __str__(self) -> str:
        raise ValueError


def test_an_error_that_cannot_say_itself_is_said_all_the_same() -> None:
    assert said_by(Mute()) == "Mute: it does not say why"
    assert len(said_by(RuntimeError("x" * 1_000_000))) < 2 * LONGEST
