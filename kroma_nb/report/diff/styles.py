"""Which style references a job gained, lost or has with another content: by hash, then by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.diff import Change, Section, Unknown, Where
from kroma_nb.model.imported import INPUT_LOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kroma_nb.report.diff.found import Found
    from kroma_nb.report.diff.pairing import Pair, Side

Style = tuple[str, str]
FIELD = "style"


def of_styles(pair: Pair) -> Iterator[Found]:
    """Compare the style references of a job.

    The same content is the same reference, whatever it is called; the same name with another content is a change; what
    is left was removed or added. One that an imported run does not have although inputs of it were lost is unknown.
    """
    old, new = list(pair.before.styles), list(pair.after.styles)
    kept = _taken(old, new, lambda style: style[1])
    for one, other in _taken(old, new, lambda style: style[0]):
        yield _change(pair, one[0], one[1], other[1])
    for ref, sha256 in old:
        yield _unknown(before=False) if _has_lost(pair.after.side) else _change(pair, ref, sha256, None)
    for ref, sha256 in new:
        yield _unknown(before=True) if _has_lost(pair.before.side) else _change(pair, ref, None, sha256)
    yield from _order(pair, kept)


def _taken(old: list[Style], new: list[Style], key: Callable[[Style], str]) -> list[tuple[Style, Style]]:
    """Take what is alike by a key out of both lists, in order, and give it as pairs."""
    pairs = []
    for one in tuple(old):
        other = next((style for style in new if key(style) == key(one)), None)
        if other is not None:
            old.remove(one)
            new.remove(other)
            pairs.append((one, other))
    return pairs


def _order(pair: Pair, kept: list[tuple[Style, Style]]) -> Iterator[Found]:
    was = [sha256 for _, sha256 in pair.before.styles]
    has = [sha256 for _, sha256 in pair.after.styles]
    stayed = {one[1] for one, _ in kept}
    if [one for one in was if one in stayed] != [one for one in has if one in stayed]:
        orders = (", ".join(ref for ref, sha256 in job.styles if sha256 in stayed) for job in (pair.before, pair.after))
        yield _change(pair, "order", *orders)


def _change(pair: Pair, name: str, before: str | None, after: str | None) -> Change:
    old, new = pair.named
    where = Where(field=f"{FIELD}.{name}", before=old, after=new)
    return Change(section=Section.REFERENCES, where=where, before=before, after=after)


def _unknown(*, before: bool) -> Unknown:
    return Unknown(section=Section.REFERENCES, field=FIELD, before=before, after=not before)


def _has_lost(side: Side) -> bool:
    imported = side.log.imported
    return imported is not None and any(INPUT_LOST in sentence for sentence in imported.mended)
