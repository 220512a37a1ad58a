"""The segmenter `grabcut`: what it is told, and how it makes a mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from kroma_nb.errors import ProviderFailed
from kroma_nb.images import fit
from kroma_nb.model.postprocess import CutoutBackend
from kroma_nb.providers.grabcut.cutting import cut
from kroma_nb.providers.grabcut.marks import BACKEND
from kroma_nb.providers.grabcut.matting import soft_edge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from kroma_nb.providers.grabcut.marks import Box, Scribble

# The long side that is worked at, whatever the picture's size, so that the answer does not depend on it.
_WORKING = 384
_TINIEST = 16


@dataclass(frozen=True)
class GrabCut:
    """Tells figure from ground by their colours, without a model (Rother, Kolmogorov and Blake 2004).

    The same picture, box and strokes give the same mask in every thread and process, and a picture at another size
    gives the same figure. Nothing is drawn at random: the colours are learnt as histograms.

    Parameters
    ----------
    box : Box or None
        Where the figures are; outside is ground. None takes the left, right and upper border for ground, and for
        figure what stands out from them.
    scribble : Scribble or None
        Strokes on figure and ground; the box grows until it holds the figure's.

    References
    ----------
    C. Rother, V. Kolmogorov, A. Blake, "GrabCut": interactive foreground extraction using iterated graph cuts, ACM
    Transactions on Graphics 23 (2004), 309-314.

    Examples
    --------
    >>> picture = np.full((48, 48, 3), (60, 120, 200), np.uint8)
    >>> picture[12:36, 16:32] = (200, 60, 40)
    >>> mask = GrabCut().mask(picture)
    >>> int(mask[24, 24]), int(mask[2, 2])
    (255, 0)
    """

    box: Box | None = None
    scribble: Scribble | None = None

    @property
    def backend(self) -> str:
        """Its word in `CutoutBackend`."""
        return CutoutBackend.GRABCUT.value

    @property
    def version(self) -> str:
        """Changes whenever the same picture would get another mask; OpenCV's filters and cut have a part in it."""
        return f"2-opencv{cv2.__version__}"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The box, and the hash of the scribble; where its file lies does not change a mask."""
        box = self.box
        return {
            "box": None if box is None else [box.left, box.top, box.right, box.bottom],
            "scribble_sha256": None if self.scribble is None else self.scribble.sha256,
        }

    def mask(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Tell figure from ground.

        Parameters
        ----------
        picture : uint8 array, shape (H, W, 3)
            sRGB, levels 0-255.

        Returns
        -------
        uint8 array, shape (H, W)
            255 is figure, 0 is ground; between them lies a soft edge.

        Raises
        ------
        ProviderFailed
            If it finds no figure or no ground, the picture is smaller than 16 pixels, or the scribble cannot be used.
        """
        height, width = picture.shape[:2]
        if min(height, width) < _TINIEST:
            raise ProviderFailed(BACKEND, f"found no figure: a picture of {width}x{height} pixels is too small")
        longest = max(height, width)
        size = fit((width, height), _WORKING) if longest > _WORKING else (width, height)
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        strokes = None if self.scribble is None else self.scribble.strokes((height, width), size)
        box = self.box if self.box is None or strokes is None else self.box.around(strokes.figure)
        figure, in_ink = cut(small, box, strokes)
        return soft_edge(picture, small, figure, in_ink=in_ink, strokes=strokes)
