"""What a person says about the backends of the finishing passes: models, programs, graphics cards, time-outs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from kroma_nb.model.value import Value

Sha256 = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{64}$")]
# 0 leaves it to the backend, or takes the picture whole.
TilePx = Annotated[int, Field(ge=0, le=4096)]
TimeoutS = Annotated[float, Field(gt=0)]
Gpu = Annotated[int, Field(ge=0, le=63)]


class OnnxOptions(Value):
    """Which model the backend ``onnx`` asks.

    Attributes
    ----------
    model : Path or None
        A U²-Net style ``.onnx`` file.
    sha256 : str or None
        What it must hold; None takes it as it is when the backend is found.
    """

    model: Path | None = None
    sha256: Sha256 | None = None


class RembgOptions(Value):
    """Which model the backend ``rembg`` asks; one is always named.

    Attributes
    ----------
    model : str or None
        As rembg calls it.
    sha256 : str or None
        What its file must hold; None takes it as it is when the backend is found.
    """

    model: str | None = None
    sha256: Sha256 | None = None


class NcnnOptions(Value):
    """How the backend ``ncnn`` works.

    Attributes
    ----------
    model : str
        One of the models that come with the ncnn builds.
    program : Path or None
        ``realesrgan-ncnn-vulkan``; None takes the package where it is installed, else the program on PATH.
    models : Path or None
        The folder of the program's models; None is ``models`` beside the program.
    gpu : int or None
        Which graphics card; None is the processor for the package, and the program's own choice for the program.
    tile_px : int, pixels
        The side of the squares in which a picture is worked on, at least 32; 0 leaves it to the backend.
    timeout_s : float or None, seconds
        How long the program may take for one picture; None is as long as it likes. The package has none.
    """

    model: str = "realesr-animevideov3"
    program: Path | None = None
    models: Path | None = None
    gpu: Gpu | None = None
    tile_px: TilePx = 0
    timeout_s: TimeoutS | None = None


class PythonOptions(Value):
    """How the backend ``python`` works.

    Attributes
    ----------
    script : Path or None
        ``inference_realesrgan.py`` in a copy of Real-ESRGAN.
    python : Path or None
        The interpreter of the environment in which the script works; None is ``.venv/bin/python`` beside the script.
    weights : Path or None
        The folder of the weights; None is ``weights`` beside the script.
    model : str
        One of the models that the script knows.
    tile_px, tile_pad_px, pre_pad_px : int, pixels
        The side of the squares in which a picture is worked on (0 takes it whole), how far they overlap, and what is
        added at its borders.
    fp32 : bool
        Whether it computes with whole precision, as processors must.
    gpu : int or None
        Which graphics card; None leaves it to the script.
    timeout_s : float or None, seconds
        How long one picture may take; None is as long as it likes.
    """

    script: Path | None = None
    python: Path | None = None
    weights: Path | None = None
    model: str = "RealESRGAN_x4plus"
    tile_px: TilePx = 0
    tile_pad_px: TilePx = 10
    pre_pad_px: TilePx = 0
    fp32: bool = True
    gpu: Gpu | None = None
    timeout_s: TimeoutS | None = None


class BackendOptions(Value):
    """What a person says about every backend that needs something.

    Programs that are named here are started: take these options from who gives the order or from the app's settings,
    never from a file that came with a project.
    """

    onnx: OnnxOptions = OnnxOptions()
    rembg: RembgOptions = RembgOptions()
    ncnn: NcnnOptions = NcnnOptions()
    python: PythonOptions = PythonOptions()
