"""From the passes of a plan to the local backends that work in them, and what each one still needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from kroma_nb.errors import BackendUnavailable, KromaError
from kroma_nb.model.backends import BackendOptions
from kroma_nb.model.finishing import Finishers
from kroma_nb.model.postprocess import CutoutBackend, UpscaleBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kroma_nb.model.finishing import Segmenter, Upscaler
    from kroma_nb.model.postprocess import PostprocessPlan

PAID: Final = frozenset({CutoutBackend.PHOTOROOM, CutoutBackend.REMOVEBG})
"""Services that are bought from; they are no segmenters, and nothing here opens them."""

_CUTS_OUT = "figures cut out of their background"
_ENLARGES = "pages at a multiple of their size"


@dataclass(frozen=True, slots=True)
class Availability:
    """What is known of one backend on this machine.

    Attributes
    ----------
    backend : str
        Its word in `CutoutBackend` or `UpscaleBackend`.
    there : bool
        Whether it can be used as the options say.
    found : str
        Its version, else what is missing and what to install.
    gives : str
        What it is for.
    """

    backend: str
    there: bool
    found: str
    gives: str


def finishers_for(plan: PostprocessPlan, options: BackendOptions | None = None) -> Finishers:
    """Open the local backends that a plan names, in its order.

    Parameters
    ----------
    plan : PostprocessPlan
        Paid services among its segmenters are passed over.
    options : BackendOptions, optional
        Their models and programs.

    Raises
    ------
    BackendUnavailable
        If one cannot work here, with what to install; the others are not looked at.
    FileMissing, PathRefused, ContentDamaged
        If a file that it needs is not there, or is another.
    """
    given = options or BackendOptions()
    segmenters: tuple[Segmenter, ...] = ()
    if plan.bg_remove is not None:
        local = [backend for backend in plan.bg_remove.backends if backend not in PAID]
        segmenters = tuple(_SEGMENTERS[backend](given) for backend in local)
    if plan.upscale is None:
        return Finishers(segmenters)
    return Finishers(segmenters, _UPSCALERS[plan.upscale.backend](given, plan.upscale.scale))


def examine_backends(options: BackendOptions | None = None) -> tuple[Availability, ...]:
    """Look for every local backend; nothing is downloaded, and no model is opened."""
    given = options or BackendOptions()
    cutters = [_availability(name, partial(find, given), _CUTS_OUT) for name, find in _SEGMENTERS.items()]
    enlargers = [_availability(name, partial(find, given, None), _ENLARGES) for name, find in _UPSCALERS.items()]
    return (*cutters, *enlargers)


def _availability(backend: str, look: Callable[[], Segmenter | Upscaler], gives: str) -> Availability:
    try:
        return Availability(backend, there=True, found=look().version, gives=gives)
    except BackendUnavailable as missing:
        return Availability(backend, there=False, found=f"{missing.problem}; {missing.way_out}", gives=gives)
    except KromaError as wrong:
        return Availability(backend, there=False, found=str(wrong), gives=gives)


# Each module opens when its backend is asked for: a plan without it needs none of what it needs.


def _grabcut(_options: BackendOptions) -> Segmenter:
    return cast("Segmenter", _built_in("bg_remove", "grabcut", "GrabCut"))


def _onnx(options: BackendOptions) -> Segmenter:
    from kroma_nb.providers.onnx import find_onnx  # noqa: PLC0415 - as above

    return find_onnx(options.onnx)


def _rembg(options: BackendOptions) -> Segmenter:
    from kroma_nb.providers.rembg import find_rembg  # noqa: PLC0415 - as above

    return find_rembg(options.rembg)


def _lanczos(_options: BackendOptions, _scale: int | None) -> Upscaler:
    return cast("Upscaler", _built_in("upscale", "lanczos", "Lanczos"))


def _ncnn(options: BackendOptions, scale: int | None) -> Upscaler:
    from kroma_nb.providers.realesrgan import find_ncnn  # noqa: PLC0415 - as above

    return find_ncnn(options.ncnn, scale)


def _python(options: BackendOptions, scale: int | None) -> Upscaler:
    from kroma_nb.providers.realesrgan import find_python  # noqa: PLC0415 - as above

    return find_python(options.python, scale)


def _built_in(pass_name: str, backend: str, kind: str) -> object:
    """Open a backend that needs nothing, by the name of its module and class."""
    module = f"kroma_nb.providers.{backend}"
    try:
        return getattr(import_module(module), kind)()
    except ModuleNotFoundError as cause:
        if cause.name != module:
            raise
        problem = "it is not part of this version"
        raise BackendUnavailable(pass_name, backend, problem, "choose another backend") from cause


_SEGMENTERS: Final[Mapping[str, Callable[[BackendOptions], Segmenter]]] = {
    CutoutBackend.GRABCUT: _grabcut,
    CutoutBackend.ONNX: _onnx,
    CutoutBackend.REMBG: _rembg,
}
_UPSCALERS: Final[Mapping[str, Callable[[BackendOptions, int | None], Upscaler]]] = {
    UpscaleBackend.LANCZOS: _lanczos,
    UpscaleBackend.NCNN: _ncnn,
    UpscaleBackend.PYTHON: _python,
}
