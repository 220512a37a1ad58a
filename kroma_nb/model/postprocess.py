"""What happens to a generated picture afterwards: the postprocess plan and its colour profile."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kroma_nb.model.invariants import InvariantSettings
from kroma_nb.model.value import Value
from kroma_nb.model.words import PassName

Multiplier = Annotated[float, Field(ge=0, le=8)]
# How many times as wide and high a page becomes.
Scale = Annotated[int, Field(ge=2, le=4)]


class UpscaleBackend(StrEnum):
    """The families of upscalers; ``lanczos`` is always there."""

    LANCZOS = "lanczos"
    NCNN = "ncnn"
    PYTHON = "python"


class CutoutBackend(StrEnum):
    """The segmenters that a cut-out may try, in the order that the plan gives; ``grabcut`` is always there."""

    GRABCUT = "grabcut"
    ONNX = "onnx"
    REMBG = "rembg"
    PHOTOROOM = "photoroom"
    REMOVEBG = "removebg"


class LookAt(StrEnum):
    """Where a segmenter looks for the figure."""

    SCENE = "scene"
    """At the scene that the page was drawn from: the same figure by day, by night and in rain."""
    PAGE = "page"
    """At the page itself."""


class PictureFormat(StrEnum):
    """File formats that a pass can write."""

    PNG = "png"
    JPG = "jpg"
    WEBP = "webp"


class ColorProfile(Value):
    """Nine parameters of the colour pass; every default leaves a picture as it is.

    Attributes
    ----------
    brightness, contrast, saturation : float
        1 is neutral. Contrast turns about the picture's mean luma, as Pillow's does.
    sharpness : float
        1 is neutral; below 1 smooths, above 1 sharpens.
    gamma : float
        Exponent 1/gamma on levels scaled to 0..1.
    autocontrast_cutoff : float, percent
        How much of each end of a channel's histogram is clipped before it is stretched; 0 switches the step off.
    red_multiplier, green_multiplier, blue_multiplier : float
        Factors on the channels, applied last.
    """

    brightness: Multiplier = 1.0
    contrast: Multiplier = 1.0
    saturation: Multiplier = 1.0
    sharpness: Multiplier = 1.0
    gamma: Annotated[float, Field(gt=0, le=8)] = 1.0
    autocontrast_cutoff: Annotated[float, Field(ge=0, lt=50)] = 0.0
    red_multiplier: Multiplier = 1.0
    green_multiplier: Multiplier = 1.0
    blue_multiplier: Multiplier = 1.0


class UpscalePlan(Value):
    """How pictures are enlarged."""

    backend: UpscaleBackend = UpscaleBackend.LANCZOS
    scale: Scale = 2
    format: PictureFormat = PictureFormat.PNG


class CutoutPlan(Value):
    """How figures are lifted off their background.

    Attributes
    ----------
    look_at : LookAt
        A page that does not show the whole of its scene is looked at itself.
    """

    backends: Annotated[tuple[CutoutBackend, ...], Field(min_length=1)] = (CutoutBackend.GRABCUT,)
    format: PictureFormat = PictureFormat.PNG
    look_at: LookAt = LookAt.SCENE
    refine_openai: bool = False
    refine_openai_required: bool = False


class ColorPlan(Value):
    """Which colour profile is applied, with the values that it had when the plan was made."""

    profile: str
    settings: str = "builtin"
    values: ColorProfile


class PostprocessPlan(Value):
    """The passes after `generate`; a pass that is None is off.

    Attributes
    ----------
    invariants : InvariantSettings
        How strictly it is taken what must hold after each of them.
    """

    bg_remove: CutoutPlan | None = None
    upscale: UpscalePlan | None = None
    color: ColorPlan | None = None
    invariants: InvariantSettings = InvariantSettings()

    @property
    def pipeline_order(self) -> tuple[PassName, ...]:
        """Every pass of the run in the fixed order, `generate` first."""
        asked = {
            PassName.GENERATE: True,
            PassName.BG_REMOVE: self.bg_remove is not None,
            PassName.BG_REFINE: self.bg_remove is not None and self.bg_remove.refine_openai,
            PassName.UPSCALE: self.upscale is not None,
            PassName.COLOR: self.color is not None,
        }
        return tuple(name for name in PassName if asked[name])
