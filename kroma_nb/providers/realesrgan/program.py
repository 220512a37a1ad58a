"""Real-ESRGAN by its command-line program, realesrgan-ncnn-vulkan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kroma_nb.providers.realesrgan.folders import Errand
from kroma_nb.providers.realesrgan.models import NCNN_SCALES
from kroma_nb.providers.realesrgan.package import BACKEND
from kroma_nb.providers.realesrgan.scaling import enlarged, reached

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kroma_nb.images import Picture, Rgb8
    from kroma_nb.providers.pinned import Pinned
    from kroma_nb.providers.tool import ToolAnswer

METHOD: Final = "1"


@dataclass(frozen=True)
class NcnnProgram:
    """Enlarges with the program and models that lie on this machine; nothing leaves it.

    Attributes
    ----------
    program : Pinned
        ``realesrgan-ncnn-vulkan``.
    files : tuple of Pinned
        The model's files, in one folder.
    model : str
        One of `NCNN_SCALES`.
    gpu : int or None
        Which graphics card; None leaves it to the program.
    tile_px : int, pixels
        The side of the squares in which a picture is worked on, at least 32; 0 leaves it to the program.
    timeout_s : float or None, seconds
        How long one picture may take; None is as long as it likes.
    """

    program: Pinned
    files: tuple[Pinned, ...]
    model: str = "realesr-animevideov3"
    gpu: int | None = None
    tile_px: int = 0
    timeout_s: float | None = None

    @property
    def backend(self) -> str:
        """Its word in `UpscaleBackend`."""
        return BACKEND

    @property
    def version(self) -> str:
        """Method, program and model, by their content; a driver of the graphics card has a part as well."""
        return f"{METHOD} {self.program.path.name} {self.program.mark} " + " ".join(file.mark for file in self.files)

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
        """It enlarges colours alone: its alpha has steps."""
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
            If program or model have changed, or the program fails, takes too long, or writes no picture of the size.
        """
        return enlarged(picture, scale, backend=BACKEND, scales=NCNN_SCALES[self.model], by=self._by_program)

    def _by_program(self, picture: Rgb8, scale: int) -> Rgb8:
        for file in (self.program, *self.files):
            file.check(BACKEND)

        def command(source: Path, folder: Path) -> tuple[list[str], Path]:
            target = folder / "page.png"
            ends = {"-i": source, "-o": target, "-s": scale, "-n": self.model, "-m": self.files[0].path.parent}
            ends |= {"-t": self.tile_px, "-f": "png"} | ({} if self.gpu is None else {"-g": self.gpu})
            return [str(self.program.path), *(str(word) for pair in ends.items() for word in pair)], target

        return Errand(BACKEND, command, _failed_line, self.timeout_s).run(picture, scale)


def _failed_line(answer: ToolAnswer) -> str | None:
    """Find a step that failed: the program goes on, and writes a black picture."""
    return next((line for line in answer.stderr.splitlines() if " failed" in line), None)
