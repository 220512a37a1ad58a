"""Finding the pictures that a plan reads, and knowing each by its content before anything starts."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb.blobs import sha256_file
from kroma_nb.errors import FileMissing, PathRefused, PictureTooLarge, PictureUnreadable
from kroma_nb.images import MAX_PIXELS, probe_whole
from kroma_nb.model.plan import InputFile
from kroma_nb.planning.documents import reason
from kroma_nb.planning.paths import refuse_nul

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.images import PictureInfo
    from kroma_nb.planning.paths import Base

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class Discovered:
    """The pictures of a folder.

    Attributes
    ----------
    files : tuple of Path
        In order: names in byte order, a folder's pictures in its place.
    left_out : tuple of Path
        Links, and pictures' names that belong to something that is no regular file.
    """

    files: tuple[Path, ...]
    left_out: tuple[Path, ...] = ()


def discover(path: Path, *, role: str = "input") -> Discovered:
    """Find the pictures in a folder and the folders in it; a file gives itself.

    Pictures are known by their names' endings (jpg, jpeg, png, webp, bmp, tif, tiff, in any case). Hidden files count;
    links are left out, so that a folder gives what lies in it and nothing else.

    Parameters
    ----------
    path : Path
        A folder or a picture; no link.
    role : str
        Who asks, for errors.

    Raises
    ------
    FileMissing
        If it, or a folder in it, is not there or cannot be opened, or if it is a file whose name has no picture's
        ending.
    PathRefused
        If it is a link.
    """
    refuse_nul(str(path), role)
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        raise FileMissing(path, role, "there is no such file or folder") from None
    except (OSError, ValueError) as cause:
        raise FileMissing(path, role, reason(cause)) from cause
    if stat.S_ISLNK(mode):
        raise PathRefused(str(path), role, "this is a link")
    if not stat.S_ISDIR(mode):
        if path.suffix.lower() not in EXTENSIONS or not stat.S_ISREG(mode):
            raise FileMissing(path, role, "this is neither a folder nor a picture")
        return Discovered((path,))
    files: list[Path] = []
    left_out: list[Path] = []
    for entry in _walk(path, role):
        found = Path(entry.path)
        (files if entry.is_file(follow_symlinks=False) else left_out).append(found)
    return Discovered(tuple(files), tuple(left_out))


def _walk(folder: Path, role: str) -> Iterator[os.DirEntry[str]]:
    """Visit whatever has a picture's name, and links to folders; depth first, without recursion."""
    stack = [iter(_listed(folder, role))]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
        elif entry.is_dir(follow_symlinks=False):
            stack.append(iter(_listed(Path(entry.path), role)))
        elif _leads_to_folder(entry) or Path(entry.name).suffix.lower() in EXTENSIONS:
            yield entry


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads to itself, or to where nobody may look.
        return True


def _listed(folder: Path, role: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: os.fsencode(entry.name))
    except OSError as cause:
        raise FileMissing(folder, role, reason(cause)) from cause


@dataclass(frozen=True, slots=True)
class InputReader:
    """Looks at files, each once, and keeps what it saw.

    Attributes
    ----------
    max_pixels : int
        What a picture may have at most.
    """

    max_pixels: int = MAX_PIXELS
    _seen: dict[str, InputFile] = field(default_factory=dict, repr=False)

    def read(self, ref: str, *, base: Base, role: str) -> InputFile:
        """Find, check and hash the picture that a reference names.

        Raises
        ------
        PathRefused, FileMissing
            If the reference leads nowhere, or where it must not.
        PictureUnreadable
            If the header is no picture's; the message names the field and the path.
        PictureTooLarge
            If it has more than `max_pixels`.
        """
        return self.look(base.find(ref, role), ref=ref, role=role)

    def look(self, path: Path, *, ref: str, role: str) -> InputFile:
        """Check and hash a file that was found already."""
        known = self._seen.get(str(path))
        if known is None:
            known = self._seen[str(path)] = self._fresh(path, ref, role)
        return known if known.ref == ref else known.model_copy(update={"ref": ref})

    def _fresh(self, path: Path, ref: str, role: str) -> InputFile:
        info = self._header(path, role)
        try:
            size_bytes = path.stat().st_size
            sha256 = sha256_file(path)
        except OSError as cause:
            raise FileMissing(path, role, reason(cause)) from cause
        except FileMissing as cause:
            raise FileMissing(path, role, cause.cause) from cause
        return InputFile(
            ref=ref,
            sha256=sha256,
            size_bytes=size_bytes,
            media_type=str(info.media_type),
            width=info.width,
            height=info.height,
            source=path.absolute(),
        )

    def _header(self, path: Path, role: str) -> PictureInfo:
        called = f"{role}: {path}"
        try:
            info = probe_whole(path, name=role)
        except PictureUnreadable as cause:
            raise PictureUnreadable(called, cause.cause, cause.way_out) from cause
        except OSError as cause:
            raise FileMissing(path, role, reason(cause)) from cause
        if info.width * info.height > self.max_pixels:
            raise PictureTooLarge(called, info.width, info.height, self.max_pixels)
        return info
