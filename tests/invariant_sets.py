"""Pictures to fit the invariants on and to try them on, what passes make of them, and what goes wrong there.

All of it comes from seeds: on those of even ones the limits were fitted, on those of odd ones they are tried.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kroma_nb.images import load
from kroma_nb.model.brief import Brief, Seeds, Size
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.providers.ink import InkPainter

Array = NDArray[np.uint8]

WIDTH, HEIGHT = 256, 384
SCENES = Path(__file__).parents[1] / "data" / "demo" / "scenes"
OF_SET = (("mountain", "pilot"), ("room", "square"))
SUPER = 3


def photograph(seed: int, *, grain: float = 1.5) -> Array:
    """A synthetic photograph: occluding discs whose sizes follow a power law, under uneven light."""
    chance = np.random.default_rng(seed)
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = chance.uniform(60, 200, 3)
    for radius in np.sort(2 + 90 * chance.power(0.35, 260))[::-1]:
        middle = chance.uniform((0, 0), (WIDTH, HEIGHT)).astype(int)
        color = np.clip(chance.normal(120, 45) + chance.normal(0, 18, 3), 0, 255)
        cv2.circle(picture, tuple(middle.tolist()), int(radius), color.tolist(), -1, cv2.LINE_AA)
    light = cv2.resize(chance.normal(size=(6, 4)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    picture *= (1 + 0.25 * light)[..., None].clip(0.2, 2)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.8)
    return (picture + chance.normal(0, grain, picture.shape)).clip(0, 255).astype(np.uint8)


def ink_page(seed: int) -> Array:
    """An ink page without colour: flat blacks and a flat tone, lines, hatching, on some pages panel borders."""
    chance = np.random.default_rng(seed)
    paper, ink = (255, 0) if chance.random() < 0.5 else (int(chance.integers(225, 255)), int(chance.integers(0, 40)))
    page = np.full((HEIGHT, WIDTH), paper, np.uint8)
    tone = cv2.resize(chance.normal(size=(6, 4)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    page[tone > 0.5] = int(chance.integers(130, 200))
    page[tone > 0.9] = ink
    for _ in range(40):
        middle = chance.uniform((0, 0), (WIDTH, HEIGHT)).astype(int).tolist()
        axes = chance.uniform(5, 90, 2).astype(int).tolist()
        turn, end = chance.uniform((0, 60), (180, 300))
        cv2.ellipse(page, middle, axes, turn, 0, end, ink, int(chance.integers(1, 4)), cv2.LINE_AA)
    for _ in range(5):
        start, angle, apart = chance.uniform((0, 0), (WIDTH, HEIGHT)), chance.uniform(0, np.pi), chance.integers(3, 8)
        for step in range(25):
            here = start + step * np.array([apart, 1])
            there = here + 40 * np.array([np.cos(angle), np.sin(angle)])
            cv2.line(page, here.astype(int).tolist(), there.astype(int).tolist(), ink, 1, cv2.LINE_AA)
    if chance.random() < 0.5:
        _draw_panels(page, chance, paper, ink)
    return page


def _draw_panels(page: Array, chance: np.random.Generator, paper: int, ink: int) -> None:
    gap = int(chance.integers(4, 9))
    for count, length, along in ((int(chance.integers(1, 4)), WIDTH, 1), (int(chance.integers(2, 5)), HEIGHT, 0)):
        for index in range(1, count):
            at = index * length // count
            band = page.T if along else page
            band[at - gap // 2 - 1 : at + gap // 2 + 1] = ink
            band[at - gap // 2 : at + gap // 2] = paper


def inked_in_two(page: Array) -> Array:
    """An ink page printed with a dark and a light colour."""
    share = page[..., None] / 255
    return np.rint(share * (235, 224, 205) + (1 - share) * (20, 24, 40)).astype(np.uint8)


@cache
def engine_page(scene: str, night: bool, rain: bool, enlarge: int = 1) -> Array:
    """A page of the embedded ink engine."""
    brief = Brief(
        stage=Stage.WEATHER if rain else Stage.TIME,
        time=TimeOfDay.NIGHT if night else TimeOfDay.DAY,
        weather=Weather.RAIN if rain else Weather.CLEAR,
        prompt="",
        seeds=Seeds(style=1, time=2, weather=3),
        size=Size(width=enlarge * WIDTH, height=enlarge * HEIGHT),
    )
    return InkPainter().paint(load(SCENES / f"{scene}.jpg"), brief).picture


def engine_pages(odd: int) -> list[Array]:
    """Pages of the ink engine: two scenes for each set, by day, at night and in rain."""
    return [engine_page(scene, night, rain) for scene in OF_SET[odd] for night, rain in ((0, 0), (1, 0), (0, 1))]


def large_pictures(odd: int) -> list[Array]:
    """Larger pictures: the scenes of the set as they are, and pages of them, 768 by 1152."""
    pages = [engine_page(scene, 0, 1, 3) for scene in OF_SET[odd]]
    return [*(load(SCENES / f"{scene}.jpg") for scene in OF_SET[odd]), *pages]


def figure_alpha(seed: int) -> Array:
    """The alpha of a figure with soft hair."""
    chance = np.random.default_rng(seed)
    big = np.zeros((HEIGHT * SUPER, WIDTH * SUPER), np.uint8)
    middle, head = chance.uniform((0.35, 0.3), (0.65, 0.4)) * (WIDTH, HEIGHT) * SUPER, chance.uniform(28, 42) * SUPER
    body = middle + np.array([0, head * 2.6])
    cv2.ellipse(
        big, body.astype(int).tolist(), (int(head * 1.6), int(head * 2.2)), chance.uniform(-15, 15), 0, 360, 255, -1
    )
    cv2.circle(big, middle.astype(int).tolist(), int(head), 255, -1)
    for _ in range(int(chance.integers(60, 200))):
        way = chance.uniform(-np.pi, 0) if chance.random() < 0.8 else chance.uniform(-np.pi, np.pi)
        bend, length = chance.normal(0, 0.5), head * chance.uniform(1.05, 1.5)
        steps = np.linspace(0.8, length / head, 12)
        turns = way + bend * (steps - 0.8)
        strand = middle + head * steps[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        cv2.polylines(big, [np.rint(strand).astype(np.int32)], False, 255, int(chance.integers(1, 4)), cv2.LINE_AA)
    small = cv2.resize(big, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), chance.uniform(0.4, 1.2))


def figure_before_ground(seed: int) -> tuple[Array, Array, Array]:
    """Give a picture of a figure before a ground, the figure's own colours everywhere, and its alpha."""
    chance = np.random.default_rng(seed)
    alpha = figure_alpha(seed)
    manner = int(chance.integers(0, 3))
    skin = photograph(seed + 500_000, grain=1.0) if manner < 2 else inked_in_two(ink_page(seed + 500_000))
    skin = np.clip(skin * chance.uniform(0.3, 0.7) + chance.uniform(0, 120, 3), 0, 255).astype(np.uint8)
    if manner == 2:
        _draw_outline(skin, alpha)
    ground = photograph(seed + 700_000)
    if chance.random() < 0.4:
        ground = np.full_like(ground, chance.uniform(0, 255, 3).astype(np.uint8))
    share = alpha[..., None] / 255
    return np.rint(skin * share + ground * (1 - share)).astype(np.uint8), skin, alpha


