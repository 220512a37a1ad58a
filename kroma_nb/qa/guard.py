"""The guard: every picture of a file or folder measured, judged and counted."""

from __future__ import annotations

import contextlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import cv2

from kroma_nb.blobs import sha256_bytes
from kroma_nb.errors import KromaError
from kroma_nb.images import load
from kroma_nb.model.quality import FileReport, GuardReport, GuardSettings, GuardSummary, HardReason
from kroma_nb.qa.examination import Findings, find, judge
from kroma_nb.qa.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""A folder's files with other endings are no pictures; what a file really holds, its content tells."""

IN_ONE_PIECE_BYTES = 512 * 1024 * 1024
"""A larger file is left to the decoder to read or refuse, and is not remembered."""


def guard(
    path: Path, settings: GuardSettings | None = None, *, cache: Path | None = None, workers: int = 1
) -> GuardReport:
    """Measure and judge a picture, or every picture in a folder and the folders in it.

    Parameters
    ----------
    path : Path
        A picture, or a folder. Links inside a folder are left out.
    settings : GuardSettings or None
        None takes the defaults.
    cache : Path or None
        A folder that remembers measures by the content's SHA-256, and that of files which have not changed since (by
        size, both times, inode and device, none of them younger than two seconds). None measures everything.
    workers : int
        Threads; decoding releases the interpreter.

    Returns
    -------
    GuardReport
        Files in the byte order of their names, a folder's in its place, named relative to `path` with forward slashes.
        What is missing, empty or unreadable is an entry with its reason, never an exception.

    Examples
    --------
    >>> guard(Path("no/such/folder")).files[0].hard_fail_reasons
    (<HardReason.INPUT_NOT_FOUND: 'input_not_found'>,)
    """
    settings = settings or GuardSettings()
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as cause:
        return _nothing(path, settings, HardReason.INPUT_NOT_FOUND, f"{_readable(path)}: {_reason(cause)}")
    try:
        files = _pictures_in(path) if stat.S_ISDIR(mode) else [path] * (stat.S_ISREG(mode) and _is_named_so(path))
    except OSError as cause:
        return _nothing(path, settings, HardReason.IMAGE_READ_FAILED, f"{_readable(path)}: {_reason(cause)}")
    if not files:
        return _nothing(path, settings, HardReason.NO_IMAGES_FOUND, f"{_readable(path)}: there is no picture in it")
    rounds = _Rounds(path, settings, Memory(cache) if cache else None)
    reports = tuple(rounds.over(files, workers))
    return GuardReport(input=_readable(path), settings=settings, summary=_count(reports), files=reports)


@dataclass(frozen=True)
class _Rounds:
    """One walk of the guard: where it started, how strict it is, what it remembers."""

    start: Path
    settings: GuardSettings
    memory: Memory | None

    def over(self, files: list[Path], workers: int) -> Iterator[FileReport]:
        if workers <= 1:
            yield from map(self.at, files)
            return
        with _single_threaded_opencv(), ThreadPoolExecutor(workers) as pool:
            yield from pool.map(self.at, files)

    def at(self, file: Path) -> FileReport:
        name = _readable(Path(file.name) if file == self.start else file.relative_to(self.start))
        try:
            findings = self._findings(file)
        except (KromaError, OSError) as cause:
            return FileReport(file=name, hard_fail_reasons=(HardReason.IMAGE_READ_FAILED,), error=_reason(cause))
        return judge(findings, self.settings, name=name)

    def _findings(self, file: Path) -> Findings:
        known = self.memory and self.memory.recall(self.memory.digest(file))
        if known:
            return known
        if file.stat().st_size > IN_ONE_PIECE_BYTES:
            return find(load(file, name=_readable(file)))
        # From memory, a header is found sooner; and what is remembered belongs to the very bytes that are decoded.
        data = file.read_bytes()
        findings = find(load(data, name=_readable(file)))
        if self.memory:
            self.memory.keep(sha256_bytes(data), findings)
        return findings


def _pictures_in(folder: Path) -> list[Path]:
    def refuse(cause: OSError) -> NoReturn:
        raise cause

    found = [
        Path(parent, name)
        for parent, _, names in os.walk(folder, onerror=refuse)
        for name in names
        if _is_named_so(Path(name))
    ]
    regular = [file for file in found if stat.S_ISREG(file.lstat().st_mode)]
    return sorted(regular, key=lambda file: [os.fsencode(part) for part in file.relative_to(folder).parts])


def _is_named_so(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS


def _count(reports: tuple[FileReport, ...]) -> GuardSummary:
    return GuardSummary(
        total_files=len(reports),
        hard_failures=sum(bool(report.hard_fail_reasons) for report in reports),
        soft_warnings=sum(bool(report.soft_warnings) for report in reports),
    )


def _nothing(path: Path, settings: GuardSettings, reason: HardReason, error: str) -> GuardReport:
    entry = FileReport(file=_readable(path), hard_fail_reasons=(reason,), error=error)
    summary = GuardSummary(total_files=0, hard_failures=1, soft_warnings=0)
    return GuardReport(input=_readable(path), settings=settings, summary=summary, files=(entry,))


def _readable(path: Path) -> str:
    """Give a path as text that can be stored: names that are not UTF-8 show their bytes as escapes."""
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _reason(cause: Exception) -> str:
    if isinstance(cause, OSError):
        return cause.strerror or type(cause).__name__
    return str(cause).encode("utf-8", "backslashreplace").decode()


@contextlib.contextmanager
def _single_threaded_opencv() -> Iterator[None]:
    """Keep OpenCV's own threads from multiplying with ours."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
