"""The generate pass lets through what a painter may answer, and names the painter when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kroma_nb.errors import ProviderFailed
from kroma_nb.model.brief import Brief, Painted, Seeds, Size
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.passes import generate

if TYPE_CHECKING:
    from collections.abc import Callable

SCENE = np.zeros((6, 8, 3), np.uint8)
BRIEF = Brief(
    stage=Stage.STYLE,
    time=TimeOfDay.DAY,
    weather=Weather.CLEAR,
    prompt="ink",
    seeds=Seeds(style=1, time=2, weather=3),
    size=Size(width=12, height=9),
)


@dataclass(frozen=True)
class Answering:
    """A painter whose answer the test gives."""

    answer: Callable[[], Any]
    provider: str = "easel"
    model: str = "m"
    version: str = "1"

    def study(self, references: object) -> None:
        """Learn nothing."""

    def paint(self, scene: object, brief: Brief) -> Any:
        return self.answer()


def fails_with(error: Exception) -> Callable[[], Any]:
    def answer() -> None:
        raise error

    return answer


@pytest.mark.parametrize("shape", [(9, 12), (9, 12, 3), (9, 12, 4)])
def test_a_picture_of_the_right_size_comes_through_untouched(shape: tuple[int, ...]) -> None:
    painted = Painted(np.full(shape, 7, np.uint8), ("The ground line was estimated.",))

    result = generate(SCENE, painter=Answering(lambda: painted), brief=BRIEF)

    assert result is painted


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        (np.zeros((12, 9, 3), np.uint8), "9x12"),
        (np.zeros((9, 12, 3), np.float32), "float32"),
        (np.zeros((9, 12, 2), np.uint8), "(9, 12, 2)"),
        (np.zeros((9, 12, 3, 1), np.uint8), "(9, 12, 3, 1)"),
        (np.zeros((0, 12), np.uint8), "no picture"),
        (None, "NoneType"),
        ([[1, 2]], "list"),
    ],
)
def test_a_wrong_picture_is_the_painters_failure(picture: Any, says: str) -> None:
    painter = Answering(lambda: Painted(picture))

    with pytest.raises(ProviderFailed) as caught:
        generate(SCENE, painter=painter, brief=BRIEF)

    assert caught.value.provider == "easel"
    assert says in caught.value.cause


def test_an_answer_that_is_no_painted_is_the_painters_failure() -> None:
    painter = Answering(lambda: None)

    with pytest.raises(ProviderFailed, match="NoneType"):
        generate(SCENE, painter=painter, brief=BRIEF)


@pytest.mark.parametrize("error", [ZeroDivisionError("flat scene"), MemoryError("no room"), KeyError("tone")])
def test_a_painters_exception_is_chained_with_its_type_and_words(error: Exception) -> None:
    painter = Answering(fails_with(error))

    with pytest.raises(ProviderFailed) as caught:
        generate(SCENE, painter=painter, brief=BRIEF)

    assert caught.value.cause == f"{type(error).__name__}: {error}"
    assert caught.value.__cause__ is error


def test_a_painters_own_report_of_failure_is_not_wrapped_again() -> None:
    error = ProviderFailed("easel", "the weights are missing")

    with pytest.raises(ProviderFailed) as caught:
        generate(SCENE, painter=Answering(fails_with(error)), brief=BRIEF)

    assert caught.value is error


def test_an_interrupt_is_not_swallowed() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(SCENE, painter=Answering(interrupted), brief=BRIEF)
