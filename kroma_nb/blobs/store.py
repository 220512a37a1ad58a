"""A content store: bytes by their SHA-256.

A blob's bytes stand under ``root/<first two hex digits>/<sha256><suffix>``, read-only, and never change. A writer fills
a temporary file in the store and moves it to its place in one step, so that a reader meets a whole blob or none, also
after a kill and with several processes at work.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kroma_nb.blobs.writing import PART, READ_ONLY, make_folder, move, part_file, reason, settle, writing
from kroma_nb.errors import ContentDamaged, FileMissing

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"(\.[A-Za-z0-9]{1,16})?")
_CHUNK_BYTES = 1 << 20
# linux/fs.h: share the source's extents with the destination instead of copying them.
_FICLONE = 0x40049409


@dataclass(frozen=True, slots=True)
class Blob:
    """What is known of stored bytes.

    Attributes
    ----------
    sha256 : str
        64 lower-case hex digits.
    suffix : str
        The file's suffix with its dot, such as ``.png``; may be empty.
    size_bytes : int
        How many bytes there are.
    """

    sha256: str
    suffix: str
    size_bytes: int

    @property
    def name(self) -> str:
        """The file's place below the store's root, with forward slashes."""
        return f"{self.sha256[:2]}/{self.sha256}{self.suffix}"


def sha256_bytes(data: bytes) -> str:
    """Give the SHA-256 of bytes as 64 lower-case hex digits.

    Examples
    --------
    >>> sha256_bytes(b"")[:12]
    'e3b0c44298fc'
    """
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Give the SHA-256 of a file as 64 lower-case hex digits, reading it once in pieces.

    Raises
    ------
    FileMissing
        If the file is not there or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileMissing(path, "sha256", reason(error)) from error


class BlobStore:
    """Bytes by their SHA-256, in files below one folder.

    Parameters
    ----------
    root : Path
        The store's folder; it is made with the first blob.
    durable : bool
        Whether each new blob is on the disk, safe from a power cut, before `put` returns.

    Examples
    --------
    >>> import tempfile
    >>> store = BlobStore(Path(tempfile.mkdtemp()))
    >>> blob = store.put(b"ink", ".txt")
    >>> blob.size_bytes, store.get(blob.sha256), store.has(blob.sha256)
    (3, b'ink', True)
    """

    def __init__(self, root: Path, *, durable: bool = False) -> None:
        self.root = root
        self.durable = durable

    def __repr__(self) -> str:
        return f"BlobStore({str(self.root)!r})"

    def put(self, data: bytes, suffix: str = "") -> Blob:
        """Store bytes; bytes that are already there are not written again, unless the store is durable.

        Raises
        ------
        WriteFailed
            If the disk is full, the folder cannot be written, or the like.
        """
        blob = Blob(sha256_bytes(data), _checked_suffix(suffix), len(data))
        # What must not be lost is written anew: the file that is there may be damaged, or not on the disk yet.
        if self.durable or not self._holds(blob):
            place = self._place(blob)
            with writing(place):
                make_folder(place.parent, durable=self.durable)
                with part_file(place.parent, blob.sha256) as (part, file):
                    file.write(data)
                    self._seal(part, file, blob)
        return blob

    def put_file(self, path: Path, suffix: str | None = None) -> Blob:
        """Store a file's content, reading it once in pieces.

        The copy is what is hashed, so that a file that changes meanwhile cannot end under a wrong name. File systems
        that can share extents make the copy without moving the data.

        Parameters
        ----------
        path : Path
            The file; it stays where it is.
        suffix : str or None
            The blob's suffix; None takes the file's own in lower case.

        Raises
        ------
        FileMissing
            If the file is not there or cannot be read.
        WriteFailed
            If the copy cannot be written.
        """
        kept_suffix = _checked_suffix(path.suffix.lower() if suffix is None else suffix)
        try:
            source = path.open("rb")
        except OSError as error:
            raise FileMissing(path, "put_file", reason(error)) from error
        with source, writing(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            with part_file(self.root, "incoming") as (part, file):
                digest, size_bytes = copy_bytes(source, file)
                blob = Blob(digest, kept_suffix, size_bytes)
                # Also where the store holds it: the copy is made anyway, and mends a blob that was damaged meanwhile.
                self._seal(part, file, blob)
        return blob

    def path(self, sha256: str, suffix: str | None = None) -> Path:
        """Give the file of stored bytes; without a suffix, whichever file holds them.

        Raises
        ------
        FileMissing
            If the store does not hold them.
        """
        found = self._find(sha256, suffix)
        if found is None:
            raise FileMissing(self.root / sha256[:2] / f"{sha256}{suffix or ''}", "the content store")
        return found

    def has(self, sha256: str, suffix: str | None = None) -> bool:
        """Tell whether the store holds these bytes; their content is not read."""
        return self._find(sha256, suffix) is not None

    def get(self, sha256: str, suffix: str | None = None) -> bytes:
        """Give stored bytes, checked against their name.

        Raises
        ------
        FileMissing
            If the store does not hold them.
        ContentDamaged
            If the file holds something else.
        """
        place = self.path(sha256, suffix)
        try:
            data = place.read_bytes()
        except OSError as error:
            raise FileMissing(place, "the content store", reason(error)) from error
        found = sha256_bytes(data)
        if found != sha256:
            raise ContentDamaged(place, sha256, found)
        return data

    def verify(self, sha256: str, suffix: str | None = None) -> Path:
        """Read stored bytes in pieces, check them against their name, and give their file.

        Raises
        ------
        FileMissing
            If the store does not hold them.
        ContentDamaged
            If the file holds something else.
        """
        place = self.path(sha256, suffix)
        found = sha256_file(place)
        if found != sha256:
            raise ContentDamaged(place, sha256, found)
        return place

    def place(self, sha256: str, target: Path, suffix: str | None = None) -> Blob:
        """Give stored bytes a second, read-only file: shared extents where the file system can, else a copy.

        Raises
        ------
        FileMissing
            If the store does not hold them.
        ContentDamaged
            If the store's file holds something else; then there is no second one.
        WriteFailed
            If the copy cannot be written.
        """
        place = self.path(sha256, suffix)
        try:
            source = place.open("rb")
        except OSError as error:
            raise FileMissing(place, "the content store", reason(error)) from error
        with source, writing(target), part_file(target.parent, target.name[:64]) as (part, file):
            digest, size_bytes = copy_bytes(source, file)
            if digest != sha256:
                raise ContentDamaged(place, sha256, digest)
            part.chmod(READ_ONLY)
            settle(file, durable=self.durable)
            move(part, target, durable=self.durable)
        return Blob(sha256, place.suffix, size_bytes)

    def sweep(self, *, older_than_s: float = 3600.0) -> int:
        """Remove what killed writers left behind, and tell how many files that were.

        Parameters
        ----------
        older_than_s : float, seconds
            Younger temporary files may belong to a writer at work and stay.
        """
        limit = time.time() - older_than_s
        removed = 0
        for part in [*self.root.glob(f".*{PART}"), *self.root.glob(f"[0-9a-f][0-9a-f]/.*{PART}")]:
            # Another sweep, or the file's own writer, may be quicker.
            with contextlib.suppress(FileNotFoundError):
                if part.stat().st_mtime <= limit:
                    part.unlink()
                    removed += 1
        return removed

    def _place(self, blob: Blob) -> Path:
        return self.root / blob.name

    def _holds(self, blob: Blob) -> bool:
        # A file of another size was cut by a failing disk: it is written anew.
        try:
            return self._place(blob).stat().st_size == blob.size_bytes
        except OSError:
            return False

    def _seal(self, part: Path, file: IO[bytes], blob: Blob) -> None:
        place = self._place(blob)
        make_folder(place.parent, durable=self.durable)
        part.chmod(READ_ONLY)
        settle(file, durable=self.durable)
        move(part, place, durable=self.durable)

    def _find(self, sha256: str, suffix: str | None) -> Path | None:
        # A digest comes from a record on disk: nothing else than hex may become part of a path.
        if not _SHA256.fullmatch(sha256):
            return None
        folder = self.root / sha256[:2]
        if suffix is not None:
            place = folder / f"{sha256}{_checked_suffix(suffix)}"
            return place if place.is_file() else None
        return min(folder.glob(f"{sha256}*"), default=None)


def _checked_suffix(suffix: str) -> str:
    if not _SUFFIX.fullmatch(suffix):
        raise ValueError(f"a blob's suffix is a dot and up to 16 letters or digits, not {suffix!r}")
    return suffix


def copy_bytes(source: IO[bytes], target: IO[bytes]) -> tuple[str, int]:
    """Copy a file's bytes, and give the SHA-256 and the size of the copy."""
    if _cloned(source, target):
        with Path(target.name).open("rb") as copy:
            return hashlib.file_digest(copy, "sha256").hexdigest(), os.fstat(copy.fileno()).st_size
    digest = hashlib.sha256()
    size_bytes = 0
    while piece := source.read(_CHUNK_BYTES):
        digest.update(piece)
        target.write(piece)
        size_bytes += len(piece)
    return digest.hexdigest(), size_bytes


def _cloned(source: IO[bytes], target: IO[bytes]) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415 - there is no such module elsewhere

    try:
        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
    except (OSError, io.UnsupportedOperation):
        return False
    return True
