"""What goes wrong in a pass, from barely there to gross: each fault, its severities, and the invariant that sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from invariant_sets import (
    Array,
    by_pillow,
    cut_out,
    engine_pages,
    figure_before_ground,
    ink_page,
    inked_in_two,
    photograph,
)
from PIL import Image

from kroma_nb.model.invariants import Invariant, InvariantName
from kroma_nb.model.postprocess import ColorProfile
from kroma_nb.passes import color
from kroma_nb.qa.invariants import check_color, check_cutout, check_upscale

if TYPE_CHECKING:
    from collections.abc import Callable

SCALE = 2


@dataclass(frozen=True)
class Fault:
    """A fault of one pass.

    Attributes
    ----------
    name : str
    invariant : InvariantName
        What should see it.
    unit : str
        What the severities count.
    severities : tuple of float
    found : callable, (seed, severity) -> tuple of Invariant
        Makes a picture, its faulty result, and checks them.
    """

    name: str
    invariant: InvariantName
    unit: str
    severities: tuple[float, ...]
    found: Callable[[int, float], tuple[Invariant, ...]]


def enlarged(picture: Array) -> Array:
    """A clean enlargement to spoil."""
    return by_pillow(picture, SCALE, Image.Resampling.LANCZOS)


def any_picture(seed: int) -> Array:
    """A photograph, an ink page in grey or in two inks, or an engine page."""
    made = (photograph, ink_page, lambda n: inked_in_two(ink_page(n)), lambda n: engine_pages(n % 2)[n // 2 % 6])
    return made[seed // 2 % 4](seed)


def grey_picture(seed: int) -> Array:
    """A grey picture in three channels."""
    page = ink_page(seed) if seed // 2 % 2 else cv2.cvtColor(photograph(seed), cv2.COLOR_RGB2GRAY)
    return np.repeat(page[..., None], 3, axis=2)


def black_page(seed: int) -> Array:
    """An ink page that has flat blacks."""
    page = ink_page(seed)
    page[40:160, 30:130] = page.min()
    return inked_in_two(page) if seed // 2 % 2 else page


def levels(picture: Array) -> Array:
    """Round to levels 0-255."""
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def repeated_alpha(cut: Array, share: float) -> Array:
    """Enlarge alpha by repeating its pixels, blended with a smooth one."""
    result = enlarged(cut)
    blocks = cut[..., 3].repeat(SCALE, axis=0).repeat(SCALE, axis=1)
    result[..., 3] = levels((1 - share) * result[..., 3] + share * blocks)
    return result


def zoomed_tiles(picture: Array, by: float, tile: int = 64) -> Array:
    """Enlarge tile by tile, each showing the upper left part of its content, magnified."""
    height, width = picture.shape[:2]
    result = enlarged(picture)
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            down, across = min(tile, height - top), min(tile, width - left)
            matrix = np.float64([[SCALE * by, 0, 0], [0, SCALE * by, 0]])
            part = np.ascontiguousarray(picture[top : top + down, left : left + across])
            size = (SCALE * across, SCALE * down)
            zoomed = cv2.warpAffine(part, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            result[SCALE * top : SCALE * (top + down), SCALE * left : SCALE * (left + across)] = zoomed
    return result


def toned_tiles(picture: Array, step: float, chance: np.random.Generator, tile: int) -> Array:
    """Enlarge tile by tile, each in its own tone: normal deviates of so many levels."""
    result = enlarged(picture).astype(np.float32)
    for top in range(0, result.shape[0], SCALE * tile):
        for left in range(0, result.shape[1], SCALE * tile):
            result[top : top + SCALE * tile, left : left + SCALE * tile] += chance.normal(0, step)
    return levels(result)


def lined_tiles(picture: Array, step: float, tile: int) -> Array:
    """Enlarge tile by tile, with a line of one pixel, darker or lighter, at every edge."""
    result = enlarged(picture).astype(np.float32)
    sign = np.where(result > 128, -1, 1) * step
    lines = np.zeros(result.shape[:2], bool)
    lines[SCALE * tile :: SCALE * tile] = True
    lines[:, SCALE * tile :: SCALE * tile] = True
    result[lines] += sign[lines]
    return levels(result)


def patchy_blacks(picture: Array, strength: float, chance: np.random.Generator) -> Array:
    """Texture in patches where the enlargement is black."""
    result = enlarged(picture).astype(np.float32)
    height, width = result.shape[:2]
    patches = cv2.resize(
        chance.normal(size=(height // 24, width // 24)), (width, height), interpolation=cv2.INTER_CUBIC
    )
    texture = strength * np.clip(patches, 0, 1) * (0.6 + 0.4 * chance.random((height, width)))
    grey = result if result.ndim == 2 else result.max(axis=2)
    texture[grey > 60] = 0
    return levels(result + (texture if result.ndim == 2 else texture[..., None]))


def moved(picture: Array, by: float) -> Array:
    """Enlarge and move right and down by pixels of the source."""
    matrix = np.float64([[1, 0, SCALE * by], [0, 1, SCALE * by]])
    result = enlarged(picture)
    return cv2.warpAffine(result, matrix, result.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def black_tile(picture: Array, side: float) -> Array:
    """Enlarge and black out a square with a side of so many pixels of the source."""
    result, side = enlarged(picture), int(side)
    grey = picture if picture.ndim == 2 else picture.max(axis=2)
    light = cv2.blur(grey, (side, side), anchor=(0, 0))[:-side, :-side]
    row, column = np.unravel_index(light.argmax(), light.shape)
    result[SCALE * row : SCALE * (row + side), SCALE * column : SCALE * (column + side)] = 0
    return result


def bled(seed: int, off: float) -> tuple[Array, Array]:
    """Enlarge colours that were laid over a flat one so many levels off the figure's mean; alpha is right."""
    _, skin, alpha = figure_before_ground(seed)
    mean = skin[alpha > 127].mean(axis=0)
    laid = np.where(mean > 128, mean - off, mean + off)
    share = alpha[..., None] / 255
    plain, weight = enlarged(levels(skin * share + laid * (1 - share))), enlarged(alpha)
    return np.dstack([skin, alpha]), np.dstack([plain, weight])


