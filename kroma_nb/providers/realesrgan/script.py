"""Real-ESRGAN by the script of its authors, inference_realesrgan.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kroma_nb.providers.realesrgan.folders import Errand
from kroma_nb.providers.realesrgan.models import PYTHON_SCALES
from kroma_nb.providers.realesrgan.scaling import enlarged, reached

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kroma_nb.images import Picture, Rgb8
    from kroma_nb.providers.pinned import Pinned
    from kroma_nb.providers.realesrgan.folders import Command
    from kroma_nb.providers.tool import ToolAnswer

BACKEND: Final = "python"
METHOD: Final = "1"
SUFFIX: Final = "out"


@dataclass(frozen=True)
class PythonScript:
    """Enlarges with the authors' script, its interpreter and weights, all on this machine; nothing is downloaded.

    Attributes
    ----------
    python : Path
        The interpreter of the environment in which the script works; the link that makes it one is kept.
    script : Pinned
        ``inference_realesrgan.py``.
    weights : tuple of Pinned
        The model's files, the one that the script is told of first.
    packages : str
        What of the environment has a part in the pixels, such as ``torch 2.5.1``.
    model : str
        One of `PYTHON_SCALES`.
    tile_px, tile_pad_px, pre_pad_px : int, pixels
        The side of the squares in which a picture is worked on (0 takes it whole), how far they overlap, and what is
        added at its borders.
    fp32 : bool
        Whether it computes with whole precision. Half of it works on graphics cards alone, and is what turns flat
        blacks patchy.
    gpu : int or None
        Which graphics card; None leaves it to the script.
    timeout_s : float or None, seconds
        How long one picture may take; None is as long as it likes.
    """

    python: Path
    script: Pinned
    weights: tuple[Pinned, ...]
    packages: str
    model: str = "RealESRGAN_x4plus"
    tile_px: int = 0
    tile_pad_px: int = 10
    pre_pad_px: int = 0
    fp32: bool = True
    gpu: int | None = None
    timeout_s: float | None = None

    @property
    def backend(self) -> str:
        """Its word in `UpscaleBackend`."""
        return BACKEND

    @property
    def version(self) -> str:
        """Method, script, weights and packages; a graphics card and its driver have a part as well."""
        marks = " ".join(file.mark for file in (self.script, *self.weights))
        return f"{METHOD} {self.script.path.name} {marks} {self.packages}"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The model, how it works, and how each scale is reached."""
        return {
            "model": self.model,
            "gpu": self.gpu,
            "tile_px": self.tile_px,
            "tile_pad_px": self.tile_pad_px,
            "pre_pad_px": self.pre_pad_px,
            "fp32": self.fp32,
            "scales": dict(reached(PYTHON_SCALES[self.model])),
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
            If script or weights have changed, or the script fails, takes too long, or writes no picture of the size.
        """
        return enlarged(picture, scale, backend=BACKEND, scales=PYTHON_SCALES[self.model], by=self._by_script)

    def _by_script(self, picture: Rgb8, scale: int) -> Rgb8:
        for file in (self.script, *self.weights):
            file.check(BACKEND)
        return Errand(BACKEND, self._command(scale), _error_line, self.timeout_s).run(picture, scale)

    def _command(self, scale: int) -> Command:
        def command(source: Path, folder: Path) -> tuple[list[str], Path]:
            # With the weights named, the script has nothing to download.
            words = {"--model_name": self.model, "--model_path": self.weights[0].path, "--input": source}
            words |= {"--output": folder, "--outscale": scale, "--suffix": SUFFIX, "--tile": self.tile_px}
            words |= {"--tile_pad": self.tile_pad_px, "--pre_pad": self.pre_pad_px, "--ext": "png"}
            words |= {} if self.gpu is None else {"--gpu-id": self.gpu}
            flags = [str(word) for pair in words.items() for word in pair] + (["--fp32"] if self.fp32 else [])
            return [str(self.python), str(self.script.path), *flags], folder / f"{source.stem}_{SUFFIX}.png"

        return command


def _error_line(answer: ToolAnswer) -> str | None:
    """Find a tile or a picture that failed: the script goes on, ends well, and repeats the tile before."""
    return next((line for line in answer.stdout.splitlines() if line.startswith("Error")), None)
