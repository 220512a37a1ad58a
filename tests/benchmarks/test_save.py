"""Saving a PNG against Pillow's default: at most half the time at 1.15 times the size."""

from __future__ import annotations

import io
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from skimage import data

from kroma_nb.images import encode_png, load
from kroma_nb.model.brief import Brief, Palette, Seeds, Size
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.providers.ink import InkPainter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pictures = list[NDArray[np.uint8]]

pytestmark = pytest.mark.benchmark

SCENES = Path(__file__).parents[2] / "data" / "demo" / "scenes"
TIME_LIMIT, SIZE_LIMIT = 0.5, 1.15


def by_pillow(picture: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def assert_within_limits(ratios, pictures: Pictures) -> None:
    sizes = [len(encode_png(picture)) / len(by_pillow(picture)) for picture in pictures]
    times = ratios(
        lambda index: by_pillow(pictures[index % len(pictures)]),
        ours=lambda index: encode_png(pictures[index % len(pictures)]),
    )

    print(f"time {times['ours']:.3f}, size {statistics.median(sizes):.3f}, sizes up to {max(sizes):.3f}")
    assert times["ours"] <= TIME_LIMIT
    assert statistics.median(sizes) <= SIZE_LIMIT
    for picture in pictures[:2]:
        np.testing.assert_array_equal(load(encode_png(picture)), picture)


def mosaic(photograph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A real photograph, mirrored at its edges until it fills a page; nothing is interpolated."""
    height, width = photograph.shape[:2]
    return np.pad(
        photograph[:1536, :1024], ((0, max(0, 1536 - height)), (0, max(0, 1024 - width)), (0, 0)), "symmetric"
    )


def test_grey_ink_pages_save_in_half_the_time_at_about_the_size(ratios, ink_pages) -> None:
    assert_within_limits(ratios, ink_pages)


def test_tinted_ink_pages_save_in_half_the_time_at_about_the_size(ratios, ink_pages) -> None:
    paper, ink = np.array([244, 236, 216]), np.array([28, 24, 40])
    levels = np.arange(256)[:, None] / 255
    ramp = np.floor(ink + (paper - ink) * levels + 0.5).astype(np.uint8)

    assert_within_limits(ratios, [ramp[page] for page in ink_pages])


def test_ink_pages_without_smooth_edges_save_in_half_the_time_at_about_the_size(ratios, ink_pages) -> None:
    tones = np.digitize(np.arange(256), (85, 200)).astype(np.uint8) * 120

    assert_within_limits(ratios, [tones[page] for page in ink_pages])


def test_synthetic_photographs_save_in_half_the_time_at_about_the_size(ratios, photographs) -> None:
    assert_within_limits(ratios, photographs)


@pytest.mark.parametrize("grayscale", [True, False])
def test_pages_of_the_ink_engine_save_in_half_the_time_at_about_the_size(ratios, grayscale: bool) -> None:
    size, seeds = Size(width=1024, height=1536), Seeds(style=1, time=1, weather=1)
    palette = Palette(paper=(246, 238, 222), ink=(23, 25, 36))
    pages = []
    for number, name in enumerate(("square", "room", "pilot", "mountain")):
        night, rain = (
            (TimeOfDay.NIGHT if number % 2 else TimeOfDay.DAY),
            (Weather.RAIN if number > 1 else Weather.CLEAR),
        )
        brief = Brief(
            stage=Stage.WEATHER,
            time=night,
            weather=rain,
            prompt="",
            seeds=seeds,
            size=size,
            grayscale=grayscale,
            palette=palette,
        )
        pages.append(InkPainter().paint(load(SCENES / f"{name}.jpg"), brief).picture)

    assert_within_limits(ratios, pages)


def test_real_photographs_save_in_half_the_time_at_about_the_size(ratios) -> None:
    assert_within_limits(ratios, [mosaic(load()) for load in (data.astronaut, data.coffee, data.cat, data.rocket)])


def test_cut_out_figures_save_in_half_the_time_at_about_the_size(ratios, photographs) -> None:
    rows, columns = np.mgrid[-1:1:1536j, -1:1:1024j]
    alpha = (np.clip(1 - rows**2 - columns**2, 0, 0.01) * 25500).astype(np.uint8)

    assert_within_limits(ratios, [np.dstack([photograph, alpha]) for photograph in photographs])
