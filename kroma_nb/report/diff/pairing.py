"""Which job of one run is which job of the other: by the scene's content, not by position or id."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from kroma_nb.model.diff import NamedJob

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from kroma_nb.model.brief import Seeds
    from kroma_nb.model.plan import Job, Plan
    from kroma_nb.model.runlog import CandidateRecord, JobRecord, RunLog


@dataclass(frozen=True)
class Side:
    """One of two runs: its record, and its plan where there is one."""

    log: RunLog
    plan: Plan | None = None

    @property
    def is_imported(self) -> bool:
        """Whether another program made it; then its record leaves things open."""
        return self.log.imported is not None

    @cached_property
    def inputs(self) -> dict[str, tuple[str, str]]:
        """Name and sha256 of every kept input, by its path."""
        return {entry.file.path: (entry.ref, entry.file.sha256) for entry in self.log.inputs}

    @cached_property
    def planned(self) -> dict[str, Job]:
        """The plan's jobs by their id."""
        return {job.id: job for job in self.plan.jobs} if self.plan else {}

    @property
    def drawn(self) -> tuple[DrawnJob, ...]:
        """The jobs, in order."""
        return tuple(DrawnJob(self, job) for job in self.log.jobs)


@dataclass(frozen=True)
class DrawnJob:
    """A job of one of two runs."""

    side: Side
    job: JobRecord

    @property
    def named(self) -> NamedJob:
        """Its id and name."""
        return NamedJob(id=self.job.id, name=self.job.name)

    @property
    def planned(self) -> Job | None:
        """What was planned of it, where the plan is at hand."""
        return self.side.planned.get(self.job.id)

    @property
    def styles(self) -> tuple[tuple[str, str], ...]:
        """Name and sha256 of its style references, in order."""
        if self.planned is not None:
            return tuple((file.ref, file.sha256) for file in self.planned.references)
        return tuple(self.side.inputs[path] for path in self.side.log.styles_of(self.job) if path in self.side.inputs)

    @property
    def seeds(self) -> dict[int, Seeds | None]:
        """The seeds of every candidate, by its index."""
        if self.planned is not None:
            return {candidate.index: candidate.seeds for candidate in self.planned.candidates}
        return {candidate.candidate_index: candidate.seeds for candidate in self.job.candidates}

    @property
    def candidates(self) -> dict[int, CandidateRecord]:
        """What was made, by its index."""
        return {candidate.candidate_index: candidate for candidate in self.job.candidates}


@dataclass(frozen=True)
class Pair:
    """A job of both runs."""

    before: DrawnJob
    after: DrawnJob

    @property
    def named(self) -> tuple[NamedJob, NamedJob]:
        """Both ids and names."""
        return self.before.named, self.after.named


@dataclass(frozen=True)
class Pairing:
    """Which jobs both runs have, in the order of the earlier one, and which only one of them."""

    pairs: tuple[Pair, ...]
    removed: tuple[DrawnJob, ...]
    added: tuple[DrawnJob, ...]


def _by_content(drawn: DrawnJob) -> Hashable:
    return drawn.job.scene_sha256 and (drawn.job.mode, drawn.job.scene_sha256)


def _by_ref(drawn: DrawnJob) -> Hashable:
    return drawn.job.scene_ref and (drawn.job.mode, drawn.job.scene_ref)


def _by_id(drawn: DrawnJob) -> Hashable:
    # Only an imported job may name no scene at all.
    return not drawn.job.scene_ref and (drawn.job.mode, drawn.job.id)


def paired(before: Side, after: Side) -> Pairing:
    """Match the jobs of two runs that are at the same stage.

    The same scene by content comes first; several jobs of one scene are matched in order. What is left is matched by
    the scene's path as it was written: that scene's picture was changed, or its content is not known.
    """
    old, new = before.drawn, after.drawn
    matched: dict[int, int] = {}
    for key in (_by_content, _by_ref, _by_id):
        taken = set(matched.values())
        left = [(place, key(job)) for place, job in enumerate(old) if place not in matched]
        free = [(place, key(job)) for place, job in enumerate(new) if place not in taken]
        matched |= _alike(left, free)
    taken = set(matched.values())
    return Pairing(
        pairs=tuple(Pair(job, new[matched[place]]) for place, job in enumerate(old) if place in matched),
        removed=tuple(job for place, job in enumerate(old) if place not in matched),
        added=tuple(job for place, job in enumerate(new) if place not in taken),
    )


def _alike(old: Sequence[tuple[int, Hashable]], new: Sequence[tuple[int, Hashable]]) -> dict[int, int]:
    places: dict[Hashable, list[int]] = defaultdict(list)
    for place, key in reversed(new):
        if key:
            places[key].append(place)
    return {place: places[key].pop() for place, key in old if key and places.get(key)}
