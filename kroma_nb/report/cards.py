"""One candidate as a card: its picture, what is said about it, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb.model.words import CandidateStatus
from kroma_nb.report import phrases, spending
from kroma_nb.report.chain import SHORT, Step, StepKind, lineage
from kroma_nb.report.elements import Element, coded, el
from kroma_nb.report.journey import shown_file
from kroma_nb.report.previews import Gap, Preview, Previews, embedded, link_from

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kroma_nb.model.brief import Seeds, Size
    from kroma_nb.model.runlog import CallRecord, CandidateRecord
    from kroma_nb.report.journey import Take

LONGEST_ALT = 120
CHANGED = "This file has changed since the run stored it."


@dataclass(frozen=True)
class Page:
    """What every part of one page shares.

    Attributes
    ----------
    previews : Previews
    place : str
        The page's own path, relative to the project root.
    anchors : mapping of (run id, job id, candidate) to str
        Where on this page a candidate is, so that a later stage can point to it.
    """

    previews: Previews
    place: str
    anchors: Mapping[tuple[str, str, int], str]

    def link(self, path: str) -> str | None:
        """Give the link to a stored file; None without a path."""
        return link_from(self.place, path) if path else None


def named(name: str) -> str:
    """Give a name as it can stand in an alternative text: not endless, and its writing direction its own affair."""
    shortened = name if len(name) <= LONGEST_ALT else f"{name[:LONGEST_ALT]}…"
    return f"\u2068{shortened}\u2069"


def framed(shown: Preview | Gap, *, alt: str, href: str | None, size: Size | None = None) -> Element:
    """Give a picture in its mat, linked to the stored file; a gap says what is missing and why."""
    if isinstance(shown, Gap):
        return gap("No picture", el("p", el("code", el("bdi", shown.path))), el("p", shown.cause), size=size)
    picture = el(
        "img",
        src=embedded(shown.data),
        alt=alt,
        width=shown.size[0],
        height=shown.size[1],
        loading="lazy",
        decoding="async",
        data_full=f"{shown.full_size[0]} × {shown.full_size[1]}",
    )
    return el("a", picture, class_="mat cutout" if shown.cutout else "mat", href=href)


def gap(title: str, *why: Element, size: Size | None = None) -> Element:
    """Give an empty mat that says what is missing; with a size it takes the place of a picture of that size."""
    words = el("div", el("strong", title), *why, class_="words")
    room = el("svg", viewBox=f"0 0 {size.width} {size.height}", aria_hidden="true") if size else None
    return el("div", room, words, class_="mat gap")


def card(page: Page, take: Take, candidate: CandidateRecord, *, shown: Preview | Gap | None) -> Element:
    """Give a candidate's card.

    Parameters
    ----------
    page : Page
    take : Take
        The job that the candidate belongs to.
    candidate : CandidateRecord
    shown : Preview, Gap or None
        Its picture; None where it never had one.
    """
    index, job = candidate.candidate_index, take.job
    wins = index == job.selected_candidate
    place = phrases.standing(candidate.rank, job)
    alt = f"Candidate {index} of {named(job.name)}, {phrases.of_job(job)}: {place}"
    file = shown_file(candidate)
    href = page.link(file.path) if file else None
    picture = _empty(candidate, job.size) if shown is None else framed(shown, alt=alt, href=href, size=job.size)
    return el(
        "figure",
        picture,
        el("figcaption", *_caption(page, take, candidate, shown=shown)),
        class_=_classes(candidate, wins=wins),
        id=take.anchor(index),
        data_n=index,
    )


def missing_card(index: int, size: Size | None) -> Element:
    """Give the place of a candidate that is planned and not drawn yet."""
    return el(
        "figure",
        gap("Not drawn yet", size=size),
        el("figcaption", el("p", el("b", f"c{index}"), class_="rank")),
        class_="candidate",
    )


def _classes(candidate: CandidateRecord, *, wins: bool) -> str:
    failed = candidate.status is not CandidateStatus.DONE
    return " ".join(["candidate", *["winner"] * wins, *["failed"] * failed])


def _empty(candidate: CandidateRecord, size: Size | None) -> Element:
    named_file = candidate.final_output or candidate.output
    if candidate.status is CandidateStatus.DONE:
        why = [el("p", el("code", el("bdi", named_file)))] if named_file else []
        return gap("The picture was not found", *why, size=size)
    return gap(phrases.CANDIDATE_STATUS[candidate.status].capitalize(), size=size)


def _caption(page: Page, take: Take, candidate: CandidateRecord, *, shown: Preview | Gap | None) -> list[Element]:
    changed = isinstance(shown, Preview) and shown.changed
    tied = phrases.tie(candidate.rank)
    said = [
        *([_line("tie", tied, "too close to tell apart.")] if tied else []),
        *([_line("bad", "Changed", CHANGED)] if changed else []),
        *_troubles(take, candidate),
        *([_line("note", "Retry", f"{added}.")] if (added := spending.added(candidate)) else []),
        *(_line("warn", "Warning", text) for text in phrases.warnings(candidate, take.log)),
        *(_line("note", "Note" if take.log.imported else "Painter", text) for text in candidate.notes),
    ]
    return [
        _standing(take, candidate),
        *([el("ul", *said, class_="said")] if said else []),
        _provenance(page, take, candidate),
        *_turns(candidate),
    ]


def _standing(take: Take, candidate: CandidateRecord) -> Element:
    index, rank = candidate.candidate_index, candidate.rank
    wins = index == take.job.selected_candidate
    done = candidate.status is CandidateStatus.DONE
    return el(
        "p",
        el("b", f"c{index}"),
        el("span", _won(take), class_="badge win") if wins else None,
        None if done else el("span", phrases.CANDIDATE_STATUS[candidate.status], class_="badge fail"),
        el("span", spending.REUSED, class_="badge") if candidate.reused else None,
        el("span", phrases.standing(rank, take.job), class_="place"),
        el("span", cost, class_="cost") if (cost := spending.cost(candidate)) else None,
        _quality(candidate) if done else None,
        class_="rank",
    )


def _won(take: Take) -> str:
    """Say why the winner is one; another program's choice stays, also where its own ranking names another."""
    ranked = [candidate for candidate in take.job.candidates if candidate.rank.position > 0]
    ranked.sort(key=lambda candidate: (*candidate.rank.unmeasured, candidate.candidate_index))
    outranked = bool(ranked) and ranked[0].candidate_index != take.job.selected_candidate
    return "★ Winner as imported" if take.log.imported and outranked else "★ Winner by rank"


