"""A picture's way through a program: into a private folder, out of it, and the folder is gone."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb.blobs import write_atomic
from kroma_nb.errors import KromaError, PictureTooLarge, PictureUnreadable, ProviderFailed
from kroma_nb.errors.root import shown
from kroma_nb.images import as_rgb, load, probe
from kroma_nb.providers.tool import ToolAnswer, run_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kroma_nb.images import Rgb8

    Command = Callable[[Path, Path], tuple[Sequence[str], Path]]

SOURCE = "page.png"
# So many characters of what a program said stand in an error.
_SHOWN_SIGNS = 300


@dataclass(frozen=True)
class Errand:
    """How a program is asked to enlarge a picture.

    Attributes
    ----------
    backend : str
        What errors name.
    command : callable, (source, folder) -> (words, path)
        Gives the command for a source and an empty folder, and the file in that folder that it will write.
    complaint : callable, ToolAnswer -> str or None
        Finds what a program that ended well said of its failure.
    timeout_s : float or None, seconds
        How long it may take.
    """

    backend: str
    command: Command
    complaint: Callable[[ToolAnswer], str | None]
    timeout_s: float | None

    def run(self, picture: Rgb8, scale: int) -> Rgb8:
        """Let the program enlarge a picture, in a folder that nobody else can look into and that is removed.

        Parameters
        ----------
        picture : uint8 array, shape (H, W, 3)
        scale : int
            What the program is asked for.

        Returns
        -------
        uint8 array, shape (scale * H, scale * W, 3)

        Raises
        ------
        ProviderFailed
            If the program fails, takes too long, writes no picture, or one of another size.
        WriteFailed
            If the source cannot be written.
        """
        with tempfile.TemporaryDirectory(prefix="kroma-", ignore_cleanup_errors=True) as place:
            source, folder = Path(place) / SOURCE, Path(place) / "out"
            folder.mkdir()
            # A plain file of three channels: not every program reads palettes and single bits rightly.
            data = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1]
            write_atomic(source, data.tobytes())
            words, target = self.command(source, folder)
            answer = run_tool(words, timeout_s=self.timeout_s, cwd=folder)
            problem = self.complaint(answer)
            if problem is not None:
                raise ProviderFailed(self.backend, f"it ended well, and said: {_short(problem)}", "tool_complained")
            return _read(target, (scale * picture.shape[1], scale * picture.shape[0]), self.backend, answer)


def _read(path: Path, size: tuple[int, int], backend: str, answer: ToolAnswer) -> Rgb8:
    # A link could lead to any file of this machine.
    if path.is_symlink() or not path.is_file():
        said = _short(answer.stderr or answer.stdout)
        problem = "it ended well and wrote no picture" + (f"; it said: {said}" if said else "")
        raise ProviderFailed(backend, problem, "no_output")
    try:
        info = probe(path)
        if (info.width, info.height) != size:
            found = f"it wrote {info.width} x {info.height} pixels, not {size[0]} x {size[1]}"
            raise ProviderFailed(backend, found, "wrong_size")
        return as_rgb(load(path, max_pixels=size[0] * size[1]))
    except (PictureUnreadable, PictureTooLarge) as cause:
        found = cause.cause if isinstance(cause, PictureUnreadable) else "it has too many pixels"
        raise ProviderFailed(backend, f"what it wrote is no whole picture: {found}", "no_picture") from cause
    except KromaError as cause:
        if isinstance(cause, ProviderFailed):
            raise
        raise ProviderFailed(backend, f"what it wrote cannot be read: {cause}", "no_picture") from cause


def _short(said: str) -> str:
    return " ".join(shown(said).split())[-_SHOWN_SIGNS:]
