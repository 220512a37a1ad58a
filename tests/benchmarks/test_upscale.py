"""The Lanczos upscaler against Pillow's resize of the same picture: at most 0.7 of its time, on one thread."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image

from kroma_nb.passes import upscale
from kroma_nb.providers.lanczos import LanczosUpscaler

pytestmark = pytest.mark.benchmark

LIMIT = 0.7


@pytest.mark.parametrize(("kind", "scale"), [("photographs", 2), ("photographs", 4), ("ink_pages", 2)])
def test_enlarging_takes_less_than_pillows_resize(ratios, request, kind: str, scale: int) -> None:
    pictures = request.getfixturevalue(kind)
    images = [Image.fromarray(picture) for picture in pictures]
    size = (scale * images[0].width, scale * images[0].height)
    upscaler = LanczosUpscaler()

    times = ratios(
        lambda index: np.asarray(images[index % len(images)].resize(size, Image.Resampling.LANCZOS)),
        rounds=9 if scale == 2 else 4,
        ours=lambda index: upscale(pictures[index % len(pictures)], upscaler=upscaler, scale=scale),
    )

    print(f"{kind} x{scale}: {times['ours']:.2f}")
    assert times["ours"] <= LIMIT


def test_enlarging_keeps_to_one_thread(photographs) -> None:
    # A BLAS may start threads for large products: then processor time would pass what the clock shows.
    upscale(photographs[0], upscaler=LanczosUpscaler(), scale=4)

    used, began = time.process_time(), time.perf_counter()
    upscale(photographs[1], upscaler=LanczosUpscaler(), scale=4)
    used, took = time.process_time() - used, time.perf_counter() - began

    assert used <= 1.1 * took
