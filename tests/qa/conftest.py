"""Pictures to measure: photographs that came out well, textures, and ink pages of every manner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from skimage import data

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEIGHT, WIDTH = 1152, 768


@pytest.fixture(scope="session")
def pictures() -> dict[str, NDArray[np.uint8]]:
    """Pictures by name; `photo_…` and `texture_…` are scikit-image's, `page_…` are drawn here."""
    return {
        "photo_camera": data.camera(),
        "photo_cat": data.chelsea(),
        "photo_coffee": data.coffee(),
        "photo_rocket": data.rocket(),
        "photo_motorcycle": data.stereo_motorcycle()[0],
        "texture_grass": data.grass(),
        "texture_gravel": data.gravel(),
        "texture_brick": data.brick(),
        "page_lines": _page(1),
        "page_hatching": _page(4, hatchings=14),
        "page_flat_tones": _page(6, tones=(128, 190, 200, 90)),
        "page_without_greys": _page(7, hatchings=6, line_type=cv2.LINE_8),
        "page_cream": _page(8, paper=244, ink=18, hatchings=4),
        "page_night": np.asarray(255 - _page(9, hatchings=3), np.uint8),
        "page_screentone": _toned_page(10),
        "page_in_two_inks": _inked(_page(11, tones=(150, 200))),
        "page_fine_lines": _page(3, blacks=0, weights=(1, 2)),
        "page_nearly_empty": _page(2, lines=4, blacks=0),
    }


@pytest.fixture(scope="session")
def clear_pictures(pictures: dict[str, NDArray[np.uint8]]) -> dict[str, NDArray[np.uint8]]:
    """Those in which every fault can show: photographs, and pages with solid blacks."""
    left_out = {"page_fine_lines", "page_nearly_empty"}
    return {
        name: picture for name, picture in pictures.items() if name not in left_out and not name.startswith("texture_")
    }


def _page(
    seed: int,
    *,
    lines: int = 60,
    blacks: int = 6,
    hatchings: int = 0,
    tones: tuple[int, ...] = (),
    weights: tuple[int, int] = (2, 7),
    paper: int = 255,
    ink: int = 0,
    line_type: int = cv2.LINE_AA,
) -> NDArray[np.uint8]:
    chance = np.random.default_rng(seed)
    page = np.full((HEIGHT, WIDTH), paper, np.uint8)
    for tone in tones:
        _patch(page, chance.random((5, 2)) * (WIDTH, HEIGHT), tone, line_type)
    for _ in range(blacks):
        corners = chance.random(2) * (WIDTH, HEIGHT) + chance.random((6, 2)) * (WIDTH / 5, HEIGHT / 8)
        _patch(page, corners, ink, line_type)
    for _ in range(hatchings):
        left, top = (chance.random(2) * (0.8 * WIDTH, 0.8 * HEIGHT)).astype(int).tolist()
        across, down = (chance.random(2) * (0.4 * WIDTH, 0.3 * HEIGHT) + 60).astype(int).tolist()
        weight = int(chance.integers(1, 3))
        for offset in range(-down, across, int(chance.integers(5, 11))):
            cv2.line(page, (left + offset, top), (left + offset + down, top + down), ink, weight, line_type)
    for _ in range(lines):
        _curve(page, chance.random((4, 2)) * (WIDTH, HEIGHT), ink, int(chance.integers(*weights)), line_type)
    return page


def _patch(page: NDArray[np.uint8], corners: NDArray[np.float64], level: int, line_type: int) -> None:
    cv2.fillPoly(page, [cv2.convexHull(corners.astype(np.int32))], level, line_type)


def _curve(page: NDArray[np.uint8], knots: NDArray[np.float64], ink: int, weight: int, line_type: int) -> None:
    t = np.linspace(0, 1, 40)[:, None]
    first, second, third, last = knots
    way = (1 - t) ** 3 * first + 3 * t * (1 - t) ** 2 * second + 3 * t**2 * (1 - t) * third + t**3 * last
    cv2.polylines(page, [np.rint(way * 16).astype(np.int32)], False, ink, weight, line_type, 4)


def _toned_page(seed: int) -> NDArray[np.uint8]:
    page = _page(seed, lines=30, blacks=3)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] * (2 * np.pi / 6)
    dots = np.clip(128 + 220 * (np.cos(rows + columns) + np.cos(rows - columns)), 0, 255)
    inside = np.zeros_like(page)
    cv2.circle(inside, (WIDTH // 2, HEIGHT // 2), 320, 1, -1)
    return np.where(inside > 0, np.minimum(page, 255 - dots), page).astype(np.uint8)


def _inked(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    share = page[..., None] / 255
    return np.rint(share * (235, 224, 205) + (1 - share) * (20, 24, 40)).astype(np.uint8)