def grown(cut: Array, by: float) -> Array:
    """Enlarge with a cut-out that has grown by pixels of the source."""
    result, side = enlarged(cut), 2 * round(SCALE * by) + 1
    result[..., 3] = cv2.dilate(result[..., 3], cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return result


def hardened(cut: Array, share: float) -> Array:
    """Enlarge with an edge that is partly cut hard: alpha is stretched about its middle."""
    result = enlarged(cut)
    alpha = result[..., 3].astype(np.float32)
    result[..., 3] = levels((alpha - 127.5) / max(1e-3, 1 - share) + 127.5)
    return result


def wide_cut(seed: int, by: float) -> tuple[Array, Array]:
    """A cut-out that takes so many pixels of ground along: a ring in the ground's colours."""
    picture, _, alpha = figure_before_ground(seed)
    big = cv2.resize(alpha, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    side = 2 * round(4 * by) + 1
    wide = cv2.dilate(big, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return picture, np.dstack([picture, cv2.resize(wide, alpha.shape[::-1], interpolation=cv2.INTER_AREA)])


def fringed(seed: int, strength: float, tone: int) -> tuple[Array, Array]:
    """A right cut-out with a light or dark fringe, 2 pixels wide, that the tool left."""
    picture, skin, alpha = figure_before_ground(seed)
    inside = cv2.erode(alpha, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))).astype(np.float32)[..., None] / 255
    share = strength * (1 - inside)
    return picture, np.dstack([levels(skin * (1 - share) + tone * share), alpha])


def cut_away(seed: int, kept: float) -> tuple[Array, Array]:
    """A cut-out of which only a share of the picture is left."""
    picture, _, alpha = figure_before_ground(seed)
    rows = round(kept * alpha.size / alpha.shape[1])
    alpha = np.zeros_like(alpha)
    alpha[:rows] = 255
    return picture, np.dstack([picture, alpha])


PROFILES = (
    ColorProfile(contrast=1.02),
    ColorProfile(
        brightness=0.98,
        contrast=1.12,
        saturation=1.08,
        sharpness=1.04,
        gamma=1.03,
        red_multiplier=1.04,
        blue_multiplier=0.96,
    ),
    ColorProfile(
        brightness=0.97,
        contrast=1.1,
        saturation=0.95,
        sharpness=1.03,
        gamma=1.01,
        red_multiplier=0.97,
        blue_multiplier=1.05,
    ),
    ColorProfile(autocontrast_cutoff=1.0, sharpness=1.6),
    ColorProfile(saturation=0.0, contrast=1.4, gamma=0.8),
    ColorProfile(brightness=1.3, sharpness=0.3, green_multiplier=0.9),
)


def any_profile(seed: int) -> ColorProfile:
    """One of the built-in profiles, or of three stronger ones."""
    return PROFILES[seed // 2 % len(PROFILES)]


def colored(seed: int, spoil: Callable[[Array], Array]) -> tuple[Invariant, ...]:
    """Colour a picture, spoil it, check it."""
    picture, profile = (cut_out if seed // 2 % 5 == 4 else any_picture)(seed), any_profile(seed)
    return check_color(picture, spoil(color(picture, profile)), profile)


def lost_cut_out(seed: int) -> tuple[Invariant, ...]:
    """Colour a cut-out, and leave its alpha out."""
    cut, profile = cut_out(seed), any_profile(seed)
    return check_color(cut, color(cut, profile)[..., :3], profile)


def cast(picture: Array, by: float) -> Array:
    """Make a picture redder and less blue."""
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    shift = np.zeros(picture.shape[2])
    shift[:3] = (by, 0, -by)
    return levels(picture + shift)


def _on_upscale(
    source: Callable[[int], Array], spoil: Callable[..., Array]
) -> Callable[[int, float], tuple[Invariant, ...]]:
    def found(seed: int, severity: float) -> tuple[Invariant, ...]:
        picture = source(seed)
        return check_upscale(picture, spoil(picture, severity, np.random.default_rng(seed)), SCALE)

    return found


def _tile(chance: np.random.Generator) -> int:
    return int(chance.choice([32, 50, 64, 80, 100]))


Name = InvariantName
FAULTS = (
    Fault(
        "wrong size",
        Name.EXACT_SIZE,
        "pixels missing",
        (1, 8),
        _on_upscale(any_picture, lambda p, by, _: enlarged(p)[: -int(by)]),
    ),
    Fault(
        "black output",
        Name.NOT_BLACK,
        "light left",
        (0.5, 0.3, 0.2, 0.1, 0),
        _on_upscale(any_picture, lambda p, left, _: levels(enlarged(p) * left)),
    ),
    Fault(
        "a black tile",
        Name.SHRINKS_BACK,
        "px, its side",
        (4, 8, 16, 32, 64),
        _on_upscale(any_picture, lambda p, side, _: black_tile(p, side)),
    ),
    Fault(
        "zoomed tiles",
        Name.SHRINKS_BACK,
        "times",
        (1.01, 1.02, 1.05, 1.1, 1.25, 2),
        _on_upscale(any_picture, lambda p, by, _: zoomed_tiles(p, by)),
    ),
    Fault(
        "moved", Name.SHRINKS_BACK, "px", (0.25, 0.5, 1, 2, 4), _on_upscale(any_picture, lambda p, by, _: moved(p, by))
    ),
    Fault(
        "colour cast",
        Name.SHRINKS_BACK,
        "levels",
        (4, 8, 16, 32),
        _on_upscale(photograph, lambda p, by, _: cast(enlarged(p), by)),
    ),
    Fault(
        "tiles of different tones",
        Name.NO_SEAMS,
        "levels",
        (0.5, 1, 2, 4, 8),
        _on_upscale(any_picture, lambda p, by, chance: toned_tiles(p, by, chance, _tile(chance))),
    ),
    Fault(
        "lines between tiles",
        Name.NO_SEAMS,
        "levels",
        (1, 2, 4, 8, 16, 32),
        _on_upscale(any_picture, lambda p, by, chance: lined_tiles(p, by, _tile(chance))),
    ),
    Fault(
        "patchy flat black", Name.FLAT_BLACKS, "levels", (2, 4, 6, 8, 16, 32), _on_upscale(black_page, patchy_blacks)
    ),
    Fault(
        "tinted grey",
        Name.GREY_KEPT,
        "levels",
        (1, 2, 4, 8, 16),
        _on_upscale(grey_picture, lambda p, by, _: cast(enlarged(p), by)),
    ),
    Fault(
        "nearest-neighbour alpha",
        Name.SMOOTH_EDGE,
        "share",
        (0.25, 0.5, 0.75, 0.9, 1),
        _on_upscale(cut_out, lambda p, share, _: repeated_alpha(p, share)),
    ),
    Fault(
        "a hard edge",
        Name.SOFT_EDGE,
        "share",
        (0.25, 0.5, 0.75, 0.9, 1),
        _on_upscale(cut_out, lambda p, share, _: hardened(p, share)),
    ),
    Fault("a grown cut-out", Name.COVERAGE, "px", (0.5, 1, 2, 4), _on_upscale(cut_out, lambda p, by, _: grown(p, by))),
    Fault("no alpha", Name.ALPHA_KEPT, "", (1,), _on_upscale(cut_out, lambda p, by, _: enlarged(p)[..., :3])),
    Fault(
        "a ground in the edge",
        Name.NO_HALO,
        "levels",
        (4, 8, 16, 32, 64, 128),
        lambda seed, off: check_upscale(*bled(seed, off), SCALE),
    ),
    Fault(
        "a ring of ground",
        Name.NO_HALO,
        "px",
        (0.5, 1, 1.5, 2, 3, 4),
        lambda seed, by: check_cutout(*wide_cut(seed, by)),
    ),
    Fault(
        "a light fringe",
        Name.NO_HALO,
        "share",
        (0.1, 0.25, 0.5, 0.75, 1),
        lambda seed, by: check_cutout(*fringed(seed, by, 255)),
    ),
    Fault(
        "a dark fringe",
        Name.NO_HALO,
        "share",
        (0.1, 0.25, 0.5, 0.75, 1),
        lambda seed, by: check_cutout(*fringed(seed, by, 0)),
    ),
    Fault(
        "hardly any figure",
        Name.COVERAGE,
        "share",
        (0.02, 0.008, 0.004),
        lambda seed, kept: check_cutout(*cut_away(seed, kept)),
    ),
    Fault(
        "nothing cut away",
        Name.COVERAGE,
        "share",
        (0.96, 0.99, 1),
        lambda seed, kept: check_cutout(*cut_away(seed, kept)),
    ),
    Fault("nothing left", Name.ALPHA_KEPT, "share", (0,), lambda seed, kept: check_cutout(*cut_away(seed, kept))),
    Fault(
        "colours drift",
        Name.PALETTE_KEPT,
        "levels",
        (1, 2, 4, 8),
        lambda seed, by: colored(seed, lambda p: cast(p, by)),
    ),
    Fault("the cut-out is lost", Name.ALPHA_KEPT, "", (1,), lambda seed, _: lost_cut_out(seed)),
)
