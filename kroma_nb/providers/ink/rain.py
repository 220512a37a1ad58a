"""The rain: slanted streaks in depth, splashes and wet reflections below the ground line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.hand import stream
from kroma_nb.providers.ink.pixels import Gray, Plane, Points, cv
from kroma_nb.providers.ink.strokes import ink_polygons, outline

if TYPE_CHECKING:
    from kroma_nb.providers.ink.frame import Grid


_POINTS = 9  # of one streak
# Depths: streaks per page, shortest and longest length, half width; in length units.
_DEPTHS = ((560, 22.0, 64.0, 0.55), (250, 60.0, 150.0, 0.85), (60, 150.0, 360.0, 1.35))


@dataclass(frozen=True)
class Rain:
    """What rain adds to a page.

    Attributes
    ----------
    streaks : uint8 array, shape (page height, page width)
        Coverage of streaks and splashes, 0-255.
    wet : uint8 array, shape (page height, page width)
        255 where the ground mirrors; 0 everywhere without a ground line.
    mirrored : uint8 array, shape (page height, page width)
        The ink seen in the wet ground.
    """

    streaks: Gray
    wet: Gray
    mirrored: Gray


@dataclass(frozen=True)
class DryPage:
    """What rain falls on.

    Attributes
    ----------
    ink : uint8 array, shape (page height, page width)
        The page as drawn so far, which wet ground mirrors.
    lines : uint8 array, shape (page height, page width)
        The line layer, which tells upright things from open ground.
    drawn : uint8 array, shape (page height, page width)
        The lines that can be seen: ink on paper, or left open in the blacks. Streaks break over them.
    skin : uint8 array, any shape
        255 where faces may be; few streaks fall there.
    """

    ink: Gray
    lines: Gray
    drawn: Gray
    skin: Gray


def let_it_rain(page: DryPage, ground: float | None, seed: int, grid: Grid) -> Rain:
    """Make the rain for a page.

    Parameters
    ----------
    page : DryPage
        What is drawn so far.
    ground : float or None
        Where the ground begins, as a fraction of the height; None for neither splashes nor reflections.
    seed : int
        Of the weather.
    grid : Grid
        Page and working plane.
    """
    slant = np.deg2rad(6.0 + 12.0 * stream(seed, 60).random()) * (1 if stream(seed, 61).random() < 0.5 else -1)
    polygons = _streaks(page, float(slant), seed, grid)
    wet, mirrored = np.zeros_like(page.ink), np.zeros_like(page.ink)
    if ground is not None and round(ground * grid.height) < grid.height - 2:
        polygons += _splashes(ground, seed, grid)
        wet, mirrored = _reflect(page, ground, seed, grid)
    spared = cv.bitwise_not(cv.dilate(page.drawn, cv.getStructuringElement(cv.MORPH_ELLIPSE, (5, 5))))
    return Rain(np.asarray(cv.min(ink_polygons(polygons, grid), spared), np.uint8), wet, mirrored)


def _streaks(page: DryPage, slant: float, seed: int, grid: Grid) -> list[Points]:
    busy = cv.resize(page.drawn, grid.coarse(8), interpolation=cv.INTER_AREA)
    skin = cv.resize(page.skin, grid.coarse(8), interpolation=cv.INTER_LINEAR)
    busy = cv.max(cv.GaussianBlur(busy, (0, 0), 1.2), cv.convertScaleAbs(cv.blur(skin, (5, 5)), alpha=0.25))
    area = grid.work_width * grid.work_height / (1024 * 1536 * grid.unit * grid.unit)
    polygons: list[Points] = []
    for depth, (count, short, long, half_width) in enumerate(_DEPTHS):
        rng = stream(seed, 62 + depth)
        number = max(3, round(count * area))
        tip = rng.random((number, 2)) * (grid.work_width * 1.2, grid.work_height * 1.15)
        tip -= (0.1 * grid.work_width, 0.1 * grid.work_height)
        length = (short + (long - short) * rng.random(number) ** 1.6) * grid.unit
        lean = slant + (rng.random(number) - 0.5) * 0.05
        along = np.linspace(0.0, 1.0, _POINTS)[None, :, None]
        run = np.stack([np.sin(lean), np.cos(lean)], axis=-1)[:, None, :] * length[:, None, None]
        points = tip[:, None, :] + along * run
        taper = np.sin(np.pi * np.linspace(0.04, 0.98, _POINTS) ** 0.6) ** 0.8
        column = np.clip((points[..., 0] / 8).astype(np.intp), 0, busy.shape[1] - 1)
        row = np.clip((points[..., 1] / 8).astype(np.intp), 0, busy.shape[0] - 1)
        free = np.clip(2.0 - busy[row, column] / (15.0 + 11.0 * depth), 0.0, 1.0)
        weight = half_width * grid.unit * (0.7 + 0.6 * rng.random(number))
        polygons += list(outline(points, weight[:, None] * taper[None, :] * free))
    return polygons


def _splashes(ground: float, seed: int, grid: Grid) -> list[Points]:
    """Draw little crowns where drops hit the ground, larger towards the viewer."""
    rng = stream(seed, 70)
    top = ground * grid.work_height
    depth_px = grid.work_height - top
    number = max(3, round(90 * depth_px / grid.work_height * grid.work_width / grid.work_height * 1.5))
    near = rng.random(number) ** 0.8
    x, y = rng.random(number) * grid.work_width, top + near * depth_px
    size = (5.0 + 15.0 * near) * grid.unit
    polygons: list[Points] = []
    for lean, reach in ((-1.05, 0.8), (-0.45, 1.1), (0.1, 1.25), (0.6, 1.0), (1.15, 0.75)):
        tilt = lean + (rng.random(number) - 0.5) * 0.5
        far = size * reach * (0.6 + 0.6 * rng.random(number))
        steps = np.linspace(0.35, 1.0, 5)[None, :]
        px = x[:, None] + np.sin(tilt)[:, None] * far[:, None] * steps
        py = y[:, None] - np.cos(tilt)[:, None] * far[:, None] * (steps - 0.35 * steps * steps)
        width = (0.35 + 0.75 * near)[:, None] * grid.unit * np.array([0.5, 1.0, 0.9, 0.6, 0.1])[None, :]
        polygons += list(outline(np.stack([px, py], axis=-1), width))
    return polygons


def _reflect(page: DryPage, ground: float, seed: int, grid: Grid) -> tuple[Gray, Gray]:
    """Mirror the page about the ground line, rippled, in puddles that widen towards the viewer."""
    rng = stream(seed, 80)
    top = round(ground * grid.height)
    depth = grid.height - top
    unit = float(np.hypot(grid.width, grid.height)) / 1846.0
    y, x = np.mgrid[0:depth, 0 : grid.width].astype(np.float32)
    near = y / max(1, depth)
    ripple = _noise(rng, (max(4, depth // max(1, round(15 * unit))), 6), (grid.width, depth))
    at_x = x + (ripple - 0.5) * (5.0 + 22.0 * near) * unit
    at_y = np.clip(top - y * 0.92 - 1.0 + (ripple - 0.5) * 10.0 * unit, 0, grid.height - 1)
    ink = page.ink
    smeared = cv.blur(ink, (1, max(1, round(7 * unit))))
    seen = cv.remap(smeared, at_x, at_y.astype(np.float32), cv.INTER_LINEAR, borderMode=cv.BORDER_REFLECT)
    # Of a page one pixel wide, OpenCV takes a column of four for a scalar; numpy takes it for what it is.
    seen = np.clip((seen.astype(np.int16) - 104) * 9, 0, 255).astype(np.uint8)
    puddle = _noise(rng, (max(4, round(10 * depth / grid.height) + 4), 4), (grid.width, depth))
    fine = _noise(rng, (max(6, depth // max(1, round(16 * unit))), 9), (grid.width, depth))
    mask = np.clip(
        (puddle + 0.35 * fine - 0.86 + 0.30 * near - 0.5 * np.exp(-near * 14.0)) * 40.0 * 255.0, 0, 255
    ).astype(np.uint8)
    mask = cv.min(mask, _open_ground(page.lines[top:], unit))
    wet, mirrored = np.zeros_like(ink), np.zeros_like(ink)
    wet[top:], mirrored[top:] = mask, seen
    return wet, mirrored


def _open_ground(lines: Gray, unit: float) -> Gray:
    """Tell ground from what stands on it: no puddle runs up upright lines."""
    upright = cv.erode(lines, np.ones((max(3, round(26 * unit)), 1), np.uint8))
    reach = max(3, round(46 * unit)) | 1
    ring = cv.getStructuringElement(cv.MORPH_ELLIPSE, (reach, max(3, reach // 3) | 1))
    standing = cv.dilate(cv.threshold(upright, 96, 255, cv.THRESH_BINARY)[1], ring)
    return np.asarray(cv.bitwise_not(standing), np.uint8)


def _noise(rng: np.random.Generator, shape: tuple[int, int], size: tuple[int, int]) -> Plane:
    """Give smooth noise of the given number of cells, 0 to 1."""
    cells = rng.random(shape).astype(np.float32)
    return np.asarray(cv.resize(cells, size, interpolation=cv.INTER_CUBIC), np.float32)
