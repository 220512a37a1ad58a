"""Every setting that exists: its key, its type, who may set it, its default and its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from kroma_nb.model.postprocess import CutoutBackend, CutoutPlan, UpscaleBackend, UpscalePlan

SettingValue: TypeAlias = bool | int | str | Path | UpscaleBackend | tuple[CutoutBackend, ...] | None


class Layer(StrEnum):
    """Who can set a value, strongest first."""

    REQUEST = "request"
    PROJECT = "project"
    APP = "app"
    POSTPROCESS_FILE = "postprocess file"
    BUILT_IN = "built-in"

    @property
    def words(self) -> str:
        """Name the layer inside a sentence."""
        return {
            Layer.PROJECT: "the project settings",
            Layer.APP: "the app settings",
            Layer.BUILT_IN: "the built-in default",
        }.get(self, f"the {self.value}")


@dataclass(frozen=True, slots=True)
class SettingKey:
    """One setting.

    Attributes
    ----------
    key : str
        Dotted, as `Settings.get` and errors name it.
    kind : str
        The type, in words.
    layers : tuple of Layer
        Who may set it, strongest first; the built-in default always stands below them.
    default : SettingValue
        What holds where nobody sets it; None where nothing does.
    meaning : str
        One sentence.
    """

    key: str
    kind: str
    layers: tuple[Layer, ...]
    default: SettingValue
    meaning: str


_PEOPLE = (Layer.REQUEST, Layer.PROJECT, Layer.APP)
_ALL = (*_PEOPLE, Layer.POSTPROCESS_FILE)
_UPSCALE = UpscalePlan()
_CUTOUT = CutoutPlan()

KEYS: tuple[SettingKey, ...] = (
    SettingKey("manifest_path", "path", _PEOPLE, None, "The planning manifest."),
    SettingKey("postprocess_config_path", "path", _PEOPLE, None, "The postprocess file."),
    SettingKey(
        "cache_mb",
        "whole number, 0 to 1000000",
        _PEOPLE,
        4000,
        "How many megabytes of passes that were made before a project keeps; 0 keeps none.",
    ),
    SettingKey("postprocess.upscale", "true or false", _PEOPLE, False, "Enlarge every picture."),
    SettingKey("postprocess.color", "true or false", _PEOPLE, False, "Apply a colour profile to every picture."),
    SettingKey("postprocess.bg_remove", "true or false", _PEOPLE, False, "Lift every figure off its background."),
    SettingKey(
        "postprocess.upscale_backend",
        "`lanczos`, `ncnn` or `python`",
        _ALL,
        _UPSCALE.backend,
        "The family of upscalers that enlarges.",
    ),
    SettingKey(
        "postprocess.color_profile", "string, not blank", _ALL, "neutral", "The colour profile that is applied."
    ),
    SettingKey(
        "postprocess.bg_remove_backends",
        "list of `grabcut`, `onnx`, `rembg`, `photoroom`, `removebg`",
        _ALL,
        _CUTOUT.backends,
        "The segmenters that a cut-out tries, in this order.",
    ),
    SettingKey(
        "postprocess.bg_refine_openai",
        "true or false",
        _ALL,
        _CUTOUT.refine_openai,
        "Let a paid engine clean the edges of a cut-out.",
    ),
    SettingKey(
        "postprocess.bg_refine_openai_required",
        "true or false",
        _ALL,
        _CUTOUT.refine_openai_required,
        "Let the pass fail where that cleaning fails; otherwise the uncleaned cut-out stands.",
    ),
)
"""The table of settings, in the order in which they are documented."""

BY_KEY = {entry.key: entry for entry in KEYS}
PATH_KEYS = frozenset(entry.key for entry in KEYS if entry.kind == "path")
