"""One file through one pass: read once, made, measured, and put at its place when it is whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from kroma_nb import images
from kroma_nb.blobs import create_atomic, sha256_bytes
from kroma_nb.blobs.archive import replace_file
from kroma_nb.blobs.writing import reason
from kroma_nb.errors import FileMissing, InUse, KromaError, RequestInvalid
from kroma_nb.errors.root import shown
from kroma_nb.model.postprocess import PictureFormat
from kroma_nb.model.quality import GuardSettings
from kroma_nb.model.tools import FileState
from kroma_nb.qa import examine
from kroma_nb.workbench.tools.working import failed, row_of

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.images import Picture, PictureInfo
    from kroma_nb.model.run import BackendTry
    from kroma_nb.model.tools import ToolRow
    from kroma_nb.workbench.tools.places import Way

_CARELESS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True)
class Made:
    """What a pass has made of a picture, and which backend it was."""

    picture: Picture
    backend: str
    version: str


class Pass(Protocol):
    """One pass with its backends and settings: picture in, picture out."""

    @property
    def word(self) -> str:
        """Its word in files and records."""

    def make(self, picture: Picture, tries: list[BackendTry], /) -> Made:
        """Make it, and note each backend that gave nothing.

        Raises
        ------
        KromaError
            If no backend gives anything.
        """


@dataclass(frozen=True)
class Maker:
    """Takes files through a pass.

    Attributes
    ----------
    step : Pass
    replaces : bool
        Whether what stands at a target goes to the archive.
    """

    step: Pass
    replaces: bool = True

    def plan(self, way: Way) -> ToolRow:
        """Say of a file what can be known before it is made."""
        info = images.probe(way.source)
        _refuse_lost_alpha(way, has_alpha=info.has_alpha)
        size = {"width_before": info.width, "height_before": info.height}
        notes = (*_notes(info), *(["What stands at its target would go to the archive."] * self._replaces(way)))
        known = size | {"size_bytes_before": way.source.stat().st_size, "notes": notes}
        return row_of(way, FileState.PLANNED).model_copy(update=known)

    def make(self, way: Way) -> ToolRow:
        """Make a file.

        Raises
        ------
        KromaError
            If it cannot be made; what stood at its target stands there.
        """
        self._replaces(way)
        before = _read(way.source)
        name = shown(way.source)
        info, picture = images.probe(before, name=name), images.load(before, name=name)
        _refuse_lost_alpha(way, has_alpha=picture.ndim == 3 and picture.shape[2] == 4)
        known: dict[str, Any] = {
            **_sizes(picture, "_before"),
            "size_bytes_before": len(before),
            "sha256_before": sha256_bytes(before),
            "notes": _notes(info),
        }
        tries: list[BackendTry] = []
        try:
            made = self.step.make(picture, tries)
        except KromaError as error:
            return failed(way, error).model_copy(update={**known, "tries": tuple(tries)})
        known |= {"tries": tuple(tries), "backend": made.backend, "version": made.version}
        known |= self._stored(way, made, known["sha256_before"])
        return row_of(way, FileState.DONE).model_copy(update=known)

    def _stored(self, way: Way, made: Made, source: str) -> dict[str, Any]:
        """Write what was made, and say what the guard sees in it."""
        said = f"{self.step.word} {made.backend} {made.version}"
        text = {"Software": "kroma_nb", "kroma_nb:pass": said, "kroma_nb:source": source}
        data = _encoded(made, way, text)
        guard = examine(images.as_stored(made.picture), GuardSettings(), name=way.name)
        return {
            **_sizes(made.picture, ""),
            "size_bytes": len(data),
            "sha256": sha256_bytes(data),
            "quality": guard.quality,
            "reasons": guard.hard_fail_reasons,
            "warnings": guard.soft_warnings,
            "replaced": self._put(way, data),
        }

    def _replaces(self, way: Way) -> bool:
        """Tell whether something stands at a target, and refuse it where it is to stay."""
        assert way.target is not None
        taken = os.path.lexists(way.target)
        if taken and not self.replaces:
            raise _taken(way.target)
        return taken

    def _put(self, way: Way, data: bytes) -> str | None:
        """Put bytes at their place, and say where the file is that stood there."""
        assert way.target is not None
        assert way.archive is not None
        if self.replaces:
            moves = replace_file(way.target, data, root=way.archive, reason=f"kroma {self.step.word}")
            return shown(way.archive / moves[0].target) if moves else None
        if not create_atomic(way.target, data):
            raise _taken(way.target)
        return None


def _taken(target: Path) -> InUse:
    return InUse(shown(target), "files are not to be replaced", "name another folder, or allow it")


def _read(path: Path) -> bytes:
    """Read a file once, whole; a link that has come to its place since is not followed, a pipe not waited for."""
    try:
        with open(os.open(path, os.O_RDONLY | _CARELESS), "rb") as file:  # noqa: PTH123 - a descriptor has no path
            return file.read()
    except OSError as cause:
        raise FileMissing(path, "input", reason(cause)) from cause


def _refuse_lost_alpha(way: Way, *, has_alpha: bool) -> None:
    if has_alpha and way.format is PictureFormat.JPG:
        problem = f"{shown(way.source)} has transparency, and a jpg would lose it"
        raise RequestInvalid("request", "format", problem, "write png or webp")


def _encoded(made: Made, way: Way, text: dict[str, str]) -> bytes:
    try:
        return images.encode(made.picture, format=way.format, text=text)
    except ValueError as cause:
        problem = f"{shown(way.source)}: {cause}"
        raise RequestInvalid("request", "format", problem, "write png") from cause


def _sizes(picture: Picture, mark: str) -> dict[str, int]:
    height, width = picture.shape[:2]
    return {f"width{mark}": width, f"height{mark}": height}


def _notes(info: PictureInfo) -> tuple[str, ...]:
    """Say what of a file is not in the picture that was read from it."""
    told = {
        f"Its {info.bit_depth}-bit channels were read as 8-bit.": info.bit_depth > 8,
        "Of several pictures in it the first was taken.": info.is_animated,
    }
    return tuple(note for note, holds in told.items() if holds)
