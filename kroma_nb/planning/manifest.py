"""The planning manifest: which scenes, in which look, how many candidates, how strictly judged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from kroma_nb.errors import ManifestInvalid
from kroma_nb.images import fit
from kroma_nb.model.brief import Fraction, Hand, Seed, Size
from kroma_nb.model.parsing import describe, parse_value
from kroma_nb.model.quality import GuardSettings
from kroma_nb.model.value import Value
from kroma_nb.planning.documents import BUILT_IN, read_document, refuse_unusable, set_aside
from kroma_nb.planning.fields import Name, Text

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.settings import Settings

LEGACY_KEYS = frozenset({"policy.allowed_style_roots"})

SMALLEST_SIDE_PX = 16
LARGEST_SIDE_PX = 8192
_SIZE = re.compile(r"([0-9]{1,5})\s*[xX×]\s*([0-9]{1,5})")
_SIDE_RANGE = f"{SMALLEST_SIDE_PX}..{LARGEST_SIDE_PX}"


class SceneEntry(Value):
    """A scene with what is special about it.

    Attributes
    ----------
    ref : str
        Path of the picture, relative to the manifest's folder.
    name : str or None
        What people read; the file's stem if left out.
    prompt : str or None
        Added to the run's prompt for this scene alone.
    seed : int or None, 0 to 2**53 - 1
        Takes the place of `generation.seed` for this scene.
    ground_line : float or None, 0 to 1
        Where the ground begins, as a fraction of the height from the top.
    indoors : bool
        Whether the scene lies under a roof, so that it takes no part in a stage that makes rain.
    """

    ref: Text
    name: Name | None = None
    prompt: Text | None = None
    seed: Seed | None = None
    ground_line: Fraction | None = None
    indoors: bool = False


class PageSize(Value):
    """How large the pages are: a long side that keeps each scene's aspect, or one fixed size."""

    long_side_px: int = 1536
    fixed: Size | None = None

    def of(self, width: int, height: int) -> Size:
        """Give the page of a scene with this width and height in pixels.

        Examples
        --------
        >>> str(PageSize(long_side_px=600).of(3000, 2000))
        '600x400'
        """
        if self.fixed is not None:
            return self.fixed
        page_width, page_height = fit((width, height), self.long_side_px)
        # A strip that is far longer than wide still gets room for a line.
        return Size(width=max(SMALLEST_SIDE_PX, page_width), height=max(SMALLEST_SIDE_PX, page_height))


def _page_size(found: Any) -> Any:
    """Read a whole number of pixels or ``WIDTHxHEIGHT``."""
    if isinstance(found, PageSize):
        return found
    if isinstance(found, int) and not isinstance(found, bool):
        _check_side(found)
        return PageSize(long_side_px=found)
    match = _SIZE.fullmatch(found.strip()) if isinstance(found, str) else None
    if match is None:
        raise ValueError(f"{describe(found)} is no size; write the long side as 1536, or both sides as '1024x1536'")
    width, height = int(match[1]), int(match[2])
    _check_side(width)
    _check_side(height)
    return PageSize(fixed=Size(width=width, height=height))


def _check_side(side_px: int) -> None:
    if not SMALLEST_SIDE_PX <= side_px <= LARGEST_SIDE_PX:
        raise ValueError(f"{describe(side_px)} leaves the range {_SIDE_RANGE} pixels; stay inside it")


class GenerationSection(Value):
    """How pictures are made.

    Attributes
    ----------
    candidates : int, at least 1
        Attempts at each scene; the request can name another number.
    max_candidates : int, at least 1
        No run makes more candidates of a scene than this, and none more than 255.
    seed : int, 0 to 2**53 - 1
        What all drawing follows, together with each scene's content.
    size : PageSize
        Written as a long side or as ``WIDTHxHEIGHT``.
    hand : Hand
        The ranges that candidates vary in.
    provider : str
        The engine.
    """

    candidates: Annotated[int, Field(ge=1)] = 1
    max_candidates: Annotated[int, Field(ge=1)] = 6
    seed: Seed = 0
    size: Annotated[PageSize, BeforeValidator(_page_size)] = PageSize()
    hand: Hand = Hand()
    provider: Text = "ink"


