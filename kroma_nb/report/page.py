"""The gallery: one self-contained HTML page for a run, or for a chain of runs."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from kroma_nb.report import phrases
from kroma_nb.report.cards import Page, named
from kroma_nb.report.elements import Element, Inline, el
from kroma_nb.report.journey import as_logs, journeys, shown_file
from kroma_nb.report.previews import Previews
from kroma_nb.report.runs import in_full, in_short
from kroma_nb.report.scenes import Scene, line_up, scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kroma_nb.model.runlog import RunLog
    from kroma_nb.report.journey import Journey


def gallery(
    log: RunLog | Sequence[RunLog],
    pictures: Callable[[str], bytes],
    *,
    place: str | None = None,
) -> str:
    """Show a run's candidates side by side, with all that is known about them.

    The page asks no one for anything: pictures are embedded as small copies, style and script stand in it, and its
    policy forbids every request. Without JavaScript all of it can be read; the script only adds the large view.

    Parameters
    ----------
    log : RunLog, or sequence of RunLog
        One run, or a chain of runs in the order in which they were made; jobs that draw the same scene are shown
        together.
    pictures : callable, str -> bytes
        Gives a stored file by its path relative to the project root. A file that it cannot give (`KromaError`,
        `OSError`, `LookupError`) or that is no picture is shown as a named gap.
    place : str or None
        Where the page will lie, relative to the project root: links to the stored files start from there. None
        takes ``runs/<run_id>/gallery.html`` of the last run.

    Returns
    -------
    str
        A whole HTML document; write it as UTF-8.

    Raises
    ------
    ValueError
        If there is no run.
    """
    logs = as_logs(log)
    place = place if place is not None else f"runs/{logs[-1].run_id}/gallery.html"
    found = journeys(logs)
    page = Page(Previews(pictures, _preview_count(found)), place, _anchors(found))
    scenes = [scene(page, journey, number) for number, journey in enumerate(found, 1)]
    return "".join(_document(logs, scenes))


def _preview_count(found: Sequence[Journey]) -> int:
    takes = [take for journey in found for take in journey.takes]
    drawn = sum(shown_file(candidate) is not None for take in takes for candidate in take.job.candidates)
    return len(found) + drawn


def _anchors(found: Sequence[Journey]) -> dict[tuple[str, str, int], str]:
    return {
        (*take.key, candidate.candidate_index): take.anchor(candidate.candidate_index)
        for journey in found
        for take in journey.takes
        for candidate in take.job.candidates
    }


def _document(logs: Sequence[RunLog], scenes: Sequence[Scene]) -> Iterator[str]:
    style, script = Inline("style", _part("gallery.css")), Inline("script", _part("gallery.js"))
    yield '<!DOCTYPE html>\n<html lang="en">'
    yield from _head(logs, style=style, script=script).parts()
    yield "<body>"
    yield from el("a", "Skip to the pictures", href="#pictures", class_="skip").parts()
    yield from _top(logs, _scene_count(logs)).parts()
    if len(scenes) > 1 or len(logs) > 1:
        yield from line_up(scenes).parts()
    yield '<main id="pictures">'
    yield from (scene.section for scene in scenes)
    yield from in_full(logs).parts()
    yield "</main>"
    yield from _foot(logs).parts()
    yield from _zoom().parts()
    yield from script.parts()
    yield "</body></html>\n"


def _part(name: str) -> str:
    return files("kroma_nb.report").joinpath(name).read_text("utf-8")


def _allowed(part: Inline) -> str:
    return f"'sha256-{b64encode(sha256(part.text.encode()).digest()).decode()}'"


def _head(logs: Sequence[RunLog], *, style: Inline, script: Inline) -> Element:
    policy = (
        f"default-src 'none'; img-src data:; style-src {_allowed(style)}; script-src {_allowed(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="dark light"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", f"{named(logs[-1].project)} · {_stages(logs)}"),
        el("link", rel="icon", href="data:,"),
        style,
    )


def _stages(logs: Sequence[RunLog]) -> str:
    return " → ".join(phrases.of_run(log) for log in logs)


def _top(logs: Sequence[RunLog], scenes: int) -> Element:
    return el(
        "header",
        el("h1", el("bdi", logs[-1].project)),
        el("p", f"{_stages(logs)} · {phrases.counted(scenes, 'scene')}", class_="lead"),
        in_short(logs),
        class_="top",
    )


def _scene_count(logs: Sequence[RunLog]) -> int:
    """Count the scenes by their content; one that is not known counts as one of its own."""
    contents = [job.scene_sha256 for log in logs for job in log.jobs]
    return len(set(contents) - {None}) + contents.count(None)


def _foot(logs: Sequence[RunLog]) -> Element:
    keys = (
        ("Enter", "opens a picture large"),
        ("← →", "candidates"),
        ("↑ ↓", "stages and scenes"),
        ("1–9", "a candidate"),
        ("z", "pixel for pixel"),
        ("hold s", "the source"),
        ("hold b", "the one before"),
        ("o", "the stored file"),
        ("Esc", "closes"),
    )
    said = (el("li", el("kbd", key), f" {text}") for key, text in keys)
    return el(
        "footer",
        el("ul", *said, class_="keys"),
        el("p", "Ranks help to look; a person approves. ", _maker(logs[-1])),
    )


def _maker(log: RunLog) -> str:
    return f"Made by kroma_nb {log.environment.kroma_nb}." if log.environment else "Imported from another program."


def _zoom() -> Element:
    return el(
        "dialog",
        el("div", class_="stage", tabindex=0),
        el("p", class_="caption", aria_live="polite"),
        el(
            "div",
            _button("previous", "←", "previous candidate"),
            _button("next", "→", "next candidate"),
            _button("pixels", "1:1", "pixel for pixel (z)", aria_pressed="false"),
            _button("source", "source", "hold to see the source (s)"),
            _button("before", "before", "hold to see the one before (b)"),
            el("a", "full file", href="#pictures", class_="full", target="_blank", rel="noopener"),
            _button("close", "close", "close (Esc)"),
            class_="tools",
        ),
        id="zoom",
        aria_label="Large view",
    )


def _button(action: str, text: str, label: str, *, aria_pressed: str | None = None) -> Element:
    pressed = {"aria_pressed": aria_pressed}
    return el("button", text, type="button", data_do=action, aria_label=label, title=label, **pressed)
