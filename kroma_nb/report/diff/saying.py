"""Changes in words: the name of a field, a value, a delta, a changed prompt, what a record leaves open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kroma_nb.model.diff import Section, WordKind
from kroma_nb.report import phrases

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kroma_nb.model.diff import Change, ComparedRun, Fact, RunDiff, Unknown, Words

SECTIONS = {
    Section.PARAMETERS: "Parameters",
    Section.PROMPTS: "Prompts",
    Section.REFERENCES: "Scenes and references",
    Section.PASSES: "Passes",
    Section.GUARD: "Guard",
    Section.ENGINE: "Engine",
    Section.ENVIRONMENT: "Code and environment",
    Section.JOBS: "Jobs",
    Section.WINNERS: "Winners",
    Section.METRICS: "Measures of the winners",
}
SAME = "Nothing differs: parameters, prompts, references, engine, environment, winners and measures are the same."
SAME_AS_KNOWN = "Nothing that both records tell differs."
MATCHED = (
    "Jobs are matched by the content of their scene. Ids, order, paths, times and durations are not compared, and "
    "hashes are shown by their first 12 digits."
)
SEEDS = "seeds."
_MARK = {WordKind.SAME: "", WordKind.REMOVED: "-", WordKind.ADDED: "+"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BARE = re.compile(r"(style|libraries|cpu_features)\.(.+)", re.DOTALL)
_KINDS = {"style": "style reference", "cpu_features": "processor feature"}
_NOTHING = {"job": "–", "cpu_features": "absent", "libraries": "absent", "candidate": "no winner", "warnings": "none"}


def field(change: Change) -> str:
    """Name what has changed, as people read it; a file keeps the name that it has.

    Examples
    --------
    >>> from kroma_nb.model.diff import Change, Where
    >>> paths = ("hand.line_weight.low", "libraries.opencv-python-headless", "style.ink_sheet.png")
    >>> [field(Change(section=Section.PARAMETERS, where=Where(field=path), before=1, after=2)) for path in paths]
    ['hand line weight low', 'opencv-python-headless', 'style reference ink_sheet.png']
    """
    path = change.where.field
    named = _BARE.fullmatch(path)
    if named is None:
        words = path.replace(".", " ").replace("_", " ")
    elif named[1] == "libraries":
        words = named[2]
    else:
        words = f"{_KINDS[named[1]]} {named[2]}"
    return f"{words} of c{change.where.candidate}" if change.where.candidate is not None else words


def value(change: Change, fact: Fact) -> str:
    """Say a value: a hash by its first 12 digits, a winner as c1, nothing as what that means here."""
    path = change.where.field
    if fact is None:
        return _NOTHING.get(path.split(".", maxsplit=1)[0], _absent(change))
    if isinstance(fact, bool):
        return "present" if path.startswith("cpu_features.") else "yes" if fact else "no"
    if isinstance(fact, str):
        shown = fact.replace("_", " ") if path == "warnings" else fact
        return fact[:12] if _SHA256.fullmatch(fact) else shown
    return f"c{fact}" if path == "candidate" else f"{fact:.6g}" if isinstance(fact, float) else str(fact)


def _absent(change: Change) -> str:
    return "off" if change.section is Section.PASSES else "none"


def delta(change: Change) -> str:
    """Say by how much a measure has grown; empty for what is none.

    Examples
    --------
    >>> from kroma_nb.model.diff import Change, Where
    >>> delta(Change(section=Section.METRICS, where=Where(field="quality"), before=0.5, after=0.4875))
    '-0.0125'
    """
    grown = change.delta if change.section is Section.METRICS else None
    return f"{grown:+.4g}" if grown else ""


def words(hunk: Iterable[Words]) -> str:
    """Write a changed place of a prompt with a sign before each word that went or came.

    Examples
    --------
    >>> from kroma_nb.report.diff.wording import word_diff
    >>> words(word_diff("Keep a lamp lit.", "Keep two lanterns lit."))
    'Keep -a -lamp +two +lanterns lit.'
    """
    return " ".join(" ".join(f"{_MARK[part.kind]}{word}" for word in part.text.split()) for part in hunk)


def outcome(change: Change) -> str:
    """Say a change of a job as a whole: that it was added, or where it stands."""
    if change.where.field == "job":
        return "added" if change.before is None else "removed"
    return f"{value(change, change.before)} → {value(change, change.after)}"


def run(compared: ComparedRun) -> str:
    """Name one of the two runs."""
    return f"{compared.project} · {phrases.light(compared.stage, compared.time, compared.weather)} · {compared.run_id}"


def unknown(diff: RunDiff) -> tuple[str, ...]:
    """Say what the records leave open, a sentence a run."""
    sides = (
        ("Unknown in both", [fact for fact in diff.unknown if fact.before and fact.after]),
        ("Unknown in the earlier run", [fact for fact in diff.unknown if fact.before and not fact.after]),
        ("Unknown in the later run", [fact for fact in diff.unknown if fact.after and not fact.before]),
    )
    return tuple(f"{what}, and so not compared: {_listed(facts)}." for what, facts in sides if facts)


def _listed(facts: Sequence[Unknown]) -> str:
    return phrases.listed([fact.field.replace("_", " ").replace(".", " ") for fact in facts])


def summary(diff: RunDiff) -> str:
    """Count what differs; for an empty comparison, say that nothing does."""
    if diff.is_empty:
        return SAME_AS_KNOWN if diff.unknown else SAME
    results = diff.of(Section.WINNERS, Section.METRICS)
    scenes = phrases.counted(len({change.where.after for change in results}), "scene")
    # The seeds of many candidates mostly follow another change; all of them count as one.
    seeds = [change for change in diff.changes if change.where.field.startswith(SEEDS)]
    told = len(diff.changes) - len(results) - len(seeds) + bool(seeds)
    asked = phrases.counted(told, "change")
    return f"{asked} in what was asked and what it was made with; {scenes} came out another way."
