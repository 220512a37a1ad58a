"""Candidates differ visibly and stay one hand; stages share their lines."""

from __future__ import annotations

from itertools import combinations, product

import cv2
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from kroma_nb.model.brief import Hand, Span
from kroma_nb.model.words import TimeOfDay, Weather
from kroma_nb.providers.ink import InkPainter

SCENES = ("square", "room", "pilot", "mountain")
# Measured on the demo photographs at 400 x 600 with five seeds each; see docs/ink.md.
LEAST_ALIKE, MOST_ALIKE = 0.75, 0.95


@pytest.mark.parametrize("name", SCENES)
def test_the_line_layer_is_byte_equal_in_style_time_and_weather(photograph, brief, name) -> None:
    scene = photograph(name)
    told = [
        brief(time=time, weather=weather, seeds=(5, light, rain), ground_line=0.8)
        for time, weather, (light, rain) in product(TimeOfDay, Weather, ((1, 2), (3, 4)))
    ]

    lines = {InkPainter().layers(scene, each).lines.tobytes() for each in told}

    assert len(lines) == 1


@pytest.mark.parametrize("name", SCENES)
def test_candidates_stay_one_hand_and_no_two_are_equal(photograph, brief, name, ink_share) -> None:
    scene = photograph(name, 400)
    told = [brief(400, 600, seeds=(seed, 0, 0)) for seed in (3, 11, 42, 1000, 2**52)]

    lines = [InkPainter().layers(scene, each).lines for each in told]
    pages = [InkPainter().paint(scene, each).picture for each in told]

    alike = [structural_similarity(one, other) for one, other in combinations(lines, 2)]
    shares = [ink_share(page) for page in pages]
    assert min(alike) >= LEAST_ALIKE
    assert max(alike) <= MOST_ALIKE
    assert max(shares) <= 1.15 * min(shares)
    assert len({page.tobytes() for page in pages}) == len(pages)


@pytest.mark.parametrize("name", ["square", "room"])
def test_nights_and_rains_of_other_seeds_differ_in_light_and_rain_alone(photograph, brief, name) -> None:
    scene = photograph(name)
    night_rain = {"time": TimeOfDay.NIGHT, "weather": Weather.RAIN, "ground_line": 0.8}

    first, light, rain = (
        InkPainter().layers(scene, brief(seeds=seeds, **night_rain)) for seeds in ((1, 1, 1), (1, 2, 1), (1, 1, 2))
    )

    assert np.array_equal(first.lines, light.lines)
    assert not np.array_equal(first.light, light.light)
    assert not np.array_equal(first.black, light.black)
    assert np.array_equal(first.black, rain.black)
    assert np.array_equal(first.light, rain.light)
    assert not np.array_equal(first.rain, rain.rain)


def test_half_and_double_size_look_alike(photograph, brief) -> None:
    scene = photograph("room", 800)
    sizes = [(200, 300), (400, 600), (800, 1200)]

    pages = [InkPainter().paint(scene, brief(*size)).picture for size in sizes]

    shrunk = [cv2.resize(page, (100, 150), interpolation=cv2.INTER_AREA) for page in pages]
    for one, other in combinations(shrunk, 2):
        assert structural_similarity(one, other) >= 0.75
    coverage = [float(page.mean()) for page in pages]
    assert max(coverage) <= 1.06 * min(coverage)


def test_a_heavier_hand_draws_heavier_lines(photograph, brief) -> None:
    scene = photograph("pilot", 400)
    thin, bold = (Hand(line_weight=Span(low=weight, high=weight)) for weight in (0.6, 1.8))

    fine, heavy = (InkPainter().layers(scene, brief(400, 600, hand=hand)).lines for hand in (thin, bold))

    assert thickness(heavy) > 1.3 * thickness(fine)


def test_a_higher_threshold_and_a_denser_hatching_spend_more_ink(photograph, brief) -> None:
    scene = photograph("square", 400)

    def drawn(**span: Span):
        return InkPainter().layers(scene, brief(400, 600, hand=Hand(**span)))

    shy, eager = (drawn(threshold=Span(low=t, high=t)) for t in (0.3, 0.7))
    open_, dense = (drawn(hatch_density=Span(low=d, high=d)) for d in (0.6, 1.8))

    assert eager.black.mean() > 1.2 * shy.black.mean()
    assert eager.lines.mean() > shy.lines.mean()
    assert dense.hatch.mean() > 1.5 * open_.hatch.mean()


@pytest.mark.parametrize("tones", [2, 3, 4])
def test_a_page_has_as_many_flat_values_as_the_hand_asks_for(photograph, brief, tones) -> None:
    scene = photograph("room", 400)

    layers = InkPainter().layers(scene, brief(400, 600, hand=Hand(tones=tones)))

    washes = np.unique(layers.tone[cv2.morphologyEx(layers.tone, cv2.MORPH_GRADIENT, np.ones((5, 5))) == 0])
    assert len(washes) == max(1, tones - 1)


def thickness(lines: np.ndarray) -> float:
    """Give twice the mean distance of line pixels from their edge, over the lines' middles."""
    distance = cv2.distanceTransform((lines > 127).astype(np.uint8), cv2.DIST_L2, 5)
    middles = (distance == cv2.dilate(distance, np.ones((3, 3)))) & (distance > 0)
    return 2.0 * float(distance[middles].mean())
