"""Figure from ground at a reduced size: grabCut, coarse first, and what is put right afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.errors import ProviderFailed
from kroma_nb.providers.grabcut.features import cells_of, planes_of, rarity_of
from kroma_nb.providers.grabcut.marks import BACKEND, Sure
from kroma_nb.providers.grabcut.standing_out import border_of, standing_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.providers.grabcut.marks import Box


# Rounds of learning colours and cutting: as many as usual in all, most of them where they cost a quarter.
_COARSE_ROUNDS, _FINE_ROUNDS = 4, 2
# Below this long side nothing is gained by halving, and a figure may be lost.
_SMALL = 128
# Ground within this share of the box around it teaches the colours of the ground.
_MARGIN = 0.25
# Levels per factor e of rarity, and where their scale ends; and what rarity weighs against edges: more in a box, whose
# outside is known.
_PER_E, _CERTAIN, _WEIGHT, _WEIGHT_IN_BOX = 25.0, 5.0, 1.5, 2.0
# Where the two frozen Gaussians stand on that scale, in levels from its middle, and a variance that sees no colour.
_APART, _BLIND = 32.0, 1e8
# Islands below this share of the largest figure are dropped, holes below this share of it are filled.
_ISLAND, _HOLE, _HOLE_IN_INK = 0.03, 0.006, 0.5
# On an ink page, strips of paper up to so many working pixels wide between the cut and a line belong to the ground;
# paper is what reaches this share of the lightest level.
_PAPER_STRIP, _PAPER = 7, 0.88
# A figure below or a ground below this share of the picture is none.
_NOTHING = 0.002


def cut(small: NDArray[np.uint8], box: Box | None, strokes: Sure | None) -> tuple[NDArray[np.uint8], bool]:
    """Tell figure from ground, hard.

    Parameters
    ----------
    small : uint8 array, shape (H, W, 3)
        sRGB, at working size.
    box : Box or None
        Outside is ground. None takes the borders for ground, and for figure what stands out from them.
    strokes : Sure or None
        Figure and ground as a person marked them.

    Returns
    -------
    (figure, in_ink)
        A uint8 array of shape (H, W), 0 or 1; and whether it is a page in one ink.

    Raises
    ------
    ProviderFailed
        If no figure, or no ground, is found.
    """
    planes, in_ink = planes_of(small)
    if max(float(plane.std()) for plane in cv2.split(planes)) < 1.0:
        raise ProviderFailed(BACKEND, "found no figure: the picture has one colour")
    size = planes.shape[1::-1]
    half = size if max(size) < _SMALL else (max(1, size[0] // 2), max(1, size[1] // 2))
    sure = _sure(planes, box, strokes)
    sure_at_half = Sure(_at(sure.figure, half), _at(sure.ground, half))
    half_planes = _resized(planes, half)
    guess = _guess(half_planes, box, sure_at_half)
    marks = _grabcut(half_planes, _marked(guess, sure_at_half), box, _COARSE_ROUNDS)
    guess = cv2.resize((marks & 1) * np.uint8(255), size, interpolation=cv2.INTER_LINEAR) > 127
    marks = _grabcut(planes, _marked(guess, sure), box, _FINE_ROUNDS)
    figure = _tidied((marks & 1).astype(np.uint8), strokes, _HOLE_IN_INK if in_ink else _HOLE)
    if in_ink:
        figure = _peeled(figure, small)
    share = float(figure.mean())
    if share < _NOTHING or share > 1 - _NOTHING:
        missing = "figure" if share < _NOTHING else "ground"
        raise ProviderFailed(BACKEND, f"found no {missing}; draw a box around the figure, or mark it with a scribble")
    return figure, in_ink


def _resized(planes: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(planes, size, interpolation=cv2.INTER_AREA), np.uint8)


def _at(places: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    return np.asarray(_resized(places.astype(np.uint8) * np.uint8(255), size) > 63)


def _sure(planes: NDArray[np.uint8], box: Box | None, strokes: Sure | None) -> Sure:
    """Take for ground what lies outside the box, or without one the borders; and all as a person marked it."""
    height, width = planes.shape[:2]
    ground = np.zeros((height, width), bool)
    if box is not None:
        left, top, right, bottom = box.within((width, height))
        ground[:] = True
        ground[top:bottom, left:right] = False
    if not ground.any():
        # grabCut must see some ground, also where a box leaves none.
        ground = border_of(planes)
    figure = np.zeros((height, width), bool)
    if strokes is not None:
        figure, marked_ground = strokes
        ground = (ground | marked_ground) & ~figure
    return Sure(figure, ground)


def _region(shape: tuple[int, ...], box: Box | None) -> tuple[int, int, int, int]:
    size = (shape[1], shape[0])
    return (0, 0, *size) if box is None else box.within(size, _MARGIN)


def _guess(planes: NDArray[np.uint8], box: Box | None, sure: Sure) -> NDArray[np.bool_]:
    """Guess the figure: all of the box, else what stands out from the borders, else what is marked."""
    if box is not None:
        return np.ones(planes.shape[:2], bool)
    found = standing_out(planes, sure.ground)
    if found is not None:
        return found
    if not sure.figure.any():
        raise ProviderFailed(
            BACKEND, "found no figure: nothing stands out from the borders; draw a box around it, or mark it"
        )
    return sure.figure


def _marked(guess: NDArray[np.bool_], sure: Sure) -> NDArray[np.uint8]:
    """Write a guess in grabCut's four words."""
    marks = np.where(guess, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[sure.ground], marks[sure.figure] = cv2.GC_BGD, cv2.GC_FGD
    return marks


def _grabcut(planes: NDArray[np.uint8], marks: NDArray[np.uint8], box: Box | None, rounds: int) -> NDArray[np.uint8]:
    """Learn the colours of figure and ground, and cut, in turns, around the box."""
    left, top, right, bottom = _region(planes.shape, box)
    part, inside = planes[top:bottom, left:right], np.ascontiguousarray(marks[top:bottom, left:right])
    weight = _WEIGHT if box is None else _WEIGHT_IN_BOX
    cells, known = cells_of(part), inside == cv2.GC_BGD
    # What lies outside a person's box is no guess: it is not outvoted by what was taken for ground inside.
    outside = rarity_of(cells, known) if box is not None and known.any() else np.float32(0)
    for _ in range(rounds):
        ground = (inside & 1) == 0
        if ground.all() or not ground.any():
            return marks
        rarity = np.clip(rarity_of(cells, ground) + outside, -_CERTAIN, _CERTAIN)
        levels = np.rint(128 + rarity * _PER_E).astype(np.uint8)
        features, before = np.dstack([part[..., 1:], levels]), inside.copy()
        # The rectangle is not looked at in this way.
        cv2.grabCut(features, inside, (0, 0, 1, 1), _model(-1, weight), _model(1, weight), 1, cv2.GC_EVAL_FREEZE_MODEL)
        if np.array_equal(before, inside):
            break
    whole = np.zeros_like(marks)
    whole[top:bottom, left:right] = inside
    return whole


def _model(side: int, weight: float) -> NDArray[np.float64]:
    """Give a frozen model for grabCut: one Gaussian, blind to the two colours, about a level of rarity.

    Of two such Gaussians with one variance v at 128 - d and 128 + d, the logarithm of the ratio is 2 d / v for each
    level beyond 128. So what grabCut weighs against the edges is the rarity itself, times the weight.
    """
    variance = 2 * _APART * _PER_E / weight
    model = np.zeros((1, 65))
    model[0, 0] = 1
    model[0, 5:8] = 128, 128, 128 + side * _APART
    model[0, 20:29] = np.diag([_BLIND, _BLIND, variance]).ravel()
    return model


def _tidied(figure: NDArray[np.uint8], strokes: Sure | None, hole: float) -> NDArray[np.uint8]:
    """Drop small islands and fill small holes, but none that a person marked."""
    tidy = figure.copy()
    largest = _drop(tidy, 1, _ISLAND, strokes[0] if strokes else None)
    _drop(tidy, 0, hole, strokes[1] if strokes else None, largest)
    return tidy


def _peeled(figure: NDArray[np.uint8], small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Take away thin strips of paper along the cut, so that it follows the outer side of the line."""
    level = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    paper = figure & (level > _PAPER * int(level.max()))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_PAPER_STRIP, _PAPER_STRIP))
    wide = cv2.dilate(cv2.morphologyEx(paper, cv2.MORPH_OPEN, disc), np.ones((3, 3), np.uint8))
    beside = cv2.dilate(1 - figure, np.ones((2 * _PAPER_STRIP + 1,) * 2, np.uint8))
    strips = (paper > 0) & (wide == 0) & (beside > 0)
    # Of these, only what the ground reaches over paper: a strip behind a line is the figure's.
    _, labels = cv2.connectedComponents(((figure == 0) | strips).astype(np.uint8), connectivity=4)
    reached = np.isin(labels, np.unique(labels[figure == 0]))
    return np.where(strips & reached, 0, figure).astype(np.uint8)


def _drop(
    figure: NDArray[np.uint8], value: int, share: float, kept: NDArray[np.bool_] | None, largest: int | None = None
) -> int:
    """Turn over connected parts of a value that are smaller than a share of the largest figure."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((figure == value).astype(np.uint8), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    biggest = int(areas.max()) if largest is None else largest
    small = areas < share * biggest
    small[0] = False
    if kept is not None:
        small[np.unique(labels[kept])] = False
    if value == 0:
        # What touches the frame is no hole.
        frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        small[np.unique(frame)] = False
    if count > 1:
        figure[small[labels]] = 1 - value
    return biggest
