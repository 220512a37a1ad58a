"""A lineage as an SVG: sources on the left, what was made of them to the right, in the colours of the page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from kroma_nb.model.asset import LinkType
from kroma_nb.report import phrases
from kroma_nb.report.elements import Inline, el
from kroma_nb.report.layers import Layers, arranged
from kroma_nb.report.letter_widths import fitted, unturned, width_of
from kroma_nb.report.shortening import shortened

if TYPE_CHECKING:
    from kroma_nb.model.asset import AssetLink
    from kroma_nb.model.lineage import LineageRecord, Relative
    from kroma_nb.report.elements import Element
    from kroma_nb.report.shortening import Group, Shortened

WIDTH_PX, BETWEEN_PX, EDGE_PX = 252, 54, 18
HEAD_PX, ROW_PX, FOOT_PX = 22, 20, 8
LEGEND_PX, SAMPLE_PX = 30, 34
PLAIN = "#5b6068"
BOLD = 1.12
"""How much wider a text is in bold."""
SHORT = 12

# A reader of SVG that knows no variables keeps the first of two values. The page's own colours come from Jupyter.
_STYLE = """
.kroma-lineage{color-scheme:light dark;--paper:var(--jp-layout-color1,#fff);--ink:var(--jp-content-font-color1,#1c1d20);
--soft:#5b6068;--rim:#a9aeb6;--made:#5b6068;--ref:#0a716b;--follows:#a04a00;--mask:#7b3fa0;--asked:#0b57d0;--band:#e4edfd}
@media (prefers-color-scheme:dark){.kroma-lineage{--paper:var(--jp-layout-color1,#17181b);
--ink:var(--jp-content-font-color1,#ececf0);--soft:#a7adb6;--rim:#646a73;--made:#a7adb6;--ref:#55c7bf;--follows:#f2a65f;
--mask:#cd9fe8;--asked:#8ab4f8;--band:#22304a}}
[data-jp-theme-light=true] .kroma-lineage{--soft:#5b6068;--rim:#a9aeb6;--made:#5b6068;--ref:#0a716b;--follows:#a04a00;
--mask:#7b3fa0;--asked:#0b57d0;--band:#e4edfd}
[data-jp-theme-light=false] .kroma-lineage{--soft:#a7adb6;--rim:#646a73;--made:#a7adb6;--ref:#55c7bf;--follows:#f2a65f;
--mask:#cd9fe8;--asked:#8ab4f8;--band:#22304a}
.kroma-lineage text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1c1d20;fill:var(--ink);
unicode-bidi:isolate}
.kroma-lineage .paper{fill:#fff;fill:var(--paper)}
.kroma-lineage .box{fill:#fff;fill:var(--paper);stroke:#a9aeb6;stroke:var(--rim)}
.kroma-lineage .lost{stroke-dasharray:3 3}
.kroma-lineage .asked{stroke:#0b57d0;stroke:var(--asked);stroke-width:2.5}
.kroma-lineage .band{fill:#e4edfd;fill:var(--band)}
.kroma-lineage .soft{fill:#5b6068;fill:var(--soft);font-size:11px}
.kroma-lineage .name{font-weight:600}
.kroma-lineage .line{fill:none;stroke:#5b6068;stroke:var(--made);stroke-width:1.4}
.kroma-lineage .tip{fill:#5b6068;fill:var(--made)}
.kroma-lineage .reference_of{stroke:#0a716b;stroke:var(--ref);stroke-dasharray:6 4}
.kroma-lineage .variant_of{stroke:#a04a00;stroke:var(--follows);stroke-width:2.6}
.kroma-lineage .mask_for{stroke:#7b3fa0;stroke:var(--mask);stroke-dasharray:1.5 3.5}
.kroma-lineage .tip.reference_of,.kroma-lineage .tip.variant_of,.kroma-lineage .tip.mask_for{stroke:none}
.kroma-lineage .tip.reference_of{fill:#0a716b;fill:var(--ref)}
.kroma-lineage .tip.variant_of{fill:#a04a00;fill:var(--follows)}
.kroma-lineage .tip.mask_for{fill:#7b3fa0;fill:var(--mask)}
"""
_SAYS = {
    LinkType.DERIVED_FROM: "made from",
    LinkType.REFERENCE_OF: "style reference of",
    LinkType.VARIANT_OF: "followed by",
    LinkType.MASK_FOR: "mask for",
}

Point = tuple[float, float]


def lineage_svg(lineage: LineageRecord) -> str:
    """Draw the pictures of a lineage that come first as an SVG that stands alone; it says how many are left out."""
    return str(drawn_lineage(lineage))


def drawn_lineage(lineage: LineageRecord) -> Element:
    """Draw the pictures of a lineage that come first."""
    shown = shortened(lineage)
    sheet = Sheet.of(shown)
    width, height = sheet.size
    asked = lineage.asked
    said = f"Lineage of {asked.name}: {phrases.counted(len(lineage.pictures), 'picture')}"
    return el(
        "svg",
        el("title", said),
        Inline("style", _STYLE),
        el("path", d=_rounded((0, 0), (width, height), 0), class_="paper", fill="#fff"),
        *sheet.lines(),
        *(sheet.box(group) for group in shown.groups),
        *sheet.legend(),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        role="img",
        aria_label=said,
        class_="kroma-lineage",
    )


@dataclass(frozen=True)
class Sheet:
    """Where everything stands.

    Attributes
    ----------
    shown : Shortened
    layers : Layers
    group_of : dict
        A picture's path to the group that it stands in.
    """

    shown: Shortened
    layers: Layers
    group_of: dict[str, Group]

    @classmethod
    def of(cls, shown: Shortened) -> Sheet:
        """Give every group its place."""
        group_of = {one.path: group for group in shown.groups for one in group.pictures}
        pairs = ((group_of[link.parent].key, group_of[link.child].key) for link in shown.links)
        links = [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]
        asked = next(group.key for group in shown.groups for one in group.pictures if one.depth == 0)
        heights = {group.key: _height(group) for group in shown.groups}
        above = [group.key for group in shown.groups if group.pictures[0].depth < 0]
        return cls(shown, arranged(asked, heights, links, above), group_of)

    @property
    def size(self) -> Point:
        """Give width and height, pixels."""
        columns = max(self.layers.column.values()) + 1
        width = columns * (WIDTH_PX + BETWEEN_PX) - BETWEEN_PX + 2 * EDGE_PX
        below = LEGEND_PX * (bool(self._types) + bool(self.shown.left_out))
        return max(width, sum(map(_sample, self._types)) + 2 * EDGE_PX), self.layers.height + 2 * EDGE_PX + below

    @property
    def _types(self) -> list[LinkType]:
        used = {link.type for link in self._between}
        return [kind for kind in _SAYS if kind in used]

    @property
    def _between(self) -> list[AssetLink]:
        """Give the links that are lines: those within a box are told by its rows."""
        ends = self.group_of
        return [link for link in self.shown.links if ends[link.parent].key != ends[link.child].key]

    def corner(self, group: Group) -> Point:
        """Give the upper left corner of a group's box."""
        column = self.layers.column[group.key]
        return EDGE_PX + column * (WIDTH_PX + BETWEEN_PX), EDGE_PX + self.layers.tops[group.key, column]

    def box(self, group: Group) -> Element:
        """Draw a group."""
        asked = any(one.depth == 0 for one in group.pictures)
        lost = all(one.sha256 is None for one in group.pictures)
        x, y = self.corner(group)
        height = _height(group)
        style = " ".join(name for name, fits in (("box", True), ("asked", asked), ("lost", lost)) if fits)
        rows = [part for number in range(len(group.pictures)) for part in _row(group, number)]
        if group.more:
            behind = "" if asked else " that it comes from" if group.pictures[0].depth < 0 else " made of it"
            top = HEAD_PX + len(group.pictures) * ROW_PX + 11
            rows.append(_text((10, top), f"… and {group.more:,} more{behind}", "soft"))
        return el(
            "svg",
            el("title", "\n".join(one.path for one in group.pictures)),
            el(
                "path",
                d=_rounded((1.5, 1.5), (WIDTH_PX - 3, height - 3), 6),
                class_=style,
                fill="#fff",
                stroke="#a9aeb6",
            ),
            _text((10, 16), _heading(group), "soft"),
            *rows,
            x=f"{x:.1f}",
            y=f"{y:.1f}",
            width=WIDTH_PX,
            height=f"{height:.1f}",
        )

    def lines(self) -> list[Element]:
        """Draw every link between two boxes; those of a kind that leave one picture share their way past columns."""
        parts: dict[tuple[str, str], None] = {}
        tips: dict[tuple[str, str], None] = {}
        for link in self._between:
            start, end = self.group_of[link.parent], self.group_of[link.child]
            begin, stop = self._end(start, link.parent, WIDTH_PX), self._end(end, link.child, 0)
            for part in self._way(start.key, end.key, begin, stop):
                parts[part, link.type.value] = None
            tips[_tip(stop), link.type.value] = None
        drawn = [el("path", d=way, class_=f"line {kind}", fill="none", stroke=PLAIN) for way, kind in parts]
        return [*drawn, *(el("path", d=tip, class_=f"tip {kind}", fill=PLAIN) for tip, kind in tips)]

    def _end(self, group: Group, path: str, across: float) -> Point:
        x, y = self.corner(group)
        number = next(number for number, one in enumerate(group.pictures) if one.path == path)
        return x + across, y + HEAD_PX + (number + 0.5) * ROW_PX

    def _way(self, start: str, end: str, begin: Point, stop: Point) -> list[str]:
        short = (stop[0] - 7, stop[1])
        if self.layers.column[start] >= self.layers.column[end]:
            # Only pictures that were linked in a circle lead back.
            return [_curve(begin, short, 90)]
        points = [begin]
        for spot in self.layers.route((start, end))[1:-1]:
            x, y = EDGE_PX + spot[1] * (WIDTH_PX + BETWEEN_PX), EDGE_PX + self.layers.middle(spot)
            points += [(x, y), (x + WIDTH_PX, y)]
        points.append(short)
        ways = [_curve(*pair, BETWEEN_PX * 0.55) for pair in pairwise(points)]
        return [f"M{a[0]:.1f} {a[1]:.1f}H{b[0]:.1f}" if n % 2 else ways[n] for n, (a, b) in enumerate(pairwise(points))]

    def legend(self) -> list[Element]:
        """Say what the lines mean, and how much is left out."""
        y = self.size[1] - LEGEND_PX / 2 - LEGEND_PX * bool(self.shown.left_out)
        parts: list[Element] = []
        x: float = EDGE_PX
        for kind in self._types:
            sample = f"M{x:.1f} {y:.1f}h{SAMPLE_PX - 7}"
            parts.append(el("path", d=sample, class_=f"line {kind.value}", stroke=PLAIN))
            parts.append(el("path", d=_tip((x + SAMPLE_PX, y)), class_=f"tip {kind.value}", fill=PLAIN))
            parts.append(_text((x + SAMPLE_PX + 8, y + 4), _SAYS[kind], "soft"))
            x += _sample(kind)
        if self.shown.left_out:
            said = f"{len(self.shown.pictures):,} pictures are drawn, {self.shown.left_out:,} more are left out."
            parts.append(_text((EDGE_PX, self.size[1] - LEGEND_PX / 2 + 2), said, "soft"))
        return parts


def _sample(kind: LinkType) -> float:
    return SAMPLE_PX + width_of(_SAYS[kind]) + 32


def _height(group: Group) -> float:
    return HEAD_PX + len(group.pictures) * ROW_PX + FOOT_PX + (14 if group.more else 0)


def _heading(group: Group) -> str:
    one = group.pictures[0]
    if one.run_id is None:
        return " · ".join(filter(None, (group.role, (one.sha256 or "missing")[:SHORT])))
    won = " ★ winner" if one.winner else ""
    stage = one.stage.value if one.stage else ""
    return f"{stage} · c{one.candidate}{won} · run …{one.run_id[-6:]}"


def _row(group: Group, number: int) -> list[Element]:
    one, top = group.pictures[number], HEAD_PX + number * ROW_PX
    asked = one.depth == 0
    parts = []
    if asked:
        band = _rounded((6, top), (WIDTH_PX - 12, ROW_PX - 2), 4)
        parts.append(el("path", d=band, class_="band", fill="#e4edfd"))
        parts.append(_text((10, top + 13.5), "▶", "name"))
    made = _made(one)
    words = max(width_of(_made(other)) for other in group.pictures)
    marked = 16 if any(other.depth == 0 for other in group.pictures) else 0
    place = 10 + marked + (words + 10 if words else 0)
    if made:
        parts.append(_text((10 + marked, top + 13.5), made, "soft"))
    name = fitted(unturned(one.name), (WIDTH_PX - 10 - place) / (BOLD if asked else 1))
    return [*parts, _text((place, top + 13.5), name, "name" if asked else "")]


def _made(one: Relative) -> str:
    return one.pass_name.value if one.pass_name else "missing" if one.sha256 is None else ""


def _text(at: Point, text: str, style: str) -> Element:
    return el("text", text, x=f"{at[0]:.1f}", y=f"{at[1]:.1f}", class_=style or None)


def _curve(start: Point, end: Point, pull: float) -> str:
    (x1, y1), (x2, y2) = start, end
    return f"M{x1:.1f} {y1:.1f}C{x1 + pull:.1f} {y1:.1f} {x2 - pull:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"


def _tip(at: Point) -> str:
    return f"M{at[0]:.1f} {at[1]:.1f}l-8 -4.5v9z"


def _rounded(corner: Point, size: Point, radius: float) -> str:
    (x, y), (width, height), r = corner, size, radius
    if not r:
        return f"M{x:g} {y:g}h{width:g}v{height:g}h-{width:g}z"
    return (
        f"M{x + r:g} {y:g}h{width - 2 * r:g}a{r} {r} 0 0 1 {r} {r}v{height - 2 * r:g}a{r} {r} 0 0 1 -{r} {r}"
        f"h-{width - 2 * r:g}a{r} {r} 0 0 1 -{r} -{r}v-{height - 2 * r:g}a{r} {r} 0 0 1 {r} -{r}z"
    )
