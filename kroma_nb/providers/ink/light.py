"""The night: pools of light from plausible sources, everything else in controlled shadow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.hand import stream
from kroma_nb.providers.ink.levels import histogram, level_at, share_below
from kroma_nb.providers.ink.pixels import Gray, Plane, cv
from kroma_nb.providers.ink.skin import find_skin
from kroma_nb.providers.ink.windows import light_windows

if TYPE_CHECKING:
    from kroma_nb.providers.ink.flatten import Flattened
    from kroma_nb.providers.ink.frame import Grid
    from kroma_nb.providers.ink.tone import DayTones, Scale


_FACTOR = 8  # the light is worked out at an eighth of the working size
_BLACK_SHARE = 0.50  # of the page below the sky
_RELIEF = 70.0  # levels between a form's lit and unlit side
_DEEPEST = 250  # levels that the dark may take
_FLAT = 0.44  # how much level ground faces the light
_POOL = 56.0  # levels that the middle of a pool gains


@dataclass(frozen=True)
class Night:
    """A scene's light at night.

    Attributes
    ----------
    light : uint8 array, shape (work_height, work_width)
        Illumination; 0 is the ambient dark, 255 the middle of a pool.
    rim : uint8 array, shape (work_height, work_width)
        How much a form's edge faces the light, 0-255.
    field : uint8 array, shape (work_height, work_width)
        The tone field under this light, for the thresholds of the day.
    """

    light: Gray
    rim: Gray
    field: Gray


def fall_of_night(flat: Flattened, day: DayTones, seed: int, grid: Grid) -> Night:
    """Light a scene anew.

    Parameters
    ----------
    flat : Flattened
        The scene on the working plane.
    day : DayTones
        Its tone field by day, with the thresholds, and the sky, which turns black.
    seed : int
        Where the key light stands.
    grid : Grid
        Page and working plane.
    """
    field, scale, sky = day.field, day.scale, day.sky
    width, height = grid.coarse(_FACTOR)
    small = cv.resize(flat.broad, (width, height), interpolation=cv.INTER_AREA)
    dark_sky = cv.resize(sky, (width, height), interpolation=cv.INTER_AREA)
    light = _pools(small, dark_sky, find_skin(flat), seed)
    panes = light_windows(day, light, seed, grid)
    light = _shine(light, cv.resize(panes, (width, height), interpolation=cv.INTER_AREA))
    facing = _facing(small, light)
    # In 8 bits from here on: OpenCV enlarges those alike on every CPU.
    glow, rim = (_enlarge(plane, grid) for plane in (light, facing))
    lit, shade = (plane.astype(np.float32) / np.float32(255.0) for plane in (glow, rim))
    relief = np.float32(_RELIEF) * (shade - np.float32(_FLAT)) * np.maximum(lit, np.float32(0.35))
    day_field = field.astype(np.float32)
    # What is black by day stays black in a pool.
    takes_light = np.minimum(day_field / np.float32(scale.middle), np.float32(1.0))
    modelled = day_field + (relief + np.float32(_POOL) * lit) * takes_light
    dark = _as_dark_as_needed(modelled, np.float32(1.0) - lit, sky, scale)
    return Night(glow, rim, cv.max(dark, cv.resize(panes, grid.work, interpolation=cv.INTER_LINEAR)))


def _shine(light: Plane, panes: Gray) -> Plane:
    """Let lit panes shine on what is around them."""
    halo = cv.GaussianBlur(panes.astype(np.float32), (0, 0), 4.0)
    return np.asarray(np.maximum(light, np.minimum(halo / np.float32(110.0), np.float32(0.62))), np.float32)


def _enlarge(plane: Plane, grid: Grid) -> Gray:
    coarse = np.rint(np.clip(plane, 0.0, 1.0) * np.float32(255.0)).astype(np.uint8)
    return np.asarray(cv.resize(coarse, grid.work, interpolation=cv.INTER_LINEAR), np.uint8)


def _as_dark_as_needed(field: Plane, dark: Plane, sky: Gray, scale: Scale) -> Gray:
    """Take off light outside the pools until the blacks have their share; the thresholds stay the day's."""
    some, some_dark, below = field[::3, ::3], dark[::3, ::3], sky[::3, ::3] < 128
    if not below.any():
        below = np.ones_like(below)
    depth = 0
    while depth < _DEEPEST:
        depth += 10
        lit = np.clip(np.rint(some - np.float32(depth) * some_dark), 0, 255).astype(np.uint8)
        if share_below(histogram(lit[below]), scale.black) >= _BLACK_SHARE:
            break
    lit = np.clip(np.rint(field - np.float32(depth) * dark), 0, 255).astype(np.uint8)
    return np.where(sky > 127, np.uint8(0), lit)


