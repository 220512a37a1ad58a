"""A lineage, and what must be made again, as small tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kroma_nb.model.money import Money
from kroma_nb.report import phrases
from kroma_nb.report.elements import el
from kroma_nb.report.lineage_drawing import drawn_lineage
from kroma_nb.report.shortening import shortened
from kroma_nb.report.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kroma_nb.model.lineage import AffectedRecord, AffectedRow, CutOff, LineageRecord, LostParent, Relative


def lineage_view(lineage: LineageRecord) -> View:
    """Show a picture with what it was made of above it, and what was made of it below."""
    shown = shortened(lineage)
    rows = tuple(_relative(one) for one in sorted(shown.pictures, key=lambda one: one.depth))
    left = (f"… and {shown.left_out:,} more; frame() has all of them.",) if shown.left_out else ()
    return View(_title(lineage), _COLUMNS, rows, (*left, *map(_lost, lineage.lost)))


_COLUMNS = ("step", "picture", "how", "made by", "candidate", "run")


def _title(lineage: LineageRecord) -> str:
    above = sum(one.depth < 0 for one in lineage.pictures)
    below = sum(one.depth > 0 for one in lineage.pictures)
    asked = lineage.asked
    kept = asked.path if asked.path.endswith(f"/{asked.name}") else f"{asked.name} ({asked.path})"
    return f"Lineage of {kept}: {above:,} above, {below:,} below"


def _relative(one: Relative) -> tuple[str, ...]:
    step = f"{abs(one.depth)} {'above' if one.depth < 0 else 'below'}" if one.depth else "▶ asked"
    made = one.pass_name.value if one.pass_name else one.kind.value if one.run_id is None else "missing"
    stage = f"{one.stage.value}: " if one.stage else ""
    candidate = f"c{one.candidate}{' ★' if one.winner else ''}" if one.candidate is not None else ""
    how = one.link_type.value if one.link_type else ""
    return step, one.name, how, f"{stage}{made}", candidate, one.run_id or ""


def _lost(lost: LostParent) -> str:
    where = f"candidate {lost.candidate} of {lost.job_id} in run {lost.run_id}"
    return f"{lost.child} followed {where}, which is not there any more."


def lineage_page(lineage: LineageRecord) -> str:
    """Show a lineage as a drawing with its table, as HTML."""
    view = lineage_view(lineage)
    table = el("details", el("summary", "As a table"), view.table())
    return View(view.title, notes=view.notes).html(drawn_lineage(lineage), table)


def affected_view(affected: AffectedRecord) -> View:
    """Show what must be made again if a picture changes, a row a run."""
    title = f"If {affected.path} changes"
    if not affected.rows:
        none = "Nothing that is known was made of it." if affected.cut_off else _NOTHING
        return View(title, notes=(none, *_cut_off(affected.cut_off)))
    runs: dict[str, list[AffectedRow]] = {}
    for row in affected.rows:
        if row.run_id:
            runs.setdefault(row.run_id, []).append(row)
    columns = ("run", "stage", "scenes", "drawn again", "engine", "cost") if runs else ()
    return View(
        title,
        columns,
        tuple(_run(run_id, held) for run_id, held in runs.items()),
        (*_says(affected), *_cut_off(affected.cut_off)),
    )


_NOTHING = "Nothing was made of it, so nothing must be made again."
MOST_CUT_OFF = 6


def _cut_off(found: Sequence[CutOff]) -> Iterator[str]:
    """Name the runs of which a deletion has left open whether they must be made again, newest first."""
    scenes = Counter((one.run_id, one.stage, one.lost_run) for one in reversed(found))
    for (run_id, stage, lost), count in list(scenes.items())[:MOST_CUT_OFF]:
        yield (
            f"In {phrases.counted(count, 'scene')}, run {run_id} ({stage.value}) followed run {lost}, which is not "
            "there any more: nothing tells whether that came from this picture. If it did, what run "
            f"{run_id} has drawn of it must be made again too."
        )
    if len(scenes) > MOST_CUT_OFF:
        yield f"Of {len(scenes) - MOST_CUT_OFF:,} more runs the same cannot be told."


def _run(run_id: str, rows: Sequence[AffectedRow]) -> tuple[str, ...]:
    drawn = [row for row in rows if row.drawn]
    engines = dict.fromkeys(phrases.made_by(row.provider or "", row.model or "") for row in drawn)
    most, least = ([getattr(row, name) for row in drawn] for name in ("cost_micro_usd", "least_micro_usd"))
    return (
        run_id,
        rows[0].stage.value if rows[0].stage else "",
        f"{len({row.job_id for row in rows}):,}",
        f"{len(drawn):,}",
        "; ".join(engines),
        "not known" if None in most else phrases.between(Money(micro_usd=sum(least)), Money(micro_usd=sum(most))),
    )


def _says(affected: AffectedRecord) -> Iterator[str]:
    drawn, runs = affected.drawn, {row.run_id for row in affected.drawn}
    if drawn:
        held = f"{phrases.counted(len(drawn), 'picture')} in {phrases.counted(len(runs), 'run')}"
        yield f"{held} would be drawn again: {_cost(affected)}."
    if affected.attempts > len(drawn):
        yield f"With the attempts that never had a picture, these scenes have {affected.attempts:,} candidates."
    if finished := affected.finished_again:
        yield f"Of {phrases.counted(len(finished), 'candidate')} only later passes would be made again."
    if outside := affected.outside_runs:
        said = phrases.counted(len(outside), "picture")
        yield f"{said} outside runs came from it: {phrases.listed([row.path for row in outside[:3]])}" + (
            "." if len(outside) <= 3 else f", and {len(outside) - 3:,} more."
        )


def _cost(affected: AffectedRecord) -> str:
    low, high = affected.cost_low, affected.cost_high
    if high is None:
        unknown = [row for row in affected.drawn if row.cost_micro_usd is None]
        engines = dict.fromkeys(phrases.made_by(row.provider or "", row.model or "") for row in unknown)
        known = f"at least {low}, and " if low else ""
        return f"{known}the price of {len(unknown):,} by {phrases.listed(list(engines))} is not known"
    if not high:
        return "at no cost"
    return phrases.between(low, high)
