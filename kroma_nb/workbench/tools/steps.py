"""The passes as tools for single files: cut out by the first backend that gives something, enlarged, coloured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb.errors import NoBackendLeft, ProviderFailed
from kroma_nb.model.run import BackendTry
from kroma_nb.model.words import PassName
from kroma_nb.passes import COLOR_VERSION, color, remove_background, upscale
from kroma_nb.run.answers import code_of
from kroma_nb.run.finishing import cutout_version, upscale_version
from kroma_nb.workbench.tools.making import Made

if TYPE_CHECKING:
    from kroma_nb.images import Picture
    from kroma_nb.model.finishing import Segmenter, Upscaler
    from kroma_nb.model.postprocess import ColorPlan


@dataclass(frozen=True)
class CutOut:
    """Lifts figures off their background.

    Attributes
    ----------
    segmenters : tuple of Segmenter
        In the order in which they are asked.
    """

    segmenters: tuple[Segmenter, ...]
    word: str = PassName.BG_REMOVE.value

    def make(self, picture: Picture, tries: list[BackendTry]) -> Made:
        """Ask one backend after the other; the first that gives a cut-out is whose it is."""
        for segmenter in self.segmenters:
            try:
                cut = remove_background(picture, segmenter=segmenter)
            except ProviderFailed as cause:
                tries.append(BackendTry(backend=segmenter.backend, error_code=code_of(cause), says=str(cause)))
            else:
                return Made(cut, segmenter.backend, cutout_version(segmenter))
        raise NoBackendLeft(self.word, tuple((one.backend, one.says) for one in tries))


@dataclass(frozen=True)
class Enlarge:
    """Enlarges by a whole factor."""

    upscaler: Upscaler
    scale: int
    word: str = PassName.UPSCALE.value

    def make(self, picture: Picture, _tries: list[BackendTry]) -> Made:
        """Enlarge it."""
        made = upscale(picture, upscaler=self.upscaler, scale=self.scale)
        return Made(made, self.upscaler.backend, upscale_version(self.upscaler))


@dataclass(frozen=True)
class Color:
    """Applies a colour profile."""

    plan: ColorPlan
    word: str = PassName.COLOR.value

    def make(self, picture: Picture, _tries: list[BackendTry]) -> Made:
        """Colour it."""
        backend = f"profile {self.plan.profile} ({self.plan.settings})"
        return Made(color(picture, self.plan.values), backend, COLOR_VERSION)
