"""Night has pools in controlled shadow; rain falls, and mirrors below the ground line alone."""

from __future__ import annotations

import numpy as np
import pytest

from kroma_nb.model.words import TimeOfDay, Weather
from kroma_nb.providers.ink import InkPainter
from kroma_nb.providers.ink.ground import estimate_ground_line

SCENES = ("square", "room", "pilot", "mountain")
NIGHT = {"time": TimeOfDay.NIGHT}
RAIN = {"weather": Weather.RAIN}


@pytest.mark.parametrize("name", SCENES)
def test_a_night_is_dark_yet_keeps_paper_in_its_pools(photograph, brief, ink_share, name) -> None:
    scene = photograph(name, 400)

    day, night = (InkPainter().paint(scene, brief(400, 600, **told)).picture for told in ({}, NIGHT))

    assert 0.5 <= ink_share(night) <= 0.9
    assert ink_share(night) > ink_share(day)
    assert np.count_nonzero(night > 250) > 0.08 * night.size


@pytest.mark.parametrize("name", SCENES)
def test_the_light_of_a_night_falls_where_the_paper_is(photograph, brief, name) -> None:
    layers = InkPainter().layers(photograph(name, 400), brief(400, 600, **NIGHT))

    dark = layers.black > 127
    assert layers.light[dark].mean() < layers.light[~dark].mean()
    assert layers.light.max() > 200
    assert layers.light.min() < 40


def test_somebody_is_at_home_behind_a_few_windows_of_a_dark_facade(brief) -> None:
    light = np.linspace(110, 200, 400) + np.random.default_rng(2).normal(0, 4, (600, 400))
    facade = np.dstack([light.astype(np.uint8)] * 3)
    facade[:36] = 245
    panes = [(row, column) for row in range(60, 540, 100) for column in range(40, 380, 60)]
    for row, column in panes:
        facade[row : row + 44, column : column + 28] = 25

    day, night = (InkPainter().paint(facade, brief(400, 600, **told)).picture for told in ({}, NIGHT))

    lit = [night[row + 10 : row + 34, column + 8 : column + 20].mean() > 200 for row, column in panes]
    assert all(day[row + 22, column + 14] < 60 for row, column in panes)
    assert 1 <= sum(lit) <= len(panes) // 2


def test_rims_open_the_blacks_and_never_add_ink(photograph, brief) -> None:
    layers = InkPainter().layers(photograph("pilot", 400), brief(400, 600, **NIGHT))

    assert layers.rim.any()
    assert (layers.rim <= layers.lines).all()


@pytest.mark.parametrize("told", [RAIN, {**RAIN, **NIGHT}])
def test_rain_streaks_are_ink_on_paper_and_paper_on_ink(photograph, brief, told) -> None:
    scene = photograph("square", 400)
    dry = InkPainter().paint(scene, brief(400, 600, **{**told, "weather": Weather.CLEAR})).picture.astype(int)

    wet = InkPainter().paint(scene, brief(400, 600, **told)).picture.astype(int)

    assert np.count_nonzero((dry < 40) & (wet > 200)) > 100
    assert np.count_nonzero((dry > 215) & (wet < 60)) > 100


def test_reflections_and_splashes_stay_below_the_ground_line(photograph, brief) -> None:
    scene = photograph("square", 400)

    layers = InkPainter().layers(scene, brief(400, 600, ground_line=0.75, **RAIN))

    assert not layers.wet[:450].any()
    assert layers.wet[450:].any()


def test_without_a_ground_line_nothing_mirrors(photograph, brief) -> None:
    layers = InkPainter().layers(photograph("pilot"), brief(**RAIN))

    assert not layers.wet.any()
    assert layers.rain.any()


def test_streaks_spare_the_busy_drawing(photograph, brief) -> None:
    layers = InkPainter().layers(photograph("pilot", 400), brief(400, 600, **RAIN))

    lines = layers.lines > 127
    assert (layers.rain[lines] > 127).mean() < 0.6 * (layers.rain[~lines] > 127).mean()


def test_a_level_edge_across_the_scene_is_the_ground_and_a_photograph_has_none_for_sure(photograph) -> None:
    horizon = np.full((300, 200), 210, np.uint8)
    horizon[195:] = 80

    assert estimate_ground_line(horizon) == pytest.approx(0.65, abs=0.01)
    assert estimate_ground_line(horizon.T.copy()) is None
    assert estimate_ground_line(photograph("pilot")[:, :, 1].copy()) is None


@pytest.mark.parametrize("ground_line", [0.0, 0.999, 1.0])
def test_a_ground_line_at_the_margins_is_drawn_all_the_same(photograph, brief, ground_line) -> None:
    page = InkPainter().paint(photograph("room"), brief(ground_line=ground_line, **RAIN))

    assert page.picture.shape == (384, 256)
