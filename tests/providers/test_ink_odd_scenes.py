"""Scenes that are no ordinary photograph: blank, black, tiny, see-through, noisy, already inked."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kroma_nb.model.brief import Brief, Palette, Seeds, Size
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.providers.ink import InkPainter
from kroma_nb.providers.ink.inked import find_own_ink

EVERYTHING = {"time": TimeOfDay.NIGHT, "weather": Weather.RAIN}


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_scene_gives_blank_paper_and_a_note(brief, level) -> None:
    scene = np.full((90, 60, 3), level, np.uint8)

    page = InkPainter().paint(scene, brief())

    assert (page.picture == 255).all()
    assert any("blank" in note for note in page.notes)


def test_noise_alone_is_blank_paper_too(brief) -> None:
    noise = np.random.default_rng(1).normal(128, 7, (768, 512, 3)).clip(0, 255).astype(np.uint8)

    page = InkPainter().paint(noise, brief())

    assert (page.picture == 255).all()


@pytest.mark.parametrize("divisor", [6, 12, 16])
def test_a_dark_photograph_is_no_black_page(photograph, brief, ink_share, divisor) -> None:
    scene = photograph("square", 400)

    bright, dark = (InkPainter().paint(each, brief(400, 600)) for each in (scene, scene // np.uint8(divisor)))

    assert ink_share(dark.picture) < 0.65
    assert abs(ink_share(dark.picture) - ink_share(bright.picture)) < 0.15


def test_high_iso_noise_leaves_no_specks(photograph, brief) -> None:
    scene = photograph("room", 512)
    grain = np.random.default_rng(3).normal(0, 28, scene.shape)
    noisy = np.clip(scene + grain, 0, 255).astype(np.uint8)

    lines = InkPainter().layers(noisy, brief(512, 768)).lines

    count, _, stats, _ = cv2.connectedComponentsWithStats((lines > 127).astype(np.uint8))
    tiny = np.count_nonzero(stats[1:, cv2.CC_STAT_AREA] < 6)
    assert tiny <= 0.05 * count
    assert lines.mean() / 255 < 0.14


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (16, 16), (2, 700), (700, 2), (1200, 40), (40, 1200), (255, 383)]
)
def test_every_shape_of_page_is_drawn_at_its_size(photograph, brief, width, height) -> None:
    page = InkPainter().paint(photograph("room"), brief(width, height, ground_line=0.6, **EVERYTHING))

    assert page.picture.shape == (height, width)
    assert page.picture.dtype == np.uint8


@pytest.mark.parametrize("shape", [(1, 1, 3), (16, 16, 3), (1, 50, 3), (50, 1, 3), (3, 400), (400, 3, 4), (9, 9, 1)])
def test_every_shape_of_scene_is_drawn(brief, shape) -> None:
    scene = np.random.default_rng(5).integers(0, 256, shape).astype(np.uint8)

    page = InkPainter().paint(scene, brief(64, 96, **EVERYTHING))

    assert page.picture.shape == (96, 64)


def test_a_gray_scene_is_drawn_like_its_three_equal_channels(photograph, brief) -> None:
    gray = photograph("square")[:, :, 1].copy()

    one, three = (InkPainter().paint(each, brief()).picture for each in (gray, np.dstack([gray] * 3)))

    assert np.array_equal(one, three)


def test_what_is_see_through_is_paper(photograph, brief) -> None:
    scene = photograph("room")
    coverage = np.full(scene.shape[:2], 255, np.uint8)
    coverage[: scene.shape[0] // 2] = 0

    page = InkPainter().paint(np.dstack([scene, coverage]), brief()).picture

    assert (page[:170] == 255).all()
    assert (page[220:] < 60).any()


def test_a_scene_of_another_shape_is_cropped_and_says_so(photograph, brief) -> None:
    wide = photograph("mountain", 600)[200:400]

    page = InkPainter().paint(wide, brief())

    assert any("cropped" in note for note in page.notes)


@pytest.mark.parametrize("scene", [np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 2), np.uint8)])
def test_what_is_no_picture_is_refused(brief, scene) -> None:
    with pytest.raises(ValueError, match="a scene"):
        InkPainter().paint(scene, brief())


@pytest.mark.parametrize("palette", [None, Palette(paper=(246, 238, 222), ink=(23, 25, 36))])
@pytest.mark.parametrize("quality", [None, 85])
@pytest.mark.parametrize("name", ["square", "room", "pilot", "mountain"])
def test_an_inked_page_is_recognised_and_a_photograph_is_not(photograph, brief, name, quality, palette) -> None:
    scene = photograph(name, 400)
    page = InkPainter().paint(scene, brief(400, 600, palette=palette)).picture
    page = page if page.ndim == 3 else np.dstack([page] * 3)
    if quality is not None:
        stored = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        page = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)

    assert find_own_ink(page) is not None
    assert find_own_ink(scene) is None


@pytest.mark.parametrize("told", [{}, {"time": TimeOfDay.NIGHT}, {"weather": Weather.RAIN}, EVERYTHING])
def test_an_inked_page_keeps_its_own_ink_as_the_line_layer_and_says_so(photograph, brief, told) -> None:
    inked = InkPainter().paint(photograph("square", 400), brief(400, 600)).picture

    page = InkPainter().paint(inked, brief(400, 600, **told))
    layers = InkPainter().layers(inked, brief(400, 600, **told))

    assert any("inked page" in note for note in page.notes)
    assert np.array_equal(layers.lines, 255 - inked)
    assert told or np.array_equal(page.picture, inked)


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    page=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    seed=st.integers(0, 2**53 - 1),
    ground=st.none() | st.floats(0, 1),
)
@example(shape=(1, 1), page=(1, 8), seed=0, ground=0.5)
def test_whatever_the_scene_the_page_has_its_size(shape, page, seed, ground) -> None:
    scene = np.random.default_rng(seed).integers(0, 256, (*shape, 3)).astype(np.uint8)
    told = Brief(
        stage=Stage.WEATHER,
        time=TimeOfDay.NIGHT,
        weather=Weather.RAIN,
        prompt="",
        seeds=Seeds(style=seed, time=seed, weather=seed),
        size=Size(width=page[0], height=page[1]),
        ground_line=ground,
    )

    assert InkPainter().paint(scene, told).picture.shape == page[::-1]