class OutputGuardSection(Value):
    """How strictly pictures are judged; naming any key has colourfulness judged at all."""

    enforce_grayscale: bool = False
    max_chroma_delta: Annotated[float, Field(ge=0)] = 2.0
    fail_on_chroma_exceed: bool = False


class PolicySection(Value):
    """What every prompt must say."""

    default_no_invention: bool = True


class PromptsSection(Value):
    """Prompt texts that take the place of the built-in ones; a blank one is refused where it is needed."""

    style_base: str | None = None
    time_day: str | None = None
    time_night: str | None = None
    weather_clear: str | None = None
    weather_rain: str | None = None


class Manifest(Value):
    """A planning manifest; every key has a default.

    Attributes
    ----------
    scene_refs, style_refs : tuple of str
        Paths of pictures, relative to the manifest's folder.
    scenes : tuple of SceneEntry
        In place of `scene_refs`, where scenes differ in more than their picture.
    safe_batch_limit : int, at least 1
        How many pictures a paid engine makes without `allow_large_batch`; holds for a local engine where the
        manifest names it.
    """

    schema_: Literal["kroma_nb.manifest/1"] = Field(default="kroma_nb.manifest/1", alias="schema")
    scene_refs: tuple[Text, ...] = ()
    scenes: tuple[SceneEntry, ...] = ()
    style_refs: tuple[Text, ...] = ()
    safe_batch_limit: Annotated[int, Field(ge=1)] = 20
    generation: GenerationSection = GenerationSection()
    output_guard: OutputGuardSection = OutputGuardSection()
    policy: PolicySection = PolicySection()
    prompts: PromptsSection = PromptsSection()

    @property
    def entries(self) -> tuple[SceneEntry, ...]:
        """The scenes in order, whichever key names them."""
        return self.scenes or tuple(SceneEntry(ref=ref) for ref in self.scene_refs)

    @property
    def guard(self) -> GuardSettings:
        """What the guard is told; colourfulness is judged where any of its keys is named."""
        section = self.output_guard
        return GuardSettings(**section.model_dump(), judge_chroma=bool(section.model_fields_set))


@dataclass(frozen=True, slots=True)
class LoadedManifest:
    """A manifest with the place that it came from.

    Attributes
    ----------
    file : str
        How errors name it.
    folder : Path or None
        Where its paths start; None for the built-in default, which names none.
    unused : tuple of str
        Dotted legacy keys that were accepted and mean nothing.
    """

    file: str
    folder: Path | None
    manifest: Manifest
    unused: tuple[str, ...] = ()


NO_MANIFEST = LoadedManifest(f"{BUILT_IN} manifest", None, Manifest())


def load_manifest(path: Path) -> Manifest:
    """Read a planning manifest.

    Parameters
    ----------
    path : Path
        A JSON file.

    Returns
    -------
    Manifest

    Raises
    ------
    FileMissing
        If the file is not there or cannot be opened.
    ManifestInvalid
        With the dotted path of the first wrong field.
    """
    return open_manifest(path, file=str(path), role="manifest").manifest


def open_manifest(path: Path, *, file: str, role: str) -> LoadedManifest:
    """Read a planning manifest and keep where it came from."""
    data, unused = set_aside(read_document(path, file=file, role=role, error=ManifestInvalid), LEGACY_KEYS)
    refuse_unusable(data, file=file, error=ManifestInvalid)
    manifest = parse_value(Manifest, data, file=file, error=ManifestInvalid)
    if manifest.scenes and manifest.scene_refs:
        raise ManifestInvalid(file, "scenes", "stands beside scene_refs", "name each scene in one of the two")
    return LoadedManifest(file, path.parent, manifest, unused)


def named_manifest(settings: Settings) -> LoadedManifest:
    """Read the manifest that the settings name, else give the built-in default."""
    path = settings.get("manifest_path")
    if path is None:
        return NO_MANIFEST
    return open_manifest(path, file=str(path), role=settings.explain("manifest_path").origin)
