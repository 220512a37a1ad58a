"""How a scene is laid on the page: alpha, crop, working size and its unit of length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kroma_nb.providers.ink.pixels import Gray, cv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kroma_nb.model.brief import Size

_UNITS = 1846.0  # length units in the diagonal: one is a pixel of a page of 1024 x 1536
_WORK_DIAGONAL_PX = 1500.0
_SMALLEST_WORK_PX = 160.0


@dataclass(frozen=True)
class Grid:
    """The page and the working plane on which its layers are computed.

    Attributes
    ----------
    width, height : int, pixels
        Of the page.
    work_width, work_height : int, pixels
        Of the working plane: same shape, a diagonal between 160 and 1500 pixels.
    """

    width: int
    height: int
    work_width: int
    work_height: int

    @classmethod
    def of(cls, size: Size) -> Grid:
        """Choose the working plane: small pages are worked out larger, large pages smaller.

        Examples
        --------
        >>> from kroma_nb.model.brief import Size
        >>> Grid.of(Size(width=2048, height=3072)).work_width
        832
        """
        diagonal = float(np.hypot(size.width, size.height))
        work = min(max(1.5 * diagonal, _SMALLEST_WORK_PX), _WORK_DIAGONAL_PX)
        scale = work / diagonal
        return cls(size.width, size.height, max(8, round(size.width * scale)), max(8, round(size.height * scale)))

    @property
    def unit(self) -> float:
        """Working pixels per length unit; a unit is 1/1846 of the diagonal, one pixel of a 1024 x 1536 page."""
        return float(np.hypot(self.work_width, self.work_height)) / _UNITS

    @property
    def work(self) -> tuple[int, int]:
        """Width and height of the working plane, as OpenCV orders them."""
        return self.work_width, self.work_height

    @property
    def page(self) -> tuple[int, int]:
        """Width and height of the page, as OpenCV orders them."""
        return self.width, self.height

    def coarse(self, factor: int) -> tuple[int, int]:
        """Width and height of a reduced working plane."""
        return max(4, self.work_width // factor), max(4, self.work_height // factor)


def lay_scene(scene: NDArray[np.uint8], grid: Grid) -> tuple[NDArray[np.uint8], bool]:
    """Bring a scene onto the working plane: over white, cropped to the page's shape, resampled.

    Parameters
    ----------
    scene : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255.
    grid : Grid
        The page.

    Returns
    -------
    picture : uint8 array, shape (work_height, work_width, 3)
        sRGB.
    cropped : bool
        More than a fiftieth of the scene fell off, because its shape is not the page's.
    """
    flat = over_white(scene)
    rows, columns = _window(flat, grid)
    cut = flat[rows, columns]
    cropped = cut.shape[0] * cut.shape[1] * 50 < flat.shape[0] * flat.shape[1] * 49
    shrinks = cut.shape[0] > grid.work_height or cut.shape[1] > grid.work_width
    how = cv.INTER_AREA if shrinks else cv.INTER_LINEAR
    laid = cv.resize(np.ascontiguousarray(cut), grid.work, interpolation=how)
    enlarged = grid.work_width / cut.shape[1]
    if enlarged > 1.3:
        # Linear and a small blur, for OpenCV's 8-bit cubic is not the same on every CPU.
        laid = cv.GaussianBlur(laid, (0, 0), 0.4 * enlarged)
    return np.asarray(laid, np.uint8), cropped


def part_drawn(scene: NDArray[np.uint8], grid: Grid) -> tuple[int, int, int, int] | None:
    """Give the part of a scene that a page shows, as (top, bottom, left, right) in pixels; None for all of it."""
    height, width = scene.shape[:2]
    rows, columns = _window(over_white(scene), grid)
    (top, bottom, _), (left, right, _) = rows.indices(height), columns.indices(width)
    return None if (top, bottom, left, right) == (0, height, 0, width) else (top, bottom, left, right)


def over_white(scene: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Compose a scene over white paper, in integers.

    Parameters
    ----------
    scene : uint8 array, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255; the fourth channel is coverage.

    Returns
    -------
    uint8 array, shape (H, W, 3)

    Raises
    ------
    ValueError
        If the array has another shape or type.

    Examples
    --------
    >>> over_white(np.zeros((1, 1, 4), np.uint8))[0, 0].tolist()
    [255, 255, 255]
    """
    if scene.dtype != np.uint8 or scene.size == 0 or scene.ndim not in {2, 3}:
        raise ValueError(f"a scene is a uint8 array with pixels, not {scene.dtype} of shape {scene.shape}")
    if scene.ndim == 2 or scene.shape[2] == 1:
        return np.repeat(scene.reshape(*scene.shape[:2], 1), 3, axis=2)
    if scene.shape[2] == 3:
        return scene
    if scene.shape[2] != 4:
        raise ValueError(f"a scene has 1, 3 or 4 channels, not {scene.shape[2]}")
    alpha = scene[:, :, 3:].astype(np.uint16)
    mixed = scene[:, :, :3] * alpha + np.uint16(255) * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def _window(flat: NDArray[np.uint8], grid: Grid) -> tuple[slice, slice]:
    """Find the crop of the page's shape that keeps most of the detail, counted in integers."""
    height, width = flat.shape[:2]
    wide = width * grid.height > height * grid.width
    if wide:
        length, kept = width, max(1, round(height * grid.width / grid.height))
    else:
        length, kept = height, max(1, round(width * grid.height / grid.width))
    start = min(length - kept, _richest(flat, kept, axis=0 if wide else 1)) if length > kept + 1 else 0
    part = slice(start, start + min(kept, length))
    return (slice(None), part) if wide else (part, slice(None))


def _richest(flat: Gray, kept: int, *, axis: int) -> int:
    """Give the first row or column of the window with the most contrast, leaning to the middle."""
    step: int = max(1, max(flat.shape[:2]) // 400)
    small = flat[::step, ::step, 1].astype(np.int32)
    detail = np.minimum(np.abs(np.diff(small, axis=1 - axis)), 40).sum(axis=axis)
    total = np.concatenate([[0], np.cumsum(detail)])
    window = min(max(1, kept // step), detail.size)
    sums = total[window:] - total[:-window]
    places = np.arange(sums.size)
    off_middle = np.abs(2 * places - (sums.size - 1))
    score = sums * (4 * sums.size - off_middle)
    return int(np.argmax(score)) * step
