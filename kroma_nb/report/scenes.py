"""One scene as a section: its source beside the candidates of every stage, and its entry in the line-up."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from kroma_nb.model.runlog import ALL_FAILED
from kroma_nb.report import phrases
from kroma_nb.report.cards import CHANGED, card, framed, missing_card, named
from kroma_nb.report.chain import SHORT
from kroma_nb.report.elements import Element, el
from kroma_nb.report.journey import shown_file
from kroma_nb.report.previews import Gap, Preview, embedded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kroma_nb.model.brief import Size
    from kroma_nb.model.runlog import CandidateRecord, InputRecord
    from kroma_nb.report.cards import Page
    from kroma_nb.report.journey import Journey, Take


@dataclass(frozen=True)
class Scene:
    """A scene's section, and the small pictures that stand for it in the line-up."""

    section: str
    name: str
    summary: str
    thumbs: tuple[bytes | None, ...]


def scene(page: Page, journey: Journey, number: int) -> Scene:
    """Build a scene's section.

    Parameters
    ----------
    page : Page
    journey : Journey
        The scene's jobs, one or more.
    number : int
        1 for the first scene of the page.

    Returns
    -------
    Scene
    """
    first = journey.takes[0]
    source = _source_preview(page, first)
    takes = [_take(page, take) for take in journey.takes]
    drawn = el("div", *(part for part, _ in takes), class_="takes")
    name_id = f"scene-{number}-name"
    section = el(
        "section",
        el("h2", el("span", f"{number} ", class_="number"), el("bdi", journey.name), id=name_id),
        el("div", _source(page, first, source), drawn, class_="bench"),
        class_="scene",
        id=f"scene-{number}",
        aria_labelledby=name_id,
    )
    thumbs = (source.thumb() if isinstance(source, Preview) else None, *(thumb for _, thumb in takes))
    return Scene(str(section), journey.name, _summary(journey), thumbs)


def line_up(scenes: Iterable[Scene]) -> Element:
    """Give every scene's source and winners as one strip that leads to its section."""
    entries = (_entry(scene, number) for number, scene in enumerate(scenes, 1))
    return el(
        "nav",
        el("h2", "Line-up", id="line-up-name"),
        el("p", "Each scene from its source to the winner of every stage.", class_="lead"),
        el("ol", *entries, class_="line-up"),
        aria_labelledby="line-up-name",
        id="line-up",
    )


def _entry(scene: Scene, number: int) -> Element:
    strip = [_thumb(thumb) for thumb in scene.thumbs]
    return el(
        "li",
        el(
            "a",
            el("span", *strip, class_="strip"),
            el("span", f"{number} ", el("bdi", scene.name), class_="name"),
            el("span", scene.summary, class_="summary"),
            href=f"#scene-{number}",
        ),
    )


def _thumb(data: bytes | None) -> Element:
    if data is None:
        return el("span", "no picture", class_="none")
    return el("img", src=embedded(data), alt="", loading="lazy", decoding="async")


def _summary(journey: Journey) -> str:
    log_wins = [take.job.selected_candidate for take in journey.takes]
    if None in log_wins:
        return f"{log_wins.count(None)} of {phrases.counted(len(log_wins), 'stage')} without a winner"
    winners = [take.job.winner for take in journey.takes if take.job.winner]
    if all(winner.quality is None for winner in winners):
        return "winner as imported"
    ties = sum(bool(winner.rank.tied_with) for winner in winners)
    return f"{phrases.counted(ties, 'near-tie')} to look at" if ties else "winner clear"


def _source_preview(page: Page, take: Take) -> Preview | Gap:
    entry = take.source
    if entry is None:
        cause = "The import did not find its file." if take.log.imported else "The run log does not name its file."
        return Gap(take.job.scene_ref, cause)
    return page.previews.of(entry.file.path, entry.file.sha256)


def _source(page: Page, take: Take, shown: Preview | Gap) -> Element:
    entry = take.source
    href = page.link(entry.file.path) if entry else None
    size = f"{entry.width} × {entry.height} · " if entry else ""
    changed = isinstance(shown, Preview) and shown.changed
    return el(
        "figure",
        framed(shown, alt=f"Source of {named(take.job.name)}", href=href),
        el(
            "figcaption",
            el("p", el("b", "Source"), " ", el("bdi", take.job.scene_ref)),
            el("p", size, _fingerprint(take.job.scene_sha256)),
            el("p", CHANGED, class_="bad") if changed else None,
            _references(take.references),
        ),
        class_="source",
    )


def _fingerprint(sha256: str | None) -> Element | str:
    return el("code", sha256[:SHORT], title=f"sha256 {sha256}") if sha256 else "its content is not known"


def _references(references: tuple[InputRecord, ...]) -> Element | None:
    if not references:
        return None
    names = (el("li", el("bdi", entry.ref), " ", el("code", entry.file.sha256[:SHORT])) for entry in references)
    return el("div", el("p", el("b", "Style references")), el("ul", *names), class_="references")


def _take(page: Page, take: Take) -> tuple[Element, bytes | None]:
    job = take.job
    shown = {candidate.candidate_index: _shown(page, candidate) for candidate in job.candidates}
    cards = {
        candidate.candidate_index: card(page, take, candidate, shown=shown[candidate.candidate_index])
        for candidate in job.candidates
    }
    # A winner that is only finished keeps the number that it was drawn with.
    to_come = max(0, job.planned_candidates - len(cards))
    for index in islice((n for n in range(1, job.planned_candidates + 1) if n not in shown), to_come):
        cards[index] = missing_card(index, job.size)
    winner = shown.get(job.selected_candidate) if job.selected_candidate is not None else None
    wide = _is_wide(job.size, shown.values())
    section = el(
        "section",
        *_take_heading(take),
        el("ol", *(el("li", cards[index]) for index in sorted(cards)), class_=f"candidates n{len(cards)}"),
        el("details", el("summary", "Prompt"), el("p", job.prompt, class_="prompt")) if job.prompt else None,
        class_="take wide" if wide else "take",
    )
    return section, winner.thumb() if isinstance(winner, Preview) else None


def _is_wide(size: Size | None, shown: Iterable[Preview | Gap | None]) -> bool:
    """Tell a landscape page by the size that was asked for, else by the first picture that is there."""
    drawn = next((preview.full_size for preview in shown if isinstance(preview, Preview)), (0, 0))
    width, height = (size.width, size.height) if size else drawn
    return width > height


def _take_heading(take: Take) -> list[Element]:
    job = take.job
    failure = "Every candidate failed the guard." if job.failure_reason == ALL_FAILED else job.failure_reason
    size = f"{job.size.width} × {job.size.height} · " if job.size else ""
    facts = f"{phrases.progress(job)} · {size}"
    return [
        el("h3", phrases.of_job(job)),
        el("p", facts, el("a", take.log.run_id, href=f"#run-{take.run + 1}"), class_="facts"),
        *([el("p", failure, class_="bad")] if failure else []),
    ]


def _shown(page: Page, candidate: CandidateRecord) -> Preview | Gap | None:
    file = shown_file(candidate)
    return page.previews.of(file.path, file.sha256) if file else None
