"""What was measured of a content before, so that an unchanged folder is not measured twice."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pydantic import ValidationError

from kroma_nb.blobs import write_atomic
from kroma_nb.errors import WriteFailed
from kroma_nb.model.quality import Measures
from kroma_nb.model.value import Value
from kroma_nb.qa.examination import Findings
from kroma_nb.qa.technical import VERSION

if TYPE_CHECKING:
    from pathlib import Path


class _Entry(Value):
    sha256: str
    version: int
    chroma_delta: float
    measures: Measures


class Memory:
    """Findings by the SHA-256 of the file that they were made of, one small file each, below one folder.

    It holds measures, never a verdict: other settings judge the same findings anew. Whatever cannot be read, is
    damaged or was measured by another version counts as not remembered; what cannot be written is not remembered.

    Parameters
    ----------
    root : Path
        The folder; it may be deleted at any time.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def recall(self, sha256: str) -> Findings | None:
        """Give what was found of a content, None if it is not known."""
        try:
            entry = _Entry.model_validate_json(self._place(sha256).read_bytes())
        except (OSError, ValidationError):
            return None
        if (entry.sha256, entry.version) != (sha256, VERSION):
            return None
        return Findings(entry.chroma_delta, entry.measures)

    def keep(self, sha256: str, findings: Findings) -> None:
        """Remember what was found of a content."""
        entry = _Entry(sha256=sha256, version=VERSION, chroma_delta=findings.chroma_delta, measures=findings.measures)
        with contextlib.suppress(WriteFailed):
            write_atomic(self._place(sha256), entry.model_dump_json().encode())

    def _place(self, sha256: str) -> Path:
        return self.root / sha256[:2] / f"{sha256}.json"
