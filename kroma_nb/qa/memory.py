"""What was measured before, so that an unchanged folder is neither decoded nor even read again."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from kroma_nb.blobs import sha256_bytes, sha256_file, write_atomic
from kroma_nb.errors import WriteFailed
from kroma_nb.model.quality import Measures
from kroma_nb.model.value import Value
from kroma_nb.qa.examination import Findings
from kroma_nb.qa.technical import VERSION

if TYPE_CHECKING:
    from pathlib import Path

SETTLED_AFTER_NS = 2_000_000_000
"""How old a file's last change must be before its marks are believed: the coarsest clock of a file system (FAT's)."""


class Marks(Value):
    """What the system says of a file without reading it; any change of its content changes one of these."""

    size_bytes: int
    modified_ns: int
    changed_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, file: Path) -> Marks:
        """Ask the system."""
        found = file.stat()
        return cls(
            size_bytes=found.st_size,
            modified_ns=found.st_mtime_ns,
            changed_ns=found.st_ctime_ns,
            inode=found.st_ino,
            device=found.st_dev,
        )


class Sighting(Value):
    """That a file with these marks held this content.

    Attributes
    ----------
    at_ns : int
        When hashing began, by this machine's clock.
    """

    marks: Marks
    sha256: str
    at_ns: int

    def vouches_for(self, marks: Marks) -> bool:
        """Tell whether the file surely still holds that content.

        A file that was changed just before it was hashed could have been changed again within the same tick of the
        file system's clock, leaving its marks as they were; such a sighting is not believed.
        """
        settled = max(marks.modified_ns, marks.changed_ns) + SETTLED_AFTER_NS <= self.at_ns
        return settled and self.marks == marks


class _Entry(Value):
    sha256: str
    version: int
    chroma_delta: float
    measures: Measures


_AnyValue = TypeVar("_AnyValue", bound=Value)


class Memory:
    """Findings by the SHA-256 of the content that they were made of, and contents by their file's marks.

    It holds measures, never a verdict: other settings judge the same findings anew. Whatever cannot be read, is
    damaged or was measured by another version counts as not remembered; what cannot be written is not remembered.

    Parameters
    ----------
    root : Path
        The folder; it may be deleted at any time.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def digest(self, file: Path) -> str:
        """Give the SHA-256 of a file's content; a file whose marks are as they were is not read.

        Raises
        ------
        OSError, FileMissing
            If the file is not there or cannot be read.
        """
        marks = Marks.of(file)
        place = self.root / "files" / f"{sha256_bytes(os.fsencode(file.absolute()))}.json"
        seen = _read(place, Sighting)
        if seen is not None and seen.vouches_for(marks):
            return seen.sha256
        began = time.time_ns()
        digest = sha256_file(file)
        if Marks.of(file) == marks:
            _write(place, Sighting(marks=marks, sha256=digest, at_ns=began))
        return digest

    def recall(self, sha256: str) -> Findings | None:
        """Give what was found of a content, None if it is not known."""
        entry = _read(self._place(sha256), _Entry)
        if entry is None or (entry.sha256, entry.version) != (sha256, VERSION):
            return None
        return Findings(entry.chroma_delta, entry.measures)

    def keep(self, sha256: str, findings: Findings) -> None:
        """Remember what was found of a content."""
        entry = _Entry(sha256=sha256, version=VERSION, chroma_delta=findings.chroma_delta, measures=findings.measures)
        _write(self._place(sha256), entry)

    def _place(self, sha256: str) -> Path:
        return self.root / "contents" / f"{sha256}.json"


def _read(place: Path, kind: type[_AnyValue]) -> _AnyValue | None:
    try:
        return kind.model_validate_json(place.read_bytes())
    except (OSError, ValidationError):
        return None


def _write(place: Path, value: Value) -> None:
    with contextlib.suppress(WriteFailed):
        write_atomic(place, value.model_dump_json().encode())
