"""The candidates of a run in a notebook's hands."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, overload

from kroma_nb import report
from kroma_nb.blobs import write_atomic
from kroma_nb.errors import FileMissing, RequestInvalid
from kroma_nb.model.rows import CandidateRow
from kroma_nb.workbench.files import load_picture, read_stored, read_verified

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from kroma_nb.images import Picture
    from kroma_nb.model.run import StoredFile
    from kroma_nb.model.runlog import CandidateRecord, JobRecord, RunLog
    from kroma_nb.model.words import CandidateStatus
    from kroma_nb.workbench.project import Project


@dataclass(frozen=True)
class Candidate:
    """One attempt at a scene.

    Attributes
    ----------
    project : Project
    log : RunLog
        The run that it belongs to.
    job : JobRecord
    record : CandidateRecord
    """

    project: Project
    log: RunLog
    job: JobRecord
    record: CandidateRecord

    @property
    def scene(self) -> str:
        """What people call the scene."""
        return self.job.name

    @property
    def index(self) -> int:
        """Which attempt it is, from 1."""
        return self.record.candidate_index

    @property
    def status(self) -> CandidateStatus:
        """How it ended."""
        return self.record.status

    @property
    def is_winner(self) -> bool:
        """Whether it is ranked first; nobody has approved it because of that."""
        return self.job.selected_candidate == self.index

    @property
    def file(self) -> Path:
        """The last picture that it reached.

        Raises
        ------
        FileMissing
            If it never had one.
        """
        return self.project.root / self.stored.path

    def picture(self) -> Picture:
        """Load its picture, checked against the record.

        Returns
        -------
        uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
            sRGB, levels 0-255.

        Raises
        ------
        FileMissing, ContentDamaged
            If the file is gone, or is no longer what the run made.
        """
        return load_picture(self.project.root, self.stored)

    @property
    def stored(self) -> StoredFile:
        """The record of that file: path, sha256, bytes.

        Raises
        ------
        FileMissing
            If it never had one.
        """
        if not self.record.passes:
            path = self.project.root / (self.record.final_output or self.record.output or f"runs/{self.log.run_id}")
            raise FileMissing(path, f"candidate {self.index} of {self.job.name}", "it has no picture")
        return self.record.passes[-1].output

    def __repr__(self) -> str:
        return report.candidate_view(self.log, self.job, self.record).text()

    def _repr_html_(self) -> str:
        return report.candidate_page(self.log, self.job, self.record, partial(read_stored, self.project.root))


@dataclass(frozen=True)
class Candidates:
    """Candidates of one run, in the order of its scenes."""

    project: Project
    log: RunLog
    _held: tuple[Candidate, ...]

    @classmethod
    def of(cls, project: Project, log: RunLog, *, won: bool = False) -> Candidates:
        """Give those of a run, all or the first-ranked ones."""
        held = (Candidate(project, log, job, record) for job in log.jobs for record in job.candidates)
        return cls(project, log, tuple(one for one in held if one.is_winner or not won))

    def frame(self) -> pd.DataFrame:
        """Give one row a candidate with every number that the gallery shows."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - pandas loads when a frame is asked for

        return frame_of([report.candidate_row(c.log, c.job, c.record) for c in self._held], CandidateRow)

    def export(self, to: Path | str) -> tuple[Path, ...]:
        """Copy their pictures into a folder; nothing there is overwritten.

        Every picture is checked first, so that nothing is copied unless everything can be.

        Raises
        ------
        RequestInvalid
            If there is none, the folder is none, or a file of that name is already there.
        FileMissing, ContentDamaged
            If a picture is gone, or is no longer what the run made.
        WriteFailed
            If the disk refuses.
        """
        folder = Path(to)
        # An imported run may name pictures whose files were not there.
        held = [one for one in self._held if one.record.passes]
        if not held:
            problem = f"run {self.log.run_id} has no picture to copy"
            raise RequestInvalid("request", "run", problem, "name another run")
        if os.path.lexists(folder) and not folder.is_dir():
            raise RequestInvalid("request", "to", f"{folder} is no folder", "name a folder")
        targets = tuple(folder / one.file.name for one in held)
        for target in targets:
            if os.path.lexists(target):
                raise RequestInvalid("request", "to", f"{target} is already there", "name another folder")
        for one in held:
            read_verified(self.project.root, one.stored)
        for one, target in zip(held, targets, strict=True):
            write_atomic(target, read_verified(self.project.root, one.stored))
        return targets

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._held)

    @overload
    def __getitem__(self, place: int) -> Candidate: ...
    @overload
    def __getitem__(self, place: slice) -> Candidates: ...
    def __getitem__(self, place: int | slice) -> Candidate | Candidates:
        if isinstance(place, slice):
            return Candidates(self.project, self.log, self._held[place])
        return self._held[place]

    def __repr__(self) -> str:
        return self._view().text()

    def _repr_html_(self) -> str:
        return self._view().html()

    def _view(self) -> report.View:
        return report.candidates_view(self.log, [(one.job, one.record) for one in self._held])
