"""What a painting costs, against decoding a stored photograph, and what each layer's share is."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from kroma_nb.model.brief import Brief, Seeds, Size
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.providers.ink import InkPainter, engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

SCENES = Path(__file__).parents[2] / "data" / "demo" / "scenes"
PAGE = Size(width=1024, height=1536)
GOAL = 20.0

pytestmark = pytest.mark.benchmark


@pytest.fixture(scope="module")
def stored() -> list[NDArray[np.uint8]]:
    """Store the demo photographs and their mirror images as PNG, 1024 x 1536: more than a cache holds together."""
    pictures = []
    for name in ("square", "room", "pilot", "mountain"):
        scene = cv2.imread(str(SCENES / f"{name}.jpg"), cv2.IMREAD_COLOR)
        laid = cv2.resize(scene, (PAGE.width, PAGE.height), interpolation=cv2.INTER_CUBIC)
        pictures += [cv2.imencode(".png", each)[1] for each in (laid, laid[:, ::-1])]
    return pictures


def test_painting_takes_at_most_twenty_times_the_decoding(stored, ratios) -> None:
    scenes = [np.ascontiguousarray(cv2.imdecode(each, cv2.IMREAD_COLOR)[:, :, ::-1]) for each in stored]

    def painting(time_of_day: TimeOfDay, weather: Weather) -> Callable[[int], object]:
        def paint(n: int) -> object:
            return InkPainter().paint(scenes[n % len(scenes)], brief(n, time_of_day, weather))

        return paint

    found = ratios(
        lambda n: cv2.imdecode(stored[n % len(stored)], cv2.IMREAD_COLOR),
        rounds=8,
        style=painting(TimeOfDay.DAY, Weather.CLEAR),
        night=painting(TimeOfDay.NIGHT, Weather.CLEAR),
        night_rain=painting(TimeOfDay.NIGHT, Weather.RAIN),
    )

    print("\npainting / decoding:", {name: round(ratio, 1) for name, ratio in found.items()})
    print("shares of a rainy night:", shares(scenes))
    assert max(found.values()) <= GOAL


def brief(seed: int, time_of_day: TimeOfDay, weather: Weather) -> Brief:
    return Brief(
        stage=Stage.STYLE,
        time=time_of_day,
        weather=weather,
        prompt="",
        seeds=Seeds(style=seed, time=seed, weather=seed),
        size=PAGE,
        ground_line=0.8,
    )


def shares(scenes: list[NDArray[np.uint8]]) -> dict[str, str]:
    """Time the engine's steps by a profile of its own module: percent of a painting, over all scenes."""
    clock = Clock({name: getattr(engine, name) for name in STEPS})
    for n, scene in enumerate(scenes):
        with clock.listening():
            InkPainter().paint(scene, brief(n, TimeOfDay.NIGHT, Weather.RAIN))
    return clock.percent()


STEPS = (
    "lay_scene",
    "find_own_ink",
    "flatten",
    "find_flow",
    "draw_lines",
    "tone_field",
    "find_sky",
    "fall_of_night",
    "cut_black",
    "cut_washes",
    "draw_hatching",
    "let_it_rain",
    "dry_ink",
    "wet_ink",
)


class Clock:
    """Adds up the time that named functions take, seen from the interpreter's profile hook."""

    def __init__(self, steps: dict[str, Callable[..., object]]) -> None:
        self._names = {step.__code__: name for name, step in steps.items()}
        self._spent = dict.fromkeys(steps, 0.0)
        self._begun: dict[object, float] = {}
        self._total = 0.0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen while the block runs."""
        start = time.perf_counter()
        sys.setprofile(self.hook)
        try:
            yield
        finally:
            sys.setprofile(None)
            self._total += time.perf_counter() - start

    def hook(self, frame, event, _argument) -> None:
        """Take note of a call or a return."""
        name = self._names.get(frame.f_code)
        if name is None:
            return
        if event == "call":
            self._begun[frame] = time.perf_counter()
        elif event == "return":
            self._spent[name] += time.perf_counter() - self._begun.pop(frame)

    def percent(self) -> dict[str, str]:
        """Give each step's share."""
        rest = self._total - sum(self._spent.values())
        return {name: f"{spent / self._total:.0%}" for name, spent in {**self._spent, "rest": rest}.items()}
