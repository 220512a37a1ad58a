"""The postprocess file, and from it and the settings to the plan of the passes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from kroma_nb.errors import PostprocessInvalid
from kroma_nb.model.backends import BackendOptions
from kroma_nb.model.invariants import InvariantSettings
from kroma_nb.model.parsing import parse_value
from kroma_nb.model.postprocess import (
    ColorPlan,
    ColorProfile,
    CutoutBackend,
    CutoutPlan,
    LookAt,
    PictureFormat,
    PostprocessPlan,
    Scale,
    UpscaleBackend,
    UpscalePlan,
)
from kroma_nb.model.value import Value
from kroma_nb.planning.color_profiles import BUILT_IN_PROFILES, ColorProfiles, built_in_profiles, open_profiles
from kroma_nb.planning.documents import BUILT_IN, read_document, refuse_unusable, set_aside
from kroma_nb.planning.fields import AnyCase, Text
from kroma_nb.planning.paths import Base
from kroma_nb.settings import Layer

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.settings import Settings

LEGACY_KEYS = frozenset(
    f"bg_remove.{key}"
    for key in (
        *("size", "crop", "rembg", "photoroom", "removebg", "openai.api_key_env", "openai.model", "openai.quality"),
        *("openai.input_fidelity", "openai.background", "openai.prompt"),
    )
) | frozenset(f"upscale.{key}" for key in ("tile", "binary", "model_dir", "model_name", "python"))


def _as_format(found: Any) -> Any:
    word = found.strip().lower() if isinstance(found, str) else found
    return "jpg" if word == "jpeg" else word


def _some(backends: tuple[CutoutBackend, ...]) -> tuple[CutoutBackend, ...]:
    if not backends:
        raise ValueError(f"the list is empty; name at least one of {', '.join(CutoutBackend)}")
    return backends


Format = Annotated[PictureFormat, BeforeValidator(_as_format)]


class UpscaleSection(Value):
    """How pictures are enlarged, once a request or the settings ask for it."""

    backend: Annotated[UpscaleBackend, AnyCase] = UpscaleBackend.LANCZOS
    scale: Scale = 2
    format: Format = PictureFormat.PNG


class ColorSection(Value):
    """Which colour profile is applied, and where it stands.

    Attributes
    ----------
    settings_file : str or None
        A file of profiles, relative to this file; the built-in profiles if left out.
    """

    default_profile: Text = "neutral"
    settings_file: Text | None = None


class RefineSection(Value):
    """Whether a paid engine cleans the edges of a cut-out, and whether the pass fails where that fails."""

    enabled: bool = False
    required: bool = False


class CutoutSection(Value):
    """How figures are lifted off their background.

    Attributes
    ----------
    look_at : LookAt or None
        Left out, the scene of a page that was drawn here, and the page itself where it was bought: a paid engine does
        not keep every line of its scene in place.
    """

    backends: Annotated[tuple[Annotated[CutoutBackend, AnyCase], ...], AfterValidator(_some)] = (CutoutBackend.GRABCUT,)
    format: Format = PictureFormat.PNG
    look_at: Annotated[LookAt, AnyCase] | None = None
    openai: RefineSection = RefineSection()


class PostprocessFile(Value):
    """How the passes work; whether they run at all is for the request and the settings to say."""

    schema_: Literal["kroma_nb.postprocess/1"] = Field(default="kroma_nb.postprocess/1", alias="schema")
    upscale: UpscaleSection = UpscaleSection()
    color: ColorSection = ColorSection()
    bg_remove: CutoutSection = CutoutSection()
    invariants: InvariantSettings = InvariantSettings()

    @property
    def settings(self) -> dict[str, object]:
        """What this file says in the layers of the settings, by setting key; only what it names."""
        named = {
            "upscale_backend": (self.upscale, "backend"),
            "color_profile": (self.color, "default_profile"),
            "bg_remove_backends": (self.bg_remove, "backends"),
            "bg_refine_openai": (self.bg_remove.openai, "enabled"),
            "bg_refine_openai_required": (self.bg_remove.openai, "required"),
        }
        return {
            f"postprocess.{key}": getattr(section, name)
            for key, (section, name) in named.items()
            if name in section.model_fields_set
        }


@dataclass(frozen=True, slots=True)
class LoadedPostprocess:
    """A postprocess file with the place that it came from."""

    file: str
    path: Path | None
    content: PostprocessFile
    unused: tuple[str, ...] = ()

    def profiles(self) -> ColorProfiles:
        """Give the colour profiles that it names, else the built-in ones.

        Raises
        ------
        PathRefused, FileMissing, ColorProfilesInvalid
            If the file of profiles cannot be used.
        """
        named = self.content.color.settings_file
        if named is None or self.path is None:
            return built_in_profiles()
        role = f"{self.file}: color.settings_file"
        found = Base(self.path.parent).find(named, role)
        return replace(open_profiles(found, file=str(found), role=role), source=named)


NO_POSTPROCESS = LoadedPostprocess(f"{BUILT_IN} postprocess", None, PostprocessFile())


def load_postprocess(path: Path) -> PostprocessFile:
    """Read a postprocess file.

    Parameters
    ----------
    path : Path
        A JSON file.

    Raises
    ------
    FileMissing
        If the file is not there or cannot be opened.
    PostprocessInvalid
        With the dotted path of the first wrong field.
    """
    return open_postprocess(path, file=str(path), role="postprocess file").content


def open_postprocess(path: Path, *, file: str, role: str) -> LoadedPostprocess:
    """Read a postprocess file and keep where it came from."""
    data, unused = set_aside(read_document(path, file=file, role=role, error=PostprocessInvalid), LEGACY_KEYS)
    refuse_unusable(data, file=file, error=PostprocessInvalid)
    return LoadedPostprocess(
        file, path, parse_value(PostprocessFile, data, file=file, error=PostprocessInvalid), unused
    )


def named_postprocess(settings: Settings) -> LoadedPostprocess:
    """Read the postprocess file that the settings name, else give the built-in default."""
    path = settings.get("postprocess_config_path")
    if path is None:
        return NO_POSTPROCESS
    return open_postprocess(path, file=str(path), role=settings.explain("postprocess_config_path").origin)


def profile_now(plan: ColorPlan, settings: Settings) -> ColorProfile | None:
    """Give a plan's colour profile as it is now; None where its file is not the one that the settings name.

    Raises
    ------
    ValidationFailed
        If the postprocess file or the profiles cannot be read.
    """
    profiles = named_postprocess(settings).profiles()
    source = "builtin" if profiles.source == BUILT_IN_PROFILES else profiles.source
    return profiles.by_name.get(plan.profile) if source == plan.settings else None


def plan_passes(
    loaded: LoadedPostprocess,
    settings: Settings,
    *,
    bought: bool = False,
    is_cut: bool = False,
    options: BackendOptions | None = None,
) -> PostprocessPlan:
    """Resolve every pass that is on to what it will do.

    Parameters
    ----------
    loaded : LoadedPostprocess
        Gives scale, formats and colour profiles, and takes its place in the layers.
    settings : Settings
        With the layer of the request.
    bought : bool
        Whether the pages come from a paid engine.
    is_cut : bool
        Whether figures were cut out of them before.
    options : BackendOptions, optional
        What the workspace says of its backends: a model of its own is asked first, where nobody has named an order.

    Raises
    ------
    PostprocessInvalid
        If a cut-out has no backend, or would lose its transparency in a JPEG.
    ColorProfilesInvalid
        If there is no such colour profile.
    """
    if loaded.path is not None:
        settings = settings.with_postprocess_file(loaded.path, loaded.content.settings)
    cutout = None
    if settings.get("postprocess.bg_remove"):
        cutout = _cutout(loaded, settings, LookAt.PAGE if bought else LookAt.SCENE, options or BackendOptions())
    upscale = _upscale(loaded, settings) if settings.get("postprocess.upscale") else None
    if cutout is not None:
        _keep_transparency(loaded.file, "bg_remove.format", cutout.format)
    if upscale is not None and (is_cut or cutout is not None):
        _keep_transparency(loaded.file, "upscale.format", upscale.format)
    color = _color(loaded, settings) if settings.get("postprocess.color") else None
    return PostprocessPlan(bg_remove=cutout, upscale=upscale, color=color, invariants=loaded.content.invariants)


def _cutout(loaded: LoadedPostprocess, settings: Settings, usual: LookAt, options: BackendOptions) -> CutoutPlan:
    backends = settings.explain("postprocess.bg_remove_backends")
    chosen = settings.get("postprocess.bg_remove_backends")
    if not chosen:
        file = str(backends.file or backends.layer.value)
        way_out = f"name at least one of {', '.join(CutoutBackend)}, or switch bg_remove off"
        raise PostprocessInvalid(file, backends.key, "the list is empty and bg_remove is on", way_out)
    if backends.layer is Layer.BUILT_IN and options.onnx.model is not None:
        chosen = (CutoutBackend.ONNX, *chosen)
    return CutoutPlan(
        backends=chosen,
        format=loaded.content.bg_remove.format,
        look_at=loaded.content.bg_remove.look_at or usual,
        refine_openai=settings.get("postprocess.bg_refine_openai"),
        refine_openai_required=settings.get("postprocess.bg_refine_openai_required"),
    )


def _upscale(loaded: LoadedPostprocess, settings: Settings) -> UpscalePlan:
    section = loaded.content.upscale
    return UpscalePlan(backend=settings.get("postprocess.upscale_backend"), scale=section.scale, format=section.format)


def _color(loaded: LoadedPostprocess, settings: Settings) -> ColorPlan:
    profiles = loaded.profiles()
    asked = settings.explain("postprocess.color_profile")
    # The profiles' own default stands below every layer that a person wrote, and above the built-in one.
    name = settings.get("postprocess.color_profile")
    if asked.layer is Layer.BUILT_IN and profiles.default_profile is not None:
        name = profiles.default_profile
    return ColorPlan(
        profile=name,
        settings="builtin" if profiles.source == BUILT_IN_PROFILES else profiles.source,
        values=profiles.find(name, asked_by=asked.origin),
    )


def _keep_transparency(file: str, field: str, chosen: PictureFormat) -> None:
    if chosen is PictureFormat.JPG:
        problem = "jpg has no transparency and the cut-out would lose it"
        raise PostprocessInvalid(file, field, problem, "write png or webp, or leave figures in their ground")
