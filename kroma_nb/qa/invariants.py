"""What must still hold after a pass: an enlargement, a cut-out, a coloured picture looked at beside their sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2

from kroma_nb.images import checked
from kroma_nb.model.invariants import Invariant, InvariantName
from kroma_nb.model.words import PassName
from kroma_nb.qa.alpha import block_rows, blockiness, coverage, edge_tint, has_alpha, soft_lost, some_rows
from kroma_nb.qa.enlarged import (
    alpha_of,
    black_texture,
    by_area,
    enlarged_box,
    figure_box,
    off_source,
    pair_of,
    seams,
    three,
)
from kroma_nb.qa.halo import halo
from kroma_nb.qa.palette import drift, expected, sample
from kroma_nb.qa.tones import colour_added, light_lost, points_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kroma_nb.images import Gray8, Picture
    from kroma_nb.model.postprocess import ColorProfile
    from kroma_nb.qa.enlarged import Pair

VERSION = 1
"""Changes whenever the same pictures would be judged otherwise."""

_EVERYWHERE = {
    InvariantName.EXACT_SIZE: 0.0,
    InvariantName.NOT_BLACK: 0.75,
    InvariantName.ALPHA_KEPT: 0.5,
    InvariantName.GREY_KEPT: 2.0,
}
UPSCALE_LIMITS: Mapping[InvariantName, float] = _EVERYWHERE | {
    InvariantName.SHRINKS_BACK: 12.0,
    InvariantName.NO_SEAMS: 1.2,
    InvariantName.FLAT_BLACKS: 4.0,
    InvariantName.COVERAGE: 0.01,
    InvariantName.SOFT_EDGE: 0.45,
    InvariantName.SMOOTH_EDGE: 0.55,
    InvariantName.NO_HALO: 10.0,
}
"""The largest values that hold; fitted on one set of pictures and tried on another, see docs/invariants.md."""
CUTOUT_LIMITS: Mapping[InvariantName, float] = _EVERYWHERE | {
    InvariantName.ALPHA_KEPT: 0.999,
    InvariantName.NO_HALO: 0.24,
}
COLOR_LIMITS: Mapping[InvariantName, float] = _EVERYWHERE | {
    InvariantName.COVERAGE: 0.001,
    InvariantName.PALETTE_KEPT: 1.5,
}
SANE_COVERAGE = (0.01, 0.98)
"""A cut-out that fills less or more of its picture has lost its figure, or cut nothing away."""


@dataclass(frozen=True)
class _Judge:
    """Whose result is looked at, and with which limits."""

    pass_name: PassName
    limits: Mapping[InvariantName, float]

    def on(self, name: InvariantName, value: float) -> Invariant:
        limit = self.limits[name]
        return self.told(name, value, limit, holds=value <= limit)

    def told(self, name: InvariantName, value: float, limit: float, *, holds: bool) -> Invariant:
        return Invariant(name=name, pass_name=self.pass_name, value=round(value, 4), limit=limit, holds=holds)


def check_upscale(source: Picture, result: Picture, scale: int, *, tile_px: int = 0) -> tuple[Invariant, ...]:
    """Check an enlargement against what it was made from.

    Parameters
    ----------
    source : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255, straight alpha.
    result : uint8 array, shape as above
        The enlargement; of another size than `scale` times the source's, only that size and blackness are judged.
    scale : int, 2 or more
    tile_px : int, pixels of the source
        The size of the tiles that it was made in, where that is known; 0 looks for seams at every period.

    Returns
    -------
    tuple of Invariant

    Raises
    ------
    ValueError
        If an array is no picture, the scale is below 2 or the tile size is negative.

    Examples
    --------
    >>> import numpy as np
    >>> page = np.full((64, 64), 255, np.uint8)
    >>> page[16:48, 16:48] = 0
    >>> found = check_upscale(page, page.repeat(2, axis=0).repeat(2, axis=1), 2)
    >>> all(one.holds for one in found)
    True
    >>> check_upscale(page, page, 2)[0].says
    'upscale: a side is 64 pixels off the size it must have (limit 0)'
    """
    if scale < 2 or tile_px < 0:
        raise ValueError(f"a scale is 2 or more and a tile 0 or more pixels, not {scale} and {tile_px}")
    source, result = checked(source), checked(result)
    height, width = source.shape[:2]
    judge = _Judge(PassName.UPSCALE, UPSCALE_LIMITS)
    off = _off_size(result, (height * scale, width * scale))
    found = [judge.on(InvariantName.EXACT_SIZE, off)]
    if off:
        shrunk = by_area(result, (width, height))
        return (*found, judge.on(InvariantName.NOT_BLACK, light_lost(points_of(source), points_of(shrunk))))
    alpha = alpha_of(source)
    box = figure_box(alpha)
    if alpha is not None and cv2.countNonZero(alpha) == 0:
        return (*found, *_of_enlarged_alpha(judge, source, alpha, result))
    if alpha is None or box is None:
        pair = pair_of(source, by_area(result, (width, height)), None)
        return (*found, *_of_enlarged_colours(judge, pair, result, tile_px))
    # What lies beside the figure is hidden, and its part of the time can be saved.
    figure, large = source[box], result[enlarged_box(box, scale)]
    shrunk = by_area(large, (figure.shape[1], figure.shape[0]))
    pair = pair_of(figure, shrunk, alpha[box], (box[0].start, box[1].start))
    of_colours = _of_enlarged_colours(judge, pair, large, tile_px)
    return (*found, *of_colours, *_of_enlarged_alpha(judge, source, alpha, result))


def check_cutout(
    source: Picture, result: Picture, *, pass_name: PassName = PassName.BG_REMOVE
) -> tuple[Invariant, ...]:
    """Check a cut-out against the picture that it was lifted from.

    Parameters
    ----------
    source : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255; alpha does not count.
    result : uint8 array, shape (H, W, 4)
        Without alpha, all of the cut-out is lost.
    pass_name : PassName
        The pass that made it: `bg_remove` or `bg_refine`.

    Returns
    -------
    tuple of Invariant

    Raises
    ------
    ValueError
        If an array is no picture.

    Examples
    --------
    >>> import numpy as np
    >>> page = np.full((64, 64, 3), 200, np.uint8)
    >>> bare = np.dstack([page, np.zeros((64, 64), np.uint8)])
    >>> [one.name.value for one in check_cutout(page, bare) if not one.holds]
    ['alpha_kept', 'coverage']
    """
    source, result = checked(source), checked(result)
    judge = _Judge(pass_name, CUTOUT_LIMITS)
    off = _off_size(result, source.shape[:2])
    found = [judge.on(InvariantName.EXACT_SIZE, off)]
    alpha = alpha_of(result)
    filled = 0.0 if alpha is None else coverage(alpha)
    found.append(judge.on(InvariantName.ALPHA_KEPT, 1 - filled))
    if off or alpha is None:
        return tuple(found)
    least, most = SANE_COVERAGE
    bound = least if filled < 0.5 else most
    before, after = points_of(three(source)), points_of(result)
    found += [
        judge.on(InvariantName.NOT_BLACK, light_lost(before, after)),
        judge.on(InvariantName.GREY_KEPT, colour_added(before, after)),
        judge.told(InvariantName.COVERAGE, filled, bound, holds=least <= filled <= most),
        judge.on(InvariantName.NO_HALO, halo(three(source), result, alpha)),
    ]
    return tuple(found)


def check_color(source: Picture, result: Picture, profile: ColorProfile) -> tuple[Invariant, ...]:
    """Check a coloured picture against its source and the meaning of its profile.

    Parameters
    ----------
    source : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255, straight alpha.
    result : uint8 array, shape as above
        A grey source may come back in one channel or in three.
    profile : ColorProfile
        What was applied.

    Returns
    -------
    tuple of Invariant

    Raises
    ------
    ValueError
        If an array is no picture.

    Examples
    --------
    >>> import numpy as np
    >>> from kroma_nb.model.postprocess import ColorProfile
    >>> page = np.full((64, 64, 3), (100, 90, 80), np.uint8)
    >>> redder = ColorProfile(red_multiplier=1.2)
    >>> [one.name.value for one in check_color(page, page, redder) if not one.holds]
    ['palette_kept']
    """
    source, result = checked(source), checked(result)
    judge = _Judge(PassName.COLOR, COLOR_LIMITS)
    off = _off_size(result, source.shape[:2])
    found = [judge.on(InvariantName.EXACT_SIZE, off)]
    if off:
        return tuple(found)
    before, after = sample(source, neighbours=True), sample(result, neighbours=False)
    wanted = expected(before, profile, source)
    found.append(judge.on(InvariantName.NOT_BLACK, light_lost(before.points(wanted), after.points())))
    if len({profile.red_multiplier, profile.green_multiplier, profile.blue_multiplier}) == 1:
        found.append(judge.on(InvariantName.GREY_KEPT, colour_added(before.points(), after.points())))
    found.append(judge.on(InvariantName.PALETTE_KEPT, drift(before, wanted, after)))
    was, now = (coverage(some_rows(one)) if has_alpha(one) else None for one in (source, result))
    return tuple(found) if was is None else (*found, *_of_area(judge, was, now))


def _off_size(result: Picture, size: tuple[int, int]) -> float:
    """Give the pixels by which the side that is further off misses its size (height, width)."""
    return float(max(abs(result.shape[0] - size[0]), abs(result.shape[1] - size[1])))


def _of_area(judge: _Judge, was: float, now: float | None) -> list[Invariant]:
    """Tell whether a figure is still there, and has its area."""
    if now is None or was == 0:
        return [judge.on(InvariantName.ALPHA_KEPT, float(now is None))]
    changed = now / was - 1
    return [judge.on(InvariantName.ALPHA_KEPT, max(0.0, -changed)), judge.on(InvariantName.COVERAGE, abs(changed))]


def _of_enlarged_colours(judge: _Judge, pair: Pair, result: Picture, tile_px: int) -> list[Invariant]:
    before, after = points_of(pair.source), points_of(pair.shrunk)
    return [
        judge.on(InvariantName.NOT_BLACK, light_lost(before, after)),
        judge.on(InvariantName.GREY_KEPT, colour_added(before, after)),
        judge.on(InvariantName.SHRINKS_BACK, off_source(pair)),
        judge.on(InvariantName.NO_SEAMS, seams(pair, tile_px)),
        judge.on(InvariantName.FLAT_BLACKS, black_texture(pair, result)),
    ]


def _of_enlarged_alpha(judge: _Judge, source: Picture, before: Gray8, result: Picture) -> list[Invariant]:
    if not has_alpha(result):
        return _of_area(judge, 1.0, None)
    if len(source) < 2:
        return _of_area(judge, coverage(before), coverage(some_rows(result)))
    some, rows = block_rows(before, result)
    after = rows[:, :-1].reshape(-1, result.shape[1])
    return [
        *_of_area(judge, coverage(some), coverage(after)),
        judge.on(InvariantName.SOFT_EDGE, soft_lost(some, after)),
        judge.on(InvariantName.SMOOTH_EDGE, blockiness(rows)),
        judge.on(InvariantName.NO_HALO, edge_tint(source, before, result)),
    ]
