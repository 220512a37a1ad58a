"""One file through one pass: made, measured, and encoded as its target says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from kroma_nb import images
from kroma_nb.errors import RequestInvalid
from kroma_nb.errors.root import shown
from kroma_nb.model.postprocess import PictureFormat
from kroma_nb.model.quality import GuardSettings
from kroma_nb.qa import examine
from kroma_nb.workbench.tools.putting import Content, FileMaker, sizes

if TYPE_CHECKING:
    from kroma_nb.images import Picture, PictureInfo
    from kroma_nb.model.run import BackendTry
    from kroma_nb.workbench.tools.places import Way
    from kroma_nb.workbench.tools.putting import Source


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
class Maker(FileMaker):
    """Takes files through a pass.

    Attributes
    ----------
    step : Pass
    """

    step: Pass

    @property
    def word(self) -> str:
        """The pass's."""
        return self.step.word

    def foreseen(self, way: Way, info: PictureInfo) -> dict[str, Any]:
        """Refuse what a format would lose; a pass alone knows what it makes."""
        _refuse_lost_alpha(way, has_alpha=info.has_alpha)
        return {}

    def content(self, way: Way, source: Source, tries: list[BackendTry]) -> Content:
        """Make it, and say what the guard sees in it."""
        _refuse_lost_alpha(way, has_alpha=source.picture.ndim == 3 and source.picture.shape[2] == 4)
        made = self.step.make(source.picture, tries)
        said = f"{self.word} {made.backend} {made.version}"
        data = _encoded(made, way, {"Software": "kroma_nb", "kroma_nb:pass": said, "kroma_nb:source": source.sha256})
        guard = examine(images.as_stored(made.picture), GuardSettings(), name=way.name)
        known = {
            **sizes(made.picture),
            "backend": made.backend,
            "version": made.version,
            "quality": guard.quality,
            "reasons": guard.hard_fail_reasons,
            "warnings": guard.soft_warnings,
        }
        return Content(data, known)


def _refuse_lost_alpha(way: Way, *, has_alpha: bool) -> None:
    if has_alpha and way.format is PictureFormat.JPG:
        problem = f"{shown(way.source)} has transparency, and a jpg would lose it"
        raise RequestInvalid("request", "format", problem, "write png or webp")


def _encoded(made: Made, way: Way, text: dict[str, str]) -> bytes:
    try:
        return images.encode(made.picture, format=PictureFormat(way.format), text=text)
    except ValueError as cause:
        problem = f"{shown(way.source)}: {cause}"
        raise RequestInvalid("request", "format", problem, "write png") from cause
