"""How colourful a picture is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kroma_nb.qa import chroma_delta

SIDES = st.integers(1, 9)


def by_definition(picture: np.ndarray, counted: np.ndarray) -> float:
    red, green, blue = (picture[..., channel].astype(np.int64)[counted] for channel in range(3))
    if red.size == 0:
        return 0.0
    total = abs(red - green).sum() + abs(red - blue).sum() + abs(green - blue).sum()
    return int(total) / (3 * red.size)


@given(arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(3))))
def test_it_is_exactly_what_the_definition_says(picture: np.ndarray) -> None:
    assert chroma_delta(picture) == by_definition(picture, np.ones(picture.shape[:2], bool))


@given(arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(4)), elements=st.sampled_from([0, 1, 9, 128, 255])))
def test_only_pixels_that_can_be_seen_count(picture: np.ndarray) -> None:
    assert chroma_delta(picture) == by_definition(picture, picture[..., 3] > 0)


def test_colour_hidden_under_transparency_does_not_count() -> None:
    grey_figure = np.zeros((20, 20, 4), np.uint8)
    grey_figure[5:15, 5:15] = (90, 90, 90, 255)
    grey_figure[grey_figure[..., 3] == 0] = (255, 0, 0, 0)

    assert chroma_delta(grey_figure) == 0.0


def test_a_large_picture_of_strips_is_summed_exactly() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (1531, 1021, 3), np.uint8)

    assert chroma_delta(picture) == by_definition(picture, np.ones(picture.shape[:2], bool))


def test_a_view_that_skips_and_turns_is_measured_like_its_copy() -> None:
    picture = np.random.default_rng(4).integers(0, 256, (60, 80, 3), np.uint8)
    view = picture[::-2, ::3, ::-1]

    assert chroma_delta(view) == chroma_delta(view.copy())


def test_threads_do_not_disturb_each_other() -> None:
    chance = np.random.default_rng(5)
    pictures = [chance.integers(0, 256, (300, 200 + 10 * n, 3 + n % 2), np.uint8) for n in range(8)]
    alone = [chroma_delta(picture) for picture in pictures]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(chroma_delta, pictures * 5))

    assert together == alone * 5


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 4), (0, 0)])
def test_no_pixels_have_no_colour(shape: tuple[int, ...]) -> None:
    assert chroma_delta(np.zeros(shape, np.uint8)) == 0.0


def test_a_page_without_a_channel_axis_has_no_colour() -> None:
    assert chroma_delta(np.arange(256, dtype=np.uint8).reshape(16, 16)) == 0.0


@pytest.mark.parametrize("wrong", [np.zeros((4, 4, 3)), np.zeros((4, 4, 2), np.uint8)])
def test_an_array_that_is_no_picture_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a picture is a uint8 array"):
        chroma_delta(wrong)
