"""Facts of two records held against each other: each becomes a change, an unknown, or nothing."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

from kroma_nb.model.diff import Change, Fact, Section, Unknown, Where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kroma_nb.model.diff import NamedJob
    from kroma_nb.model.value import Value


class _Open(Enum):
    OPEN = "open"


OPEN: Final = _Open.OPEN
"""Stands for a fact that a record does not tell."""

Found = Change | Unknown
Told = Fact | Literal[_Open.OPEN]


def compared(
    section: Section,
    before: Mapping[str, Told],
    after: Mapping[str, Told],
    *,
    jobs: tuple[NamedJob | None, NamedJob | None] = (None, None),
    candidate: int | None = None,
) -> Iterator[Found]:
    """Compare facts by their field; one that only one side names has the value None on the other."""
    for field in dict.fromkeys([*before, *after]):
        old, new = before.get(field), after.get(field)
        if old is OPEN or new is OPEN:
            yield Unknown(section=section, field=field, before=old is OPEN, after=new is OPEN)
        elif old != new:
            where = Where(field=field, before=jobs[0], after=jobs[1], candidate=candidate)
            yield Change(section=section, where=where, before=old, after=new)


def facts_of(value: Value, *, below: str = "") -> dict[str, Fact]:
    """Give a value's facts under dotted names.

    Examples
    --------
    >>> from kroma_nb.model.brief import Palette
    >>> facts_of(Palette(paper=(250, 250, 250), ink=(5, 5, 5)), below="palette")
    {'palette.paper': '250, 250, 250', 'palette.ink': '5, 5, 5'}
    """
    return dict(_flat(value.to_json(), below))


def _flat(found: Any, name: str) -> Iterator[tuple[str, Fact]]:
    if isinstance(found, dict):
        for key, inner in found.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    else:
        yield name, ", ".join(map(str, found)) if isinstance(found, list) else found


def lifted(jobs: Iterable[Iterable[Found]]) -> Iterator[Found]:
    """Say once, of the whole run, what has changed alike in every one of several jobs; results stay with their job."""
    found = [list(one) for one in jobs]
    alike = [{_anywhere(change): change for change in one if _can_be_lifted(change)} for one in found]
    everywhere = set(alike[0]).intersection(*alike[1:]) if len(alike) > 1 else set()
    yield from (change for change in (alike[0] if alike else {}) if change in everywhere)
    for one in found:
        yield from (change for change in one if _anywhere(change) not in everywhere)


def _can_be_lifted(found: Found) -> bool:
    return isinstance(found, Change) and not found.section.is_result and found.section is not Section.JOBS


def _anywhere(found: Found) -> Found:
    if isinstance(found, Unknown):
        return found
    return found.model_copy(update={"where": found.where.model_copy(update={"before": None, "after": None})})
