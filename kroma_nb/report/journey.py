"""A scene's way through one run or a chain of runs: which jobs belong together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kroma_nb.model.runlog import RunLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kroma_nb.model.run import StoredFile
    from kroma_nb.model.runlog import CandidateRecord, InputRecord, JobRecord


@dataclass(frozen=True)
class Take:
    """One job of one run; `run` and `number` count from 0, in the chain and in the run."""

    run: int
    number: int
    log: RunLog
    job: JobRecord

    @property
    def key(self) -> tuple[str, str]:
        """Run and job, as a later stage names what it follows."""
        return (self.log.run_id, self.job.id)

    def anchor(self, candidate: int) -> str:
        """Give the id of a candidate's card; it holds no text from outside."""
        return f"run-{self.run + 1}-job-{self.number + 1}-c{candidate}"

    @property
    def source(self) -> InputRecord | None:
        """The scene's stored picture; None where an imported run does not have it."""
        sha256 = self.job.scene_sha256
        return next((entry for entry in self.log.inputs if entry.file.sha256 == sha256), None) if sha256 else None

    @property
    def references(self) -> tuple[InputRecord, ...]:
        """The style references that the job was drawn with, in order."""
        by_path = {entry.file.path: entry for entry in self.log.inputs}
        used = (by_path[path] for path in self.job.input_images if path in by_path)
        return tuple(entry for entry in used if entry.file.sha256 != self.job.scene_sha256)


@dataclass
class Journey:
    """One scene, and the takes in which it was drawn, in the order of the runs."""

    takes: list[Take] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What people call the scene."""
        return self.takes[0].job.name

    def joins(self, take: Take) -> bool:
        """Tell whether a take goes on from here: by the picture that it follows, else by the scene's content."""
        follows = take.job.follows
        if follows is not None and (follows.run_id, follows.job_id) in {known.key for known in self.takes}:
            return True
        scene = take.job.scene_sha256
        # Two scenes that nobody knows are not the same one.
        same_scene = scene is not None and scene == self.takes[0].job.scene_sha256
        return same_scene and all(known.run != take.run for known in self.takes)


def as_logs(log: RunLog | Sequence[RunLog]) -> tuple[RunLog, ...]:
    """Give a run or a chain of runs as a tuple.

    Raises
    ------
    ValueError
        If there is no run.
    """
    logs = (log,) if isinstance(log, RunLog) else tuple(log)
    if not logs:
        raise ValueError("there is no run to show; pass at least one run log")
    return logs


def journeys(logs: Sequence[RunLog]) -> tuple[Journey, ...]:
    """Join the jobs of a chain of runs into one journey a scene, in order of first use."""
    found: list[Journey] = []
    for run, log in enumerate(logs):
        for number, job in enumerate(log.jobs):
            take = Take(run, number, log, job)
            journey = next((known for known in found if known.joins(take)), None)
            if journey is None:
                journey = Journey()
                found.append(journey)
            journey.takes.append(take)
    return tuple(found)


def shown_file(candidate: CandidateRecord) -> StoredFile | None:
    """Give the last picture that a candidate reached, also where it failed."""
    return candidate.passes[-1].output if candidate.passes else None
