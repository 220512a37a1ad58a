"""Lineage: every picture that one was made of, every one that was made of it, and what must be made again with it."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from kroma_nb.model.asset import AssetKind, AssetLink, LinkType
from kroma_nb.model.money import Money
from kroma_nb.model.run import ProjectPath, RunId, Sha256
from kroma_nb.model.value import Value
from kroma_nb.model.words import PassName, Stage


class Relative(Value):
    """One picture of a lineage.

    Attributes
    ----------
    depth : int
        How many links lie between it and the picture that was asked for: below zero above it, 0 for that one itself,
        above zero for what was made of it. Where several ways lead there, of the shortest.
    path : str
        Relative to the project root.
    name : str
        What people call the file: an input by the name that it had where it came from.
    link_type : LinkType or None
        The last link of that way; None for the picture that was asked for.
    via : str or None
        The picture at the other end of that link, one step nearer to the one that was asked for.
    stage, run_id, job_id, scene, candidate : or None
        Which candidate it is a picture of; None for what belongs to no run.
    winner : bool
        Whether that candidate is ranked first.
    """

    depth: int
    path: ProjectPath
    name: str
    kind: AssetKind
    link_type: LinkType | None
    via: ProjectPath | None
    stage: Stage | None
    run_id: RunId | None
    job_id: str | None
    scene: str | None
    candidate: int | None
    winner: bool
    pass_name: PassName | None
    sha256: Sha256 | None
    created_at: datetime


class LostParent(Value):
    """A picture that another one followed, and of which nothing is known any more.

    Attributes
    ----------
    child : str
        Path of the picture that followed it.
    run_id, job_id, candidate
        Where it was.
    """

    child: ProjectPath
    run_id: str
    job_id: str
    candidate: int


class LineageRecord(Value):
    """Everything above and below a picture.

    Attributes
    ----------
    pictures : tuple of Relative
        From the farthest above to the farthest below.
    links : tuple of AssetLink
        Every link on a way from a picture above to the one that was asked for, or from that one to a picture below.
    lost : tuple of LostParent
        Where the way up ends, though there was more.
    """

    pictures: tuple[Relative, ...]
    links: tuple[AssetLink, ...]
    lost: tuple[LostParent, ...] = ()

    @property
    def asked(self) -> Relative:
        """The picture that was asked for."""
        return next(one for one in self.pictures if one.depth == 0)


class AffectedRow(Value):
    """One candidate that must be made again if a picture changes, or a picture outside runs.

    Attributes
    ----------
    run_id, stage, job_id, scene, candidate : or None
        Which candidate; None for a picture that belongs to no run.
    winner : bool
        Whether it is ranked first.
    link_type : LinkType or None
        How it comes from the picture that changes; None where it only comes from pictures that come from it.
    drawn : bool
        Whether it is drawn again; otherwise only later passes are made again.
    planned_candidates : int or None
        How many attempts its job has, with those that never had a picture.
    provider, model : str or None
        The engine that drew it.
    cost_micro_usd, least_micro_usd : int or None
        What drawing it again costs at most and at least, in millionths of a US dollar; None where the price is not
        known.
    path : str
        The last picture that it reached.
    """

    run_id: RunId | None
    stage: Stage | None
    job_id: str | None
    scene: str | None
    candidate: int | None
    winner: bool
    link_type: LinkType | None
    drawn: bool
    planned_candidates: int | None
    provider: str | None
    model: str | None
    cost_micro_usd: int | None = None
    least_micro_usd: int | None = None
    path: ProjectPath


class CutOff(Value):
    """A scene of a run that followed a picture of which nothing is known any more.

    That picture may have come from the one that changes: it had the same scene, and the same seeds.

    Attributes
    ----------
    run_id, stage, job_id, scene
        What followed.
    lost_run, lost_job, lost_candidate
        What it had followed.
    """

    run_id: RunId
    stage: Stage
    job_id: str
    scene: str
    lost_run: str
    lost_job: str
    lost_candidate: int


class AffectedRecord(Value):
    """Everything that must be made again if a picture changes.

    Attributes
    ----------
    path : str
        The picture.
    rows : tuple of AffectedRow
        Candidates by run and scene, then pictures outside runs.
    cut_off : tuple of CutOff
        What may have to be made again too, and nobody can tell: a run between is gone.
    """

    path: ProjectPath
    rows: tuple[AffectedRow, ...]
    cut_off: tuple[CutOff, ...] = ()

    @cached_property
    def drawn(self) -> tuple[AffectedRow, ...]:
        """The candidates that are drawn again."""
        return tuple(row for row in self.rows if row.drawn)

    @property
    def finished_again(self) -> tuple[AffectedRow, ...]:
        """The candidates of which only later passes are made again."""
        return tuple(row for row in self.rows if row.run_id and not row.drawn)

    @property
    def outside_runs(self) -> tuple[AffectedRow, ...]:
        """The pictures that belong to no run: nobody but a person can make them again."""
        return tuple(row for row in self.rows if row.run_id is None)

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs that they belong to, oldest first."""
        return tuple(dict.fromkeys(row.run_id for row in self.rows if row.run_id))

    @property
    def jobs(self) -> int:
        """How many scenes of these runs."""
        return len({(row.run_id, row.job_id) for row in self.rows if row.run_id})

    @property
    def attempts(self) -> int:
        """How many candidates the scenes have that are drawn again, with those that never had a picture."""
        return sum(row.planned_candidates or 0 for row in self._one_a_job)

    @property
    def cost_low(self) -> Money:
        """What drawing these pictures again costs at least; a price that is not known counts nothing."""
        return Money(micro_usd=sum(row.least_micro_usd or 0 for row in self.drawn))

    @property
    def cost_high(self) -> Money | None:
        """What all attempts at these scenes cost at most; None where a price is not known: nothing bounds it then."""
        costs = [(row.planned_candidates or 0, row.cost_micro_usd) for row in self._one_a_job]
        known = [times * cost for times, cost in costs if cost is not None]
        return Money(micro_usd=sum(known)) if len(known) == len(costs) else None

    @property
    def _one_a_job(self) -> tuple[AffectedRow, ...]:
        return tuple({(row.run_id, row.job_id): row for row in self.drawn}.values())
