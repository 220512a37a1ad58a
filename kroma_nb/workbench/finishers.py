"""From a postprocess plan to the backends that finish pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kroma_nb.errors import PassUnavailable, ProviderFailed
from kroma_nb.model.finishing import Finishers
from kroma_nb.model.postprocess import CutoutBackend, UpscaleBackend
from kroma_nb.model.words import PassName

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from kroma_nb.model.finishing import Segmenter, Upscaler
    from kroma_nb.model.postprocess import PostprocessPlan


@dataclass(frozen=True)
class Absent:
    """A segmenter that is named and not there: every picture's record says so before the next one is asked.

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
        """Say that it is not there."""
        raise ProviderFailed(self.backend, self.says, "backend_absent")


def finishers_for(plan: PostprocessPlan) -> Finishers:
    """Build the backends that a plan names.

    Raises
    ------
    PassUnavailable
        If none of a pass's backends is here, with what to do.
    """
    segmenters = tuple(segmenter_for(one) for one in plan.bg_remove.backends) if plan.bg_remove else ()
    if segmenters and all(isinstance(one, Absent) for one in segmenters):
        said = "; ".join(f"{one.backend}: {one.says}" for one in segmenters if isinstance(one, Absent))
        raise PassUnavailable(PassName.BG_REMOVE, said)
    return Finishers(segmenters, upscaler_for(plan.upscale.backend) if plan.upscale else None)


def segmenter_for(backend: CutoutBackend) -> Segmenter:
    """Build a segmenter; one that says what is missing where it is not there."""
    if backend is CutoutBackend.GRABCUT:
        from kroma_nb.providers.grabcut import GrabCut  # noqa: PLC0415 - a backend loads when it is asked for

        return GrabCut()
    return Absent(backend.value, "this version does not offer it yet; name grabcut")


def upscaler_for(backend: UpscaleBackend) -> Upscaler:
    """Build an upscaler.

    Raises
    ------
    PassUnavailable
        If it is not there.
    """
    if backend is UpscaleBackend.LANCZOS:
        from kroma_nb.providers.lanczos import Lanczos  # noqa: PLC0415 - as above

        return Lanczos()
    raise PassUnavailable(PassName.UPSCALE, f"{backend} is not offered yet; set upscale.backend to lanczos")
