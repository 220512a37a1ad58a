"""What every benchmark uses: interleaved ratios, and pictures that do not fit the cache together."""

from __future__ import annotations

import gc
import random
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

WIDTH, HEIGHT = 1024, 1536
PICTURES = 6


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure again, at most twice, where a limit is passed: a busy machine does it once, a slow program each time."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.flaky(reruns=2))


class Ratios(Protocol):
    """Times variants against a base; see `interleaved`."""

    def __call__(
        self, base: Callable[[int], object], rounds: int = 9, **variants: Callable[[int], object]
    ) -> dict[str, float]:
        """Give each variant's median ratio to the base."""


@pytest.fixture
def ratios() -> Ratios:
    """Time callables with `interleaved`."""
    return interleaved


def interleaved(
    base: Callable[[int], object], rounds: int = 9, **variants: Callable[[int], object]
) -> dict[str, float]:
    """Time callables interleaved in one process: each round takes another picture, in a shuffled order.

    A callable gets the round's index and picks its picture with it. The result is the median of per-round ratios, so
    that a slow spell of the machine hits base and variant alike.
    """
    contenders = {"base": base, **variants}
    for contender in contenders.values():
        contender(0)
    found: dict[str, list[float]] = {name: [] for name in variants}
    for index in range(rounds):
        names = list(contenders)
        random.Random(index).shuffle(names)
        took = {name: _seconds(contenders[name], index) for name in names}
        for name in variants:
            found[name].append(took[name] / took["base"])
    return {name: statistics.median(values) for name, values in found.items()}


def _seconds(call: Callable[[int], object], index: int) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        call(index)
        return time.perf_counter() - start
    finally:
        gc.enable()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep OpenCV on one thread, as the others are."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="session")
def photographs() -> list[NDArray[np.uint8]]:
    """Synthetic photographs, uint8 (1536, 1024, 3): occluding leaves under 1/f light, with a sensor's noise."""
    return [_photograph(np.random.default_rng(seed)) for seed in range(PICTURES)]


@pytest.fixture(scope="session")
def ink_pages() -> list[NDArray[np.uint8]]:
    """Ink pages, uint8 (1536, 1024): smooth lines, hatching, two flat tones between paper and ink."""
    return [_ink_page(np.random.default_rng(100 + seed)) for seed in range(PICTURES)]


def _photograph(random_source: np.random.Generator) -> NDArray[np.uint8]:
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = random_source.uniform(60, 200, 3)
    # Sizes by a power law make the spectrum that natural scenes have (Lee, Mumford and Huang 2001).
    for radius in np.sort(6 + 260 * random_source.power(0.35, 900))[::-1]:
        middle = random_source.uniform((0, 0), (WIDTH, HEIGHT)).astype(int)
        color = np.clip(random_source.normal(120, 45) + random_source.normal(0, 18, 3), 0, 255)
        cv2.circle(picture, tuple(middle.tolist()), int(radius), color.tolist(), -1, cv2.LINE_AA)
    rows, columns = np.fft.fftfreq(HEIGHT)[:, None], np.fft.rfftfreq(WIDTH)[None]
    spectrum = np.fft.rfft2(random_source.normal(size=(HEIGHT, WIDTH))) / (np.hypot(rows, columns) + 1 / HEIGHT)
    light = np.fft.irfft2(spectrum, s=(HEIGHT, WIDTH))
    picture *= (1 + 0.25 * light / light.std())[..., None].clip(0.2, 2)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.8)
    picture += random_source.normal(0, 1.5, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


def _ink_page(random_source: np.random.Generator) -> NDArray[np.uint8]:
    page = np.full((HEIGHT, WIDTH), 255, np.uint8)
    tone = cv2.resize(random_source.normal(size=(12, 8)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    page[tone > 0.5] = 170
    page[tone > 1.1] = 0
    for _ in range(250):
        middle = random_source.uniform((0, 0), (WIDTH, HEIGHT)).astype(int)
        axes = random_source.uniform(10, 310, 2).astype(int)
        turn, end = random_source.uniform((0, 60), (180, 300))
        weight = int(random_source.integers(1, 5))
        cv2.ellipse(page, middle.tolist(), axes.tolist(), turn, 0, end, 0, weight, cv2.LINE_AA)
    for _ in range(12):
        start = random_source.uniform((0, 0), (WIDTH, HEIGHT))
        angle = random_source.uniform(0, np.pi)
        stroke = 90 * np.array([np.cos(angle), np.sin(angle)])
        for step in range(60):
            here = start + step * np.array([6, 2])
            cv2.line(page, here.astype(int).tolist(), (here + stroke).astype(int).tolist(), 0, 1, cv2.LINE_AA)
    return page
