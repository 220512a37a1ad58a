"""A lineage in the words of Mermaid, which pages of GitHub, GitLab and JupyterLab draw by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.asset import LinkType
from kroma_nb.report.elements import readable
from kroma_nb.report.letter_widths import fitted, unturned
from kroma_nb.report.phrases import counted
from kroma_nb.report.shortening import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.model.lineage import LineageRecord, Relative
    from kroma_nb.report.shortening import Group, Shortened

_ARROWS = {
    LinkType.DERIVED_FROM: "-->",
    LinkType.VARIANT_OF: "==>",
    LinkType.REFERENCE_OF: "-.->",
    LinkType.MASK_FOR: "-.->",
}
WIDTH_PX = 320
_PLAIN = frozenset(" ._-/")


def lineage_mermaid(lineage: LineageRecord) -> str:
    """Write the pictures of a lineage that come first as a Mermaid flowchart; how many are left out stands in it."""
    return "\n".join(_lines(shortened(lineage))) + "\n"


def spoken(text: str) -> str:
    """Give a text that a label of Mermaid shows and does not obey: every sign that could mean something as its number.

    Examples
    --------
    >>> spoken('a "quoted" <name>; %%{init: {}}%%')[:32]
    'a #34;quoted#34; #60;name#62;#59'
    """
    plain = unturned(readable(text)).replace("\n", " ")
    return "".join(sign if sign.isalnum() or sign in _PLAIN or ord(sign) > 127 else f"#{ord(sign)};" for sign in plain)


def _lines(shown: Shortened) -> Iterator[str]:
    yield "flowchart LR"
    names = {one.path: f"p{number}" for number, one in enumerate(shown.pictures)}
    for group in shown.groups:
        for one in group.pictures:
            marked = ":::asked" if one.depth == 0 else ""
            yield f'    {names[one.path]}["{_label(one, group)}"]{marked}'
    for link in shown.links:
        yield f"    {names[link.parent]} {_ARROWS[link.type]}|{link.type.value}| {names[link.child]}"
    for number, group in enumerate(shown.groups):
        if group.more:
            yield f'    m{number}(["and {group.more:,} more"])'
            end = names[group.pictures[-1].path]
            yield f"    m{number} -.- {end}" if group.pictures[0].depth < 0 else f"    {end} -.- m{number}"
    yield "    classDef asked stroke-width:4px"
    if shown.left_out:
        yield f"    %% {counted(shown.left_out, 'picture')} left out"


def _label(one: Relative, group: Group) -> str:
    if one.run_id is None:
        facts = group.role
    else:
        won = " ★" if one.winner else ""
        made = one.pass_name.value if one.pass_name else "missing"
        facts = f"{made} · c{one.candidate}{won} · {one.run_id[-6:]}"
    marked = "▶ " if one.depth == 0 else ""
    return f"{marked}{spoken(fitted(one.name, WIDTH_PX))}<br>{spoken(facts)}"
