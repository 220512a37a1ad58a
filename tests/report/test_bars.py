"""Amounts as bars: nothing is cut, nothing is told by colour alone, and any name is text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from decimal import Decimal

from kroma_nb.model.money import Money
from kroma_nb.model.rows import CostRow
from kroma_nb.model.words import CallState, Stage
from kroma_nb.report import Bar, bars_of, cost_bars

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}text")]


def filled(svg: str) -> list[float]:
    """Give the lengths of full bars."""
    return [float(length) for length in re.findall(r'd="M[\d.]+ [\d.]+h([\d.]+)v12h-[\d.]+z" fill="#', svg)]


def cost(month: str, micro: int, state: CallState) -> CostRow:
    nothing = dict.fromkeys(("operation", "run_id", "job", "request_id", "usage", "says", "original", "call_id"), "")
    facts = {"at": datetime(2026, 1, 1, tzinfo=UTC), "month": month, "provider": "press", "model": "big"}
    numbers = {"units": 1.0, "unit_micro_usd": micro, "cost_micro_usd": micro, "upper_micro_usd": micro}
    rest = {"stage": Stage.STYLE, "candidate": 1, "attempt": 1, "currency": "USD", "reported": False, "state": state}
    return CostRow.model_validate({**nothing, **facts, **numbers, **rest})


def test_costs_are_added_up_by_a_field_with_what_is_in_doubt_apart() -> None:
    rows = [
        cost("2026-01", 10, CallState.SETTLED),
        cost("2026-02", 20, CallState.IN_DOUBT),
        cost("2026-02", 30, CallState.SETTLED),
        cost("2026-02", 40, CallState.OPEN),
    ]

    first, second = bars_of(rows, "month")

    assert (first.name, first.charged.micro_usd, first.held.micro_usd) == ("2026-01", 10, 0)
    assert (second.name, second.charged.micro_usd, second.held.micro_usd) == ("2026-02", 90, 60)


def test_what_is_in_doubt_is_hatched_and_said_in_words() -> None:
    svg = cost_bars([Bar(name="press", charged=Money.of(4), held=Money.of(1))], "Cost by provider")

    assert filled(svg) == [225.0]
    assert "$1.00 in doubt" in texts(svg)
    assert "in doubt: nobody knows whether it was billed" in texts(svg)
    assert "press $4.00, $1.00 of it in doubt" in svg
    assert "url(" not in svg


def test_without_doubt_there_is_no_legend() -> None:
    assert not any("doubt" in text for text in texts(cost_bars([Bar(name="press", charged=Money.of(4))], "Cost")))


def test_nothing_has_no_bar_and_a_millionth_can_be_seen() -> None:
    bars = [Bar(name="none"), Bar(name="tiny", charged=Money(micro_usd=1)), Bar(name="most", charged=Money.of(900))]

    assert filled(cost_bars(bars, "Cost")) == [2.0, 300.0]
    assert filled(cost_bars([Bar(name="none")], "Cost")) == []
    assert texts(cost_bars([], "Cost")) == ["Cost"]


def test_of_many_months_the_newest_are_drawn_and_the_others_added_up() -> None:
    bars = [Bar(name=f"{2000 + number}", charged=Money.of(number)) for number in range(1, 41)]

    svg = cost_bars(bars, "Cost by month")

    assert "17 before these" in texts(svg)
    assert len(filled(svg)) == 23
    amounts = [Decimal(text[1:]) for text in texts(svg) if text.startswith("$")]
    assert sum(amounts[:-1]) == amounts[-1] == sum(range(1, 41))


def test_every_text_lies_within_the_drawing_and_hostile_names_stay_text() -> None:
    hostile = '"><script>alert(1)</script>\u202e\x07' + "long" * 90
    bars = [Bar(name=hostile, charged=Money.of("1234567.891234"), held=Money.of(1)), Bar(name="港" * 60)]

    svg = cost_bars(bars, "Cost")

    root = ET.fromstring(svg)
    width = float(root.get("width", ""))
    assert width < 1000
    ends = [float(node.get("x", "")) for node in root.iter(f"{SVG}text") if node.get("text-anchor") == "end"]
    assert max(ends) <= width
    assert "<script>" not in svg
    assert "\u202e" not in "".join(texts(svg))
