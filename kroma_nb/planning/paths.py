"""Where a reference leads: resolved against its base and held inside it."""

from __future__ import annotations

import difflib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from kroma_nb.errors import FileMissing, PathRefused
from kroma_nb.planning.documents import reason

# More names than this are not compared with a misspelt one.
_COMPARED = 2000


@dataclass(frozen=True, slots=True)
class Base:
    """A folder that references start from.

    Attributes
    ----------
    folder : Path
        As it was named.
    absolute_allowed : bool
        Whether a reference may also be an absolute path; true for arguments of a call, false inside a file that is
        passed from one machine to another.
    """

    folder: Path
    absolute_allowed: bool = False
    _inside: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def find(self, ref: str, role: str) -> Path:
        """Find the file that a reference names.

        Parameters
        ----------
        ref : str
            As the file or the request writes it.
        role : str
            Who refers to it, such as ``manifest.json: scene_refs[2]``.

        Raises
        ------
        PathRefused
            If it is a link, is absolute where that is not allowed, or leads out of the folder.
        FileMissing
            If there is no such file, or it is no regular one.
        """
        path = self._lexical(ref, role)
        mode = _mode(path, role)
        if stat.S_ISLNK(mode):
            raise PathRefused(ref, role, "this is a link")
        if not stat.S_ISREG(mode):
            kind = "this is a folder, not a file" if stat.S_ISDIR(mode) else "this is no regular file"
            raise FileMissing(path, role, kind)
        if not os.path.isabs(ref) and not self._holds(path.parent):  # noqa: PTH117 - ten thousand times, so plain text
            raise PathRefused(ref, role, f"a linked folder on the way leads out of {self.folder}")
        return path

    def _lexical(self, ref: str, role: str) -> Path:
        refuse_nul(ref, role)
        if PureWindowsPath(ref).is_absolute() or ref.startswith(("/", "\\\\")):
            if self.absolute_allowed:
                return Path(ref)
            raise PathRefused(ref, role, f"the path is absolute; here paths start from {self.folder}")
        depth = 0
        for part in ref.split("/"):
            depth += -1 if part == ".." else part not in {"", "."}
            if depth < 0:
                raise PathRefused(ref, role, f"the path leads out of {self.folder}")
        return self.folder / ref

    def _holds(self, parent: Path) -> bool:
        """Tell whether a folder really lies in this one; each folder is resolved once."""
        known = self._inside.get(str(parent))
        if known is None:
            known = parent.resolve().is_relative_to(self.folder.resolve())
            self._inside[str(parent)] = known
        return known


def refuse_nul(path: str, role: str) -> None:
    """Refuse the one character that ends a path for the system and not for us."""
    if "\0" in path:
        raise PathRefused(repr(path), role, "the path holds a NUL character")


def _mode(path: Path, role: str) -> int:
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise FileMissing(path, role, f"there is no such file{_hint(path)}") from None
    except (OSError, ValueError) as cause:
        raise FileMissing(path, role, reason(cause)) from cause


def _hint(path: Path) -> str:
    if "\\" in path.name:
        return " (folders are divided by /)"
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_COMPARED), strict=False)]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, sorted(names), n=1, cutoff=0.75)
    return f" (did you mean {close[0]!r}?)" if close else ""
