"""The upscale pass gives an upscaler what it can take, keeps grey and alpha, and names it when its answer is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import lanczos
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kroma_nb.errors import LimitExceeded, ProviderFailed, RequestInvalid, ToolStopped, WriteFailed
from kroma_nb.images import enlarge, fill_hidden, is_gray
from kroma_nb.passes import upscale
from kroma_nb.providers.lanczos import LanczosUpscaler

if TYPE_CHECKING:
    from collections.abc import Callable

pixels = st.sampled_from([0, 0, 255]) | st.integers(0, 255)


@dataclass(frozen=True)
class Upscaling:
    """An upscaler whose answer the test gives, and that keeps what it was given."""

    answer: Callable[[np.ndarray, int], Any]
    takes_alpha: bool = False
    given: list[np.ndarray] = field(default_factory=list)
    backend: str = "loupe"
    version: str = "1"
    settings: tuple[()] = ()

    def enlarge(self, picture: np.ndarray, scale: int) -> Any:
        self.given.append(picture.copy())
        return self.answer(picture, scale)


def repeats(picture: np.ndarray, scale: int) -> np.ndarray:
    """Enlarge by the nearest pixel."""
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def tints(picture: np.ndarray, scale: int) -> np.ndarray:
    """Enlarge, and pull the channels apart as a trained model may."""
    large = repeats(picture, scale)
    if large.ndim == 3:
        large[..., 0] = np.minimum(large[..., 0], 252) + 3
    return large


def fails_with(error: Exception) -> Callable[[np.ndarray, int], Any]:
    def answer(picture: np.ndarray, scale: int) -> None:
        raise error

    return answer


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, shape).astype(np.uint8)


def cut_out() -> np.ndarray:
    """A red figure with a soft edge; hidden pixels hold a loud green."""
    alpha = np.zeros((20, 30), np.uint8)
    alpha[5:15, 8:22] = 90
    alpha[6:14, 9:21] = 255
    figure = np.dstack([np.full((20, 30, 3), (200, 40, 40), np.uint8), alpha])
    figure[alpha == 0, :3] = (0, 255, 0)
    return figure


@pytest.mark.parametrize("takes_alpha", [True, False])
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (5, 7, 3), (1, 6, 4), (5, 7, 4)])
def test_the_answer_is_exactly_as_large_as_asked_for_and_keeps_the_channels(shape, scale, takes_alpha) -> None:
    picture = noise(*shape)

    result = upscale(picture, upscaler=Upscaling(repeats, takes_alpha), scale=scale)

    assert result.dtype == np.uint8
    assert result.shape == (scale * shape[0], scale * shape[1], *shape[2:])
    if shape[2:] != (4,):
        np.testing.assert_array_equal(result, repeats(picture, scale))


def test_an_upscaler_that_takes_alpha_gets_the_whole_picture_and_its_answer_stands() -> None:
    upscaler = Upscaling(repeats, takes_alpha=True)

    result = upscale(cut_out(), upscaler=upscaler, scale=2)

    np.testing.assert_array_equal(upscaler.given, [cut_out()])
    np.testing.assert_array_equal(result, repeats(cut_out(), 2))


def test_an_upscaler_that_takes_none_never_sees_a_hidden_colour() -> None:
    upscaler = Upscaling(repeats)

    result = upscale(cut_out(), upscaler=upscaler, scale=2)

    assert upscaler.given[0].shape == (20, 30, 3)
    assert (upscaler.given[0] == (200, 40, 40)).all()
    shown = result[..., 3] > 0
    assert (result[shown, :3] == (200, 40, 40)).all()
    assert (result[~shown] == 0).all()
    np.testing.assert_array_equal(result[..., 3], enlarge(cut_out()[..., 3], 2))
    assert lanczos.farthest(result[..., 3], lanczos.enlarged(cut_out()[..., 3], 2)) <= 1


@settings(max_examples=60, deadline=None)
@given(arrays(np.uint8, (6, 8, 4), elements=pixels))
def test_hidden_pixels_are_filled_from_the_nearest_visible_one(picture: np.ndarray) -> None:
    filled = fill_hidden(picture)

    visible = np.argwhere(picture[..., 3] > 0)
    for place in np.ndindex(6, 8):
        if picture[place][3] > 0 or not len(visible):
            expected = {tuple(picture[place][:3].tolist())} if picture[place][3] else {(0, 0, 0)}
        else:
            away = np.hypot(*(visible - place).T)
            # Distances are measured in steps to neighbours, which are a few hundredths off.
            near = visible[away <= away.min() * 1.05]
            expected = {tuple(picture[tuple(spot)][:3].tolist()) for spot in near}
        assert tuple(filled[place].tolist()) in expected


@pytest.mark.parametrize("takes_alpha", [True, False])
def test_a_picture_of_which_nothing_is_visible_stays_so(takes_alpha: bool) -> None:
    picture = noise(6, 7, 4)
    picture[..., 3] = 0

    result = upscale(picture, upscaler=LanczosUpscaler() if takes_alpha else Upscaling(repeats), scale=3)

    assert (result == 0).all()
    assert result.shape == (18, 21, 4)


@pytest.mark.parametrize("takes_alpha", [True, False])
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_grey_stays_grey_though_an_upscaler_tints(channels: tuple[int, ...], takes_alpha: bool) -> None:
    page = noise(9, 11)
    picture = page if not channels else np.dstack([page] * 3 + [noise(9, 11)] * (channels[0] - 3))

    result = upscale(picture, upscaler=Upscaling(tints, takes_alpha), scale=2)

    assert result.shape == (18, 22, *channels)
    assert is_gray(result)
    if channels == (4,) and takes_alpha:
        np.testing.assert_array_equal(result[..., 3], repeats(picture[..., 3], 2))
        assert np.abs(result[..., 0].astype(int) - repeats(page, 2)).max() <= 1


@pytest.mark.parametrize("takes_alpha", [True, False])
def test_a_grey_figure_stays_grey_whatever_is_hidden_around_it(takes_alpha: bool) -> None:
    figure = cut_out()
    figure[figure[..., 3] > 0, :3] = 120

    result = upscale(figure, upscaler=Upscaling(tints, takes_alpha), scale=2)

    assert is_gray(result)


def test_a_grey_picture_of_three_channels_is_given_as_one() -> None:
    upscaler = Upscaling(repeats)

    upscale(np.dstack([noise(9, 11)] * 3), upscaler=upscaler, scale=2)

    np.testing.assert_array_equal(upscaler.given, [noise(9, 11)])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (np.zeros((10, 13, 3), np.uint8), "(10, 13, 3)"),
        (np.zeros((14, 10, 3), np.uint8), "(14, 10, 3)"),
        (np.zeros((10, 14), np.uint8), "(10, 14)"),
        (np.zeros((10, 14, 4), np.uint8), "(10, 14, 4)"),
        (np.zeros((10, 14, 3), np.float32), "float32"),
        ([[1, 2]], "list"),
        (None, "NoneType"),
    ],
)
def test_a_wrong_answer_is_the_upscalers_failure(answer: Any, says: str) -> None:
    with pytest.raises(ProviderFailed) as caught:
        upscale(noise(5, 7, 3), upscaler=Upscaling(lambda picture, scale: answer), scale=2)

    assert caught.value.provider == "loupe"
    assert says in caught.value.cause
    assert "(10, 14, 3)" in caught.value.cause


@pytest.mark.parametrize("error", [ZeroDivisionError("flat"), MemoryError("no room"), ValueError("tile")])
@pytest.mark.parametrize("channels", [3, 4])
def test_an_upscalers_exception_is_chained_with_its_type_and_words(error: Exception, channels: int) -> None:
    with pytest.raises(ProviderFailed) as caught:
        upscale(noise(5, 7, channels), upscaler=Upscaling(fails_with(error)), scale=2)

    assert (caught.value.provider, caught.value.cause) == ("loupe", f"{type(error).__name__}: {error}")
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [ProviderFailed("loupe", "no model"), ToolStopped("loupe"), WriteFailed("tmp", "the disk is full")]
)
def test_what_is_said_already_is_not_said_in_other_words(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        upscale(noise(5, 7), upscaler=Upscaling(fails_with(error)), scale=2)

    assert caught.value is error


@pytest.mark.parametrize("scale", [1, 5, 0, -2, 2.0, True, "2", None])
def test_a_scale_that_is_none_is_refused_with_the_way_out(scale: Any) -> None:
    upscaler = Upscaling(repeats)

    with pytest.raises(RequestInvalid, match="use 2, 3 or 4") as caught:
        upscale(noise(5, 7), upscaler=upscaler, scale=scale)

    assert caught.value.field == "scale"
    assert upscaler.given == []


def test_an_answer_that_nothing_could_load_is_refused_before_it_is_made() -> None:
    upscaler = Upscaling(repeats)
    assert upscale(noise(5, 7), upscaler=upscaler, scale=4, max_pixels=560).size == 560

    with pytest.raises(LimitExceeded, match="28x20 pixels, more than the limit of 559"):
        upscale(noise(5, 7), upscaler=upscaler, scale=4, max_pixels=559)

    assert len(upscaler.given) == 1


@pytest.mark.parametrize("picture", [np.zeros((2, 2), np.float32), np.zeros((0, 4), np.uint8), None])
def test_what_is_no_picture_is_refused(picture: Any) -> None:
    with pytest.raises(ValueError, match="uint8"):
        upscale(picture, upscaler=LanczosUpscaler(), scale=2)
