"""From a hard figure at a reduced size to a soft edge at full size: how much of each pixel is figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.providers.grabcut.marks import Sure

    Floats = NDArray[np.float32]

# All lengths are working pixels, measured from the hard edge: how far outside and inside it a pixel may be mixed, and
# on a page in one ink, which has no soft hair; over how many this fades out, and from where on a pixel is sure.
_REACH, _REACH_IN_INK, _FADE, _SURE = (24.0, 12.0), (10.0, 4.0), 4.0, 5.0
# Two neighbourhoods that teach local colours; the wide one only speaks where the near one is empty.
_NEAR, _WIDE, _WIDE_WEIGHT, _WIDE_SHRINK = 6.0, 16.0, 0.02, 4
# Variance of a flat colour, levels squared: a sensor's noise, and what a mean over a working pixel misses.
_NOISE = 15.0
# How little is known of a pixel beforehand: a standard deviation of 1 at the edge, falling by e over this length.
_DOUBT_FALLS = 8.0
# A soft place is known by its neighbours: blur of the first answer, and the variance that it makes likely.
_PLACE, _LIKELY, _UNLIKELY = 3.0, 4.0, 0.03
# Blur of the hard edge that rounds its steps, and half the width that is left of it.
_ROUND, _CRISP = 1.2, 0.25
# Levels of alpha that become 0 and 1, so that noise leaves no dust.
_NONE, _FULL = 0.06, 0.95
_STRIP = 96


def soft_edge(
    picture: NDArray[np.uint8],
    small: NDArray[np.uint8],
    figure: NDArray[np.uint8],
    *,
    in_ink: bool = False,
    strokes: Sure | None = None,
) -> NDArray[np.uint8]:
    """Give the share of the figure in each pixel.

    Along the edge, figure and ground are known by the means and covariances of their colours nearby. A pixel's alpha is
    then the linear estimate of least variance along F - B (the colour line, whitened by the textures of both sides),
    weighed against the hard edge by what each is worth: where ground and figure look alike, the hard edge stays; where
    they differ, strands of hair come out. In a first round the doubt about the hard edge falls with the distance from
    it; in a second one it follows how mixed the neighbourhood came out, so that a ground's texture leaves no dust.

    All this is solved at working size, as the coefficients of ``alpha = a . colour + b``; these are enlarged and
    applied to the full picture, which is what makes the fast guided filter fast (He and Sun 2015).

    Parameters
    ----------
    picture : uint8 array, shape (H, W, 3)
        sRGB, levels 0-255.
    small : uint8 array, shape (h, w, 3)
        The same at working size.
    figure : uint8 array, shape (h, w), 0 or 1
    in_ink : bool
        Whether it is a page in one ink, whose edges are hard.
    strokes : Sure or None
        What a person marked, shape (h, w); it is neither soft nor doubtful.

    Returns
    -------
    uint8 array, shape (H, W)
        255 is figure.

    References
    ----------
    K. He, J. Sun, X. Tang, Guided image filtering, IEEE TPAMI 35 (2013), 1397-1409; K. He, J. Sun, Fast guided filter,
    arXiv:1505.00996. Y.-Y. Chuang, B. Curless, D. Salesin, R. Szeliski, A Bayesian approach to digital matting, CVPR
    2001, for colours of figure and ground as Gaussians nearby.
    """
    height, width = picture.shape[:2]
    coefficients = _coefficients(small.astype(np.float32), figure, in_ink=in_ink)
    if strokes is not None:
        for plane in coefficients[:5]:
            plane[strokes.figure | strokes.ground] = 0
        coefficients[5][strokes.figure], coefficients[5][strokes.ground] = 1, 0
    planes = [
        np.asarray(cv2.resize(plane, (width, plane.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)
        for plane in coefficients
    ]
    alpha = np.empty((height, width), np.uint8)
    for top in range(0, height, _STRIP):
        bottom = min(top + _STRIP, height)
        red, green, blue, offset, weight, edge = _rows(planes, top, bottom, height)
        share = np.clip((edge - 0.5) / (2 * _CRISP) + 0.5, 0, 1)
        if weight.any():
            levels = picture[top:bottom]
            share *= 1 - weight
            share += offset
            for channel, factor in enumerate((red, green, blue)):
                share += factor * levels[..., channel]
        share -= _NONE
        share *= 255 / (_FULL - _NONE)
        alpha[top:bottom] = np.rint(np.clip(share, 0, 255))
    return alpha


def _rows(planes: list[Floats], top: int, bottom: int, height: int) -> list[Floats]:
    """Interpolate rows of the full picture between rows of working size, pixel centres on pixel centres."""
    rows = planes[0].shape[0]
    place = np.clip((np.arange(top, bottom) + 0.5) * rows / height - 0.5, 0, rows - 1)
    above = np.minimum(place.astype(int), max(rows - 2, 0))
    below = np.minimum(above + 1, rows - 1)
    share = (place - above).astype(np.float32)[:, None]
    return [plane[above] * (1 - share) + plane[below] * share for plane in planes]


def _coefficients(small: Floats, figure: NDArray[np.uint8], *, in_ink: bool) -> list[Floats]:
    """Give a (three planes) and b, both times the weight, the weight, and the rounded hard edge."""
    hard = figure.astype(np.float32)
    inward = cv2.distanceTransform(figure, cv2.DIST_L2, 3)
    outward = cv2.distanceTransform(1 - figure, cv2.DIST_L2, 3)
    fore, fore_spread, fore_known = _colors_near(small, np.clip((inward - 1) / _SURE, 0, 1) ** 2)
    back, back_spread, back_known = _colors_near(small, np.clip((outward - 1) / _SURE, 0, 1) ** 2)
    apart = fore - back
    spread = back_spread + 0.5 * fore_spread
    spread[[0, 3, 5]] += _NOISE
    whitened = _solved(spread, apart)
    # The squared Mahalanobis distance of the two colours is the inverse variance of the estimate.
    worth = np.maximum((whitened * apart).sum(axis=0), 1e-6)
    slope = whitened / worth
    offset = -(slope * back).sum(axis=0)
    by_color = np.clip((slope * np.moveaxis(small, 2, 0)).sum(axis=0) + offset, 0, 1)
    distance = np.where(figure > 0, inward, outward)
    outside, inside = _REACH_IN_INK if in_ink else _REACH
    reach = np.where(figure > 0, inside, outside)
    trusted = np.clip((reach - distance) / _FADE, 0, 1) * ((fore_known > 1e-5) & (back_known > 1e-5))
    doubt = np.exp(-2 * distance / _DOUBT_FALLS)
    weight = trusted * doubt / (doubt + 1 / worth)
    mixed = cv2.GaussianBlur((weight * by_color + (1 - weight) * hard).astype(np.float32), (0, 0), _PLACE)
    doubt = _LIKELY * np.maximum(mixed * (1 - mixed) - _UNLIKELY, 0)
    weight = trusted * doubt / (doubt + 1 / worth)
    edge = cv2.GaussianBlur(hard, (0, 0), _ROUND)
    return [np.asarray(plane, np.float32) for plane in (*(slope * weight), offset * weight, weight, edge)]


def _colors_near(small: Floats, sure: Floats) -> tuple[Floats, Floats, Floats]:
    """Give mean (3, h, w) and covariance (6, h, w: rr rg rb gg gb bb) of the sure pixels nearby, and how many."""
    red, green, blue = (small[..., channel] for channel in range(3))
    products = (red * red, red * green, red * blue, green * green, green * blue, blue * blue)
    sums = np.stack([_gathered(plane * sure) for plane in (red, green, blue, *products, np.ones_like(red))])
    known = sums[9]
    mean, spread = sums[:3] / np.maximum(known, 1e-9), sums[3:9] / np.maximum(known, 1e-9)
    red, green, blue = mean
    spread -= np.stack([red * red, red * green, red * blue, green * green, green * blue, blue * blue])
    # Rounding may leave a variance just below 0.
    spread[[0, 3, 5]] = np.maximum(spread[[0, 3, 5]], 0)
    return mean, spread, known


def _gathered(plane: Floats) -> Floats:
    near = cv2.GaussianBlur(plane, (0, 0), _NEAR)
    height, width = plane.shape
    shrunk = (max(1, width // _WIDE_SHRINK), max(1, height // _WIDE_SHRINK))
    wide = cv2.GaussianBlur(cv2.resize(plane, shrunk, interpolation=cv2.INTER_AREA), (0, 0), _WIDE / _WIDE_SHRINK)
    return np.asarray(near + _WIDE_WEIGHT * cv2.resize(wide, (width, height), interpolation=cv2.INTER_LINEAR))


def _solved(spread: Floats, apart: Floats) -> Floats:
    """Solve the symmetric 3 x 3 systems by cofactors."""
    a, b, c, d, e, f = spread
    rr, rg, rb = d * f - e * e, c * e - b * f, b * e - c * d
    gg, gb, bb = a * f - c * c, b * c - a * e, a * d - b * b
    determinant = a * rr + b * rg + c * rb
    x, y, z = apart
    inverse = np.stack([rr * x + rg * y + rb * z, rg * x + gg * y + gb * z, rb * x + gb * y + bb * z])
    return np.asarray(inverse / determinant, np.float32)
