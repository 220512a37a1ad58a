"""Where faces and hands may be: lines are kept there, light falls there, rain spares it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.levels import drop_small
from kroma_nb.providers.ink.pixels import Gray, cv

if TYPE_CHECKING:
    from kroma_nb.providers.ink.flatten import Flattened


def find_skin(flat: Flattened) -> Gray:
    """Find where the colour may be that of skin, in regions that are not tiny.

    Returns
    -------
    uint8 array, shape (H // 8, W // 8)
        255 inside.

    References
    ----------
    V. Vezhnevets, V. Sazonov, A. Andreeva: A survey on pixel-based skin color detection techniques. GraphiCon 2003:
    skin of all kinds shares its hue and differs in lightness.
    """
    size = (flat.tint.shape[1], flat.tint.shape[0])
    small = cv.resize(flat.broad, size, interpolation=cv.INTER_AREA)
    green_red, blue_yellow = flat.tint[:, :, 0].astype(np.int16) - 128, flat.tint[:, :, 1].astype(np.int16) - 128
    warm = (green_red >= 6) & (green_red <= 34) & (blue_yellow >= 5) & (blue_yellow <= 34)
    near = np.abs(2 * green_red - 2 * blue_yellow) <= green_red + blue_yellow
    mask = np.where(warm & near & (small > 60), np.uint8(255), np.uint8(0))
    mask = cv.morphologyEx(mask, cv.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return drop_small(np.asarray(mask, np.uint8), 12.0)
