"""From the passes of a plan to the local backends that work in them, and what each one still needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from kroma_nb import planning
from kroma_nb.errors import BackendUnavailable, KromaError, PassUnavailable, ProviderFailed
from kroma_nb.model.backends import BackendOptions
from kroma_nb.model.finishing import Finishers
from kroma_nb.model.postprocess import CutoutBackend, UpscaleBackend
from kroma_nb.model.words import PassName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

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


@dataclass(frozen=True)
class Absent:
    """A segmenter that a plan names and that is not here: each picture's record says so before the next one is asked.

    Attributes
    ----------
    backend : str
    says : str
        What is missing, and the way out.
    """

    backend: str
    says: str
    version: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def mask(self, _picture: NDArray[np.uint8], /) -> NDArray[np.uint8]:
        """Say that it is not here."""
        raise ProviderFailed(self.backend, self.says, BackendUnavailable.error_code)


def finishers_for(plan: PostprocessPlan, options: BackendOptions | None = None) -> Finishers:
    """Open the local backends that a plan names, in its order.

    Parameters
    ----------
    plan : PostprocessPlan
        A segmenter that is not here gives way to the next one, and says so.
    options : BackendOptions, optional
        Their models and programs.

    Raises
    ------
    PassUnavailable
        If none of the segmenters, or not the upscaler, can work here, with what to install; or if edges are to be
        refined, which nothing here does.
    FileMissing, PathRefused, ContentDamaged
        If a file that one needs is not there, or is another.
    """
    if plan.bg_remove and plan.bg_remove.refine_openai:
        raise PassUnavailable(PassName.BG_REFINE, "set postprocess.bg_refine_openai to false")
    given = options or BackendOptions()
    segmenters = _chain(plan.bg_remove.backends, given) if plan.bg_remove else ()
    if plan.upscale is None:
        return Finishers(segmenters)
    return Finishers(segmenters, _UPSCALERS[plan.upscale.backend](given, plan.upscale.scale))


def finishers_in(home: Path, plan: PostprocessPlan) -> Finishers:
    """Open the local backends that a plan names, as a workspace's ``config/backends.toml`` says.

    Raises
    ------
    ValidationFailed
        As `finishers_for`, or if that file cannot be used.
    """
    return finishers_for(plan, planning.backend_options_of(home))


def _chain(backends: tuple[CutoutBackend, ...], options: BackendOptions) -> tuple[Segmenter, ...]:
    chain: list[Segmenter] = []
    missing: list[BackendUnavailable] = []
    for backend in backends:
        try:
            chain.append(_SEGMENTERS[backend](options))
        except BackendUnavailable as cause:
            missing.append(cause)
            chain.append(Absent(backend.value, f"{cause.problem}; {cause.way_out}"))
    if len(missing) == len(chain):
        raise missing[0]
    return tuple(chain)


def examine_backends(options: BackendOptions | None = None) -> tuple[Availability, ...]:
    """Look for every local backend; nothing is downloaded, and no model is opened."""
    given = options or BackendOptions()
    local = {name: find for name, find in _SEGMENTERS.items() if name not in PAID}
    cutters = [_availability(name, partial(find, given), _CUTS_OUT) for name, find in local.items()]
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
    from kroma_nb.providers.grabcut import GrabCut  # noqa: PLC0415 - as above

    return GrabCut()


def _onnx(options: BackendOptions) -> Segmenter:
    from kroma_nb.providers.onnx import find_onnx  # noqa: PLC0415 - as above

    return find_onnx(options.onnx)


def _rembg(options: BackendOptions) -> Segmenter:
    from kroma_nb.providers.rembg import find_rembg  # noqa: PLC0415 - as above

    return find_rembg(options.rembg)


def _paid(backend: CutoutBackend, _options: BackendOptions) -> Segmenter:
    problem = "it is a paid service, and cut-outs cannot be bought in this version"
    raise BackendUnavailable(PassName.BG_REMOVE, backend, problem, "name grabcut, onnx or rembg")


def _lanczos(_options: BackendOptions, _scale: int | None) -> Upscaler:
    from kroma_nb.providers.lanczos import LanczosUpscaler  # noqa: PLC0415 - as above

    return LanczosUpscaler()


def _ncnn(options: BackendOptions, scale: int | None) -> Upscaler:
    from kroma_nb.providers.realesrgan import find_ncnn  # noqa: PLC0415 - as above

    return find_ncnn(options.ncnn, scale)


def _python(options: BackendOptions, scale: int | None) -> Upscaler:
    from kroma_nb.providers.realesrgan import find_python  # noqa: PLC0415 - as above

    return find_python(options.python, scale)


_SEGMENTERS: Final[Mapping[str, Callable[[BackendOptions], Segmenter]]] = {
    CutoutBackend.GRABCUT: _grabcut,
    CutoutBackend.ONNX: _onnx,
    CutoutBackend.REMBG: _rembg,
    CutoutBackend.PHOTOROOM: partial(_paid, CutoutBackend.PHOTOROOM),
    CutoutBackend.REMOVEBG: partial(_paid, CutoutBackend.REMOVEBG),
}
_UPSCALERS: Final[Mapping[str, Callable[[BackendOptions, int | None], Upscaler]]] = {
    UpscaleBackend.LANCZOS: _lanczos,
    UpscaleBackend.NCNN: _ncnn,
    UpscaleBackend.PYTHON: _python,
}
