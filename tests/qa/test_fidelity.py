"""Fidelity: what a page keeps of its scene."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from kroma_nb.model.quality import GuardSettings
from kroma_nb.qa import examine, fidelity

SCENES = {"astronaut": data.astronaut(), "cat": data.chelsea(), "coffee": data.coffee()}


def inked(scene: np.ndarray, level: int = 0) -> np.ndarray:
    """Cut a scene at its median tone, as the plainest of inkers would."""
    grey = cv2.GaussianBlur(cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY), (0, 0), 2)
    return np.where(grey > np.median(grey) + level, 255, 0).astype(np.uint8)


@pytest.mark.parametrize("name", SCENES)
def test_a_page_of_its_own_scene_keeps_more_than_one_of_another(name: str) -> None:
    page = inked(SCENES[name])
    others = [cv2.resize(scene, page.shape[::-1]) for other, scene in SCENES.items() if other != name]

    own = fidelity(page, SCENES[name])

    assert all(own > fidelity(page, other) + 0.05 for other in others)


@pytest.mark.parametrize("name", SCENES)
def test_the_more_of_a_page_is_painted_over_the_less_it_keeps(name: str) -> None:
    page, kept = inked(SCENES[name]), []
    for part in (0.0, 0.3, 0.6, 0.9):
        covered = page.copy()
        covered[: int(part * page.shape[0])] = 255
        kept.append(fidelity(covered, SCENES[name]))

    assert kept == sorted(kept, reverse=True)
    assert kept[0] > kept[-1] + 0.1


@pytest.mark.parametrize("name", SCENES)
def test_light_from_the_other_side_and_another_ink_cost_nothing(name: str) -> None:
    page = inked(SCENES[name])
    tinted = np.where(page[..., None] > 0, (250, 240, 220), (20, 30, 60)).astype(np.uint8)

    assert fidelity(255 - page, SCENES[name]) == pytest.approx(fidelity(page, SCENES[name]), abs=0.001)
    assert fidelity(tinted, SCENES[name]) == pytest.approx(fidelity(page, SCENES[name]), abs=0.001)


@pytest.mark.parametrize("name", SCENES)
def test_what_nobody_sees_moves_it_by_less_than_a_tie(name: str) -> None:
    page, scene = inked(SCENES[name]), SCENES[name]
    _, packed = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, 85])
    unseen = [cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.roll(page, 1, axis=1), cv2.GaussianBlur(page, (0, 0), 0.6)]

    assert all(abs(fidelity(other, scene) - fidelity(page, scene)) < 0.025 for other in unseen)


def test_an_empty_page_and_an_empty_scene_keep_nothing() -> None:
    blank = np.full((64, 64), 255, np.uint8)

    assert fidelity(blank, SCENES["cat"]) == fidelity(inked(SCENES["cat"]), blank) == 0.0


def test_with_its_scene_a_picture_that_keeps_more_of_it_scores_higher() -> None:
    page, scene = inked(SCENES["coffee"]), SCENES["coffee"]
    poorer = page.copy()
    poorer[:, : page.shape[1] // 2] = 255

    whole, half, unknown = (
        examine(picture, GuardSettings(), name="page.png", scene=seen)
        for picture, seen in ((page, scene), (poorer, scene), (page, None))
    )

    assert whole.quality > half.quality
    assert whole.quality == round(unknown.quality * whole.measures.fidelity, 4)
    assert unknown.measures.fidelity is None
