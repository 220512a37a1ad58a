"""The predecessor's folders: where its run logs and its database lie, and which file a path in them means."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb import images
from kroma_nb.blobs import sha256_file
from kroma_nb.errors import FileMissing, ImportInvalid, KromaError, PictureUnreadable
from kroma_nb.exchange.kroma_db import MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = ("var", "backend", "app.db")
_LOG_NAME = re.compile(r"run_.*\.json")
_PROJECT_TAIL = re.compile(r"(?:^|/)var/projects/[^/]+/(.+)")
WAY_OUT = "name a run log, a project's folder, the folder that holds var/projects, or an app.db"


@dataclass(frozen=True, slots=True)
class KromaFolder:
    """A project of the predecessor on disk; without one, `path` is where the logs lie."""

    slug: str
    path: Path
    logs: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A path that gives no picture, and why.

    Attributes
    ----------
    is_missing : bool
        Whether there is no such file; else there is one that cannot be taken, or it must not be looked at.
    """

    reason: str
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A picture that is there."""

    path: Path
    sha256: str
    size_bytes: int
    media_type: str
    width: int
    height: int


@dataclass(frozen=True)
class KromaTree:
    """What a given path leads to. Nothing outside `root` is ever read.

    Attributes
    ----------
    root : Path
        The application's root, or the folder that stands for it; links are resolved.
    folders : tuple of KromaFolder
        Projects with their run logs, sorted.
    database : Path or None
    passed_over : tuple of str
        Links below the root that lead out of it.
    named : Path or None
        The root as it was named, if that leads there through a link.
    """

    root: Path
    folders: tuple[KromaFolder, ...]
    database: Path | None = None
    passed_over: tuple[str, ...] = ()
    named: Path | None = None
    _known: dict[Path, Found | Refused] = field(default_factory=dict, compare=False, repr=False)

    def locate(self, written: str, project: Path) -> Path | Refused:
        """Give the file that a path in a log or row means: below the root, else below its project's folder.

        Parameters
        ----------
        written : str
            With forward slashes; absolute, or relative to the root. The root may have been moved meanwhile.
        project : Path
            The project's folder.
        """
        if not written:
            return Refused("no path is written there", is_missing=True)
        inside = outside = False
        for option in self._options(written, project):
            try:
                whole = option.resolve()
                if not whole.is_relative_to(self.root):
                    outside = True
                elif whole.is_file():
                    return whole
                else:
                    inside = True
            except (OSError, ValueError, RuntimeError):
                continue
        if inside and not outside:
            return Refused("the file is not there", is_missing=True)
        return Refused("it leads out of what is imported, and was not looked at")

    def _options(self, written: str, project: Path) -> Iterator[Path]:
        if not (written.startswith("/") or re.match(r"[A-Za-z]:", written)):
            yield self.root / written
            yield project / written
        else:
            plain = Path(os.path.normpath(written))
            roots = (root for root in (self.root, self.named) if root and plain.is_relative_to(root))
            yield from (self.root / plain.relative_to(root) for root in roots)
        if tail := _PROJECT_TAIL.search(written):
            yield project / tail[1]

    def picture(self, written: str, project: Path) -> Found | Refused:
        """Give the picture that a path means, checked to be one."""
        path = self.locate(written, project)
        if isinstance(path, Refused):
            return path
        if path not in self._known:
            self._known[path] = _looked_at(path)
        return self._known[path]


def _looked_at(path: Path) -> Found | Refused:
    try:
        info = images.probe_whole(path)
        return Found(
            path=path,
            sha256=sha256_file(path),
            size_bytes=path.stat().st_size,
            media_type=info.media_type.value,
            width=info.width,
            height=info.height,
        )
    except PictureUnreadable as error:
        return Refused(f"it is no whole picture: {error.cause}")
    except FileMissing as error:
        return Refused(f"it cannot be read: {error.cause}")
    except (KromaError, OSError) as error:
        return Refused(f"it cannot be read: {error}")


def find_tree(path: Path) -> KromaTree:
    """Find what a path leads to.

    Parameters
    ----------
    path : Path
        A run log, a folder of run logs, a project's folder, the application's root, or an ``app.db``.

    Raises
    ------
    FileMissing
        If there is nothing at the path.
    ImportInvalid
        If it leads to nothing that can be imported.
    """
    try:
        whole = path.resolve(strict=True)
        if whole.is_dir():
            tree = _of_folder(whole)
            return replace(tree, named=path.absolute()) if tree.root == whole else tree
        if not whole.is_file():
            raise ImportInvalid(str(path), "", "it is neither a file nor a folder", WAY_OUT)
        with whole.open("rb") as file:
            is_database = file.read(len(MAGIC)) == MAGIC
    except (OSError, RuntimeError) as cause:
        raise FileMissing(path, "the import", getattr(cause, "strerror", None) or str(cause)) from cause
    if is_database or whole.suffix.lower() in {".db", ".sqlite", ".sqlite3"}:
        return _of_database(whole)
    folder = _project_folder(whole.parent)
    return KromaTree(_root_of(folder), (KromaFolder(_slug_of(folder), folder, (whole,)),))


def _of_folder(folder: Path) -> KromaTree:
    database = _inside(folder.joinpath(*DATABASE), folder)
    projects = _projects(folder)
    if database or projects:
        return KromaTree(folder, projects, database, _leading_out(folder))
    for place in (folder / "runs", folder):
        if logs := run_logs(place, folder):
            project = _project_folder(place)
            return KromaTree(_root_of(project), (KromaFolder(_slug_of(project), project, logs),))
    if beside := _inside(folder / DATABASE[-1], folder):
        return _of_database(beside)
    raise ImportInvalid(str(folder), "", "there is no run log and no database of Kroma in it", WAY_OUT)


def _of_database(database: Path) -> KromaTree:
    root = database.parents[2] if database.parts[-3:-1] == DATABASE[:2] else database.parent
    if root.parent == root:
        root = database.parent
    return KromaTree(root, _projects(root), database, _leading_out(root))


def _inside(file: Path, root: Path) -> Path | None:
    """Give a file if it is there and no link leads out of the root on the way to it."""
    whole = file.resolve()
    return whole if whole.is_relative_to(root) and whole.is_file() else None


def _projects(root: Path) -> tuple[KromaFolder, ...]:
    found = ((folder, run_logs(folder / "runs", root)) for folder in _children(root / "var" / "projects", root))
    return tuple(KromaFolder(folder.name, folder, logs) for folder, logs in found if logs)


def run_logs(folder: Path, root: Path) -> tuple[Path, ...]:
    """Give the run logs that lie in a folder, sorted by name; links that lead out of the root are passed over."""
    return tuple(path for path in _children(folder, root) if _LOG_NAME.fullmatch(path.name) and path.is_file())


def _children(folder: Path, root: Path) -> list[Path]:
    """Give what lies in a folder, sorted, each once; links that lead out of the root are passed over."""
    found: dict[Path, None] = {}
    for path in _entries(folder) if _stays(folder, root) else ():
        if _stays(path, root):
            found[path.resolve()] = None
    return list(found)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _stays(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):
        return False


def _leading_out(root: Path) -> tuple[str, ...]:
    """Name the links at which records might have been found, had they not led out of the root."""
    projects = root / "var" / "projects"
    inside = [folder for folder in _entries(projects) if _stays(folder, root)] if _stays(projects, root) else []
    logs = [path for folder in inside if _stays(folder / "runs", root) for path in _entries(folder / "runs")]
    places = [root.joinpath(*DATABASE), projects, *_entries(projects), *(folder / "runs" for folder in inside), *logs]
    return tuple(place.relative_to(root).as_posix() for place in places if not _stays(place, root))


def _project_folder(logs: Path) -> Path:
    return logs.parent if logs.name == "runs" and logs.parent != logs.parent.parent else logs


def _slug_of(folder: Path) -> str:
    """Give a project's name by its folder, where it lies among projects; else its logs name it."""
    return folder.name if folder.parent.name == "projects" else ""


def _root_of(folder: Path) -> Path:
    """Give the application's root above a project's folder, where its place tells one; never the whole disk."""
    is_placed = folder.parent.parts[-2:] == ("var", "projects") and len(folder.parents) > 3
    return folder.parents[2] if is_placed else folder
