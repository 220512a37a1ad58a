"""The passes after a picture was drawn, in their fixed order: cut out, enlarged, coloured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from kroma_nb.errors import NoBackendLeft, PassUnavailable, ProviderFailed
from kroma_nb.images import as_rgb, resize
from kroma_nb.model.brief import Painted
from kroma_nb.model.parsing import plain_word
from kroma_nb.model.postprocess import LookAt
from kroma_nb.model.run import BackendTry
from kroma_nb.model.words import PassName
from kroma_nb.passes import COLOR_VERSION, CUTOUT_VERSION, UPSCALE_VERSION, color, remove_background, upscale
from kroma_nb.qa import check_color, check_cutout, check_upscale
from kroma_nb.run.answers import code_of
from kroma_nb.run.making import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kroma_nb.images import Picture
    from kroma_nb.model.finishing import Segmenter, Upscaler
    from kroma_nb.model.postprocess import ColorPlan, CutoutPlan, UpscalePlan
    from kroma_nb.run.making import Making


NOT_HERE = "`kroma doctor` says what to install"


def finish(making: Making) -> None:
    """Make every pass that the plan has after the drawing.

    Raises
    ------
    KromaError
        If one of them does not deliver, or the disk refuses; what was made before it stands.
    """
    plan, finishers = making.task.postprocess, making.task.finishers
    if plan.bg_remove is not None:
        _cut_out(making, plan.bg_remove, finishers.segmenters)
    if plan.upscale is not None:
        if finishers.upscaler is None:
            raise PassUnavailable(PassName.UPSCALE, NOT_HERE)
        _enlarge(making, plan.upscale, finishers.upscaler)
    if plan.color is not None:
        _color(making, plan.color)


def cutout_version(segmenter: Segmenter) -> str:
    """Give the version that a cut-out by this backend is recorded with."""
    return f"{CUTOUT_VERSION} {segmenter.version}"


def upscale_version(upscaler: Upscaler) -> str:
    """Give the version that an enlarged picture of this backend is recorded with."""
    return f"{UPSCALE_VERSION} {upscaler.version}"


def _cut_out(making: Making, plan: CutoutPlan, segmenters: tuple[Segmenter, ...]) -> None:
    """Ask one backend after the other; the first that gives a cut-out is whose it is."""
    if not segmenters:
        raise PassUnavailable(PassName.BG_REMOVE, NOT_HERE)
    before, tries = making.passes[-1].output, list[BackendTry]()
    seen = plan.look_at is LookAt.SCENE and making.shows_its_scene()
    for segmenter in segmenters:
        settings = {"look_at": (LookAt.SCENE if seen else LookAt.PAGE).value, **segmenter.settings}
        step = Step(
            PassName.BG_REMOVE,
            before,
            f"{PurePosixPath(before.path).stem}_nobg.{plan.format}",
            segmenter.backend,
            cutout_version(segmenter),
            parameters={"settings": settings, **(making.seen_of_scene() if seen else {})},
            settings=settings,
            format=plan.format,
            tries=tuple(tries),
        )
        try:
            making.make(step, partial(_cut, making, _LookingAt(segmenter, making.scene_of_page) if seen else segmenter))
        except ProviderFailed as cause:
            tries.append(BackendTry(backend=segmenter.backend, error_code=code_of(cause), says=str(cause)))
        else:
            making.hold(check_cutout)
            return
    raise NoBackendLeft(PassName.BG_REMOVE, tuple((one.backend, one.says) for one in tries))


@dataclass(frozen=True)
class _LookingAt:
    """A segmenter that is shown the scene in the place of the page."""

    segmenter: Segmenter
    scene: Callable[[], Picture]

    @property
    def backend(self) -> str:
        return self.segmenter.backend

    @property
    def version(self) -> str:
        return self.segmenter.version

    @property
    def settings(self) -> Mapping[str, Any]:
        return self.segmenter.settings

    def mask(self, picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        return self.segmenter.mask(as_rgb(resize(self.scene(), (width, height))))


def _cut(making: Making, segmenter: Segmenter) -> Painted:
    return Painted(remove_background(making.picture, segmenter=segmenter))


def _enlarge(making: Making, plan: UpscalePlan, upscaler: Upscaler) -> None:
    before, settings = making.passes[-1].output, {"scale": plan.scale, **upscaler.settings}
    step = Step(
        PassName.UPSCALE,
        before,
        f"{PurePosixPath(before.path).stem}_x{plan.scale}.{plan.format}",
        upscaler.backend,
        upscale_version(upscaler),
        parameters={"settings": settings},
        settings=settings,
        format=plan.format,
    )
    making.make(step, lambda: Painted(upscale(making.picture, upscaler=upscaler, scale=plan.scale)))
    making.hold(lambda before, after: check_upscale(before, after, plan.scale), scale=plan.scale)


def _color(making: Making, plan: ColorPlan) -> None:
    before, values = making.passes[-1].output, plan.values.model_dump(mode="json")
    # The stem stays as it is: two job ids that differ only in signs must not end in one file.
    name = f"{PurePosixPath(before.path).stem}_{plain_word(plan.profile)}.png"
    backend = f"profile {plan.profile} ({plan.settings})"
    step = Step(PassName.COLOR, before, name, backend, COLOR_VERSION, parameters={"profile": values}, settings=values)
    making.make(step, lambda: Painted(color(making.picture, plan.values)))
    making.hold(lambda before, after: check_color(before, after, plan.values), profile=values)
