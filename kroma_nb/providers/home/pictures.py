"""The scene as a server at home is sent it, and the page as it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.errors import PictureTooLarge, PictureUnreadable, ProviderFailed
from kroma_nb.images import as_rgb, load, resize

if TYPE_CHECKING:
    from kroma_nb.images import Picture, Rgb8
    from kroma_nb.model.brief import Size

SEEDS = 2**32
CROPPED = "The scene was cropped to the shape of the page."


def seed_for(seed: int) -> int:
    """Bring a seed into the range of both servers, 0 to 2**32 - 1: what remains when it is divided by 2**32.

    Examples
    --------
    >>> seed_for(7), seed_for(2**32 + 7)
    (7, 7)
    """
    return seed % SEEDS


def lay(scene: Picture, size: Size) -> tuple[Rgb8, tuple[int, int, int, int] | None]:
    """Bring a scene to the size of the page: over white, the middle of it that has the page's shape, resized.

    Parameters
    ----------
    scene : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255, straight alpha.
    size : Size
        Of the page.

    Returns
    -------
    uint8 array, shape (height, width, 3)
        sRGB.
    tuple of int (top, bottom, left, right), pixels, or None
        The part that was laid; None for all of it.

    Examples
    --------
    >>> from kroma_nb.model.brief import Size
    >>> laid, part = lay(np.zeros((40, 80), np.uint8), Size(width=16, height=16))
    >>> laid.shape, part
    ((16, 16, 3), (0, 40, 20, 60))
    """
    height, width = scene.shape[:2]
    kept_width = min(width, max(1, round(height * size.width / size.height)))
    kept_height = min(height, max(1, round(width * size.height / size.width)))
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    part = (top, top + kept_height, left, left + kept_width)
    cut = as_rgb(scene)[part[0] : part[1], part[2] : part[3]]
    laid = resize(np.ascontiguousarray(cut), (size.width, size.height))
    return laid, None if part == (0, height, 0, width) else part


def notes_of(scene: Picture, part: tuple[int, int, int, int] | None) -> tuple[str, ...]:
    """Say where more than a fiftieth of a scene fell off."""
    if part is None:
        return ()
    top, bottom, left, right = part
    lost = (bottom - top) * (right - left) * 50 < scene.shape[0] * scene.shape[1] * 49
    return (CROPPED,) if lost else ()


def page_of(provider: str, data: bytes, size: Size) -> Picture:
    """Read the picture that a server has drawn; it is never resized.

    Raises
    ------
    ProviderFailed
        If it is no picture, or not the whole of one, or of another size.
    """
    try:
        page = load(data, name="its answer")
    except (PictureUnreadable, PictureTooLarge) as cause:
        raise ProviderFailed(provider, str(cause), "answer_unusable") from cause
    height, width = page.shape[:2]
    if (width, height) != (size.width, size.height):
        problem = f"it drew {width}x{height} pixels in place of {size}"
        way_out = "ask for sides that are multiples of 8, and let nothing in its settings change the size"
        raise ProviderFailed(provider, f"{problem}; {way_out}", "wrong_size")
    return page
