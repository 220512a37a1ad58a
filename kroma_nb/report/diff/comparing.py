"""Two run logs held against each other: every fact that differs, and nothing that does not."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from kroma_nb.model.diff import Change, ChangeRow, ComparedRun, RunDiff, Section, Unknown
from kroma_nb.report.diff.found import lifted
from kroma_nb.report.diff.jobs import of_job, of_presence
from kroma_nb.report.diff.pairing import Side, paired
from kroma_nb.report.diff.results import of_results
from kroma_nb.report.diff.runs import of_makers, of_runs
from kroma_nb.report.diff.styles import of_styles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kroma_nb.model.plan import Plan
    from kroma_nb.model.runlog import RunLog
    from kroma_nb.report.diff.found import Found


def compare_runs(before: RunLog, after: RunLog, *, plans: tuple[Plan | None, Plan | None] = (None, None)) -> RunDiff:
    """Compare two runs.

    Jobs are the same by their stage and the content of their scene; several jobs of one scene are taken in order, and a
    scene whose picture was changed is known by its path. So a scene that was inserted is one added job. Ids, positions,
    paths, times, durations and notes are never changes, nor is what the picture of a candidate that did not win looks
    like.

    Parameters
    ----------
    before, after : RunLog
        Of any projects.
    plans : tuple of (Plan or None, Plan or None)
        What the runs were planned as; only a plan tells where the ground begins, and the references of a run that ended
        before it had stored them.

    Returns
    -------
    RunDiff
        Empty for two runs of one plan with the same environment. What a record leaves open, as that of an imported run
        does, is in `unknown` and is no change.
    """
    old, new = Side(before, plans[0]), Side(after, plans[1])
    pairing = paired(old, new)
    jobs = lifted([*of_job(pair), *of_styles(pair), *of_results(pair)] for pair in pairing.pairs)
    found = chain(of_runs(old, new), of_makers(old, new, pairing.pairs), of_presence(pairing), jobs)
    return _collected(before, after, list(found))


def _collected(before: RunLog, after: RunLog, found: Sequence[Found]) -> RunDiff:
    order = {section: place for place, section in enumerate(Section)}
    changes = [one for one in found if isinstance(one, Change)]
    unknown = dict.fromkeys(one for one in found if isinstance(one, Unknown))
    return RunDiff(
        before=_compared_run(before),
        after=_compared_run(after),
        changes=tuple(sorted(changes, key=lambda change: order[change.section])),
        unknown=tuple(sorted(unknown, key=lambda fact: order[fact.section])),
    )


def _compared_run(log: RunLog) -> ComparedRun:
    return ComparedRun(run_id=log.run_id, project=log.project, stage=log.stage, time=log.time, weather=log.weather)


def diff_table(diff: RunDiff) -> tuple[ChangeRow, ...]:
    """Give the changes as rows, in their order."""
    return tuple(
        ChangeRow(
            section=change.section,
            scene=change.where.scene,
            candidate=change.where.candidate,
            field=change.where.field,
            before=change.before,
            after=change.after,
            delta=change.delta,
            job_before=change.where.before.id if change.where.before else None,
            job_after=change.where.after.id if change.where.after else None,
        )
        for change in diff.changes
    )
