"""The bg_remove pass: a segmenter's mask becomes alpha, and the old ground is taken out of the edge's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from kroma_nb.errors import ProviderFailed
from kroma_nb.images import as_rgb, checked, is_gray
from kroma_nb.passes.asking import asking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.images import Gray8, Picture, Rgb8, Rgba8
    from kroma_nb.model.finishing import Segmenter

    Floats = NDArray[np.float32]

CUTOUT_VERSION = "1"
"""Changes whenever the same picture and mask would give another cut-out."""

# Reaches in pixels over which colours are estimated, wide first: the width of loose hair, then that of an edge.
_REACHES = (60, 6)
# From these levels of alpha on a pixel shows the figure, or the ground, alone.
_OPAQUE, _CLEAR = 250, 5
# How much a mixed pixel tells beside pure ones.
_MIXED_WEIGHT = 0.02
# How far beyond the edge hidden pixels keep the figure's colour: no other bleeds in when the cut-out is scaled.
_FRINGE_PX = 8


def remove_background(picture: Picture, *, segmenter: Segmenter, shrink_px: int = 0) -> Rgba8:
    """Lift the figure off its background.

    The colours of soft edge pixels are those of the figure alone, so that no halo of the old ground shows on a new
    one. Opaque pixels are unchanged. Hidden pixels have the figure's nearby colour up to 8 pixels from its edge,
    against bleeding when the cut-out is scaled; beyond that they have one flat colour, the figure's mean, which
    compresses well.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255, straight alpha. Grey is widened; an alpha that is there is kept, multiplied by the mask.
    segmenter : Segmenter
        Tells figure (255) from ground (0).
    shrink_px : int, pixels
        How far the edge is pulled in, at least 0. The frame of the picture is no edge.

    Returns
    -------
    uint8 array, shape (H, W, 4)
        A new array, straight alpha; a picture without colour stays without colour.

    Raises
    ------
    ProviderFailed
        If the segmenter raises, its mask is not uint8 of the picture's size, or there is no figure or no ground in it;
        or if `shrink_px` leaves nothing of the figure.
    ValueError
        If the array is no picture, or `shrink_px` is negative.

    Examples
    --------
    >>> from kroma_nb.passes import remove_background
    >>> class Half:
    ...     backend = "half"
    ...     def mask(self, picture):
    ...         return np.repeat(np.array([[0, 128, 255]], np.uint8), picture.shape[0], axis=0)
    >>> remove_background(np.array([[90, 60, 30]], np.uint8), segmenter=Half()).tolist()
    [[[30, 30, 30, 0], [30, 30, 30, 128], [30, 30, 30, 255]]]
    """
    whole = checked(picture)
    if shrink_px < 0:
        raise ValueError(f"shrink_px is {shrink_px}; an edge is pulled in by 0 or more pixels")
    has_alpha = whole.ndim == 3 and whole.shape[2] == 4
    levels = np.ascontiguousarray(whole[..., :3]) if has_alpha else as_rgb(whole)
    # What is shown to a segmenter is what is seen: hidden colour is no ground.
    alpha = _shrunk(_asked(segmenter, as_rgb(whole) if has_alpha else levels), shrink_px)
    if has_alpha:
        alpha = ((alpha.astype(np.uint16) * whole[..., 3] + 127) // 255).astype(np.uint8)
    if not alpha.any():
        raise ProviderFailed(
            segmenter.backend, f"found no figure that remains with shrink_px={shrink_px}; shrink it less"
        )
    return _lifted(levels, alpha)


def _asked(segmenter: Segmenter, picture: Rgb8) -> Gray8:
    """Ask for a mask, and make sure that it is one."""
    with asking(segmenter.backend):
        # A backend may write into what it is given; the picture is used again.
        mask: Any = segmenter.mask(picture.copy())
    height, width = picture.shape[:2]
    if not isinstance(mask, np.ndarray) or mask.dtype != np.uint8 or mask.shape != (height, width):
        kind = f"{getattr(mask, 'dtype', type(mask).__name__)} of shape {getattr(mask, 'shape', ())}"
        raise ProviderFailed(
            segmenter.backend, f"its answer is no mask: {kind} in place of uint8 of ({height}, {width})"
        )
    if not (mask > 127).any():
        raise ProviderFailed(segmenter.backend, "found no figure")
    if (mask > 127).all():
        raise ProviderFailed(segmenter.backend, "found no ground")
    return np.ascontiguousarray(mask)


def _shrunk(mask: Gray8, pixels: int) -> Gray8:
    """Erode by a disc; a soft edge keeps its softness and moves inwards."""
    if pixels == 0:
        return mask
    disc = np.hypot(*np.mgrid[-pixels : pixels + 1, -pixels : pixels + 1]) <= pixels + 0.25
    return np.asarray(cv2.erode(mask, disc.astype(np.uint8)), np.uint8)


def _lifted(levels: Rgb8, alpha: Gray8) -> Rgba8:
    """Put the figure's own colours under its alpha."""
    result = np.dstack([levels, alpha])
    shown = cv2.dilate((alpha > 0).astype(np.uint8), np.ones((2 * _FRINGE_PX + 1,) * 2, np.uint8)) > 0
    opaque = alpha >= _OPAQUE
    mean = np.array(cv2.mean(levels, opaque.view(np.uint8) if opaque.any() else alpha)[:3])
    result[~shown, :3] = np.rint(mean)
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    soft = shown[part] & (alpha[part] < 255)
    if soft.any():
        channels = 1 if is_gray(levels) else 3
        own = _figure_colors(levels[part][..., :channels], alpha[part])
        result[part][..., :3][soft] = own[soft] if channels == 3 else np.repeat(own[soft], 3, axis=1)
    return result


def _figure_colors(levels: NDArray[np.uint8], alpha: Gray8) -> NDArray[np.uint8]:
    """Estimate what the figure's colours are where it is mixed with the ground.

    Means of the figure and of the ground nearby are taken first widely, mostly from pure pixels, then closely from
    what was found; each time what the two do not explain of the picture, ``I - a F - (1 - a) B``, is given to the
    figure by the square of its share. Forte (2021) gives it the share itself, which is better where alpha is exact and
    worse where it was estimated.

    References
    ----------
    M. Forte, Approximate fast foreground colour estimation, IEEE ICIP 2021.
    """
    share = (alpha.astype(np.float32) / 255)[..., None]
    picture = levels.astype(np.float32)
    figure, ground = picture, picture
    for step, reach in enumerate(_REACHES):
        pure = step == 0
        front = np.where(alpha >= _OPAQUE, 1, _MIXED_WEIGHT * share[..., 0] ** 2) if pure else share[..., 0]
        behind = np.where(alpha <= _CLEAR, 1, _MIXED_WEIGHT * (1 - share[..., 0]) ** 2) if pure else 1 - share[..., 0]
        figure = _mean_near(figure, front.astype(np.float32), reach)
        ground = _mean_near(ground, behind.astype(np.float32), reach)
        figure = np.clip(figure + share**2 * (picture - share * figure - (1 - share) * ground), 0, 255)
    return np.asarray(np.rint(figure), np.uint8)


def _mean_near(colors: Floats, weight: Floats, reach: int) -> Floats:
    size = (2 * reach + 1, 2 * reach + 1)
    total = cv2.boxFilter(colors * weight[..., None], -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT)
    count = cv2.boxFilter(weight, -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT)
    known = (count > 1e-3)[..., None]
    return np.where(known, total.reshape(colors.shape) / np.maximum(count, 1e-3)[..., None], colors)
