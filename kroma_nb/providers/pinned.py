"""Files that an engine depends on: found once, known by their sha256, and still the same when they are used."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from kroma_nb.blobs import sha256_bytes, sha256_file
from kroma_nb.errors import ContentDamaged, FileMissing, PathRefused, ProviderFailed
from kroma_nb.errors.root import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# So many hex digits of a hash stand in versions and errors.
_SHOWN_DIGITS = 16
_RACY_NS = 2_000_000_000
_HASHING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Pinned:
    """A file with the content that it had when it was chosen.

    Attributes
    ----------
    path : Path
        Absolute, with every link on the way resolved.
    sha256 : str
        64 lower-case hex digits.
    """

    path: Path
    sha256: str

    @property
    def mark(self) -> str:
        """The first digits of its hash, for a version."""
        return self.sha256[:_SHOWN_DIGITS]

    def read(self, provider: str) -> bytes:
        """Give its content, which is what was chosen.

        Raises
        ------
        ProviderFailed
            If it is not there any more, or is another.
        """
        try:
            data = self.path.read_bytes()
        except OSError as cause:
            raise self._gone(provider, cause.strerror or str(cause)) from cause
        self._compare(provider, sha256_bytes(data))
        return data

    def check(self, provider: str) -> None:
        """Hold that it still is what was chosen; a file that nobody has touched is read once in a process.

        Raises
        ------
        ProviderFailed
            If it is not there any more, or is another.
        """
        try:
            found = _sha256_now(self.path)
        except OSError as cause:
            raise self._gone(provider, cause.strerror or str(cause)) from cause
        except FileMissing as cause:
            raise self._gone(provider, cause.cause) from cause
        self._compare(provider, found)

    def _compare(self, provider: str, found: str) -> None:
        if found != self.sha256:
            differs = f"it holds {found[:_SHOWN_DIGITS]}… where {self.mark}… was chosen"
            way_out = "bring the file back, or choose it anew"
            raise ProviderFailed(provider, f"{shown(self.path)} has changed: {differs}; {way_out}", "model_changed")

    def _gone(self, provider: str, cause: str) -> ProviderFailed:
        return ProviderFailed(provider, f"{shown(self.path)} cannot be read: {cause}; bring the file back")


def pin(path: Path, *, role: str, sha256: str | None = None, roots: Sequence[Path] = ()) -> Pinned:
    """Find a file that an engine will use.

    Parameters
    ----------
    path : Path
        It may be a link, or lead through links; where they end is what is used.
    role : str
        Who needs it, such as ``the model of onnx``.
    sha256 : str, optional
        What it must hold; by default what it holds now.
    roots : sequence of Path
        The folders in one of which it must lie in the end; by default it may lie anywhere.

    Raises
    ------
    FileMissing
        If there is no such file, a link leads to nothing, or it is no regular file.
    PathRefused
        If it lies outside of every root.
    ContentDamaged
        If it holds something else.

    Examples
    --------
    >>> from pathlib import Path
    >>> pin(Path(__file__), role="an example").path.name
    'pinned.py'
    """
    real = settled(path, role=role, roots=roots)
    found = sha256_file(real)
    if sha256 is not None and found != sha256.lower():
        raise ContentDamaged(real, sha256.lower(), found)
    return Pinned(real, found)


def settled(path: Path, *, role: str, roots: Sequence[Path] = ()) -> Path:
    """Resolve a path to a regular file, once: what comes back is what is to be opened.

    Raises
    ------
    FileMissing, PathRefused
        As `pin`.
    """
    try:
        real = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as cause:
        raise FileMissing(
            path, role, "it leads to no file" if path.is_symlink() else "there is no such file"
        ) from cause
    if not real.is_file():
        raise FileMissing(path, role, "this is no regular file")
    if roots and not any(real.is_relative_to(root.resolve()) for root in roots):
        raise PathRefused(str(path), role, f"it leads out of {', '.join(map(shown, roots))}")
    return real


def _sha256_now(path: Path) -> str:
    stamps = path.stat()
    # A file that was written this moment may be written again without its times showing it: git's racily clean entries.
    if time.time_ns() - max(stamps.st_mtime_ns, stamps.st_ctime_ns) < _RACY_NS:
        return sha256_file(path)
    # One reader at a time: several that begin together would all read the same hundred megabytes.
    with _HASHING:
        return _sha256_of(path, stamps.st_size, stamps.st_mtime_ns, stamps.st_ctime_ns, stamps.st_ino)


@lru_cache(maxsize=64)
def _sha256_of(path: Path, *_stamps: int) -> str:
    return sha256_file(path)
