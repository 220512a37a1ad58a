"""The tools for single files and folders: `cut_out`, `enlarge`, `color`, `judge`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb.errors import FieldInvalid, PostprocessInvalid, RequestInvalid
from kroma_nb.errors.root import shown
from kroma_nb.model.parsing import did_you_mean, plain_word
from kroma_nb.model.postprocess import ColorPlan, CutoutPlan, PictureFormat, PostprocessPlan, UpscalePlan
from kroma_nb.model.quality import GuardReport, GuardSettings, GuardSummary
from kroma_nb.model.tools import FileState, Tool
from kroma_nb.planning.color_profiles import BUILT_IN_PROFILES, load_profiles
from kroma_nb.planning.postprocess import CutoutSection, UpscaleSection
from kroma_nb.qa import guard
from kroma_nb.workbench.backends import PAID, finishers_in
from kroma_nb.workbench.tools.making import Maker
from kroma_nb.workbench.tools.places import Naming, lay_out, look_around
from kroma_nb.workbench.tools.results import Judgement, ToolResult
from kroma_nb.workbench.tools.steps import Color, CutOut, Enlarge
from kroma_nb.workbench.tools.words import Making, Working, checked, home_of, postprocess_of, section
from kroma_nb.workbench.tools.working import row_of, work

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from kroma_nb.model.quality import FileReport
    from kroma_nb.model.tools import ToolRow
    from kroma_nb.planning.color_profiles import ColorProfiles
    from kroma_nb.planning.postprocess import LoadedPostprocess
    from kroma_nb.workbench.tools.making import Pass
    from kroma_nb.workbench.tools.places import Layout, Way

FOLDERS = {Tool.BGREMOVE: "background_removed", Tool.UPSCALE: "upscaled", Tool.COLOR: "color_corrected"}
"""Where results go beside their source, unless a target is named."""

Named = str | os.PathLike[str]


def cut_out(
    source: Named,
    target: Named | None = None,
    *,
    backends: Sequence[str] | str | None = None,
    **how: Unpack[Making],
) -> ToolResult:
    """Lift the figures of a picture, or of all pictures in a folder, off their background.

    Parameters
    ----------
    source : path
        A picture, or a folder of pictures with the folders in it; links in it are left out.
    target : path or None
        A folder, in which the source's folders are mirrored; or for one picture the name of the file. None is the
        folder `background_removed` beside the source.
    backends : sequence of str, or None
        Asked in this order; the first that gives a cut-out is whose it is, and what the others said is in the row.
        None is ``grabcut``.
    **how
        `Making`: ``format``, ``replace``, ``dry``, ``postprocess``, ``home``, ``workers``, ``stop``, ``on_begin``,
        ``on_row``.

    Returns
    -------
    ToolResult
        One row a file. What goes wrong with a file is in its row and keeps no other from being made.

    Raises
    ------
    RequestInvalid
        If a word is wrong, no backend is named, one of them costs money, or two files would end in one; nothing is
        made then.
    BackendUnavailable
        If none of the backends can work here, with what to install.
    FileMissing, PathRefused
        If there is no picture, or a link is where none may be.
    """
    checked(how, Making)
    listed = [backends] if isinstance(backends, str) else backends if backends is None else list(backends)
    loaded = postprocess_of(how)
    asked = section(loaded.content.bg_remove, backends=listed, format=how.get("format"))
    _refuse_paid(asked, loaded.file)
    chosen = CutoutPlan(backends=asked.backends)
    layout = lay_out(source, target, _naming(Tool.BGREMOVE, "nobg", asked, how))
    if any(way.format is PictureFormat.JPG for way in layout.ways):
        raise _transparency_lost(asked, how, loaded.file)
    finishers = finishers_in(home_of(how), PostprocessPlan(bg_remove=chosen))
    return _made(Tool.BGREMOVE, layout, CutOut(finishers.segmenters), how, loaded)


def enlarge(
    source: Named,
    target: Named | None = None,
    *,
    scale: int | None = None,
    backend: str | None = None,
    **how: Unpack[Making],
) -> ToolResult:
    """Enlarge a picture, or all pictures in a folder, by a whole factor; alpha and grey are kept.

    Parameters
    ----------
    source, target : path
        As of `cut_out`; the folder beside the source is `upscaled`.
    scale : int, 2 to 4, or None
        None is 2.
    backend : str or None
        None is ``lanczos``.
    **how
        `Making`.

    Returns
    -------
    ToolResult

    Raises
    ------
    RequestInvalid, BackendUnavailable, FileMissing, PathRefused
        As `cut_out`.
    """
    checked(how, Making)
    loaded = postprocess_of(how)
    asked = section(loaded.content.upscale, backend=backend, scale=scale, format=how.get("format"))
    layout = lay_out(source, target, _naming(Tool.UPSCALE, f"x{asked.scale}", asked, how))
    plan = UpscalePlan(backend=asked.backend, scale=asked.scale)
    upscaler = finishers_in(home_of(how), PostprocessPlan(upscale=plan)).upscaler
    assert upscaler is not None
    return _made(Tool.UPSCALE, layout, Enlarge(upscaler, plan.scale), how, loaded)


def color(
    source: Named,
    target: Named | None = None,
    *,
    profile: str | None = None,
    profiles: Named | None = None,
    **how: Unpack[Making],
) -> ToolResult:
    """Apply a colour profile to a picture, or to all pictures in a folder; alpha is kept.

    Parameters
    ----------
    source, target : path
        As of `cut_out`; the folder beside the source is `color_corrected`.
    profile : str or None
        Its name; None is the default of the file of profiles.
    profiles : path or None
        A file of profiles; None takes the built-in ones.
    **how
        `Making`.

    Returns
    -------
    ToolResult

    Raises
    ------
    ColorProfilesInvalid
        If there is no such profile, or the file of profiles cannot be used.
    RequestInvalid, FileMissing, PathRefused
        As `cut_out`.
    """
    checked(how, Making)
    loaded = postprocess_of(how)
    plan = _color_plan(profile, loaded.profiles() if profiles is None else load_profiles(Path(profiles)), loaded)
    # A colour section has no format of its own.
    asked = section(UpscaleSection(), format=how.get("format"))
    layout = lay_out(source, target, _naming(Tool.COLOR, plain_word(plan.profile) or "color", asked, how))
    return _made(Tool.COLOR, layout, Color(plan), how, loaded)


def judge(
    source: Named,
    settings: GuardSettings | None = None,
    *,
    cache: Named | None = None,
    **how: Unpack[Working],
) -> Judgement:
    """Let the guard look at a picture, or at all pictures in a folder; nothing is written.

    Parameters
    ----------
    source : path
        As of `cut_out`.
    settings : GuardSettings or None
        None only measures colourfulness, and does not judge it.
    cache : path or None
        A folder that remembers measures; None measures everything.
    **how
        `Working`: ``workers``, ``stop``, ``on_begin``, ``on_row``.

    Returns
    -------
    Judgement

    Raises
    ------
    RequestInvalid, FileMissing, PathRefused
        As `cut_out`.
    """
    checked(how, Working)
    seen: dict[Way, FileReport] = {}
    layout = look_around(source)
    settings = settings or GuardSettings()
    kept = None if cache is None else Path(cache)

    def look(way: Way) -> ToolRow:
        (found,) = guard(way.source, settings, cache=kept).files
        seen[way] = found.model_copy(update={"file": shown(way.name)})
        known = {"quality": found.quality, "reasons": found.hard_fail_reasons, "warnings": found.soft_warnings}
        return row_of(way, FileState.DONE).model_copy(update=known)

    rows = work(layout.ways, look, how)
    files = tuple(seen[way] for way in layout.ways if way in seen)
    summary = GuardSummary(
        total_files=len(files),
        hard_failures=sum(bool(one.hard_fail_reasons) for one in files),
        soft_warnings=sum(bool(one.soft_warnings) for one in files),
    )
    report = GuardReport(input=shown(os.fspath(source)), settings=settings, summary=summary, files=files)
    return Judgement(report, sum(row.state is FileState.LEFT for row in rows), layout.left_out)


def _refuse_paid(asked: CutoutSection, file: str) -> None:
    if paid := [one for one in asked.backends if one in PAID]:
        raise RequestInvalid("request", "backends", f"{paid[0]} costs money, which tools do not spend", "name grabcut")
    if asked.openai.enabled:
        problem, way_out = "this costs money, which tools do not spend", "set it to false, or finish a run with it"
        raise PostprocessInvalid(file, "bg_remove.openai.enabled", problem, way_out)


def _transparency_lost(asked: CutoutSection, how: Making, file: str) -> FieldInvalid:
    """Name where the jpg was asked for: in the call, in a file's name, or in the postprocess file."""
    problem, way_out = "jpg has no transparency and the cut-out would lose it", "write png or webp"
    if how.get("format") is not None:
        return RequestInvalid("request", "format", problem, way_out)
    if asked.format is PictureFormat.JPG:
        return PostprocessInvalid(file, "bg_remove.format", problem, way_out)
    return RequestInvalid("request", "output", problem, way_out)


def _made(tool: Tool, layout: Layout, step: Pass, how: Making, loaded: LoadedPostprocess) -> ToolResult:
    maker = Maker(step, replaces=how.get("replace", True))
    rows = work(layout.ways, maker.plan if how.get("dry") else maker.make, how)
    return ToolResult(tool, rows, layout.left_out, loaded.unused)


def _naming(tool: Tool, mark: str, asked: CutoutSection | UpscaleSection, how: Making) -> Naming:
    return Naming(FOLDERS[tool], f"_{mark}", asked.format, insists=how.get("format") is not None)


def _color_plan(profile: str | None, known: ColorProfiles, loaded: LoadedPostprocess) -> ColorPlan:
    section_of, by_file = loaded.content.color, "default_profile" in loaded.content.color.model_fields_set
    name = profile if profile is not None else section_of.default_profile if by_file else known.default_profile
    if name is None:
        raise RequestInvalid("request", "profile", "none is named", did_you_mean("", known.by_name))
    asked_by = "the request" if profile is not None or not by_file else loaded.file
    source = "builtin" if known.source == BUILT_IN_PROFILES else shown(known.source)
    return ColorPlan(profile=name, settings=source, values=known.find(name, asked_by=asked_by))