def _pools(small: Gray, sky: Gray, skin: Gray, seed: int) -> Plane:
    """Add up the ambient dark, one key light with its beam, and the scene's own lamps."""
    height, width = small.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    diagonal = float(np.hypot(width, height))
    rng = stream(seed, 40)
    column, row = _subject(small, sky, skin, rng)
    side = -1.0 if rng.random() < 0.5 else 1.0
    lean = side * (0.25 + 0.35 * rng.random())
    radius = diagonal * (0.17 + 0.05 * rng.random())
    dx, dy = (x - column) / radius, (y - row) / (1.15 * radius)
    pool = np.exp(-0.9 * (dx * dx + dy * dy))
    # The beam comes from above: it narrows towards the lamp and fades below the pool.
    rise = np.maximum(row - y, 0.0)
    axis = column + lean * rise
    spread = radius * np.maximum(0.3, 1.0 - 0.7 * rise / max(1.0, float(row)))
    beam = np.exp(-0.9 * ((x - axis) / spread) ** 2) * np.exp(-rise / (0.8 * diagonal)) * (y < row)
    light = 1.0 - (1.0 - pool) * (1.0 - 0.8 * beam)
    for lamp_x, lamp_y, lamp_radius in _lamps(small, sky):
        away = ((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / (lamp_radius * lamp_radius)
        light = np.maximum(light, 0.95 * np.exp(-away))
    return np.asarray(light, np.float32)


def _subject(small: Gray, sky: Gray, skin: Gray, rng: np.random.Generator) -> tuple[int, int]:
    """Choose one of the three places with the most detail, away from each other and from the margins."""
    height, width = small.shape
    detail = cv.absdiff(cv.dilate(small, np.ones((3, 3))), cv.erode(small, np.ones((3, 3))))
    detail = np.where(sky > 127, np.uint8(0), cv.add(cv.min(detail, 60), skin // 2))
    size = max(3, (height + width) // 12) | 1
    mass = cv.boxFilter(detail, cv.CV_32F, (size, size), normalize=False)
    y, x = np.mgrid[0:height, 0:width]
    centred = 4 * width * height - 3 * (np.abs(2 * x - width) * height + np.abs(2 * y - height) * width) // 2
    score = np.rint(mass).astype(np.int64) * np.maximum(centred, 1)
    places: list[tuple[int, int]] = []
    for _ in range(3):
        row, column = divmod(int(np.argmax(score)), width)
        places.append((column, row))
        reach = max(height, width) // 6
        score[max(0, row - reach) : row + reach, max(0, column - reach) : column + reach] = 0
    return places[int(rng.integers(len(places)))]


def _lamps(small: Gray, sky: Gray) -> list[tuple[float, float, float]]:
    """Find small, compact bright spots that stand out from darker surroundings: x, y, radius of their glow."""
    bright = np.where((small >= max(205, level_at(histogram(small), 0.97))) & (sky < 128), np.uint8(255), np.uint8(0))
    count, _, stats, centres = cv.connectedComponentsWithStats(bright, connectivity=8)
    around = cv.blur(small, (15, 15))
    lamps = []
    for n in range(1, count):
        area = int(stats[n, cv.CC_STAT_AREA])
        box = int(stats[n, cv.CC_STAT_WIDTH]) * int(stats[n, cv.CC_STAT_HEIGHT])
        x, y = (int(c) for c in centres[n])
        stands_out = int(around[y, x]) < 150
        if 3 <= area <= small.size // 60 and area * 5 >= box * 2 and stands_out:
            lamps.append((area, float(x), float(y), 2.2 * float(np.sqrt(area)) + 0.03 * float(np.hypot(*small.shape))))
    lamps.sort(reverse=True)
    return [lamp[1:] for lamp in lamps[:5]]


def _facing(small: Gray, light: Plane) -> Plane:
    """Compute how much forms, read as relief, face the light: 0 to 1, 0.44 where they are flat."""
    relief = cv.GaussianBlur(small.astype(np.float32), (0, 0), 1.2)
    toward_x, toward_y = (cv.GaussianBlur(cv.Sobel(light, cv.CV_32F, *d), (0, 0), 4.0) for d in ((1, 0), (0, 1)))
    length = cv.magnitude(toward_x, toward_y) + np.float32(1e-4)
    slope_x, slope_y = cv.Sobel(relief, cv.CV_32F, 1, 0), cv.Sobel(relief, cv.CV_32F, 0, 1)
    facing = -(slope_x * toward_x + slope_y * toward_y) / length / 90.0
    return np.asarray(np.clip(_FLAT + facing, 0.0, 1.0), np.float32)
