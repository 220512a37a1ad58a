"""The first half of a comparison's page: what was asked for, and what it was made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.diff import Section, WordKind
from kroma_nb.report import phrases
from kroma_nb.report.diff import saying
from kroma_nb.report.diff.wording import hunks
from kroma_nb.report.elements import el

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kroma_nb.model.diff import Change, RunDiff, Words
    from kroma_nb.report.elements import Element

CONTEXT = 8
MOST_ROWS, MOST_NAMES = 40, 6
_TAG = {WordKind.REMOVED: "del", WordKind.ADDED: "ins", WordKind.SAME: "span"}


def asked(diff: RunDiff) -> Iterator[Element]:
    """Give the sections that are no results, each with its changes."""
    found = {section: diff.of(section) for section in Section if not section.is_result and diff.of(section)}
    if found:
        yield el("h4", "What was asked, and what it was made with")
    for section, changes in found.items():
        yield el("h5", saying.SECTIONS[section])
        if section is Section.PROMPTS:
            yield from _prompts(changes)
        else:
            parts: dict[bool, list[Change]] = {False: [], True: []}
            for change in changes:
                parts[change.where.field.startswith(saying.SEEDS)].append(change)
            yield from _table(parts[False])
            yield from _seeds(parts[True])


def _table(changes: Sequence[Change]) -> Iterator[Element]:
    if not changes:
        return
    yield el("table", el("tbody", *(_row(change) for change in changes[:MOST_ROWS])))
    yield from left_out(len(changes) - MOST_ROWS, "change")


def _row(change: Change) -> Element:
    scene = change.where.scene
    if change.where.field == "job":
        tag = "was" if change.after is None else "is"
        return el("tr", el("th", el("bdi", scene)), el("td", saying.outcome(change), class_=tag))
    name = el("bdi", saying.field(change))
    where = el("div", el("bdi", scene), class_="soft") if scene else None
    old, new = saying.value(change, change.before), saying.value(change, change.after)
    return el(
        "tr",
        el("th", name, where),
        el("td", el("bdi", old), class_="was"),
        el("td", "→", class_="soft"),
        el("td", el("bdi", new), class_="is"),
    )


def _seeds(changes: Sequence[Change]) -> Iterator[Element]:
    """Fold the seeds away: they are long numbers, and mostly follow another change."""
    if not changes:
        return
    candidates = {(change.where.after, change.where.candidate) for change in changes}
    said = f"{phrases.counted(len(candidates), 'candidate')} with other seeds"
    yield el("details", el("summary", said), *_table(changes))


def _prompts(changes: Sequence[Change]) -> Iterator[Element]:
    """Show each way in which prompts were changed once, with the scenes that it holds for."""
    alike: dict[tuple[Words, ...], list[Change]] = {}
    for change in changes:
        alike.setdefault(tuple(part for part in change.words if part.kind is not WordKind.SAME), []).append(change)
    for same in list(alike.values())[:MOST_ROWS]:
        yield el("div", _scenes([change.where.scene for change in same]), class_="soft")
        yield el("blockquote", *(el("p", *_hunk(hunk)) for hunk in hunks(same[0].words, CONTEXT)))
    yield from left_out(len(alike) - MOST_ROWS, "prompt")


def _scenes(names: list[str]) -> Element:
    if names == [""]:
        return el("bdi", "In every scene")
    shown = names[:MOST_NAMES] + ([f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else [])
    return el("bdi", phrases.listed(shown))


def _hunk(hunk: Sequence[Words]) -> Iterator[Element | str]:
    for place, part in enumerate(hunk):
        yield el(_TAG[part.kind], part.text)
        if place < len(hunk) - 1:
            yield " "


def left_out(count: int, what: str) -> Iterator[Element]:
    """Say how much is not shown."""
    if count > 0:
        yield el("p", f"… and {phrases.counted(count, f'more {what}')}; frame() has them all.", class_="soft")
