"""What differs between two runs as a small table, a line a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.diff import Section
from kroma_nb.report.diff import saying
from kroma_nb.report.diff.wording import hunks
from kroma_nb.report.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.model.diff import Change, RunDiff

COLUMNS = ("what", "scene", "field", "change", "by")
CONTEXT = 3


def diff_view(diff: RunDiff) -> View:
    """Show every change as a line: ``before → after``; of a prompt, each changed place with ``-old +new``."""
    rows = tuple(row for change in diff.changes for row in _rows(change))
    title = f"{saying.run(diff.before)} → {saying.run(diff.after)}"
    matched = () if diff.is_empty else (saying.MATCHED,)
    return View(title, COLUMNS if rows else (), rows, (saying.summary(diff), *saying.unknown(diff), *matched))


def _rows(change: Change) -> Iterator[tuple[str, ...]]:
    what, scene = change.section.value, change.where.scene
    if change.section is Section.PROMPTS:
        for hunk in hunks(change.words, CONTEXT):
            yield what, scene, saying.field(change), saying.words(hunk), ""
    else:
        yield what, scene, saying.field(change), saying.outcome(change), saying.delta(change)
