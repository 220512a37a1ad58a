"""Each technical measure falls for its own fault, by its strength, and for no other."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from kroma_nb.model.quality import SoftWarning
from kroma_nb.qa import measure
from kroma_nb.qa.score import (
    CLIPPED_ABOVE,
    LOW_CONTRAST_BELOW,
    NOISY_ABOVE,
    SOFT_BELOW,
    TIE_TOLERANCE,
    quality,
    technical_warnings,
)

if TYPE_CHECKING:
    from kroma_nb.model.quality import Measures

Pictures = dict[str, np.ndarray]
Fault = "Callable[[np.ndarray, float], np.ndarray]"


def blurred(picture: np.ndarray, sigma_px: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma_px)


def noisy(picture: np.ndarray, sigma: float) -> np.ndarray:
    grain = np.random.default_rng(5).normal(0, sigma, picture.shape[:2])
    return leveled(picture + (grain if picture.ndim == 2 else grain[..., None]))


def overexposed(picture: np.ndarray, share: float) -> np.ndarray:
    return leveled(picture * (255 / np.quantile(luma(picture), 1 - share)))


def faded(picture: np.ndarray, contrast: float) -> np.ndarray:
    return leveled(128 + (picture - 128.0) * contrast)


def covered(picture: np.ndarray, share: float) -> np.ndarray:
    left = picture.copy()
    left[round(picture.shape[0] * (1 - share)) :] = np.median(picture, axis=(0, 1))
    return left


def resized(picture: np.ndarray, factor: float) -> np.ndarray:
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=way)


def luma(picture: np.ndarray) -> np.ndarray:
    return picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def leveled(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def series(picture: np.ndarray, fault: Fault, strengths: tuple[float, ...]) -> list[Measures]:
    return [measure(picture), *(measure(fault(picture, strength)) for strength in strengths)]


def falls(values: list[float], *, slack: float = 0.0) -> bool:
    return all(after <= before + slack for before, after in pairwise(values)) and values[-1] < values[0]


def good_besides(measures: Measures, own: SoftWarning | None) -> bool:
    return not measures.blank and set(technical_warnings(measures)) <= {own}


def test_pictures_that_came_out_well_get_no_warning(pictures: Pictures) -> None:
    warned = {name: technical_warnings(measure(picture)) for name, picture in pictures.items()}

    assert {name: warnings for name, warnings in warned.items() if warnings} == {}


def test_blur_takes_sharpness_and_nothing_else(clear_pictures: Pictures) -> None:
    for name, picture in clear_pictures.items():
        found = series(picture, blurred, (0.8, 1.5, 3, 5))

        assert falls([each.sharpness for each in found]), name
        assert found[-1].sharpness < SOFT_BELOW - 0.1, name
        assert all(good_besides(each, SoftWarning.SOFT_FOCUS) for each in found), name
        assert max(each.clipping for each in found) <= found[0].clipping + CLIPPED_ABOVE, name
        assert max(each.noise for each in found) <= found[0].noise + 0.5, name
        assert falls([quality(each) for each in found]), name


def test_grain_is_noise_and_nothing_else(clear_pictures: Pictures) -> None:
    for name, picture in clear_pictures.items():
        found = series(picture, noisy, (4, 8, 16, 32))

        assert falls([-each.noise for each in found]), name
        assert found[-1].noise > NOISY_ABOVE, name
        assert all(good_besides(each, SoftWarning.NOISY) for each in found), name
        assert all(abs(each.sharpness - found[0].sharpness) < 0.2 for each in found), name
        assert falls([quality(each) for each in found], slack=0.005), name


@pytest.mark.parametrize("sigma", [4.0, 8.0, 16.0])
def test_noise_is_the_grains_standard_deviation_where_the_scale_does_not_cut_it(sigma: float) -> None:
    slope = np.tile(np.linspace(80, 180, 600), (600, 1))

    assert measure(noisy(slope, sigma)).noise == pytest.approx(sigma, rel=0.06)


def test_overexposure_clips_photographs_and_does_nothing_else(pictures: Pictures) -> None:
    for name in ("photo_camera", "photo_cat", "photo_coffee", "photo_rocket", "photo_motorcycle"):
        found = series(pictures[name], overexposed, (0.1, 0.2, 0.3))

        assert falls([-each.clipping for each in found]), name
        assert found[-1].clipping > CLIPPED_ABOVE, name
        assert all(good_besides(each, SoftWarning.CLIPPED) for each in found), name
        assert all(abs(each.sharpness - found[0].sharpness) < 0.12 for each in found), name
        assert max(each.noise for each in found) < found[0].noise + 1.5, name


def test_flat_paper_and_solid_blacks_are_not_clipped_however_light_or_dark_the_page(pictures: Pictures) -> None:
    for name, picture in pictures.items():
        if name.startswith("page_"):
            for gain, lift in ((1, 0), (1.2, 0), (1.6, 0), (1, 30), (1, -40), (1, -90)):
                assert measure(leveled(picture * float(gain) + lift)).clipping < 0.01, name


def test_fading_takes_contrast_and_nothing_else(clear_pictures: Pictures) -> None:
    for name, picture in clear_pictures.items():
        found = series(picture, faded, (0.6, 0.4, 0.2, 0.1))

        assert falls([each.contrast for each in found]), name
        assert found[-1].contrast < LOW_CONTRAST_BELOW, name
        assert all(good_besides(each, SoftWarning.LOW_CONTRAST) for each in found), name
        assert all(abs(each.sharpness - found[0].sharpness) < 0.12 for each in found), name
        assert falls([quality(each) for each in found]), name


def test_covering_takes_what_is_drawn_and_nothing_else(clear_pictures: Pictures) -> None:
    for name, picture in clear_pictures.items():
        found = series(picture, covered, (0.2, 0.4, 0.6, 1.0))

        assert falls([each.drawn for each in found]), name
        assert [each.blank for each in found] == [False, False, False, False, True], name
        assert all(good_besides(each, None) for each in found[:-1]), name
        assert quality(found[-1]) == 0.0, name


def test_another_size_is_no_technical_fault(clear_pictures: Pictures) -> None:
    for name, picture in clear_pictures.items():
        found = series(picture, resized, (0.5, 0.75, 1.5, 2))

        assert all(good_besides(each, None) for each in found), name
        assert all(abs(each.sharpness - found[0].sharpness) < 0.2 for each in found), name


def test_an_enlarged_page_gets_the_sharpness_of_the_page_it_was_made_from() -> None:
    chance = np.random.default_rng(2)
    page = np.full((1536, 1024), 255, np.uint8)
    for _ in range(80):
        ends = (chance.random((2, 2)) * (1024, 1536)).astype(int).tolist()
        cv2.line(page, ends[0], ends[1], 0, 3, cv2.LINE_AA)

    assert measure(resized(page, 4)).sharpness == pytest.approx(measure(page).sharpness, abs=0.03)


@pytest.mark.parametrize("pitch_px", [3, 4, 5, 6, 8])
@pytest.mark.parametrize("turn", [0.3, 0.785, 1.2])
def test_hatching_and_screentone_all_over_a_page_are_no_noise(pitch_px: float, turn: float) -> None:
    rows, columns = np.mgrid[0 : 4 * 512, 0 : 4 * 512] / 4
    along = 2 * np.pi / pitch_px * (columns * np.cos(turn) + rows * np.sin(turn))
    across = 2 * np.pi / pitch_px * (rows * np.cos(turn) - columns * np.sin(turn))
    dots = np.where(np.cos(along) + np.cos(across) > 0.6, 0, 255).astype(np.uint8)
    strokes = np.where(np.cos(along) > 0.4, 0, 255).astype(np.uint8)

    found = [measure(resized(pattern, 1 / 4)).noise for pattern in (dots, strokes)]

    assert max(found) < NOISY_ABOVE - 3


def test_a_sharp_figure_before_a_soft_ground_is_sharp(pictures: Pictures) -> None:
    picture = blurred(pictures["photo_motorcycle"], 8)
    picture[150:400, 250:550] = pictures["photo_motorcycle"][150:400, 250:550]

    assert measure(picture).sharpness > SOFT_BELOW + 0.1


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("sigma", [0.0, 2.0, 20.0])
def test_bare_paper_is_blank_and_nothing_else_whatever_its_grain(level: int, sigma: float) -> None:
    found = measure(noisy(np.full((600, 400), level, np.uint8), sigma))

    assert found.blank
    assert technical_warnings(found) == ()


def test_one_small_drawing_on_a_large_paper_is_not_blank_and_has_its_contrast() -> None:
    page = np.full((1536, 1024), 255, np.uint8)
    cv2.circle(page, (700, 900), 40, 0, 3, cv2.LINE_AA)

    found = measure(page)

    assert not found.blank
    assert technical_warnings(found) == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (7, 3, 3), (19, 19, 4), (33, 2000), (64, 64)])
def test_a_picture_of_any_size_is_measured(shape: tuple[int, ...]) -> None:
    chance = np.random.default_rng(1)

    for picture in (np.zeros(shape, np.uint8), chance.integers(0, 256, shape, np.uint8)):
        found = measure(picture)

        assert (found.height, found.width) == shape[:2]
        assert found.channels == (shape[2] if len(shape) == 3 else 1)


def cut_out(picture: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(picture.shape[:2])
    height, width = picture.shape[:2]
    visible = np.hypot((rows - height / 2) / height, (columns - width / 2) / width) < 0.4
    figure = np.where(visible[..., None], picture, hidden)
    return np.dstack([figure, np.where(visible, 255, 0)]).astype(np.uint8)


@pytest.mark.parametrize("factor", [1, 4])
def test_what_hides_under_transparency_moves_no_measure(pictures: Pictures, factor: int) -> None:
    picture = resized(pictures["photo_motorcycle"], factor)
    chance = np.random.default_rng(7)
    dark, wild = np.zeros_like(picture), chance.integers(0, 256, picture.shape, np.uint8)

    assert measure(cut_out(picture, dark)) == measure(cut_out(picture, wild))


def test_a_cut_out_is_judged_like_the_picture_that_it_was_cut_from(pictures: Pictures) -> None:
    for name in ("photo_cat", "photo_coffee", "page_in_two_inks"):
        found = measure(cut_out(pictures[name], np.zeros_like(pictures[name])))

        assert technical_warnings(found) == (), name
        assert found.sharpness == pytest.approx(measure(pictures[name]).sharpness, abs=0.1), name


def test_a_silhouette_is_a_drawing_and_an_empty_cut_out_is_blank() -> None:
    silhouette = np.zeros((200, 200, 4), np.uint8)
    cv2.circle(silhouette, (100, 100), 60, (0, 0, 0, 255), -1)

    assert not measure(silhouette).blank
    assert measure(np.zeros((200, 200, 4), np.uint8)).blank


def test_nineteen_of_twenty_changes_that_nobody_sees_stay_within_the_tolerance_of_a_tie(pictures: Pictures) -> None:
    drifts = [
        abs(quality(measure(changed)) - quality(measure(picture)))
        for picture in pictures.values()
        for changed in unnoticeably_changed(picture)
    ]

    assert np.quantile(drifts, 0.95) <= TIE_TOLERANCE
    assert np.quantile(drifts, 0.95) > TIE_TOLERANCE / 4, "the tolerance is wider than it need be"


def unnoticeably_changed(picture: np.ndarray) -> list[np.ndarray]:
    height, width = picture.shape[:2]
    flicker = (
        np.random.default_rng(1).integers(-1, 2, (height, width)).reshape(height, width, *[1] * (picture.ndim - 2))
    )
    return [
        cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1], cv2.IMREAD_UNCHANGED),
        np.ascontiguousarray(picture[3:, 5:]),
        np.ascontiguousarray(picture[height // 100 : -height // 100, width // 100 : -width // 100]),
        np.ascontiguousarray(picture[:, ::-1]),
        leveled(picture * 0.99),
        leveled(picture.astype(int) + flicker),
        resized(picture, 0.97),
    ]
