"""What finishes a picture: segmenters that tell figure from ground, upscalers that enlarge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


class Segmenter(Protocol):
    """A local backend that tells figure from ground: frozen, picklable, deterministic.

    It opens a model, where it has one, when it is first asked in a process.
    """

    @property
    def backend(self) -> str:
        """Its word in `CutoutBackend`."""

    @property
    def version(self) -> str:
        """Changes whenever the same picture would get another mask; holds the hash of a model, where there is one."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that a mask depends on beside the picture and the version, in JSON types."""

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
            If it has no answer; the next backend is tried.
        """


class Upscaler(Protocol):
    """A local backend that enlarges: frozen, picklable, deterministic.

    Attributes
    ----------
    takes_alpha : bool
        Whether it enlarges a picture with alpha as a whole. To all others go the colours alone, with those of hidden
        pixels filled in, and their alpha is enlarged beside them.
    """

    @property
    def backend(self) -> str:
        """Its word in `UpscaleBackend`."""

    @property
    def version(self) -> str:
        """Changes whenever the same picture would come out differently."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that its answer depends on beside the picture, the scale and the version, in JSON types."""

    @property
    def takes_alpha(self) -> bool:
        """Whether it takes pictures with alpha."""

    def enlarge(self, picture: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
        """Enlarge a picture.

        Parameters
        ----------
        picture : uint8 array, shape (H, W), (H, W, 3), or (H, W, 4) where it takes alpha
            sRGB, levels 0-255, straight alpha.
        scale : int, 2 to 4

        Returns
        -------
        uint8 array, shape (scale * H, scale * W) with the picture's channels

        Raises
        ------
        ProviderFailed
            If it has no answer.
        """


@dataclass(frozen=True)
class Finishers:
    """The backends that a run's pictures are finished with.

    Attributes
    ----------
    segmenters : tuple of Segmenter
        In the order in which they are tried.
    upscaler : Upscaler or None
    """

    segmenters: tuple[Segmenter, ...] = ()
    upscaler: Upscaler | None = None
