"""The demo photographs, briefs for them, and what can be read off a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from kroma_nb.model.brief import Brief, Seeds, Size
from kroma_nb.model.words import Stage, TimeOfDay, Weather

Picture = NDArray[np.uint8]
SCENES = Path(__file__).parents[2] / "data" / "demo" / "scenes"


def _photograph(name: str, width: int = 256) -> Picture:
    stored = cv2.imread(str(SCENES / f"{name}.jpg"), cv2.IMREAD_COLOR)
    size = (width, round(stored.shape[0] * width / stored.shape[1]))
    shrunk = cv2.resize(stored, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(shrunk[:, :, ::-1])


def _brief(
    width: int = 256,
    height: int = 384,
    *,
    time: TimeOfDay = TimeOfDay.DAY,
    weather: Weather = Weather.CLEAR,
    seeds: tuple[int, int, int] = (7, 8, 9),
    **more: object,
) -> Brief:
    style, light, rain = seeds
    stage = Stage.WEATHER if weather is Weather.RAIN else Stage.TIME if time is TimeOfDay.NIGHT else Stage.STYLE
    told = {
        "stage": stage,
        "time": time,
        "weather": weather,
        "prompt": "",
        "seeds": Seeds(style=style, time=light, weather=rain),
        "size": Size(width=width, height=height),
    }
    return Brief(**{**told, **more})


def _ink_share(picture: Picture) -> float:
    gray = picture if picture.ndim == 2 else picture[:, :, 1]
    return 1.0 - float(gray.astype(np.float64).mean()) / 255.0


@pytest.fixture
def photograph() -> Callable[..., Picture]:
    """Load a demo photograph by name, RGB, at a width in pixels."""
    return _photograph


@pytest.fixture
def brief() -> Callable[..., Brief]:
    """Write a brief; by default a day without rain at 256 x 384."""
    return _brief


@pytest.fixture
def ink_share() -> Callable[[Picture], float]:
    """Measure the share of ink on a page, 0 to 1."""
    return _ink_share
