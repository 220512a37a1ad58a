"""The models of Real-ESRGAN: what each is called, how many times it enlarges, and which files it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

NCNN_SCALES: Final[Mapping[str, tuple[int, ...]]] = {
    "realesr-animevideov3": (2, 3, 4),
    "realesrgan-x4plus-anime": (4,),
    "realesrgan-x4plus": (4,),
}
"""The models that come with the ncnn builds, with the scales that they were trained for."""

PYTHON_SCALES: Final[Mapping[str, tuple[int, ...]]] = {
    "RealESRGAN_x4plus": (4,),
    "RealESRNet_x4plus": (4,),
    "RealESRGAN_x4plus_anime_6B": (4,),
    "RealESRGAN_x2plus": (2,),
    "realesr-animevideov3": (4,),
    "realesr-general-x4v3": (4,),
}
"""The models that ``inference_realesrgan.py`` knows, with the scales that they were trained for."""


def own_scale(scales: tuple[int, ...], scale: int) -> int | None:
    """Give the scale that a model is asked for, to reach another by shrinking; None where it cannot be reached.

    A model that is asked for less than it was trained for gives zoomed tiles or has another program resize its answer,
    so it is always asked for a scale of its own.

    Examples
    --------
    >>> own_scale((2, 3, 4), 3), own_scale((4,), 2), own_scale((2,), 3)
    (3, 4, None)
    """
    return next((own for own in sorted(scales) if own >= scale), None)


def ncnn_files(model: str) -> tuple[str, ...]:
    """Give the names of the files that a model of the ncnn builds is.

    Examples
    --------
    >>> ncnn_files("realesrgan-x4plus")
    ('realesrgan-x4plus.param', 'realesrgan-x4plus.bin')
    """
    scales = NCNN_SCALES[model]
    stems = [model] if len(scales) == 1 else [f"{model}-x{scale}" for scale in scales]
    return tuple(f"{stem}.{kind}" for stem in stems for kind in ("param", "bin"))


def python_files(model: str) -> tuple[str, ...]:
    """Give the names of the weights that the script reads for a model; the first is the one that it is told of.

    The general model is mixed with a sharper sister, whose file the script finds beside it.
    """
    if model == "realesr-general-x4v3":
        return (f"{model}.pth", "realesr-general-wdn-x4v3.pth")
    return (f"{model}.pth",)
