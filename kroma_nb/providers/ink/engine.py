"""The painter that composes the layers: one hand, one light, one weather."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.model.brief import Painted
from kroma_nb.model.words import TimeOfDay, Weather
from kroma_nb.providers.ink.flatten import Flattened, flatten
from kroma_nb.providers.ink.flow import Walker, find_flow
from kroma_nb.providers.ink.frame import Grid, lay_scene, over_white, part_drawn
from kroma_nb.providers.ink.ground import estimate_ground_line
from kroma_nb.providers.ink.hand import Grip, take_hand
from kroma_nb.providers.ink.hatch import draw_hatching
from kroma_nb.providers.ink.inked import OwnInk, find_own_ink
from kroma_nb.providers.ink.light import Night, fall_of_night
from kroma_nb.providers.ink.lines import draw_lines
from kroma_nb.providers.ink.page import Layers, dry_ink, in_colours, wet_ink
from kroma_nb.providers.ink.palette import PLAIN, read_palette, with_contrast
from kroma_nb.providers.ink.pixels import Gray, cv
from kroma_nb.providers.ink.rain import DryPage, let_it_rain
from kroma_nb.providers.ink.skin import find_skin
from kroma_nb.providers.ink.sky import find_sky
from kroma_nb.providers.ink.tone import DayTones, Scale, cut_black, cut_washes, day_scale, tone_field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from kroma_nb.model.brief import Brief, Palette


_BLANK_CONTRAST = 7  # levels; below it a scene has nothing to draw
_FLOW_SIGMA = 2.2  # length units
_FACING = 142  # levels of facing and light together from which a line opens in the dark


@dataclass(frozen=True)
class InkPainter:
    """A deterministic stylist that turns a photograph into an inked page.

    It is frozen, holds no state and pickles; the same scene and brief give the same bytes whatever the number of
    threads or processes, on one class of CPU.

    Examples
    --------
    >>> from kroma_nb.model.brief import Brief, Seeds, Size
    >>> from kroma_nb.model.words import Stage
    >>> scene = np.full((48, 32, 3), 230, np.uint8)
    >>> scene[24:, :16] = 20
    >>> brief = Brief(
    ...     stage=Stage.STYLE, time=TimeOfDay.DAY, weather=Weather.CLEAR, prompt="",
    ...     seeds=Seeds(style=1, time=2, weather=3), size=Size(width=32, height=48),
    ... )
    >>> InkPainter().paint(scene, brief).picture.shape
    (48, 32)
    """

    provider: str = "ink"
    model: str = "noir-1"
    version: str = "1"

    def study(self, references: Iterable[NDArray[np.uint8]]) -> Palette | None:
        """Read paper and ink off style references; see `read_palette`."""
        return read_palette(references)

    def paint(self, scene: NDArray[np.uint8], brief: Brief) -> Painted:
        """Draw a scene.

        Parameters
        ----------
        scene : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
            sRGB levels 0-255, RGB order; coverage is composed over white.
        brief : Brief
            Size, seeds, hand, palette, time and weather.

        Returns
        -------
        Painted
            The picture is of the brief's size: (H, W) if paper and ink are neutral, else (H, W, 3).

        Raises
        ------
        ValueError
            If the scene is no picture.
        """
        layers, notes = _draw(scene, brief)
        dry = dry_ink(layers.lines, layers.black, layers.tone, layers.hatch, layers.rim)
        ink = wet_ink(dry, layers, _page_unit(brief))
        palette = PLAIN if brief.grayscale or brief.palette is None else with_contrast(brief.palette)
        part = part_drawn(scene, Grid.of(brief.size))
        return Painted(in_colours(ink, palette), tuple(notes), part)

    def layers(self, scene: NDArray[np.uint8], brief: Brief) -> Layers:
        """Draw a scene and give its layers apart."""
        return _draw(scene, brief)[0]


@dataclass(frozen=True)
class _Sheet:
    """A scene laid out for drawing: everything that does not depend on time and weather."""

    grid: Grid
    grip: Grip
    flat: Flattened
    lines: Gray
    day: DayTones
    inked: bool


def _page_unit(brief: Brief) -> float:
    return float(np.hypot(brief.size.width, brief.size.height)) / 1846.0


def _draw(scene: NDArray[np.uint8], brief: Brief) -> tuple[Layers, list[str]]:
    cv.setNumThreads(1)
    grid = Grid.of(brief.size)
    picture, cropped = lay_scene(scene, grid)
    notes = ["The scene was cropped to the shape of the page."] if cropped else []
    flat = flatten(picture, grid.unit)
    if flat.contrast < _BLANK_CONTRAST:
        notes.append("The scene is blank: there is nothing to draw.")
        return _rained(_blank(grid), flat, brief, grid), notes
    own = find_own_ink(over_white(scene))
    if own is not None:
        notes.append(
            "The scene is an inked page already: its own ink is the line layer, only light and rain are added."
        )
        sheet = _inked_sheet(scene, own, flat, brief, grid)
    else:
        sheet = _sheet(picture, flat, brief, grid)
    dry = _by_night(sheet, brief) if brief.time is TimeOfDay.NIGHT else _by_day(sheet)
    return _rained(dry, flat, brief, grid), notes


def _sheet(picture: NDArray[np.uint8], flat: Flattened, brief: Brief, grid: Grid) -> _Sheet:
    grip = take_hand(brief.hand, brief.seeds.style)
    walker = Walker(find_flow(flat.fine.astype(np.float32), _FLOW_SIGMA * grid.unit))
    lines = draw_lines(flat, walker, grip, grid)
    field = tone_field(flat, walker, grip, grid)
    sky = find_sky(picture, flat, grid)
    day = DayTones(field, day_scale(flat, field, sky, grip), sky)
    return _Sheet(grid, grip, flat, lines, day, inked=False)


def _inked_sheet(scene: NDArray[np.uint8], own: OwnInk, flat: Flattened, brief: Brief, grid: Grid) -> _Sheet:
    exact = Grid(grid.width, grid.height, grid.width, grid.height)
    lines = own.read(lay_scene(scene, exact)[0])
    paper = np.full((grid.work_height, grid.work_width), 200, np.uint8)
    grip = take_hand(brief.hand, brief.seeds.style)
    day = DayTones(paper, Scale(70, 140), np.zeros_like(paper))
    return _Sheet(grid, grip, flat, lines, day, inked=True)


def _by_day(sheet: _Sheet) -> Layers:
    if sheet.inked:
        return _with(_blank(sheet.grid), lines=sheet.lines)
    day = sheet.day
    return _with(
        _blank(sheet.grid),
        lines=sheet.lines,
        black=cut_black(day, sheet.grid),
        tone=cut_washes(day, sheet.grip, sheet.grid),
        hatch=draw_hatching(day, sheet.grip, sheet.grid),
    )


def _by_night(sheet: _Sheet, brief: Brief) -> Layers:
    night = fall_of_night(sheet.flat, sheet.day, brief.seeds.time, sheet.grid)
    lit = DayTones(night.field, sheet.day.scale, np.zeros_like(sheet.day.sky))
    black = cut_black(lit, sheet.grid)
    tone = cut_washes(lit, sheet.grip, sheet.grid)
    hatch = draw_hatching(lit, sheet.grip, sheet.grid)
    light = cv.resize(night.light, sheet.grid.page, interpolation=cv.INTER_LINEAR)
    if sheet.inked:
        reach = max(3, round(9 * _page_unit(brief))) | 1
        halo = cv.bitwise_not(cv.dilate(sheet.lines, np.ones((reach, reach), np.uint8)))
        black, tone, hatch = (cv.min(layer, halo) for layer in (black, tone, hatch))
        rim = np.zeros_like(black)
    else:
        rim = _rim(sheet, night)
    return _with(
        _blank(sheet.grid),
        lines=sheet.lines,
        black=black,
        tone=tone,
        hatch=hatch,
        light=np.asarray(light, np.uint8),
        rim=rim,
    )


def _rim(sheet: _Sheet, night: Night) -> Gray:
    """Leave the lines that face the light open where the night, not the scene, is black."""
    level = sheet.day.scale.black
    fallen = np.where((sheet.day.field >= level) & (night.field < level), np.uint8(255), np.uint8(0))
    facing = cv.addWeighted(night.rim, 0.7, night.light, 0.5, 0.0)
    skyline = cv.morphologyEx(sheet.day.sky, cv.MORPH_GRADIENT, np.ones((9, 9), np.uint8))
    # A face keeps its features: only its outline may open.
    skin = cv.resize(find_skin(sheet.flat), sheet.grid.work, interpolation=cv.INTER_LINEAR)
    open_ = np.where((facing > _FACING) & (skin == 0), fallen, np.uint8(0))
    _, open_ = cv.threshold(cv.blur(open_, (11, 11)), 40, 255, cv.THRESH_BINARY)
    open_ = cv.max(open_, skyline)
    return np.asarray(cv.min(sheet.lines, cv.resize(open_, sheet.grid.page, interpolation=cv.INTER_LINEAR)), np.uint8)


def _rained(dry: Layers, flat: Flattened, brief: Brief, grid: Grid) -> Layers:
    if brief.weather is not Weather.RAIN:
        return dry
    ground = brief.ground_line if brief.ground_line is not None else estimate_ground_line(flat.broad)
    ink = dry_ink(dry.lines, dry.black, dry.tone, dry.hatch, dry.rim)
    drawn = cv.max(cv.min(dry.lines, cv.bitwise_not(dry.black)), dry.rim)
    rain = let_it_rain(DryPage(ink, dry.lines, drawn, find_skin(flat)), ground, brief.seeds.weather, grid)
    return _with(dry, rain=rain.streaks, wet=rain.wet, mirrored=rain.mirrored)


def _blank(grid: Grid) -> Layers:
    none = np.zeros((grid.height, grid.width), np.uint8)
    return Layers(none, none, none, none, np.full_like(none, 255), none, none, none, none)


def _with(layers: Layers, **changed: Gray) -> Layers:
    return Layers(**{**layers.__dict__, **changed})