def _quality(candidate: CandidateRecord) -> Element:
    value = candidate.quality
    if value is None:
        return el("span", "quality not measured", class_="quality")
    clipped = min(1.0, max(0.0, value))
    bar = el("meter", f"{value:.2f}", min=0, max=1, value=f"{clipped:.4f}", aria_label="quality")
    return el("span", "quality ", el("b", f"{value:.2f}"), bar, class_="quality")


def _line(kind: str, who: str, text: str) -> Element:
    return el("li", el("b", f"{who}: "), el("span", *coded(text)), class_=kind)


def _troubles(take: Take, candidate: CandidateRecord) -> list[Element]:
    why = phrases.reasons(candidate, take.log, take.job)
    lines = [_line("bad", "Reason", text) for text in why]
    failure, call = candidate.failure, spending.doubtful(candidate)
    if call is not None:
        lines.append(_line("bad", "In doubt", spending.doubt(call)))
    if failure is not None and not why and failure.error_code != phrases.IN_DOUBT:
        lines.append(_line("bad", phrases.failure(failure.error_code), failure.message))
    if way_out := phrases.way_out(candidate, take.log):
        lines.append(_line("way-out", "Way out", way_out))
    return lines


def _provenance(page: Page, take: Take, candidate: CandidateRecord) -> Element:
    steps = lineage(take.log, take.job, candidate)
    followed = take.job.follows
    target = page.anchors.get((followed.run_id, followed.job_id, followed.candidate)) if followed else None
    return el(
        "details",
        el("summary", "Lineage and seeds" if candidate.seeds else "Lineage"),
        el("ol", *(_step(page, step, target) for step in steps), class_="chain"),
        el("p", _seeds(candidate.seeds), _made(candidate), class_="seeds"),
    )


def _turns(candidate: CandidateRecord) -> list[Element]:
    """Give every paid call of a candidate, and how it ended before it was made again."""
    parts, heads = [], []
    if candidate.calls:
        heads.append(phrases.counted(len(candidate.calls), "call"))
        parts += [el("p", el("b", "Calls")), el("ol", *map(_call, candidate.calls), class_="turns")]
    if candidate.earlier:
        heads.append(phrases.counted(len(candidate.earlier), "earlier attempt"))
        earlier = (_turn(one.finished_at, spending.attempt_words(one)) for one in candidate.earlier)
        parts += [el("p", el("b", "Earlier attempts")), el("ol", *earlier, class_="turns")]
    return [el("details", el("summary", " and ".join(heads)), *parts)] if parts else []


def _call(call: CallRecord) -> Element:
    return _turn(call.started_at, spending.call_words(call), call.request_id or call.call_id)


def _turn(at: datetime, said: str, name: str = "") -> Element:
    moment = el("span", phrases.moment(at), class_="detail")
    return el("li", moment, el("span", said), el("code", el("bdi", name)) if name else None)


def _seeds(seeds: Seeds | None) -> str:
    if seeds is None:
        return "Its seeds were not recorded. "
    return f"Seeds: style {seeds.style}, time {seeds.time}, weather {seeds.weather}. "


def _made(candidate: CandidateRecord) -> str:
    by = phrases.made_by(candidate.provider, candidate.model)
    if candidate.started_at is None or candidate.finished_at is None:
        return f"By {by}; how long it took was not recorded."
    return f"By {by}, in {phrases.took(candidate.started_at, candidate.finished_at)}."


def _step(page: Page, step: Step, followed_anchor: str | None) -> Element:
    href = page.link(step.path)
    if step.kind in {StepKind.FOLLOWED, StepKind.FINISHED} and followed_anchor:
        href = f"#{followed_anchor}"
    title = el("bdi", step.title)
    # The final file is named by its whole sha256: that is what a person checks a copy against.
    fingerprint = step.sha256 if step.kind is StepKind.FINAL else step.sha256[:SHORT]
    return el(
        "li",
        el("span", step.kind.value, class_="kind"),
        el("span", el("a", title, href=href) if href else title, class_="title"),
        el("span", el("bdi", step.detail), class_="detail") if step.detail else None,
        el("code", fingerprint, title=f"sha256 {step.sha256}") if fingerprint else None,
        None if step.intact else el("strong", "The chain is broken here: it did not start from the step before."),
        class_=f"step step-{step.kind}",
    )
