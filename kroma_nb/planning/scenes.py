"""Which scenes and style references a request means, wherever they are named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kroma_nb.errors import ManifestInvalid, PathRefused, RequestInvalid
from kroma_nb.planning.documents import printable
from kroma_nb.planning.inputs import discover
from kroma_nb.planning.manifest import SceneEntry
from kroma_nb.planning.paths import Base

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kroma_nb.model.plan import InputFile, PlanRequest
    from kroma_nb.planning.inputs import InputReader
    from kroma_nb.planning.manifest import LoadedManifest

REQUEST = "request"
# A note names this many of a kind; the rest is counted.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture that something refers to, not yet looked at.

    Attributes
    ----------
    ref : str
        As it is written.
    role : str
        Who refers to it, for errors.
    base : Base
        Where it starts from.
    path : Path or None
        Where it lies, if a folder's walk found it.
    """

    ref: str
    role: str
    base: Base
    path: Path | None = None

    @property
    def stem(self) -> str:
        """The file's name without folder and ending."""
        return PurePosixPath(self.ref).stem

    def read(self, reader: InputReader) -> InputFile:
        """Look at the picture."""
        if self.path is not None:
            return reader.look(self.path, ref=self.ref, role=self.role)
        return reader.read(self.ref, base=self.base, role=self.role)


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene's picture with what is special about it."""

    picture: Reference
    entry: SceneEntry


@dataclass(frozen=True, slots=True)
class Scenes:
    """All scenes in order, and what the user should know of them."""

    scenes: tuple[Scene, ...]
    notes: tuple[str, ...] = ()


def find_scenes(request: PlanRequest, loaded: LoadedManifest) -> Scenes:
    """Give the scenes: those of the request's `input` or `scene_refs`, else the manifest's.

    Raises
    ------
    RequestInvalid
        If the folder has no pictures or a reference is blank.
    ManifestInvalid
        If nobody names a scene.
    """
    if request.input is not None:
        return _input_scenes(request.root, request.input)
    if request.scene_refs:
        refs = _request_refs(request.root, "scene_refs", request.scene_refs)
        return Scenes(tuple(Scene(ref, SceneEntry(ref=ref.ref)) for ref in refs))
    entries = loaded.manifest.entries
    if loaded.folder is None or not entries:
        way_out = "add scene_refs or scenes, or pass input or scene_refs"
        raise ManifestInvalid(loaded.file, "scene_refs", "names no scene", way_out)
    base = Base(loaded.folder)
    field = "scenes[{}].ref" if loaded.manifest.scenes else "scene_refs[{}]"
    return Scenes(
        tuple(
            Scene(Reference(entry.ref, f"{loaded.file}: {field.format(index)}", base), entry)
            for index, entry in enumerate(entries)
        )
    )


def find_styles(request: PlanRequest, loaded: LoadedManifest) -> tuple[Reference, ...]:
    """Give the style references: the request's if it names any, else the manifest's."""
    if request.style_refs:
        return _request_refs(request.root, "style_refs", request.style_refs)
    if loaded.folder is None:
        return ()
    base = Base(loaded.folder)
    return tuple(
        Reference(ref, f"{loaded.file}: style_refs[{index}]", base)
        for index, ref in enumerate(loaded.manifest.style_refs)
    )


def _request_refs(root: Path, field: str, refs: Iterable[str]) -> tuple[Reference, ...]:
    base = Base(root, absolute_allowed=True)
    found = []
    for index, ref in enumerate(refs):
        if not ref.strip():
            raise RequestInvalid(REQUEST, f"{field}[{index}]", "the path is blank", "name a picture or leave it out")
        found.append(Reference(ref.strip(), f"{REQUEST}: {field}[{index}]", base))
    return tuple(found)


def _input_scenes(root: Path, named: Path) -> Scenes:
    path = root / named
    discovered = discover(path, role=f"{REQUEST}: input")
    if not discovered.files:
        raise RequestInvalid(REQUEST, "input", f"{path} holds no pictures", "name a folder that holds some")
    base = Base(path)
    start = _shown_start(root, path)
    scenes = []
    for file in discovered.files:
        ref = _text("/".join((*start, *file.relative_to(path).parts)))
        scenes.append(Scene(Reference(ref, f"{REQUEST}: input", base, file), SceneEntry(ref=ref)))
    return Scenes(tuple(scenes), _left_out(discovered.left_out, path))


def _shown_start(root: Path, path: Path) -> tuple[str, ...]:
    """Say where refs of an input start: below the root if it lies there, else at its own name.

    An absolute path would make the plans of two machines differ.
    """
    plain, plain_root = (Path(os.path.abspath(item)) for item in (path, root))  # noqa: PTH100 - resolves no link
    return plain.relative_to(plain_root).parts if plain.is_relative_to(plain_root) else (plain.name,)


def _text(ref: str) -> str:
    if printable(ref) != ref:
        raise PathRefused(printable(ref), f"{REQUEST}: input", "the name is not UTF-8 and no plan can hold it")
    return ref


def _left_out(paths: tuple[Path, ...], folder: Path) -> tuple[str, ...]:
    if not paths:
        return ()
    names = ", ".join(printable(path.relative_to(folder).as_posix()) for path in paths[:_NAMED])
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return (f"Left out of {printable(folder.name)}, because they are links or no regular files: {names}{more}.",)
