"""What differs between two runs, in a notebook's hands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kroma_nb import report
from kroma_nb.run import RunFolder
from kroma_nb.workbench.files import read_stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from kroma_nb.model.diff import Change, RunDiff
    from kroma_nb.model.plan import Plan
    from kroma_nb.workbench.run_handle import Run


class Diff:
    """What differs between two runs, as their files were when they were compared; it is true where anything does.

    Attributes
    ----------
    before, after : Run
    record : RunDiff
        Every change, and what could not be told.
    """

    def __init__(self, before: Run, after: Run) -> None:
        self.before, self.after = before, after
        self._logs = before.log, after.log
        self.record: RunDiff = report.compare_runs(*self._logs, plans=(_plan_of(before), _plan_of(after)))

    def frame(self) -> pd.DataFrame:
        """Give one row a change; `docs/tables.md` names the columns."""
        from kroma_nb.model.diff import ChangeRow  # noqa: PLC0415 - pandas loads when a frame is asked for
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415

        return frame_of(report.diff_table(self.record), ChangeRow)

    def __len__(self) -> int:
        return len(self.record.changes)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.record.changes)

    def __repr__(self) -> str:
        return report.diff_view(self.record).text()

    def _repr_html_(self) -> str:
        roots = self.before.project.root, self.after.project.root
        return report.diff_page(
            self.record, self._logs, (partial(read_stored, roots[0]), partial(read_stored, roots[1]))
        )


def _plan_of(run: Run) -> Plan | None:
    return RunFolder(run.project.root, run.run_id).plan() if run.log.imported is None else None