def _draw_outline(skin: Array, alpha: Array) -> None:
    solid = (alpha > 127).astype(np.uint8)
    inside = cv2.erode(solid, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.7)[..., None]
    skin[:] = np.rint(skin * soft + np.array((18, 18, 24)) * (1 - soft)).astype(np.uint8)


def cut_out(seed: int) -> Array:
    """A cut-out of a figure, with its ground's colours still under the transparent pixels."""
    picture, skin, alpha = figure_before_ground(seed)
    colors = picture if seed % 4 < 2 else np.where(alpha[..., None] > 0, skin, 0)
    return np.dstack([colors, alpha])


def sources(odd: int, count: int) -> list[Array]:
    """Pictures to enlarge and to colour: photographs, ink pages in grey and in two inks, engine pages, cut-outs."""
    made: list[Array] = [*engine_pages(odd)][: max(2, count // 4)]
    index = 0
    while len(made) < count:
        seed = 2 * index + odd
        made.append((photograph, ink_page, lambda n: inked_in_two(ink_page(n)), cut_out)[index % 4](seed))
        index += 1
    return made


def by_pillow(picture: Array, scale: int, way: Image.Resampling) -> Array:
    """Enlarge with Pillow, which premultiplies alpha by itself."""
    return np.array(Image.fromarray(picture).resize((picture.shape[1] * scale, picture.shape[0] * scale), way))


def by_opencv(picture: Array, scale: int, way: int) -> Array:
    """Enlarge with OpenCV, alpha premultiplied."""
    size = (picture.shape[1] * scale, picture.shape[0] * scale)
    if picture.ndim == 2 or picture.shape[2] == 3:
        return cv2.resize(picture, size, interpolation=way)
    alpha = picture[..., 3:].astype(np.float32)
    both = cv2.resize(np.dstack([picture[..., :3] * alpha / 255, alpha]), size, interpolation=way)
    straight = both[..., :3] * 255 / np.maximum(both[..., 3:], 1)
    return np.rint(np.dstack([straight, both[..., 3]]).clip(0, 255)).astype(np.uint8)


def sharpened(picture: Array, amount: float, *, radius: float = 1.5) -> Array:
    """Sharpen colours and alpha as a learned upscaler does."""
    if picture.ndim == 3 and picture.shape[2] == 4:
        alpha = picture[..., 3:].astype(np.float32)
        levels = np.dstack([picture[..., :3] * alpha / 255, alpha])
        levels += amount * (levels - cv2.GaussianBlur(levels, (0, 0), radius))
        levels[..., :3] *= 255 / np.maximum(levels[..., 3:], 1)
    else:
        levels = picture.astype(np.float32)
        levels += amount * (levels - cv2.GaussianBlur(levels, (0, 0), radius))
    return np.rint(levels.clip(0, 255)).astype(np.uint8)


def smoothed(picture: Array) -> Array:
    """Take the grain away and sharpen the edges, as a learned upscaler does; alpha is sharpened alone."""
    calm = picture.copy()
    colors = picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., :3])
    calm.reshape(*calm.shape[:2], -1)[..., :3] = cv2.bilateralFilter(colors, 7, 20, 3).reshape(*calm.shape[:2], -1)
    return sharpened(calm, 0.6)


