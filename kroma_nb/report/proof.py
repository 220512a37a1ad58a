"""What a run's replay has found, as a small table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.replay import CauseKind, Verdict
from kroma_nb.model.value import Value
from kroma_nb.report.phrases import counted
from kroma_nb.report.view import View

if TYPE_CHECKING:
    from kroma_nb.model.replay import PassCheck, Verification

COLUMNS = ("job", "candidate", "pass", "verdict", "differs", "why")


class ProofRow(Value):
    """One pass that was made again.

    Attributes
    ----------
    bought : bool
        Whether it is a paid provider's picture, which is compared with what was sent.
    reused : bool
        Whether the run had taken it from what was made before.
    differing : float or None, 0 to 1
        The share of pixels that differ by more than one level.
    farthest : int or None, levels
        By how much the farthest pixel differs.
    why : str
        What may be the cause, as sentences.
    """

    job: str
    candidate: int
    pass_name: str
    verdict: str
    bought: bool
    reused: bool
    differing: float | None
    farthest: int | None
    path: str
    why: str


def proof_table(record: Verification) -> list[ProofRow]:
    """Give one row a pass."""
    return [
        ProofRow(
            job=check.job_id,
            candidate=check.candidate,
            pass_name=check.pass_name.value,
            verdict=check.verdict.value,
            bought=check.bought,
            reused=check.reused,
            differing=check.differing,
            farthest=check.farthest,
            path=check.path,
            why="; ".join(str(cause) for cause in check.causes),
        )
        for check in record.checks
    ]


def proof_view(record: Verification) -> View:
    """Show the passes that are not exact, and count the others."""
    odd = [check for check in record.checks if check.verdict is not Verdict.EXACT or check.causes]
    counts = ", ".join(f"{record.count(verdict)} {verdict.value}" for verdict in Verdict if record.count(verdict))
    passes = counted(len(record.checks), "pass") if len(record.checks) == 1 else f"{len(record.checks)} passes"
    altered = {CauseKind.FILE, CauseKind.RECORD, CauseKind.CACHE}
    heads = {True: "Not as recorded", False: "Otherwise than when it was made"}
    notes = [f"{passes} made again: {counts}." if record.checks else "No pass could be made again."]
    notes += [f"{heads[cause.kind in altered]}: {cause}." for cause in record.differs]
    notes.append(_conclusion(record))
    return View(f"Proof of {record.run_id}", COLUMNS if odd else (), tuple(_row(check) for check in odd), tuple(notes))


def _row(check: PassCheck) -> tuple[str, ...]:
    share = ""
    if check.differing is not None:
        share = f"{check.differing:.2%} of pixels, by up to {check.farthest}"
    name = f"{check.pass_name.value} (bought)" if check.bought else check.pass_name.value
    why = "; ".join(str(cause) for cause in check.causes)
    return check.job_id, f"c{check.candidate}", name, check.verdict.value, share, why


def _conclusion(record: Verification) -> str:
    if not record.checks:
        return "Nothing is proven: the run has no picture."
    if not record.ok:
        return "The run is not proven: see what differs."
    if record.count(Verdict.TOLERANCE):
        return "The run is proven, within the tolerance of other processors and libraries."
    return "The run is proven: what lies there is what its record makes, byte for byte."
