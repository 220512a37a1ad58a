"""Pictures whose cut-out is known: figures with limbs and loose hair, composed over grounds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SCENES = Path(__file__).parents[1] / "data" / "demo" / "scenes"


@dataclass(frozen=True)
class Composite:
    """A picture, uint8 (H, W, 3); what is figure in it, alpha 0-1 (H, W); the figures' own colours, 0-255 (H, W, 3)."""

    picture: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    colors: NDArray[np.float32]

    def box(self, pad: float = 0.02) -> tuple[float, float, float, float]:
        """Give what a person would draw around the figures: left, top, right, bottom as fractions."""
        rows, columns = np.nonzero(self.alpha > 0.05)
        height, width = self.alpha.shape
        left, right = columns.min() / width - pad, (columns.max() + 1) / width + pad
        top, bottom = rows.min() / height - pad, (rows.max() + 1) / height + pad
        return max(float(left), 0.0), max(float(top), 0.0), min(float(right), 1.0), min(float(bottom), 1.0)


def overlap(mask: NDArray[np.generic], alpha: NDArray[np.float32]) -> float:
    """Give intersection over union of a mask (levels 0-255) and the truth, both cut at half."""
    found, true = mask > 127, alpha > 0.5
    return float((found & true).sum() / (found | true).sum())


def compose(
    ground: NDArray[np.uint8], places: list[tuple[float, float, float]], seed: int, *, hair: bool = True
) -> Composite:
    """Put figures on a ground: places are their middles in x and y, and heights, as fractions of the picture."""
    source = np.random.default_rng(seed)
    height, width = ground.shape[:2]
    picture, colors = ground.astype(np.float32), np.zeros(ground.shape, np.float32)
    alpha = np.zeros((height, width), np.float32)
    for x, y, tall in places:
        own, share = _figure((height, width), (x * width, y * height), tall * height / 8, source, hair)
        joined = 1 - (1 - alpha) * (1 - share)
        mixed = own * share[..., None] + colors * (alpha * (1 - share))[..., None]
        colors = np.where(joined[..., None] > 1e-4, mixed / np.maximum(joined, 1e-4)[..., None], own)
        picture = own * share[..., None] + picture * (1 - share[..., None])
        alpha = joined.astype(np.float32)
    picture += source.normal(0, 1.5, picture.shape)
    return Composite(picture.clip(0, 255).astype(np.uint8), alpha, colors.astype(np.float32))


def scene(name: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Load a demo photograph, RGB, at (width, height)."""
    stored = cv2.imread(str(SCENES / f"{name}.jpg"), cv2.IMREAD_COLOR)
    way = cv2.INTER_AREA if size[0] < stored.shape[1] else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(stored, size, interpolation=way)[..., ::-1])


def _figure(shape, middle, unit, source, hair):
    """Give one figure's colours and alpha; a unit is an eighth of its height."""
    clothes = [_muted(source.uniform(15, 240, 3)) for _ in range(2)]
    skin, locks = source.uniform((150, 100, 80), (235, 185, 160)), source.uniform(15, 110) * source.uniform(0.7, 1.1, 3)
    colors, body = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
    colors[:] = locks
    for points, wide, tint in _limbs(source, skin, *clothes, locks):
        part = np.zeros(shape, np.uint8)
        ends = np.array([[middle[0] + x * unit, middle[1] + (y - 4) * unit] for x, y in points])
        cv2.polylines(part, [np.rint(ends * 16).astype(int)], False, 255, max(1, round(wide * unit)), cv2.LINE_AA, 4)
        soft = part.astype(np.float32) / 255
        colors = np.where(soft[..., None] > 0, tint, colors)
        body = np.maximum(body, soft)
    light = cv2.GaussianBlur(source.normal(size=shape).astype(np.float32), (0, 0), unit / 2)
    grain = cv2.GaussianBlur(source.normal(size=shape).astype(np.float32), (0, 0), 1.2)
    colors *= (1 + 0.12 * light / light.std() + 0.04 * grain / grain.std())[..., None]
    body = cv2.GaussianBlur(body, (0, 0), 0.8)
    if not hair:
        return colors.clip(0, 255), body
    strands = _strands(shape, (middle[0], middle[1] - 3.55 * unit), unit, source)
    weight = (strands * (1 - body))[..., None]
    mixed = (colors * body[..., None] + locks * weight) / np.maximum(body[..., None] + weight, 1e-4)
    return np.where(weight > 1e-4, mixed, colors).clip(0, 255), 1 - (1 - body) * (1 - strands)


def _limbs(source, skin, cloth, trousers, locks):
    for side in (-1, 1):
        knee, foot = source.uniform(0.2, 0.9), source.uniform(-0.3, 0.4)
        yield [(side * 0.35, 4), (side * knee, 6), (side * (knee + foot), 7.7)], 0.6, trousers
        elbow, hand = source.uniform(0.9, 1.6), source.uniform(1.2, 4.2)
        yield [(side * 0.75, 1.75), (side * elbow, 2.9)], 0.45, cloth
        yield [(side * elbow, 2.9), (side * (elbow + source.uniform(-0.3, 0.5)), hand)], 0.32, skin
    yield [(-0.35, 1.9), (-0.25, 3.9), (0.25, 3.9), (0.35, 1.9), (0, 3)], 0.9, cloth
    yield [(0, 0.9), (0, 1.5)], 0.4, skin
    yield [(0, 0.45), (0, 0.85)], 0.8, skin
    yield [(-0.25, 0.3), (0, 0.15), (0.25, 0.3)], 0.5, locks


def _strands(shape, head, unit, source):
    strands = np.zeros(shape, np.uint8)
    for _ in range(220):
        angle = source.uniform(-np.pi * 1.05, np.pi * 0.05)
        way = np.array([np.cos(angle), np.sin(angle)])
        place = np.array(head) + 0.4 * unit * way * source.uniform(0.8, 1.1)
        strength, length, bend = source.uniform(190, 245), source.uniform(0.3, 1.0) * unit, source.normal(0, 0.1)
        for step in range(16):
            way = way + np.array([bend * way[1], 0.08 - bend * way[0]])
            way /= np.hypot(*way)
            end = place + way * length / 16
            ends = [np.rint(point * 16).astype(int).tolist() for point in (place, end)]
            cv2.line(strands, *ends, int(strength * (1 - 0.7 * step / 16)), 1, cv2.LINE_AA, 4)
            place = end
    return cv2.GaussianBlur(strands.astype(np.float32) / 255, (0, 0), 0.6)


def _muted(color):
    return color.mean() + 0.6 * (color - color.mean())
