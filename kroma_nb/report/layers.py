"""Where boxes of a graph go that is read from left to right: columns, order in them, heights without overlap."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

GAP_PX = 14
LANE_PX = 10
"""How much room a line takes that passes a column."""
SWEEPS = 8

Link = tuple[str, str]
Spot = tuple[str, int]
"""A box in its column, or the lane of a box's lines through a later column."""


@dataclass
class Layers:
    """A graph as columns of spots.

    Attributes
    ----------
    column : dict
        Box to column, from 0.
    tops : dict
        Spot to its upper edge, pixels.
    height : float, pixels
    """

    column: dict[str, int]
    sizes: dict[Spot, float]
    tops: dict[Spot, float] = field(default_factory=dict)
    height: float = 0.0

    def middle(self, spot: Spot) -> float:
        """Give the height of a spot's middle."""
        return self.tops[spot] + self.sizes[spot] / 2

    def route(self, link: Link) -> tuple[Spot, ...]:
        """Give the spots that a link to the right passes, both ends included."""
        start, end = link
        first, last = self.column[start], self.column[end]
        return ((start, first), *((start, between) for between in range(first + 1, last)), (end, last))


def arranged(asked: str, heights: Mapping[str, float], links: Sequence[Link], above: Iterable[str]) -> Layers:
    """Give boxes their places: what leads to the asked box to its left, what comes from it to its right.

    Each box stands as far from the asked one as the longest way between them, so that every line leads to the right; in
    a column boxes lie near to what they are linked with (layers and barycentres: Sugiyama, Tagawa and Toda 1981). Lines
    of a circle that lead back are no part of it.

    Parameters
    ----------
    asked : str
    heights : mapping, box to pixels
        In the order that they keep where links say nothing.
    links : sequence of (str, str)
    above : iterable of str
        The boxes that lie above the asked one.
    """
    left = set(above) - {asked}
    up = _longest(asked, [(end, start) for start, end in links if start in left and end in left | {asked}])
    down = _longest(asked, [one for one in links if not left & set(one)])
    first = max(up.values())
    column = {box: first - up[box] if box in left else first + down.get(box, 1) for box in heights}
    layers = Layers(column, {(box, column[box]): height for box, height in heights.items()})
    forward = [layers.route(one) for one in links if column[one[0]] < column[one[1]]]
    for route in forward:
        for spot in route[1:-1]:
            layers.sizes.setdefault(spot, LANE_PX)
    steps = list(dict.fromkeys(step for route in forward for step in pairwise(route)))
    _place(layers, steps)
    return layers


def _longest(start: str, steps: Iterable[Link]) -> dict[str, int]:
    """Give each box's longest way from the start, over steps that lead away from it."""
    leads: dict[str, list[str]] = defaultdict(list)
    for near, far in steps:
        leads[near].append(far)
    order = _topological(start, leads)
    place = {box: number for number, box in enumerate(order)}
    far_away = dict.fromkeys(order, 0)
    for near in order:
        for far in leads[near]:
            if place[far] > place[near]:
                far_away[far] = max(far_away[far], far_away[near] + 1)
    return far_away


def _topological(start: str, leads: Mapping[str, list[str]]) -> list[str]:
    ended: dict[str, None] = {}
    seen, way = {start}, [(start, iter(leads[start]))]
    while way:
        box, ahead = way[-1]
        step = next((far for far in ahead if far not in seen), None)
        if step is None:
            ended[box] = None
            way.pop()
        else:
            seen.add(step)
            way.append((step, iter(leads[step])))
    return list(reversed(ended))


def _place(layers: Layers, steps: Sequence[tuple[Spot, Spot]]) -> None:
    columns: dict[int, list[Spot]] = defaultdict(list)
    for spot in layers.sizes:
        columns[spot[1]].append(spot)
    before, after = defaultdict[Spot, list[Spot]](list), defaultdict[Spot, list[Spot]](list)
    for near, far in steps:
        after[near].append(far)
        before[far].append(near)
    for spots in columns.values():
        _stack(layers, spots, [0.0] * len(spots))
    for sweep in range(SWEEPS):
        rightward = sweep % 2 == 0
        for number in sorted(columns, reverse=not rightward):
            beside = before if rightward else after
            wanted = {spot: _mean(layers, spot, beside[spot]) for spot in columns[number]}
            columns[number].sort(key=wanted.__getitem__)
            _stack(layers, columns[number], [wanted[spot] for spot in columns[number]])
    for number in sorted(columns):
        # At last between both sides, the order as it is.
        spots = columns[number]
        _stack(layers, spots, [_mean(layers, spot, before[spot] + after[spot]) for spot in spots])
    highest = min(layers.tops.values())
    layers.tops = {spot: top - highest for spot, top in layers.tops.items()}
    layers.height = max(top + layers.sizes[spot] for spot, top in layers.tops.items())


def _mean(layers: Layers, spot: Spot, beside: Sequence[Spot]) -> float:
    return sum(map(layers.middle, beside)) / len(beside) if beside else layers.middle(spot)


def _stack(layers: Layers, spots: Sequence[Spot], wanted: Sequence[float]) -> None:
    """Set spots below each other, in all as near as can be to the middles that they want (least squares)."""
    offset, offsets = 0.0, []
    for spot in spots:
        offsets.append(offset)
        offset += layers.sizes[spot] + GAP_PX
    # Pool adjacent violators: neighbours that would overlap move as one block.
    blocks: list[tuple[float, int]] = []
    for spot, middle, lower in zip(spots, wanted, offsets, strict=True):
        mean, count = middle - layers.sizes[spot] / 2 - lower, 1
        while blocks and blocks[-1][0] > mean:
            other, others = blocks.pop()
            mean, count = (mean * count + other * others) / (count + others), count + others
        blocks.append((mean, count))
    tops = [mean for mean, count in blocks for _ in range(count)]
    layers.tops |= {spot: top + lower for spot, top, lower in zip(spots, tops, offsets, strict=True)}
