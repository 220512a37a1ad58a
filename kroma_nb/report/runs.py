"""What is told of each run: in short above the pictures, in full below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.money import Money
from kroma_nb.model.words import CandidateStatus, Gate, PassName, RunStatus
from kroma_nb.report import finishing, phrases, spending
from kroma_nb.report.elements import Element, coded, el

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
        el("a", phrases.of_run(log), href=f"#run-{number}", class_="stage"),
        el("span", phrases.RUN_STATUS[log.status], class_="badge" if log.status is RunStatus.OK else "badge fail"),
        el("span", "not reviewed", class_="badge tied") if log.gate is Gate.OFF else None,
        el("span", f"{log.pictures} of {phrases.counted(planned, 'picture')}"),
        None if log.status is RunStatus.PLANNED else el("span", _ties(log)),
        el("p", spent, class_="spent") if (spent := _spent(log)) else None,
        *_onward(log),
    )


def _spent(log: RunLog) -> str:
    spent, reused = spending.spent(log), spending.reused(log)
    return " ".join(phrases.sentence(text) for text in (f"spent {spent}" if spent else "", reused) if text)


def _onward(log: RunLog) -> list[Element]:
    """Say what has cut a run short, and how to go on with it."""
    said = {"Cut short ": spending.cut_short(log), "Next: ": spending.next_step(log)}
    return [el("p", el("b", head), *coded(text), class_="next") for head, text in said.items() if text]


def _ties(log: RunLog) -> str:
    winners = [job.winner for job in log.jobs if job.winner]
    if winners and all(winner.quality is None for winner in winners):
        return "near-ties were not measured"
    ties = sum(bool(winner.rank.tied_with) for winner in winners)
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
        el("h3", phrases.of_run(log)),
        el("dl", *facts),
        el("p", phrases.GATE[log.gate], class_="warn") if log.gate is Gate.OFF else None,
        *_onward(log),
        _notes("After the drawing", tuple(finishing.told(log))),
        _notes("Notes" if log.imported else "Notes of the plan", log.notes),
        _notes("Mended while it was imported", log.imported.mended) if log.imported else None,
        class_="run",
        id=f"run-{number}",
    )


def _notes(title: str, notes: tuple[str, ...]) -> Element | None:
    if not notes:
        return None
    return el("div", el("p", el("b", title)), el("ul", *(el("li", note) for note in notes)))


def _facts(log: RunLog) -> Iterator[tuple[str, Element | str]]:
    yield "Run", el("code", el("bdi", log.run_id))
    yield "Status", phrases.RUN_STATUS[log.status]
    if log.status is RunStatus.PLANNED:
        yield "Planned", phrases.moment(log.timestamp)
    else:
        yield "Started", f"{phrases.moment(log.timestamp)}, took {_duration(log)}"
    yield "Engine", el("bdi", phrases.made_by(log.provider, log.model))
    yield "Pictures", _tally(log)
    yield from _making(log)
    yield "Guard", _guard(log)
    yield "Gate", "off: nothing here is reviewed" if log.gate is Gate.OFF else "asks for a reviewed baseline"
    if log.palette or not log.imported:
        yield "Palette", _palette(log.palette) if log.palette else "the engine's own"
    yield "Made with", _made_with(log)
    told = {"Spent": spending.spent(log), "Reused": spending.reused(log), "Went on": spending.resumed(log)}
    yield from ((label, text) for label, text in told.items() if text)
    if log.replays:
        yield "Replays", el("code", el("bdi", log.replays))
    if log.costs:
        yield "Costs", _costs(log)
    if log.imported:
        yield "Imported from", el("bdi", log.imported.source)


def _making(log: RunLog) -> Iterator[tuple[str, str]]:
    if log.generation:
        yield "Candidates", f"{log.generation.candidates} a scene, from seed {log.generation.seed}"
    made = {record.name for job in log.jobs for candidate in job.candidates for record in candidate.passes}
    order = log.postprocess_plan.pipeline_order if log.postprocess_plan else [name for name in PassName if name in made]
    if order:
        yield "Passes", " → ".join(order)


def _made_with(log: RunLog) -> str:
    environment = log.environment
    if environment is None:
        return "another program; its versions were not recorded"
    return f"kroma_nb {environment.kroma_nb}, Python {environment.python}, {environment.platform}"


def _costs(log: RunLog) -> str:
    totals: dict[str, Money] = {}
    for cost in log.costs:
        totals[cost.currency] = totals.get(cost.currency, Money()) + cost.total_cost
    said = (str(sum_) if currency == "USD" else f"{str(sum_)[1:]} {currency}" for currency, sum_ in totals.items())
    return ", ".join(said)


def _duration(log: RunLog) -> str:
    if log.finished_at:
        return phrases.took(log.timestamp, log.finished_at)
    return "a time that was not recorded" if log.imported else "unknown, it has not ended"


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
