"""What every tool that makes files does: read a source once, and put the result at its place when it is whole."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from kroma_nb import images
from kroma_nb.blobs import create_atomic, sha256_bytes
from kroma_nb.blobs.archive import replace_file
from kroma_nb.blobs.writing import reason
from kroma_nb.errors import FileMissing, InUse, KromaError
from kroma_nb.errors.root import shown
from kroma_nb.model.tools import FileState, ToolRow
from kroma_nb.workbench.tools.working import failed, row_of

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.images import Picture, PictureInfo
    from kroma_nb.model.run import BackendTry
    from kroma_nb.workbench.tools.places import Way

_CARELESS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True)
class Source:
    """A source, read once.

    Attributes
    ----------
    data : bytes
        The file.
    sha256 : str
        Of the file.
    info : PictureInfo
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255.
    """

    data: bytes = field(repr=False)
    sha256: str
    info: PictureInfo
    picture: Picture = field(repr=False)


@dataclass(frozen=True)
class Content:
    """A whole file that is on no disk yet, and what is known of it, by the names of its row's columns."""

    data: bytes = field(repr=False)
    known: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FileMaker(ABC):
    """Makes a file of a file.

    Attributes
    ----------
    replaces : bool
        Whether what stands at a target goes to the archive.
    """

    row: ClassVar[type[ToolRow]] = ToolRow
    replaces: bool = True

    @property
    @abstractmethod
    def word(self) -> str:
        """What it does, as files and records say it."""

    @abstractmethod
    def foreseen(self, way: Way, info: PictureInfo) -> dict[str, Any]:
        """Say what of the result can be known by a source's header; refuse what cannot be done.

        Raises
        ------
        KromaError
            If it cannot be made.
        """

    @abstractmethod
    def content(self, way: Way, source: Source, tries: list[BackendTry]) -> Content:
        """Make the content of the result, and note each backend that gave nothing.

        Raises
        ------
        KromaError
            If it cannot be made.
        """

    def plan(self, way: Way) -> ToolRow:
        """Say of a file what can be known before it is made."""
        info = images.probe(way.source)
        known = self.foreseen(way, info)
        notes = (*_notes(info), *(["What stands at its target would go to the archive."] * self._taken(way)))
        size = {"width_before": info.width, "height_before": info.height}
        known |= size | {"size_bytes_before": way.source.stat().st_size, "notes": notes}
        return self._row(way, FileState.PLANNED, known)

    def make(self, way: Way) -> ToolRow:
        """Make a file.

        Raises
        ------
        KromaError
            If it cannot be made; what stood at its target stands there.
        """
        self._taken(way)
        source = _opened(way.source)
        known: dict[str, Any] = {
            **sizes(source.picture, "_before"),
            "size_bytes_before": len(source.data),
            "sha256_before": source.sha256,
            "notes": _notes(source.info),
        }
        tries: list[BackendTry] = []
        try:
            made = self.content(way, source, tries)
        except KromaError as error:
            return failed(way, error).model_copy(update={**known, "tries": tuple(tries)})
        known |= {"tries": tuple(tries), **made.known}
        known |= {
            "size_bytes": len(made.data),
            "sha256": sha256_bytes(made.data),
            "replaced": self._put(way, made.data),
        }
        return self._row(way, FileState.DONE, known)

    def _row(self, way: Way, state: FileState, known: dict[str, Any]) -> ToolRow:
        return self.row.model_validate(dict(row_of(way, state))).model_copy(update=known)

    def _taken(self, way: Way) -> bool:
        """Tell whether something stands at a target, and refuse it where it is to stay."""
        assert way.target is not None
        taken = os.path.lexists(way.target)
        if taken and not self.replaces:
            raise _stays(way.target)
        return taken

    def _put(self, way: Way, data: bytes) -> str | None:
        """Put bytes at their place, and say where the file is that stood there."""
        assert way.target is not None
        assert way.archive is not None
        if self.replaces:
            moves = replace_file(way.target, data, root=way.archive, reason=f"kroma {self.word}")
            return shown(way.archive / moves[0].target) if moves else None
        if not create_atomic(way.target, data):
            raise _stays(way.target)
        return None


def sizes(picture: Picture, mark: str = "") -> dict[str, int]:
    """Give a picture's size in pixels, by the names of a row's columns."""
    height, width = picture.shape[:2]
    return {f"width{mark}": width, f"height{mark}": height}


def _stays(target: Path) -> InUse:
    return InUse(shown(target), "files are not to be replaced", "name another folder, or allow it")


def _opened(path: Path) -> Source:
    data, name = _read(path), shown(path)
    return Source(data, sha256_bytes(data), images.probe(data, name=name), images.load(data, name=name))


def _read(path: Path) -> bytes:
    """Read a file once, whole; a link that has come to its place since is not followed, a pipe not waited for."""
    try:
        with open(os.open(path, os.O_RDONLY | _CARELESS), "rb") as file:  # noqa: PTH123 - a descriptor has no path
            return file.read()
    except OSError as cause:
        raise FileMissing(path, "input", reason(cause)) from cause


def _notes(info: PictureInfo) -> tuple[str, ...]:
    """Say what of a file is not in the picture that was read from it."""
    told = {
        f"Its {info.bit_depth}-bit channels were read as 8-bit.": info.bit_depth > 8,
        "Of several pictures in it the first was taken.": info.is_animated,
    }
    return tuple(note for note, holds in told.items() if holds)
