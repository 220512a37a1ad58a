"""Which files a tool takes, and where each result goes: all of it is known, and refused, before anything is made."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb.blobs.archive.book import BOOK
from kroma_nb.blobs.archive.places import project_with
from kroma_nb.errors import FileMissing, PathRefused, RequestInvalid
from kroma_nb.errors.root import shown
from kroma_nb.model.archive import ARCHIVE
from kroma_nb.model.postprocess import PictureFormat
from kroma_nb.planning.inputs import EXTENSIONS, discover

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kroma_nb.model.printing import PrintFormat

    Format = PictureFormat | PrintFormat

SUFFIXES: Mapping[str, Format] = {
    ".png": PictureFormat.PNG,
    ".webp": PictureFormat.WEBP,
    ".jpg": PictureFormat.JPG,
    ".jpeg": PictureFormat.JPG,
}


@dataclass(frozen=True, slots=True)
class Naming:
    """How a tool names what it makes.

    Attributes
    ----------
    folder : str
        The folder beside the source, where no target is named.
    mark : str
        What follows a file's stem.
    format : PictureFormat or PrintFormat
        Of files in a folder.
    insists : bool
        Whether that was asked for, so that a single file's name must not say another one.
    suffixes : mapping of str to format
        How the name of a single file may end; whoever ends it otherwise is told the first two.
    """

    folder: str
    mark: str
    format: Format = PictureFormat.PNG
    insists: bool = False
    suffixes: Mapping[str, Format] = field(default_factory=lambda: SUFFIXES)

    def name(self, source: Path) -> str:
        """Name a file in a folder of results."""
        return f"{source.stem}{self.mark}.{self.format}"


@dataclass(frozen=True, slots=True)
class Way:
    """From one file to another; every path is absolute and without links.

    Attributes
    ----------
    source : Path
    name : str
        The source as it is called among the others.
    target : Path or None
        None for what is only looked at.
    format : PictureFormat or PrintFormat
        Of the target.
    archive : Path or None
        The folder that has the archive for what stands at the target.
    """

    source: Path
    name: str
    target: Path | None = None
    format: Format = PictureFormat.PNG
    archive: Path | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """All ways of one call, and what is passed over: links, results of before in the target folder, archives."""

    ways: tuple[Way, ...]
    left_out: tuple[Path, ...] = ()


def look_around(source: str | os.PathLike[str]) -> Layout:
    """Find the pictures of a file or folder.

    Raises
    ------
    FileMissing
        If it is not there, is no picture, or has none.
    PathRefused
        If it is a link.
    """
    return _found(_source(source))


def lay_out(source: str | os.PathLike[str], target: str | os.PathLike[str] | None, naming: Naming) -> Layout:
    """Say for every picture of a file or folder where its result goes.

    Raises
    ------
    FileMissing
        If the source is not there, is no picture, or has none.
    PathRefused
        If a path is a link, or leads through one that leads nowhere or out of the target folder.
    RequestInvalid
        If two results would end in one file, a source would be overwritten, a result would come into the record of a
        project, or a suffix names no format.
    """
    root = _source(source)
    place = _target(root.parent / naming.folder if target is None else target)
    if target is not None and not root.is_dir() and _is_exact(target, place):
        found = _found(root)
        ways: tuple[Way, ...] = (
            replace(found.ways[0], target=place, format=_exact_format(place, naming), archive=place.parent),
        )
    else:
        _refuse_for_folder(root, place)
        found = _found(root, results=(place, naming.folder))
        ways = tuple(_into(way, place, naming) for way in found.ways)
    _refuse(ways)
    return Layout(ways, found.left_out)


def _found(root: Path, *, results: tuple[Path | None, str | None] = (None, None)) -> Layout:
    """Find the pictures of a file, or of a folder without archives and earlier results in it.

    Parameters
    ----------
    results : tuple of (Path, str)
        Where results go, and what the folder is called that they go to by default.
    """
    found = discover(root)
    if not root.is_dir():
        return Layout((Way(root, root.name),))
    place, usual = results
    folders = dict.fromkeys(folder for path in found.files for folder in path.parents if root in folder.parents)
    ours = [folder for folder in folders if folder == place or folder.name == usual or _is_archive(folder)]
    kept = [path for path in found.files if not any(path.is_relative_to(folder) for folder in ours)]
    left_out = (*found.left_out, *ours)
    if not kept:
        passed = f"; passed over: {', '.join(map(shown, left_out))}" if left_out else ""
        raise FileMissing(root, "input", f"there is no picture in it{passed}")
    return Layout(tuple(Way(path, path.relative_to(root).as_posix()) for path in kept), left_out)


def _is_archive(folder: Path) -> bool:
    return folder.name == ARCHIVE and (folder.parent / BOOK).is_file()


def _source(named: str | os.PathLike[str]) -> Path:
    if Path(named).is_symlink():
        raise PathRefused(os.fsdecode(named), "input", "this is a link")
    return _real(named, "input")


def _target(named: str | os.PathLike[str]) -> Path:
    """Resolve where results go; a link is followed only to a folder."""
    if Path(named).is_symlink() and not Path(named).is_dir():
        raise PathRefused(os.fsdecode(named), "output", "this is a link")
    return _real(named, "output")


def _real(named: str | os.PathLike[str], role: str) -> Path:
    """Resolve a path, once: what is opened later is what was looked at here.

    Raises
    ------
    PathRefused
        If a link on the way leads nowhere.
    """
    text = os.fsdecode(named)
    if "\0" in text:
        raise PathRefused(repr(text), role, "the path holds a NUL character")
    if not text.strip():
        raise RequestInvalid("request", role, "an empty name is no path", "name a file or folder")
    path = Path(text)
    for way in path.absolute().parents:
        if way.is_symlink() and not way.exists():
            raise PathRefused(text, role, f"{way} is a link that leads nowhere")
    return Path(os.path.realpath(path))


def _is_exact(named: str | os.PathLike[str], place: Path) -> bool:
    """Tell whether a target is a file's name, and not a folder's."""
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return not (os.fsdecode(named).endswith(separators) or place.is_dir() or place.suffix.lower() not in EXTENSIONS)


def _exact_format(place: Path, naming: Naming) -> Format:
    found = naming.suffixes.get(place.suffix.lower())
    if found is None:
        way_out = f"end the name in {' or '.join(list(naming.suffixes)[:2])}"
        raise RequestInvalid("request", "output", f"{place.suffix} is not written", way_out)
    if naming.insists and naming.format is not found:
        problem = f"{shown(place.name)} is no {naming.format} file by its name"
        raise RequestInvalid("request", "format", problem, "leave the format out, or change the name")
    return found


def _refuse_for_folder(root: Path, place: Path) -> None:
    is_folder = root.is_dir()
    if os.path.lexists(place) and not place.is_dir():
        problem = f"{shown(place)} is a file, where a folder is needed"
        raise RequestInvalid("request", "output", problem, "name another folder")
    if is_folder and place.suffix.lower() in EXTENSIONS and not place.is_dir():
        problem = f"{shown(place.name)} is a picture's name, and a folder of pictures goes into a folder"
        raise RequestInvalid("request", "output", problem, "name a folder")
    if is_folder and place == root:
        problem = "the results would lie among their sources, and be taken for sources the next time"
        raise RequestInvalid("request", "output", problem, "name another folder")


def _into(way: Way, place: Path, naming: Naming) -> Way:
    """Mirror a file of a folder; a single file has no folders in its name."""
    folder = (place / way.name).parent
    real = Path(os.path.realpath(folder))
    if real != folder:
        raise PathRefused(str(folder), "output", f"a link on the way leads out of {place}")
    return replace(way, target=folder / naming.name(way.source), format=naming.format, archive=place.parent)


def _refuse(ways: tuple[Way, ...]) -> None:
    sources = {number: way.source for way in ways if (number := _number(way.source)) is not None}
    taken: dict[Path, Path] = {}
    for way in ways:
        assert way.target is not None
        if way.target.is_symlink():
            raise PathRefused(str(way.target), "output", "this is a link")
        number = _number(way.target)
        if number is not None and (source := sources.get(number)) is not None:
            problem = f"{shown(way.target)} is the source {shown(source)} itself"
            raise RequestInvalid("request", "output", problem, "name another file or folder")
        if (other := taken.setdefault(way.target, way.source)) != way.source:
            problem = f"{shown(other)} and {shown(way.source)} would both become {shown(way.target)}"
            raise RequestInvalid("request", "input", problem, "rename one of them, or take them one by one")
        if (project := project_with(way.target)) is not None:
            problem = f"{shown(way.target.parent)} belongs to the record of the project in {shown(project)}"
            raise RequestInvalid("request", "output", problem, "name a folder outside of it")


def _number(path: Path) -> tuple[int, int] | None:
    """Give that by which the system knows a file; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
