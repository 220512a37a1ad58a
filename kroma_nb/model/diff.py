"""What differs between two runs: each change with its place, its value before and its value after."""

from __future__ import annotations

from enum import StrEnum

from kroma_nb.model.value import Value
from kroma_nb.model.words import Stage, TimeOfDay, Weather

# One fact of a record; None where there is none.
Fact = str | int | float | bool | None


class Section(StrEnum):
    """What a change belongs to: first what was asked for and who drew it, then what came out."""

    PARAMETERS = "parameters"
    PROMPTS = "prompts"
    REFERENCES = "references"
    PASSES = "passes"
    GUARD = "guard"
    ENGINE = "engine"
    ENVIRONMENT = "environment"
    JOBS = "jobs"
    WINNERS = "winners"
    METRICS = "metrics"

    @property
    def is_result(self) -> bool:
        """Whether it is what came out, and not what was asked for."""
        return self in {Section.WINNERS, Section.METRICS}


class WordKind(StrEnum):
    """What became of some words of a text."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


class Words(Value):
    """Some words in a row that stayed, went or came, with one blank between two."""

    kind: WordKind
    text: str

    def mirrored(self) -> Words:
        """Give it as it is the other way round."""
        return self.model_copy(update={"kind": _OPPOSITE[self.kind]})


_OPPOSITE = {
    WordKind.SAME: WordKind.SAME,
    WordKind.REMOVED: WordKind.ADDED,
    WordKind.ADDED: WordKind.REMOVED,
}


class NamedJob(Value):
    """A job of one of the two runs: its id, and what people call its scene."""

    id: str
    name: str


class Where(Value):
    """The place of a change.

    Attributes
    ----------
    field : str
        Dotted, as in the record: ``hand.line_weight.low``, ``libraries.numpy``, ``quality``.
    before, after : NamedJob or None
        The job in either run; both None where the change holds for the whole run, one of them where only one run has
        the job.
    candidate : int or None
        None where it is a matter of the whole job.
    """

    field: str
    before: NamedJob | None = None
    after: NamedJob | None = None
    candidate: int | None = None

    @property
    def scene(self) -> str:
        """What people call the scene; empty for the whole run."""
        job = self.after or self.before
        return job.name if job else ""

    def mirrored(self) -> Where:
        """Give it as it is the other way round."""
        return self.model_copy(update={"before": self.after, "after": self.before})


class Change(Value):
    """One fact that differs.

    Attributes
    ----------
    before, after : str, int, float, bool or None
        None where a run has no such thing: a pass that is off, a job that was added.
    words : tuple of Words
        Of a prompt: which words stayed, went and came, in order.
    """

    section: Section
    where: Where
    before: Fact
    after: Fact
    words: tuple[Words, ...] = ()

    @property
    def delta(self) -> float | None:
        """By how much a number has grown, to 6 decimals; None for what is no number."""
        numbers = [fact for fact in (self.before, self.after) if isinstance(fact, int | float)]
        if len(numbers) < 2 or isinstance(self.before, bool) or isinstance(self.after, bool):
            return None
        return round(numbers[1] - numbers[0], 6)

    def mirrored(self) -> Change:
        """Give it as it is the other way round."""
        words = [part.mirrored() for part in self.words]
        for place in range(len(words) - 1):
            if words[place].kind is WordKind.ADDED and words[place + 1].kind is WordKind.REMOVED:
                words[place : place + 2] = words[place + 1], words[place]
        swapped = {"before": self.after, "after": self.before, "where": self.where.mirrored(), "words": tuple(words)}
        return self.model_copy(update=swapped)


class Unknown(Value):
    """A fact that one run's record, or both, do not tell; it is no change.

    Attributes
    ----------
    before, after : bool
        Whether the earlier and the later record leave it open.
    """

    section: Section
    field: str
    before: bool
    after: bool

    def mirrored(self) -> Unknown:
        """Give it as it is the other way round."""
        return self.model_copy(update={"before": self.after, "after": self.before})


class ComparedRun(Value):
    """One of the two runs."""

    run_id: str
    project: str
    stage: Stage
    time: TimeOfDay
    weather: Weather


class RunDiff(Value):
    """All that differs between two runs, and what could not be told.

    Ids, positions, paths, times and durations are never changes: jobs are the same by the content of their scene.

    Attributes
    ----------
    changes : tuple of Change
        Section by section, in the order of the jobs.
    unknown : tuple of Unknown
        What a record leaves open, each fact once.
    """

    before: ComparedRun
    after: ComparedRun
    changes: tuple[Change, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing that is known differs."""
        return not self.changes

    def of(self, *sections: Section) -> tuple[Change, ...]:
        """Give the changes of some sections."""
        return tuple(change for change in self.changes if change.section in sections)

    def mirrored(self) -> RunDiff:
        """Give what the comparison the other way round finds, but for the order of the jobs."""
        return RunDiff(
            before=self.after,
            after=self.before,
            changes=tuple(change.mirrored() for change in self.changes),
            unknown=tuple(fact.mirrored() for fact in self.unknown),
        )


class ChangeRow(Value):
    """One change as a row of a frame; ``docs/tables.md`` says what each field means."""

    section: Section
    scene: str
    candidate: int | None
    field: str
    before: Fact
    after: Fact
    delta: float | None
    job_before: str | None
    job_after: str | None
