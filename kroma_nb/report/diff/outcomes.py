"""The second half of a comparison's page: what came out, winner beside winner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb.model.diff import Section
from kroma_nb.report import phrases
from kroma_nb.report.diff import saying
from kroma_nb.report.diff.asked import left_out
from kroma_nb.report.elements import el
from kroma_nb.report.previews import Gap, Previews, embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kroma_nb.model.diff import Change, NamedJob, RunDiff
    from kroma_nb.model.runlog import CandidateRecord, RunLog
    from kroma_nb.report.elements import Element

MOST_SCENES = 24
PICTURE_BYTES, ONE_PICTURE_BYTES = 480_000, 40_000
TALLEST = 300


@dataclass(frozen=True)
class Drawings:
    """One run's winners, and where its pictures are read.

    Attributes
    ----------
    pictures : callable, str -> bytes
        Gives a stored file by its path relative to the project root.
    """

    log: RunLog
    pictures: Callable[[str], bytes]

    def winner(self, job: NamedJob | None) -> CandidateRecord | None:
        """Give who won a job."""
        found = (one.winner for one in self.log.jobs if job is not None and one.id == job.id)
        return next(found, None)


def outcomes(diff: RunDiff, before: Drawings, after: Drawings) -> Iterator[Element]:
    """Give every scene whose winner or measures differ, the winners side by side."""
    scenes: dict[tuple[NamedJob | None, NamedJob | None], list[Change]] = {}
    for change in diff.of(Section.WINNERS, Section.METRICS):
        scenes.setdefault((change.where.before, change.where.after), []).append(change)
    if not scenes:
        return
    yield el("h4", "What came out")
    shown = list(scenes.values())[:MOST_SCENES]
    most = min(PICTURE_BYTES, ONE_PICTURE_BYTES * 2 * len(shown))
    sides = tuple((side, Previews(side.pictures, 2 * len(shown), most_bytes=most)) for side in (before, after))
    for changes in shown:
        where = changes[0].where
        pair = el(
            "div",
            _figure(*sides[0], where.before, cls="before"),
            _figure(*sides[1], where.after, cls="after"),
            class_="pair",
        )
        yield el("h5", el("bdi", where.scene), class_="name")
        yield el("div", pair, _measures(changes), class_="scene")
    yield from left_out(len(scenes) - MOST_SCENES, "scene")


def _figure(side: Drawings, previews: Previews, job: NamedJob | None, *, cls: str) -> Element:
    winner = side.winner(job)
    final = winner.final if winner else None
    if winner is None:
        return el("figure", el("div", "no winner", class_="none"), el("figcaption", cls), class_=cls)
    caption = el("figcaption", f"{cls} · c{winner.candidate_index} · {_quality(winner)}")
    if final is None:
        return el("figure", el("div", "its file is not there", class_="none"), caption, class_=cls)
    shown = previews.of(final.path, final.sha256)
    if isinstance(shown, Gap):
        return el("figure", el("div", "no picture: ", shown.cause, class_="none"), caption, class_=cls)
    width, height = shown.size
    share = min(1.0, TALLEST / height)
    alt = f"Winner {cls}: candidate {winner.candidate_index}"
    size = {"width": round(width * share), "height": round(height * share)}
    return el("figure", el("img", src=embedded(shown.data), alt=alt, **size), caption, class_=cls)


def _quality(winner: CandidateRecord) -> str:
    return "not measured" if winner.quality is None else f"quality {phrases.quality(winner)}"


def _measures(changes: Sequence[Change]) -> Element:
    told = [change for change in changes if change.section is Section.METRICS]
    won = [change for change in changes if change.where.field == "candidate"]
    if not told and not won:
        return el("p", "Another picture, with the same measures.", class_="soft")
    names = ("", "before", "after", "by")
    head = el("thead", el("tr", *(el("th", name, class_="n" if name else None) for name in names)))
    return el("table", head, el("tbody", *(_row(change) for change in (*won, *told))))


def _row(change: Change) -> Element:
    cells = (
        saying.value(change, change.before),
        saying.value(change, change.after),
        saying.delta(change),
    )
    name = "winner" if change.where.field == "candidate" else saying.field(change)
    key = "key" if change.where.field in {"candidate", "quality"} else None
    return el("tr", el("th", name), *(el("td", el("bdi", text), class_="n") for text in cells), class_=key)