UPSCALERS = {
    "Pillow Lanczos": lambda picture, scale: by_pillow(picture, scale, Image.Resampling.LANCZOS),
    "Pillow bicubic": lambda picture, scale: by_pillow(picture, scale, Image.Resampling.BICUBIC),
    "OpenCV Lanczos": lambda picture, scale: by_opencv(picture, scale, cv2.INTER_LANCZOS4),
    "OpenCV cubic": lambda picture, scale: by_opencv(picture, scale, cv2.INTER_CUBIC),
    "OpenCV linear": lambda picture, scale: by_opencv(picture, scale, cv2.INTER_LINEAR),
    "sharpened": lambda picture, scale: sharpened(by_pillow(picture, scale, Image.Resampling.LANCZOS), 0.7),
    "sharpened hard": lambda picture, scale: sharpened(by_pillow(picture, scale, Image.Resampling.LANCZOS), 1.5),
    "smoothed, sharpened": lambda picture, scale: smoothed(by_pillow(picture, scale, Image.Resampling.BICUBIC)),
}


def clean_cut_outs(seed: int) -> dict[str, tuple[Array, Array]]:
    """A picture and its right cut-outs: with its own colours, with the figure's, and with an edge pulled in or soft."""
    picture, skin, alpha = figure_before_ground(seed)
    pulled = np.clip((alpha.astype(np.float32) - 96) * (255 / 159), 0, 255).astype(np.uint8)
    soft = np.minimum(alpha, cv2.GaussianBlur(alpha, (0, 0), 1.5))
    return {
        "own colours": (picture, np.dstack([picture, alpha])),
        "the figure's colours": (picture, np.dstack([skin, alpha])),
        "pulled in": (picture, np.dstack([picture, pulled])),
        "softer": (picture, np.dstack([picture, soft])),
    }
