"""Hatching along the form: evenly spaced pen strokes that swell in the dark and taper into the light.

References
----------
B. Jobard, W. Lefer: Creating evenly-spaced streamlines of arbitrary density. Visualization in Scientific
Computing 1997: a stroke ends where it would come too near another one.
G. Winkenbach, D. H. Salesin: Computer-generated pen-and-ink illustration. SIGGRAPH 1994: tone from the strokes'
weight and spacing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.flow import find_flow
from kroma_nb.providers.ink.hand import stream
from kroma_nb.providers.ink.pixels import Gray, Plane, Points, cv
from kroma_nb.providers.ink.strokes import ink_polygons, outline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.providers.ink.frame import Grid
    from kroma_nb.providers.ink.hand import Grip
    from kroma_nb.providers.ink.tone import DayTones


_SPACING, _STEP, _HALF_WIDTH = 7.6, 4.0, 1.05  # length units
_CROSSING_DEG = 46.0
_HALF_STEPS = 20  # a stroke has at most twice as many points


@dataclass(frozen=True)
class Field:
    """Directions and pressures of one layer of hatching, at a quarter of the working size.

    Attributes
    ----------
    cosine, sine : float32 arrays, shape (h, w)
        Direction of the strokes.
    pressure : float32 array, shape (h, w), 0 to 1
        0 where no stroke may go.
    """

    cosine: Plane
    sine: Plane
    pressure: Plane


def draw_hatching(tones: DayTones, grip: Grip, grid: Grid) -> Gray:
    """Hatch the middle tones: one layer, and a crossing one where they are darkest.

    Parameters
    ----------
    tones : DayTones
        The tone field, its thresholds, between which strokes live, and the sky, where none may go.
    grip : Grip
        The hand: angle, density, weight, seed.
    grid : Grid
        Page and working plane.

    Returns
    -------
    uint8 array, shape (page height, page width)
        Ink, 0-255.
    """
    scale = tones.scale
    small = cv.resize(cv.max(tones.field, tones.sky), grid.coarse(4), interpolation=cv.INTER_AREA)
    small = cv.medianBlur(small, 5)
    span = float(max(8, scale.middle - scale.black))
    pressure = np.clip((scale.middle - small.astype(np.float32)) / span, 0.0, 1.0)
    # Strokes grow out of the blacks; deep inside them none would be seen.
    pressure[cv.dilate(small, np.ones((5, 5), np.uint8)) < scale.black] = 0.0
    polygons: list[Points] = []
    for layer, (turn, floor) in enumerate(((0.0, 0.0), (_CROSSING_DEG, 0.70))):
        pressed = np.clip((pressure - floor) / (1.0 - floor), 0.0, 1.0)
        polygons += _layer(_directions(small, pressed, grip, turn, grid.unit), layer, grip, grid)
    return ink_polygons(polygons, grid)


def _directions(small: Gray, pressure: Plane, grip: Grip, turn: float, unit: float) -> Field:
    """Blend the form's own direction with the hand's favourite one, by how sure the form is."""
    flow = find_flow(small.astype(np.float32), 7.0 * unit)
    angle = cv.phase(flow.along_x, flow.along_y) + np.float32(np.deg2rad(grip.turn_deg + turn))
    trust = (flow.strength / (flow.energy + np.float32(1.0))) ** 2
    base = np.deg2rad(2.0 * (grip.hatch_angle_deg + turn))
    double_x = trust * np.cos(2.0 * angle) + np.float32(0.42 * np.cos(base))
    double_y = trust * np.sin(2.0 * angle) + np.float32(0.42 * np.sin(base))
    double_x = cv.GaussianBlur(double_x, (0, 0), 10.0 * unit)
    double_y = cv.GaussianBlur(double_y, (0, 0), 10.0 * unit)
    half = 0.5 * cv.phase(double_x, double_y)
    # Rounded, so that strokes take the same way where cosines differ in their last bit.
    cosine, sine = (np.rint(f(half) * np.float32(4096.0)) / np.float32(4096.0) for f in (np.cos, np.sin))
    return Field(cosine, sine, pressure)


def _layer(field: Field, layer: int, grip: Grip, grid: Grid) -> list[Points]:
    """Give the outlines of one layer's strokes."""
    rng = stream(grip.seed, 20 + layer)
    spacing = _SPACING * grid.unit / grip.hatch_density
    seeds = _lattice(spacing, np.deg2rad(grip.hatch_angle_deg + _CROSSING_DEG * layer), rng, grid)
    seeds = seeds[_look_up(field.pressure, seeds) > 0.0]
    if not len(seeds):
        return []
    lengths = rng.integers(_HALF_STEPS // 2, _HALF_STEPS + 1, size=(len(seeds), 2))
    points, pressure = _trace(field, seeds, _STEP * grid.unit)
    spans = _keep_apart(points, pressure, lengths, spacing, grid)
    return _shape(points, pressure, spans, _HALF_WIDTH * grid.unit * grip.line_weight)


def _lattice(spacing: float, angle: float, rng: np.random.Generator, grid: Grid) -> Points:
    """Place the strokes' middles on staggered rows across the favourite direction, a little off."""
    reach = float(np.hypot(grid.work_width, grid.work_height)) / 2.0
    rows = np.arange(-reach, reach, spacing)
    along = np.arange(-reach, reach, _HALF_STEPS * _STEP * grid.unit * 0.9)
    v, u = np.meshgrid(rows, along, indexing="ij")
    u = u + (rng.random(len(rows)) * (along[1] - along[0]) if len(along) > 1 else rng.random(len(rows)))[:, None]
    v = v + (rng.random(v.shape) - 0.5) * 0.3 * spacing
    x = grid.work_width / 2 + u * np.cos(angle) - v * np.sin(angle)
    y = grid.work_height / 2 + u * np.sin(angle) + v * np.cos(angle)
    inside = (x >= 0) & (x < grid.work_width) & (y >= 0) & (y < grid.work_height)
    return np.stack([x[inside], y[inside]], axis=-1)


def _look_up(plane: Plane, points: Points) -> Plane:
    """Read a quarter-size plane at points of the working plane."""
    column = np.clip((points[..., 0] * 0.25).astype(np.intp), 0, plane.shape[1] - 1)
    row = np.clip((points[..., 1] * 0.25).astype(np.intp), 0, plane.shape[0] - 1)
    return plane[row, column]


def _trace(field: Field, seeds: Points, step: float) -> tuple[Points, NDArray[np.float64]]:
    """Walk both ways from every seed; give points (N, 2 * steps + 1, 2) and pressures, 0 after the first stop."""
    count = 2 * _HALF_STEPS + 1
    points = np.empty((len(seeds), count, 2))
    pressure = np.zeros((len(seeds), count))
    points[:, _HALF_STEPS] = seeds
    pressure[:, _HALF_STEPS] = _look_up(field.pressure, seeds)
    for sign in (1, -1):
        here, heading = seeds, np.zeros_like(seeds)
        alive = np.ones(len(seeds), bool)
        for k in range(1, _HALF_STEPS + 1):
            way = np.stack([_look_up(field.cosine, here), _look_up(field.sine, here)], axis=-1).astype(np.float64)
            back = (way * heading).sum(axis=-1) < 0 if k > 1 else np.full(len(seeds), sign < 0)
            heading = np.where(back[:, None], -way, way)
            here = here + step * heading
            force = _look_up(field.pressure, here)
            alive &= (force > 0.0) & (here >= 0).all(axis=-1)
            points[:, _HALF_STEPS + sign * k] = here
            pressure[:, _HALF_STEPS + sign * k] = np.where(alive, force, 0.0)
    return points, pressure


def _keep_apart(
    points: Points, pressure: NDArray[np.float64], lengths: NDArray[np.int64], spacing: float, grid: Grid
) -> list[tuple[int, int, int]]:
    """Accept strokes one after the other, each cut where an earlier one is too near: (stroke, first, last)."""
    width, height = grid.coarse(2)
    taken = np.zeros((height, width), np.uint8)
    cells = np.floor(points * 0.5).astype(np.int32)
    column = np.clip(cells[..., 0], 0, width - 1)
    row = np.clip(cells[..., 1], 0, height - 1)
    thick = max(1, round(1.5 * spacing * 0.5))
    open_cells = pressure > 0.0
    spans = []
    for n in range(len(points)):
        free = open_cells[n] & (taken[row[n], column[n]] == 0)
        if not free[_HALF_STEPS]:
            continue
        ahead, behind = free[_HALF_STEPS:], free[_HALF_STEPS::-1]
        last = min(int(lengths[n, 0]), int(np.argmin(ahead)) - 1 if not ahead.all() else _HALF_STEPS)
        first = min(int(lengths[n, 1]), int(np.argmin(behind)) - 1 if not behind.all() else _HALF_STEPS)
        if first + last < 4:
            continue
        span = (n, _HALF_STEPS - first, _HALF_STEPS + last)
        spans.append(span)
        cv.polylines(taken, [cells[n, span[1] : span[2] + 1]], False, 255, thick)
    return spans


def _shape(
    points: Points, pressure: NDArray[np.float64], spans: list[tuple[int, int, int]], half_width: float
) -> list[Points]:
    """Give every accepted stroke its body: pressed where it is dark, flicked out towards the light."""
    if not spans:
        return []
    chosen = np.array(spans)
    body, force = points[chosen[:, 0]], pressure[chosen[:, 0]]
    place = np.arange(points.shape[1])[None, :]
    first, last = chosen[:, 1:2], chosen[:, 2:3]
    begin, end = np.clip((place - first + 0.3) / 3.0, 0.0, 1.0), np.clip((last - place + 0.1) / 7.0, 0.0, 1.0)
    darker_last = np.take_along_axis(force, last, 1) > np.take_along_axis(force, first, 1)
    end_first = np.clip((place - first + 0.1) / 7.0, 0.0, 1.0)
    begin_last = np.clip((last - place + 0.3) / 3.0, 0.0, 1.0)
    taper = np.where(darker_last, np.minimum(end_first, begin_last), np.minimum(begin, end)) ** 0.7
    width = half_width * taper * (0.38 + 0.62 * np.sqrt(force))
    count = points.shape[1]
    sides = outline(body, width)
    return [
        np.concatenate([sides[i, a : b + 1], sides[i, 2 * count - 1 - b : 2 * count - a]])
        for i, (_, a, b) in enumerate(spans)
    ]
