"""What is told of each run: in short above the pictures, in full below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.words import CandidateStatus, Gate, RunStatus
from kroma_nb.report import phrases
from kroma_nb.report.elements import Element, el

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kroma_nb.model.brief import Palette
    from kroma_nb.model.runlog import RunLog

Rgb = tuple[int, int, int]


def in_short(logs: Sequence[RunLog]) -> Element:
    """Give one line a run: what it draws, how it ended, what to do next."""
    return el("ul", *(_chip(log, number) for number, log in enumerate(logs, 1)), class_="chips")


def _chip(log: RunLog, number: int) -> Element:
    planned = sum(job.planned_candidates for job in log.jobs)
    return el(
        "li",
        el("a", phrases.light(log.stage, log.time, log.weather), href=f"#run-{number}", class_="stage"),
        el("span", phrases.RUN_STATUS[log.status], class_="badge" if log.status is RunStatus.OK else "badge fail"),
        el("span", "not reviewed", class_="badge tied") if log.gate is Gate.OFF else None,
        el("span", f"{log.pictures} of {phrases.counted(planned, 'picture')}"),
        el("span", _ties(log)),
        el("p", el("b", "Next: "), log.next_step, class_="next") if log.next_step else None,
    )


def _ties(log: RunLog) -> str:
    ties = sum(bool(job.winner and job.winner.rank.tied_with) for job in log.jobs)
    return f"{phrases.counted(ties, 'near-tie')} for first place" if ties else "no near-ties for first place"


def in_full(logs: Sequence[RunLog]) -> Element:
    """Give everything that a reader may ask about the runs themselves."""
    return el(
        "section",
        el("h2", "Runs", id="runs-name"),
        el("div", *(_run(log, number) for number, log in enumerate(logs, 1)), class_="runs"),
        id="runs",
        aria_labelledby="runs-name",
    )


def _run(log: RunLog, number: int) -> Element:
    facts = (part for label, value in _facts(log) for part in (el("dt", label), el("dd", value)))
    return el(
        "section",
        el("h3", phrases.light(log.stage, log.time, log.weather)),
        el("dl", *facts),
        el("p", phrases.GATE[log.gate], class_="warn") if log.gate is Gate.OFF else None,
        el("p", el("b", "Next: "), log.next_step, class_="next") if log.next_step else None,
        _notes(log.notes),
        class_="run",
        id=f"run-{number}",
    )


def _notes(notes: tuple[str, ...]) -> Element | None:
    if not notes:
        return None
    return el("div", el("p", el("b", "Notes of the plan")), el("ul", *(el("li", note) for note in notes)))


def _facts(log: RunLog) -> Iterator[tuple[str, Element | str]]:
    generation = log.generation
    yield "Run", el("code", el("bdi", log.run_id))
    yield "Status", phrases.RUN_STATUS[log.status]
    yield "Started", f"{phrases.moment(log.timestamp)}, took {_duration(log)}"
    yield "Engine", el("bdi", f"{log.provider}, {log.model}")
    yield "Pictures", _tally(log)
    yield "Candidates", f"{generation.candidates} a scene, from seed {generation.seed}"
    yield "Passes", " → ".join(log.postprocess_plan.pipeline_order)
    yield "Guard", _guard(log)
    yield "Gate", "off: nothing here is reviewed" if log.gate is Gate.OFF else "asks for a reviewed baseline"
    yield "Palette", _palette(log.palette) if log.palette else "the engine's own"
    environment = log.environment
    yield "Made with", f"kroma_nb {environment.kroma_nb}, Python {environment.python}, {environment.platform}"


def _duration(log: RunLog) -> str:
    return phrases.took(log.timestamp, log.finished_at) if log.finished_at else "unknown, it has not ended"


def _tally(log: RunLog) -> str:
    statuses = [candidate.status for job in log.jobs for candidate in job.candidates]
    met = [status for status in CandidateStatus if status in statuses]
    return ", ".join(f"{statuses.count(status)} {phrases.CANDIDATE_STATUS[status]}" for status in met) or "none yet"


def _guard(log: RunLog) -> str:
    guard = log.guard
    if guard.enforce_grayscale:
        return f"black and white enforced, chroma at most {guard.max_chroma_delta:g}"
    if guard.fail_on_chroma_exceed:
        return f"chroma above {guard.max_chroma_delta:g} fails"
    if guard.judge_chroma:
        return f"chroma above {guard.max_chroma_delta:g} is warned about"
    return "colour is measured, not judged"


def _palette(palette: Palette) -> Element:
    return el("span", _swatch("paper", palette.paper), _swatch("ink", palette.ink), class_="palette")


def _swatch(name: str, color: Rgb) -> Element:
    code = "#{:02x}{:02x}{:02x}".format(*color)
    # A presentation attribute: the page's policy allows no inline style.
    tile = el("svg", el("rect", width=20, height=20, fill=code), width=20, height=20, aria_hidden="true")
    return el("span", tile, f"{name} ", el("code", code), class_="swatch")
