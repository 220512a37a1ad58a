"""What a person says about a picture before it is cut: a box around the figure, strokes on figure and ground."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from kroma_nb.errors import KromaError, ProviderFailed
from kroma_nb.images import load

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BACKEND = "grabcut"
# A stroke counts where it covers this share of a working pixel: a thin line must not vanish.
_COVERED = 0.2
_LIGHT, _DARK = 192, 63
_ASPECT_TOLERANCE = 0.03


@dataclass(frozen=True)
class Box:
    """Where all figures lie, in fractions of a picture's width and height from its top left corner.

    Parameters
    ----------
    left, top, right, bottom : float, 0 to 1
        At least 1/50 wide and high.

    Raises
    ------
    ValueError
        If it leaves the picture or is too thin.

    Examples
    --------
    >>> Box(0.25, 0.1, 0.75, 1.0).within((200, 100))
    (50, 10, 150, 100)
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        inside = 0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1
        if not inside or min(self.right - self.left, self.bottom - self.top) < 0.02:
            raise ValueError(
                f"box {self.left}, {self.top}, {self.right}, {self.bottom}: write left, top, right, bottom as "
                "fractions of width and height, 0 to 1, right and bottom at least 0.02 beyond left and top"
            )

    def within(self, size: tuple[int, int], margin: float = 0.0) -> tuple[int, int, int, int]:
        """Give left, top, right, bottom in pixels, widened by a fraction of the box itself, inside the picture.

        Parameters
        ----------
        size : (width, height), pixels
        margin : float
            0.1 adds a tenth of the box's width at its left and its right, and of its height above and below.
        """
        (width, height), across, down = size, margin * (self.right - self.left), margin * (self.bottom - self.top)
        left, top = int((self.left - across) * width), int((self.top - down) * height)
        right, bottom = int(np.ceil((self.right + across) * width)), int(np.ceil((self.bottom + down) * height))
        return max(0, left), max(0, top), min(width, right), min(height, bottom)

    def around(self, places: NDArray[np.bool_]) -> Box:
        """Widen the box until it holds all places that are marked in an array of shape (H, W)."""
        if not places.any():
            return self
        (rows, columns), (height, width) = np.nonzero(places), places.shape
        return Box(
            min(self.left, float(columns.min() / width)),
            min(self.top, float(rows.min() / height)),
            max(self.right, float((columns.max() + 1) / width)),
            max(self.bottom, float((rows.max() + 1) / height)),
        )


class Sure(NamedTuple):
    """What is known beforehand: two bool arrays of shape (H, W)."""

    figure: NDArray[np.bool_]
    ground: NDArray[np.bool_]


@dataclass(frozen=True)
class Scribble:
    """A picture file with strokes: light ones on the figure, dark ones on the ground, the rest transparent or grey.

    It holds the path and the content's hash, not the pixels, so that it stays small, hashable and picklable; the file
    is read where a mask is made, and refused if it has changed.

    Parameters
    ----------
    path : Path
        A picture of the scene's shape, at any size. Levels from 192 mark figure, up to 63 ground, where alpha is at
        least 128.
    sha256 : str
        Of the file's bytes.
    """

    path: Path
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Scribble:
        """Take a file as it is now."""
        return cls(path, hashlib.sha256(path.read_bytes()).hexdigest())

    def strokes(self, shape: tuple[int, int], size: tuple[int, int]) -> Sure:
        """Read the strokes at a working size.

        Parameters
        ----------
        shape : (H, W)
            The picture that will be cut, pixels.
        size : (width, height), pixels
            The working size.

        Returns
        -------
        Sure
            Arrays of shape (height, width); where strokes cross, neither.

        Raises
        ------
        ProviderFailed
            If the file is missing, has changed, is no picture, has another shape, or holds no stroke.
        """
        drawn = self._read()
        height, width = drawn.shape[:2]
        if abs(width * shape[0] / (height * shape[1]) - 1) > _ASPECT_TOLERANCE:
            raise self._refused(f"it is {width}x{height}, which is not the shape of the picture, {shape[1]}x{shape[0]}")
        levels = drawn if drawn.ndim == 2 else _luma(drawn)
        seen = drawn[..., 3] >= 128 if drawn.ndim == 3 and drawn.shape[2] == 4 else np.ones((height, width), bool)
        figure = _covered(seen & (levels >= _LIGHT), size)
        ground = _covered(seen & (levels <= _DARK), size)
        if not (figure.any() or ground.any()):
            raise self._refused("it has no stroke: paint white on the figure and black on the ground, leave the rest")
        return Sure(figure & ~ground, ground & ~figure)

    def _read(self) -> NDArray[np.uint8]:
        try:
            content = self.path.read_bytes()
            if hashlib.sha256(content).hexdigest() != self.sha256:
                raise self._refused("its content is not the one that was named; name it again")
            return load(content, name=str(self.path))
        except OSError as error:
            raise self._refused(error.strerror or str(error)) from error
        except ProviderFailed:
            raise
        except KromaError as error:
            raise ProviderFailed(BACKEND, f"the scribble cannot be read: {error}") from error

    def _refused(self, cause: str) -> ProviderFailed:
        return ProviderFailed(BACKEND, f"the scribble {self.path}: {cause}")


def _luma(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2GRAY), np.uint8)


def _covered(strokes: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    return np.asarray(cv2.resize(strokes.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= _COVERED)
