"""The static page of a run inside a notebook: every candidate small, side by side, within a fixed number of bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb.report import finishing, phrases, spending
from kroma_nb.report.elements import Element, Inline, coded, el
from kroma_nb.report.journey import as_logs, journeys, shown_file
from kroma_nb.report.previews import Gap, Preview, Previews, embedded
from kroma_nb.report.views import NOT_REVIEWED, run_view

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kroma_nb.model.runlog import CandidateRecord, RunLog
    from kroma_nb.report.journey import Journey, Take

# With base64 and its words, a page of this many picture bytes stays below 800 KB.
PICTURE_BYTES = 480_000
TALLEST, TALLEST_OF_MANY = 280, 200

_STYLE = """
.kroma-show{font:13px/1.4 system-ui,sans-serif;color:var(--jp-content-font-color1,inherit)}
.kroma-show h4{margin:1.4em 0 .5em;font-size:15px}
.kroma-show h5{margin:0 0 .5em;font-size:12px;font-weight:400;color:var(--jp-content-font-color2,inherit)}
.kroma-show .scene{display:flex;gap:22px;align-items:flex-start}
.kroma-show .takes{display:grid;gap:14px}
.kroma-show.kroma-show ol{display:flex;flex-wrap:wrap;gap:10px;list-style:none;margin:0;padding:0}
.kroma-show.kroma-show li,.kroma-show .source{margin:0;width:min-content}
.kroma-show img{display:block;max-width:none;margin:0;background:#fff;border:1px solid var(--jp-border-color1,#8886)}
.kroma-show img.cutout{background:repeating-conic-gradient(#c4c4c4 0 25%,#f4f4f4 0 50%) 0 0/12px 12px}
.kroma-show .won img{box-shadow:0 0 0 3px var(--jp-brand-color1,#1a73e8)}
.kroma-show .none{width:120px;padding:2em .5em;border:1px dashed #888;text-align:center}
.kroma-show p{margin:.35em 0 0;color:var(--jp-content-font-color2,inherit)}
.kroma-show .call{overflow-wrap:anywhere}
.kroma-show .bad{color:var(--jp-error-color1,#b00020)}
.kroma-show .warn{color:var(--jp-warn-color0,#8a5300)}
"""


@dataclass(frozen=True)
class Overview:
    """A run, or a chain of runs, as a notebook shows it; pictures are read when it is shown.

    Attributes
    ----------
    logs : tuple of RunLog
        In the order in which they were made.
    pictures : callable, str -> bytes
        Gives a stored file by its path relative to the project root.
    """

    logs: tuple[RunLog, ...]
    pictures: Callable[[str], bytes]

    def __repr__(self) -> str:
        return "\n".join(run_view(log).text() for log in self.logs)

    def _repr_html_(self) -> str:
        return str(self._page())

    def _page(self) -> Element:
        found = journeys(self.logs)
        shown = sum(1 for journey in found for take in journey.takes for c in take.job.candidates if shown_file(c))
        count = shown + len(found)
        previews = Previews(self.pictures, count, most_bytes=min(PICTURE_BYTES, 40_000 * count))
        tallest = TALLEST if len(self.logs) == 1 else TALLEST_OF_MANY
        parts = [part for journey in found for part in _scene(previews, journey, tallest)]
        notes = [
            "★ ranked first; the number is the measured quality, 0 to 1.",
            NOT_REVIEWED,
            *(text for log in self.logs for text in (*finishing.told(log), *spending.told(log))),
        ]
        said = (el("p", *coded(note)) for note in notes)
        return el("div", Inline("style", _STYLE), *parts, *said, class_="kroma-show")


def overview(log: RunLog | Sequence[RunLog], pictures: Callable[[str], bytes]) -> Overview:
    """Show a run's candidates in a notebook, side by side, in less than a megabyte whatever their number.

    Parameters
    ----------
    log : RunLog, or sequence of RunLog
        One run, or a chain of runs in the order in which they were made.
    pictures : callable, str -> bytes
        Gives a stored file by its path relative to the project root; one that it cannot give is shown as a gap.

    Raises
    ------
    ValueError
        If there is no run.
    """
    return Overview(as_logs(log), pictures)


def _scene(previews: Previews, journey: Journey, tallest: int) -> tuple[Element, Element]:
    """Give a scene's name, and its source beside one row a stage."""
    first = journey.takes[0]
    takes = (_take(previews, take, tallest) for take in journey.takes)
    source = el("div", el("h5", "Source"), _source(previews, first, tallest), class_="source")
    row = el("div", source, el("div", *takes, class_="takes"), class_="scene")
    return el("h4", el("bdi", journey.name)), row


def _source(previews: Previews, take: Take, tallest: int) -> Element:
    entry = take.source
    if entry is None:
        return el("div", "its file is not known", class_="none")
    return _framed(previews.of(entry.file.path, entry.file.sha256), f"Source of {take.job.name}", tallest)


def _take(previews: Previews, take: Take, tallest: int) -> Element:
    ranked = sorted(take.job.candidates, key=lambda c: (c.rank.position == 0, c.rank.position, c.candidate_index))
    light = phrases.of_job(take.job)
    return el(
        "section",
        el("h5", f"{light} · {phrases.progress(take.job)}"),
        el("ol", *(_card(previews, take, candidate, tallest) for candidate in ranked)),
    )


def _card(previews: Previews, take: Take, candidate: CandidateRecord, tallest: int) -> Element:
    wins = candidate.candidate_index == take.job.selected_candidate
    why = phrases.reasons(candidate, take.log, take.job)
    failure = candidate.failure.message if candidate.failure and not why else None
    return el(
        "li",
        _picture(previews, take, candidate, tallest),
        el("p", el("b", f"c{candidate.candidate_index}"), _standing(candidate, wins=wins)),
        *_told(candidate),
        *(el("p", text, class_="bad") for text in (*why, failure) if text),
        *(el("p", text, class_="warn") for text in phrases.warnings(candidate, take.log)),
        class_="won" if wins else None,
    )


def _told(candidate: CandidateRecord) -> list[Element]:
    facts, call = spending.in_short(candidate), spending.doubtful(candidate)
    told = [el("p", ", ".join(facts))] if facts else []
    return [*told, el("p", f"call {call.request_id or call.call_id}", class_="call")] if call else told


def _standing(candidate: CandidateRecord, *, wins: bool) -> str:
    quality = "" if candidate.quality is None else f" {candidate.quality:.2f}"
    ties = ", ".join(f"c{index}" for index in candidate.rank.tied_with)
    return f"{' ★' if wins else ''}{quality}" + (f" tied with {ties}" if ties else "")


def _picture(previews: Previews, take: Take, candidate: CandidateRecord, tallest: int) -> Element:
    file = shown_file(candidate)
    if file is None:
        return el("div", phrases.CANDIDATE_STATUS[candidate.status], class_="none")
    alt = f"Candidate {candidate.candidate_index} of {take.job.name}"
    return _framed(previews.of(file.path, file.sha256), alt, tallest)


def _framed(shown: Preview | Gap, alt: str, tallest: int) -> Element:
    if isinstance(shown, Gap):
        return el("div", "no picture: ", shown.cause, class_="none")
    width, height = shown.size
    share = min(1.0, tallest / height)
    size = {"width": round(width * share), "height": round(height * share)}
    return el("img", src=embedded(shown.data), alt=alt, class_="cutout" if shown.cutout else None, **size)
