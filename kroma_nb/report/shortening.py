"""As much of a lineage as can be looked at, the pictures of one candidate together, and the rest counted."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb.model.asset import AssetKind, LinkType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kroma_nb.model.asset import AssetLink
    from kroma_nb.model.lineage import LineageRecord, Relative

DRAWN = 60
"""How many pictures are drawn at most."""
_ROLES = {LinkType.DERIVED_FROM: "scene", LinkType.REFERENCE_OF: "style reference"}


@dataclass(frozen=True)
class Group:
    """The pictures of one candidate in the order in which they were made, or one picture that belongs to none.

    Attributes
    ----------
    pictures : tuple of Relative
    role : str
        What a picture without a candidate is: scene, style reference, input, or imported.
    more : int
        How many pictures are left out that lie behind these, as seen from the one that was asked for.
    """

    pictures: tuple[Relative, ...]
    role: str
    more: int

    @property
    def key(self) -> str:
        """What tells it from other groups."""
        return self.pictures[0].path


@dataclass(frozen=True)
class Shortened:
    """The part of a lineage that is shown.

    Attributes
    ----------
    groups : tuple of Group
        From the farthest above to the farthest below.
    links : tuple of AssetLink
        Those between pictures that are shown.
    left_out : int
        How many pictures are not.
    """

    groups: tuple[Group, ...]
    links: tuple[AssetLink, ...]
    left_out: int

    @property
    def pictures(self) -> tuple[Relative, ...]:
        """Every picture that is shown."""
        return tuple(one for group in self.groups for one in group.pictures)


def shortened(lineage: LineageRecord, most: int = DRAWN) -> Shortened:
    """Choose what is shown of a lineage.

    Sources come first, then winners, one scene with all its stages after the other, then other candidates; among them
    what is fewer links away. The shortest way from each to the picture that was asked for is always shown with it.
    """
    known = {one.path: one for one in lineage.pictures}
    shown: dict[str, Relative] = {}
    for one in sorted(lineage.pictures, key=_worth):
        way = [one, *_way(one, known)] if len(shown) < most else ()
        missing = {step.path: step for step in way if step.path not in shown}
        if len(shown) + len(missing) <= most:
            shown |= missing
    # What is left out is counted where the way to it leaves what is shown.
    hidden = [one for one in lineage.pictures if one.path not in shown]
    more = Counter(next(step.path for step in _way(one, known) if step.path in shown) for one in hidden)
    links = tuple(link for link in lineage.links if link.parent in shown and link.child in shown)
    members: dict[object, list[Relative]] = {}
    for one in sorted(shown.values(), key=_place):
        members.setdefault((one.run_id, one.job_id, one.candidate) if one.run_id else one.path, []).append(one)
    roles = {link.parent: _ROLES.get(link.type, "input") for link in links}
    groups = tuple(
        Group(tuple(made), _role(made[0], roles), sum(more[one.path] for one in made)) for made in members.values()
    )
    return Shortened(groups, links, len(hidden))


def _role(one: Relative, roles: Mapping[str, str]) -> str:
    if one.kind is AssetKind.INPUT:
        return roles.get(one.path, "input")
    return "" if one.run_id else "imported"


def _worth(one: Relative) -> tuple[object, ...]:
    lost = one.candidate is not None and not one.winner
    return one.depth != 0, lost, _numbered(one.scene or ""), abs(one.depth), one.created_at, one.path


def _numbered(name: str) -> str:
    """Give what sorts names as people count them: 2 before 10."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(12), name)


def _way(one: Relative, known: Mapping[str, Relative]) -> Iterator[Relative]:
    """Give the pictures between one and the picture that was asked for, that one last."""
    while one.via is not None:
        one = known[one.via]
        yield one


def _place(one: Relative) -> tuple[object, ...]:
    return one.depth, one.run_id or "", _numbered(one.job_id or ""), one.candidate or 0, one.path
