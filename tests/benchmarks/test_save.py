"""Saving a PNG against Pillow's default: at most half the time at 1.15 times the size."""

from __future__ import annotations

import io
import statistics
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from kroma_nb.images import encode_png, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pictures = list[NDArray[np.uint8]]

pytestmark = pytest.mark.benchmark

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


def test_real_photographs_save_in_half_the_time_at_about_the_size(ratios) -> None:
    data = pytest.importorskip("skimage.data")

    assert_within_limits(ratios, [mosaic(load()) for load in (data.astronaut, data.coffee, data.cat, data.rocket)])


def test_cut_out_figures_save_in_half_the_time_at_about_the_size(ratios, photographs) -> None:
    rows, columns = np.mgrid[-1:1:1536j, -1:1:1024j]
    alpha = (np.clip(1 - rows**2 - columns**2, 0, 0.01) * 25500).astype(np.uint8)

    assert_within_limits(ratios, [np.dstack([photograph, alpha]) for photograph in photographs])
