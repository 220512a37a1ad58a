"""Cutting out against OpenCV's full-size grabCut: at most 0.05 of its time, and no worse.

Full-size grabCut takes seconds, so that by default one page is full-size, the one that takes it least, and two are
smaller. KROMA_CUTOUT_PAGES=8 cuts eight full-size pages, which are the figures in docs/finishing.md.
"""

from __future__ import annotations

import os
import statistics
import time

import cv2
import numpy as np
import pytest
from figures import compose, overlap, scene

from kroma_nb.providers.grabcut import Box, GrabCut

pytestmark = pytest.mark.benchmark

LIMIT = 0.05
ROUNDS = 5
FULL_PAGES = tuple(range(int(os.environ.get("KROMA_CUTOUT_PAGES", "0")))) or (6,)
SMALL_PAGES = tuple(index for index in (0, 1) if index not in FULL_PAGES)
# One figure, off-centre ones, two, three, one that leaves the frame: middle in x and y, and height.
PLACES = [
    [(0.5, 0.52, 0.78)],
    [(0.32, 0.54, 0.65)],
    [(0.3, 0.52, 0.65), (0.7, 0.56, 0.62)],
    [(0.72, 0.64, 0.5)],
    [(0.67, 0.5, 0.8)],
    [(0.25, 0.6, 0.52), (0.53, 0.52, 0.65), (0.8, 0.6, 0.5)],
    [(0.5, 0.72, 1.0)],
    [(0.45, 0.5, 0.85)],
]


@pytest.fixture(scope="module")
def pages(photographs):
    """Composites over leaves and over demo photographs in turn, each with its full-size cut and what that took."""
    made = []
    for index in (*FULL_PAGES, *SMALL_PAGES):
        size = (1024, 1536) if index in FULL_PAGES else (384, 576)
        if index % 2:
            ground = scene(("square", "mountain", "room")[index // 2 % 3], size)
        else:
            ground = cv2.resize(photographs[index % len(photographs)], size, interpolation=cv2.INTER_AREA)
        composite = compose(ground, PLACES[index], 50 + index)
        made.append((composite, *full_size(composite)))
    return made


def full_size(composite):
    height, width = composite.alpha.shape
    left, top, right, bottom = Box(*composite.box()).within((width, height))
    # OpenCV's own order of channels, and its own way to say a box.
    picture = np.ascontiguousarray(composite.picture[..., ::-1])
    marks, models = np.zeros((height, width), np.uint8), (np.zeros((1, 65)), np.zeros((1, 65)))
    cv2.setRNGSeed(0)
    start = time.thread_time()
    cv2.grabCut(picture, marks, (left, top, right - left, bottom - top), *models, ROUNDS, cv2.GC_INIT_WITH_RECT)
    return (marks & 1) * np.uint8(255), time.thread_time() - start


def ellipse(shape, box):
    left, top, right, bottom = box.within(shape[::-1])
    drawn = np.zeros(shape, np.uint8)
    middle, axes = ((left + right) // 2, (top + bottom) // 2), ((right - left) // 2, (bottom - top) // 2)
    cv2.ellipse(drawn, middle, axes, 0, 0, 360, 255, -1)
    return drawn


def test_a_cut_takes_at_most_a_twentieth_of_full_size_grabcut(pages) -> None:
    # Both run in this thread alone, so that its own time is what each takes, whatever else the machine does.
    found = []
    for composite, _, took in pages[: len(FULL_PAGES)]:
        segmenter = GrabCut(Box(*composite.box()))
        times = []
        for _ in range(4):
            start = time.thread_time()
            segmenter.mask(composite.picture)
            times.append(time.thread_time() - start)
        found.append(statistics.median(times[1:]) / took)

    print("of full size:", " ".join(f"{ratio:.3f}" for ratio in found))
    assert statistics.median(found) <= LIMIT


def test_a_cut_overlaps_as_well_as_full_size_grabcut_and_far_better_than_an_ellipse(pages) -> None:
    rows = []
    for composite, full, _ in pages:
        box, shape = Box(*composite.box()), composite.alpha.shape
        masks = (GrabCut(box), GrabCut())
        cuts = [overlap(segmenter.mask(composite.picture), composite.alpha) for segmenter in masks]
        guesses = [ellipse(shape, box), ellipse(shape, Box(0, 0, 1, 1))]
        rows.append([*cuts, *(overlap(mask, composite.alpha) for mask in (full, *guesses))])

    for name, values in zip(
        ("box", "no box", "full size", "ellipse in box", "ellipse"), zip(*rows, strict=True), strict=True
    ):
        print(f"{name:15} {statistics.mean(values):.3f}:", " ".join(f"{value:.3f}" for value in values))
    boxed, unaided, full, in_box, centred = (statistics.mean(values) for values in zip(*rows, strict=True))
    assert boxed >= full - 0.02
    assert boxed >= max(in_box, centred) + 0.15
    assert unaided >= centred + 0.15
