"""What differs between two runs as a page in a notebook: what was asked, then what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.report import phrases
from kroma_nb.report.diff import saying
from kroma_nb.report.diff.asked import asked
from kroma_nb.report.diff.look import STYLE
from kroma_nb.report.diff.outcomes import Drawings, outcomes
from kroma_nb.report.elements import Inline, el

if TYPE_CHECKING:
    from collections.abc import Callable

    from kroma_nb.model.diff import ComparedRun, RunDiff
    from kroma_nb.model.runlog import RunLog
    from kroma_nb.report.elements import Element


def diff_page(
    diff: RunDiff, logs: tuple[RunLog, RunLog], pictures: tuple[Callable[[str], bytes], Callable[[str], bytes]]
) -> str:
    """Show a comparison as HTML, in less than a megabyte whatever there is to show.

    Parameters
    ----------
    diff : RunDiff
    logs : tuple of (RunLog, RunLog)
        The two runs that were compared.
    pictures : tuple of (callable, callable), str -> bytes
        Give a stored file of either run by its path relative to the project root; one that cannot be given is shown as
        a gap.
    """
    before, after = (Drawings(*side) for side in zip(logs, pictures, strict=True))
    notes = (*saying.unknown(diff), *(() if diff.is_empty else (saying.MATCHED,)))
    return str(
        el(
            "div",
            Inline("style", STYLE),
            el("header", _run(diff.before, "before"), el("span", "→", class_="to"), _run(diff.after, "after")),
            el("p", saying.summary(diff), class_="same" if diff.is_empty else "sum"),
            *asked(diff),
            *outcomes(diff, before, after),
            *(el("p", note, class_="note") for note in notes),
            class_="kroma-diff",
        )
    )


def _run(compared: ComparedRun, cls: str) -> Element:
    light = phrases.light(compared.stage, compared.time, compared.weather)
    said = el("span", el("bdi", f"{compared.project} · {compared.run_id}"))
    return el("div", el("b", light), said, class_=f"run {cls}")
