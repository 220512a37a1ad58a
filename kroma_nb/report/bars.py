"""What was spent, as bars: names to the left, amounts in columns to the right, what is in doubt hatched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.money import Money
from kroma_nb.model.value import Value
from kroma_nb.report.costs import HELD
from kroma_nb.report.elements import Element, el, readable
from kroma_nb.report.letter_widths import fitted, unturned, width_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kroma_nb.model.rows import CostRow

DRAWN = 24
"""How many bars are drawn at most; those before them are added up."""
ROW_PX, BAR_PX, LONGEST_PX, GAP_PX, NAME_PX = 24, 12, 300, 14, 240
HATCH_PX = 5
PLAIN, BOLD, SMALL = "400 13px", "600 13px", "400 12px"
COLOR = "#c2542d"
IN_DOUBT = "in doubt: nobody knows whether it was billed"


class Bar(Value):
    """What was charged under one name.

    Attributes
    ----------
    held : Money
        The part of it of which nobody knows whether it was billed.
    added_up : bool
        Whether it stands for many, and is told and not drawn.
    """

    name: str
    charged: Money = Money()
    held: Money = Money()
    added_up: bool = False

    def __add__(self, other: Bar) -> Bar:
        return self.model_copy(update={"charged": self.charged + other.charged, "held": self.held + other.held})


def bars_of(costs: Sequence[CostRow], field: str) -> tuple[Bar, ...]:
    """Add costs up by one of their fields, in the order of the first call.

    Parameters
    ----------
    costs : sequence of CostRow
    field : str
        Such as ``month``, ``provider``, ``stage`` or ``run_id``.
    """
    sums: dict[str, Bar] = {}
    for cost in costs:
        name, amount = str(getattr(cost, field)), Money(micro_usd=cost.cost_micro_usd)
        one = Bar(name=name, charged=amount, held=amount if cost.state in HELD else Money())
        sums[name] = sums[name] + one if name in sums else one
    return tuple(sums.values())


def cost_bars(bars: Sequence[Bar], title: str) -> str:
    """Draw amounts as bars, as an SVG document of its own.

    Parameters
    ----------
    bars : sequence of Bar
        From top to bottom; of more than 24 the first ones are added up.
    title : str
    """
    return str(drawn_bars(bars, title))


def drawn_bars(bars: Sequence[Bar], title: str) -> Element:
    """Draw amounts as bars, as an element of a page."""
    shown, total = _shown(bars), sum(bars, Bar(name="together"))
    columns = _Columns(
        shown, total, most=max((bar.charged.micro_usd for bar in shown if not bar.added_up), default=0) or 1
    )
    parts = [part for place, bar in enumerate(shown, 1) for part in columns.row(bar, ROW_PX * place)]
    foot = ROW_PX * (len(shown) + 1)
    if len(shown) > 1:
        parts += [_line(f"M0 {foot}H{columns.width:.0f}"), *columns.sums(total, foot + 2, font=BOLD)]
        foot += ROW_PX + 2
    if total.held:
        parts += [*_hatched(1, foot + 6, 26), _text(IN_DOUBT, 34, foot + 16, font=SMALL)]
        foot += ROW_PX
    spoken = ", ".join(_spoken(bar) for bar in shown) or "nothing"
    return el(
        "svg",
        el("title", f"{title}: {spoken}"),
        _text(title, 0, 14, font=BOLD),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {columns.width:.0f} {foot + 6}",
        width=f"{columns.width:.0f}",
        height=foot + 6,
        role="img",
        style="max-width:100%;height:auto;color:inherit",
    )


def _shown(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    if len(bars) <= DRAWN:
        return tuple(bars)
    before = len(bars) - DRAWN + 1
    return (sum(bars[:before], Bar(name=f"{before:,} before these", added_up=True)), *bars[before:])


def _spoken(bar: Bar) -> str:
    return f"{bar.name} {bar.charged}" + (f", {bar.held} of it in doubt" if bar.held else "")


class _Columns:
    """Where names, bars and amounts stand, in pixels."""

    def __init__(self, bars: Sequence[Bar], total: Bar, *, most: int) -> None:
        self.most = most
        texts = [_name(bar.name) for bar in bars] or [""]
        self.bar_x = max(width_of(text) * 13 / 12 for text in (*texts, total.name)) + 2 * GAP_PX
        amounts = [str(bar.charged) for bar in (*bars, total)]
        self.charged_x = self.bar_x + LONGEST_PX + GAP_PX + max(width_of(text) for text in amounts) * 13 / 12
        held = [_held(bar) for bar in (*bars, total)]
        self.width = self.charged_x + (GAP_PX if total.held else 0) + max(width_of(text) for text in held) * 13 / 12

    def row(self, bar: Bar, top: float) -> Iterator[Element]:
        """Give a name, its bar and its amounts."""
        yield _text(_name(bar.name), self.bar_x - GAP_PX, top + 16, anchor="end")
        yield _line(f"M{self.bar_x:.1f} {top}v{ROW_PX}")
        # What is charged can be seen, however little it is; what was added up would dwarf all others.
        drawn = bar.charged and not bar.added_up
        length = max(2.0, LONGEST_PX * bar.charged.micro_usd / self.most) if drawn else 0.0
        held = length * bar.held.micro_usd / bar.charged.micro_usd if bar.held else 0.0
        if length > held:
            outline = f"M{self.bar_x:.1f} {top + 6}h{length - held:.1f}v{BAR_PX}h{held - length:.1f}z"
            yield el("path", d=outline, fill=COLOR)
        if length and held:
            yield from _hatched(self.bar_x + length - held, top + 6, held)
        yield from self.sums(bar, top)

    def sums(self, bar: Bar, top: float, *, font: str = PLAIN) -> Iterator[Element]:
        """Give the amounts of a row; where it has no bar, with its name."""
        if font == BOLD:
            yield _text(bar.name, self.bar_x - GAP_PX, top + 16, anchor="end", font=font)
        yield _text(str(bar.charged), self.charged_x, top + 16, anchor="end", font=font)
        if bar.held:
            yield _text(_held(bar), self.width, top + 16, anchor="end", font=SMALL)


def _held(bar: Bar) -> str:
    return f"{bar.held} in doubt" if bar.held else ""


def _name(name: str) -> str:
    return fitted(unturned(readable(name)), NAME_PX)


def _hatched(x: float, top: float, width: float) -> tuple[Element, Element]:
    """Give a bar that is told from a full one without its colour."""
    lines = []
    for reach in range(HATCH_PX, int(width + BAR_PX), HATCH_PX):
        left, right = max(0.0, reach - BAR_PX), min(width, float(reach))
        lines.append(f"M{x + left:.1f} {top + reach - left:.1f}L{x + right:.1f} {top + reach - right:.1f}")
    outline = f"M{x:.1f} {top}h{width:.1f}v{BAR_PX}h{-width:.1f}z"
    box = el("path", d=outline, fill="none", stroke=COLOR, stroke_width=1.5)
    return box, el("path", d="".join(lines), fill="none", stroke=COLOR, stroke_width=1.5)


def _line(path: str) -> Element:
    return el("path", d=path, fill="none", stroke="currentColor", stroke_opacity=0.35)


def _text(text: str, x: float, y: float, *, anchor: str = "start", font: str = PLAIN) -> Element:
    style = f"font:{font} system-ui,sans-serif;font-variant-numeric:tabular-nums"
    return el("text", text, x=f"{x:.1f}", y=f"{y:.1f}", fill="currentColor", text_anchor=anchor, style=style)
