"""The upscaler that is always there: Lanczos-3, exact, without a model."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from kroma_nb.images import enlarge
from kroma_nb.model.postprocess import UpscaleBackend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kroma_nb.images import Picture


@dataclass(frozen=True)
class LanczosUpscaler:
    """Enlarges by Lanczos-3; see `kroma_nb.images.enlarge`.

    It is frozen, holds nothing and pickles; the same picture gives the same bytes on every machine.

    Examples
    --------
    >>> import numpy as np
    >>> LanczosUpscaler().enlarge(np.full((2, 3), 7, np.uint8), 2).shape
    (4, 6)
    """

    backend: ClassVar[str] = UpscaleBackend.LANCZOS.value
    version: ClassVar[str] = "1"
    settings: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    takes_alpha: ClassVar[bool] = True

    def enlarge(self, picture: Picture, scale: int) -> Picture:
        """Enlarge a picture.

        Parameters
        ----------
        picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
            sRGB, levels 0-255, straight alpha.
        scale : int, 2 to 4

        Returns
        -------
        uint8 array, shape (scale * H, scale * W) with the picture's channels

        Raises
        ------
        ValueError
            If the array is no picture, or the scale none of 2, 3 and 4.
        """
        return enlarge(picture, scale)
