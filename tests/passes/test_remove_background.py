"""The bg_remove pass: a mask becomes alpha, no halo of the old ground is left, and what is no mask is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from figures import Composite, compose

from kroma_nb.errors import ProviderFailed
from kroma_nb.images import encode_png, resize
from kroma_nb.passes import CUTOUT_VERSION, remove_background
from kroma_nb.providers.grabcut import GrabCut

SKY = (110, 165, 235)


@dataclass(frozen=True)
class Answering:
    """A segmenter whose answer the test gives."""

    answer: Any
    backend: str = "scissors"
    version: str = "1"

    def mask(self, picture: object) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture(scope="module")
def hairy() -> Composite:
    """A figure with loose hair before a plain sky, whose colour shows in every strand."""
    return compose(np.full((576, 384, 3), SKY, np.uint8), [(0.5, 0.52, 0.85)], 6)


def mask_of(composite: Composite) -> np.ndarray:
    return np.rint(composite.alpha * 255).astype(np.uint8)


def halo(cutout: np.ndarray, composite: Composite, ground: tuple[int, int, int]) -> float:
    """Measure how far a cut-out on a ground is from the true figure on it, in levels over the soft edge."""
    share, true = cutout[..., 3:] / 255, composite.alpha[..., None]
    laid = share * cutout[..., :3] + (1 - share) * ground
    soft = (composite.alpha > 0.02) & (composite.alpha < 0.98)
    return float(np.abs(laid - true * composite.colors - (1 - true) * ground)[soft].mean())


def test_opaque_pixels_keep_their_colour_and_the_mask_is_the_alpha(hairy) -> None:
    mask = mask_of(hairy)

    cutout = remove_background(hairy.picture, segmenter=Answering(mask))

    assert (cutout.dtype, cutout.shape) == (np.uint8, (*mask.shape, 4))
    assert np.array_equal(cutout[..., 3], mask)
    assert np.array_equal(cutout[..., :3][mask == 255], hairy.picture[mask == 255])
    assert CUTOUT_VERSION


@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255), (255, 0, 255)])
def test_the_old_ground_is_taken_out_of_the_edge(hairy, ground) -> None:
    mask = mask_of(hairy)
    bare = np.dstack([hairy.picture, mask])

    cutout = remove_background(hairy.picture, segmenter=Answering(mask))

    before, after = halo(bare, hairy, ground), halo(cutout, hairy, ground)
    assert before > 10
    assert after < 0.45 * before


def test_with_a_real_segmenter_strands_are_nearer_to_the_hair_than_to_the_sky(hairy) -> None:
    cutout = remove_background(hairy.picture, segmenter=GrabCut())

    strands = (cutout[..., 3] > 40) & (cutout[..., 3] < 215) & (hairy.alpha > 0.1) & (hairy.alpha < 0.9)
    left = np.abs(cutout[..., :3] - hairy.colors)[strands].mean()
    before = np.abs(hairy.picture - hairy.colors)[strands].mean()
    assert strands.sum() > 500
    assert left < 0.7 * before


def test_scaling_a_cutout_without_care_for_alpha_brings_no_old_ground_in(hairy) -> None:
    cutout = remove_background(hairy.picture, segmenter=Answering(mask_of(hairy)))

    small = resize(cutout[..., :3].copy(), (96, 144))
    shown = resize(cutout, (96, 144))[..., 3] > 60

    assert np.abs(small[shown].astype(float) - SKY).sum(axis=1).min() > 40


def test_hidden_pixels_compress_to_little(hairy) -> None:
    mask = mask_of(hairy)

    cutout = remove_background(hairy.picture, segmenter=Answering(mask))

    far = cutout[:8, :8].reshape(-1, 4)
    assert (far == far[0]).all()
    assert len(encode_png(cutout)) < 0.6 * len(encode_png(np.dstack([hairy.picture, mask])))


def test_a_grey_picture_is_widened_and_stays_grey(hairy) -> None:
    gray = hairy.picture[..., 1].copy()

    cutout = remove_background(gray, segmenter=Answering(mask_of(hairy)))

    assert cutout.shape == (*gray.shape, 4)
    assert np.array_equal(cutout[..., 0], cutout[..., 1])
    assert np.array_equal(cutout[..., 1], cutout[..., 2])


def test_an_alpha_that_is_there_is_multiplied() -> None:
    picture = np.full((4, 6, 4), 90, np.uint8)
    picture[..., 3] = (0, 128, 255, 255, 255, 255)
    mask = np.full((4, 6), 255, np.uint8)
    mask[:, 3:] = (128, 255, 0)

    cutout = remove_background(picture, segmenter=Answering(mask))

    assert cutout[0, :, 3].tolist() == [0, 128, 255, 128, 255, 0]


@pytest.mark.parametrize("pixels", [0, 1, 3])
def test_the_edge_is_pulled_in_and_stays_soft(pixels) -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[:, 20:40], mask[:, 19] = 255, 100

    alpha = remove_background(np.full((40, 60, 3), 9, np.uint8), segmenter=Answering(mask), shrink_px=pixels)[..., 3]

    row = alpha[0].tolist()
    assert row[19 + pixels] == 100
    assert row[20 + pixels : 40 - pixels] == [255] * (20 - 2 * pixels)
    assert sum(row) == 100 + 255 * (20 - 2 * pixels)
    assert (alpha == alpha[0]).all()  # where the figure meets the frame it is not pulled in


def test_shrinking_a_figure_away_says_what_to_do() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[8:12, 8:12] = 255

    with pytest.raises(ProviderFailed, match="shrink_px=5"):
        remove_background(np.zeros((20, 20, 3), np.uint8), segmenter=Answering(mask), shrink_px=5)
    with pytest.raises(ValueError, match="shrink_px is -1"):
        remove_background(np.zeros((20, 20, 3), np.uint8), segmenter=Answering(mask), shrink_px=-1)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (np.zeros((8, 6), np.uint8), "(8, 6)"),
        (np.zeros((6, 8, 1), np.uint8), "(6, 8, 1)"),
        (np.zeros((6, 8), np.float32), "float32"),
        (np.zeros((6, 8), bool), "bool"),
        (None, "NoneType"),
        (np.zeros((6, 8), np.uint8), "found no figure"),
        (np.full((6, 8), 255, np.uint8), "found no ground"),
    ],
)
def test_what_is_no_mask_is_the_segmenters_failure(answer, says) -> None:
    with pytest.raises(ProviderFailed) as caught:
        remove_background(np.zeros((6, 8, 3), np.uint8), segmenter=Answering(answer))

    assert caught.value.provider == "scissors"
    assert says in caught.value.cause


def test_a_segmenters_exception_is_chained_and_its_own_failure_is_not_wrapped() -> None:
    own, foreign = ProviderFailed("scissors", "blunt"), ZeroDivisionError("flat")

    with pytest.raises(ProviderFailed) as first:
        remove_background(np.zeros((6, 8), np.uint8), segmenter=Answering(own))
    with pytest.raises(ProviderFailed, match="ZeroDivisionError: flat") as second:
        remove_background(np.zeros((6, 8), np.uint8), segmenter=Answering(foreign))
    with pytest.raises(KeyboardInterrupt):
        remove_background(np.zeros((6, 8), np.uint8), segmenter=Answering(KeyboardInterrupt()))

    assert first.value is own
    assert second.value.__cause__ is foreign


def test_no_picture_is_refused_and_a_picture_is_left_as_it_is(hairy) -> None:
    before = hairy.picture.copy()
    remove_background(hairy.picture, segmenter=Answering(mask_of(hairy)), shrink_px=2)

    assert np.array_equal(hairy.picture, before)
    with pytest.raises(ValueError, match="a picture is"):
        remove_background(np.zeros((6, 8, 2), np.uint8), segmenter=Answering(None))


def test_colour_hidden_under_alpha_is_not_shown_to_a_segmenter() -> None:
    picture = np.zeros((48, 48, 4), np.uint8)
    picture[..., :3] = np.random.default_rng(0).integers(0, 255, (48, 48, 3))
    picture[12:40, 14:34] = (200, 40, 30, 255)

    cutout = remove_background(picture, segmenter=GrabCut())

    assert cutout[26, 24].tolist() == [200, 40, 30, 255]
    assert cutout[2, 2, 3] == 0
