"""A lineage drawn: nothing overlaps, nothing is hidden, and no name is more than text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import combinations
from xml.etree import ElementTree

import pytest

from kroma_nb.model.asset import AssetKind, AssetLink, LinkType
from kroma_nb.model.lineage import LineageRecord, Relative
from kroma_nb.model.words import PassName, Stage
from kroma_nb.report import lineage_mermaid, lineage_page, lineage_svg, lineage_view
from kroma_nb.report.layers import arranged

SHEET = "inputs/aa/sheet.png"
STAGES = {Stage.STYLE: "2026-01-31-5f0c1a", Stage.TIME: "2026-01-31-77aa10", Stage.WEATHER: "2026-01-31-c0ffee"}
NS = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "</text></svg><script>alert(1)</script>.png",
    "a\"b'c&d<e>.png",
    "bell\x07\x00 and \ud800.png",
    '"]; click p0 callback; %%{init: {"theme": "dark"}}%%.png',
    "\u202egnp.exe",
    "x" * 400,
    "港の夜景とても長い名前のファイル名はどこまでも続く.png",
    "9" * 5000,
    "end",
]


def relative(path: str, depth: int, **facts: object) -> Relative:
    none = dict.fromkeys(("link_type", "via", "stage", "run_id", "job_id", "scene", "candidate", "pass_name"))
    known = {"name": path.rpartition("/")[2], "kind": AssetKind.INPUT, "winner": False, "sha256": "ab" * 32}
    at = {"path": path, "depth": depth, "created_at": datetime(2026, 1, 31, tzinfo=UTC)}
    return Relative.model_validate(none | known | at | facts)


def link(parent: str, child: str, kind: LinkType) -> AssetLink:
    return AssetLink(parent=parent, child=child, type=kind)


def story(scenes: int, candidates: int) -> LineageRecord:
    """Everything below a sheet: three stages that follow each other, each candidate with a colour pass."""
    pictures, links, followed = [relative(SHEET, 0)], [], {}
    for stage, run in STAGES.items():
        for scene in range(scenes):
            for number in range(1, candidates + 1):
                drawn, warm = (f"runs/{run}/{folder}/{stage}_{scene}__c{number}.png" for folder in ("outputs", "color"))
                of = {"stage": stage, "run_id": run, "job_id": f"{stage}_{scene}", "scene": f"Scene {scene}"}
                one = of | {"candidate": number, "winner": number == 1, "kind": AssetKind.PICTURE}
                made = {"link_type": LinkType.REFERENCE_OF, "via": SHEET, "pass_name": PassName.GENERATE}
                after = {"link_type": LinkType.DERIVED_FROM, "via": drawn, "pass_name": PassName.COLOR}
                pictures += [relative(drawn, 1, **one, **made), relative(warm, 2, **one, **after)]
                links += [link(SHEET, drawn, LinkType.REFERENCE_OF), link(drawn, warm, LinkType.DERIVED_FROM)]
                if scene in followed:
                    links.append(link(followed[scene], drawn, LinkType.VARIANT_OF))
        followed = {scene: f"runs/{run}/color/{stage}_{scene}__c1.png" for scene in range(scenes)}
    return LineageRecord(pictures=tuple(sorted(pictures, key=lambda one: one.depth)), links=tuple(links))


def hostile() -> LineageRecord:
    """A picture and its masks, all badly named, one of them linked back."""
    masks = [
        relative(f"imported/{n}.png", 1, name=name, kind=AssetKind.IMPORTED, link_type=LinkType.MASK_FOR, via=SHEET)
        for n, name in enumerate(HOSTILE[1:])
    ]
    links = [link(SHEET, one.path, LinkType.MASK_FOR) for one in masks]
    back = link("imported/0.png", SHEET, LinkType.DERIVED_FROM)
    return LineageRecord(pictures=(relative(SHEET, 0, name=HOSTILE[0]), *masks), links=(*links, back))


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    inner = ElementTree.fromstring(svg).findall(f"{NS}svg")
    return [tuple(float(box.get(name, "")) for name in ("x", "y", "width", "height")) for box in inner]


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (9, 1), (1, 9)])
def test_boxes_lie_inside_the_sheet_and_none_on_another(size: tuple[int, int]) -> None:
    svg = lineage_svg(story(*size))
    _, _, wide, high = map(float, ElementTree.fromstring(svg).get("viewBox", "").split())

    found = boxes(svg)

    assert len(found) == 1 + 3 * size[0] * size[1]
    assert all(x >= 0 and y >= 0 and x + w <= wide and y + h <= high for x, y, w, h in found)
    for (x, y, w, h), (x2, y2, w2, h2) in combinations(found, 2):
        assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_what_comes_of_a_picture_stands_to_its_right_however_long_the_way() -> None:
    heights = dict.fromkeys("abcdef", 40.0)
    links = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("a", "e"), ("e", "d"), ("d", "f"), ("a", "f")]

    layers = arranged("c", heights, links, "ab")

    assert all(layers.column[up] < layers.column[down] for up, down in links if "e" not in {up, down})
    assert (layers.column["a"], layers.column["c"]) == (0, 2)


def test_the_picture_that_was_asked_for_is_marked_by_a_sign_and_a_thicker_frame() -> None:
    tree = ElementTree.fromstring(lineage_svg(story(2, 2)))

    framed = [box for box in tree.findall(f"{NS}svg") if "asked" in (box.find(f"{NS}path").get("class") or "")]

    assert [[text.text for text in box.findall(f"{NS}text")][1:] for box in framed] == [["▶", "sheet.png"]]
    assert re.search(r"\.asked\{[^}]*stroke-width:2\.5", lineage_svg(story(1, 1)))


def test_a_large_lineage_shows_whole_journeys_of_winners_and_counts_every_picture_that_it_leaves_out() -> None:
    record = story(20, 4)
    svg, mermaid = lineage_svg(record), lineage_mermaid(record)

    left = len(record.pictures) - 60
    counted = [int(text.replace(",", "")) for text in re.findall(r"and ([\d,]+) more", svg)]

    assert f"60 pictures are drawn, {left:,} more are left out." in svg
    assert sum(counted) == left
    assert "c2" not in svg.split("</style>")[1]
    assert "Scene" not in svg
    assert sum(int(text.replace(",", "")) for text in re.findall(r"and ([\d,]+) more", mermaid)) == left
    assert f"and {left:,} more" in lineage_view(record).text()


def test_names_that_are_made_to_harm_stay_text(tmp_path) -> None:
    record = hostile()
    svg, page = lineage_svg(record), lineage_page(record)

    tree = ElementTree.fromstring(svg)

    assert {element.tag.removeprefix(NS) for element in tree.iter()} == {"svg", "title", "style", "path", "text"}
    assert "<script" not in svg + page
    assert svg.encode()
    assert "\u202e" not in "".join(text.text or "" for text in tree.iter(f"{NS}text"))
    assert all(len(text.text or "") < 60 for text in tree.iter(f"{NS}text"))


def test_mermaid_gets_no_word_from_a_name() -> None:
    lines = lineage_mermaid(hostile()).splitlines()

    assert lines[0] == "flowchart LR"
    labels = [re.fullmatch(r'    p\d+\["([^"]*)"\](:::asked)?', line) for line in lines[1 : 1 + len(HOSTILE)]]
    assert None not in labels
    for label in labels:
        assert not set(label[1].replace("<br>", "")) & set("\"'<>&{}%`[]()|\u202e")
    links = [line for line in lines if "|" in line]
    assert len(links) == len(HOSTILE)
    assert all(re.fullmatch(r"    p\d+ (-->|-\.->|==>)\|\w+\| p\d+", line) for line in links)


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_every_word_inside_its_box_and_against_its_ground(chromium, dark: bool, tmp_path) -> None:
    context = chromium.new_context(offline=True, color_scheme="dark" if dark else "light")
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
    for number, record in enumerate((story(3, 3), hostile())):
        file = tmp_path / f"{number}.svg"
        file.write_text(lineage_svg(record))
        page.goto(file.as_uri())
        outside = page.evaluate(
            """() => [...document.querySelectorAll('svg > svg')].flatMap(box => {
                const edge = box.getBoundingClientRect()
                const right = edge.left + Number(box.getAttribute('width'))
                return [...box.querySelectorAll('text')]
                    .filter(text => text.getBoundingClientRect().right > right + 1).map(text => text.textContent)
            })"""
        )
        fills = "['.paper', 'text:not(.soft)'].map(one => getComputedStyle(document.querySelector(one)).fill)"
        fill = page.evaluate(fills)
        levels = [sum(map(int, re.findall(r"\d+", color)[:3])) / 3 for color in fill]
        assert outside == []
        assert abs(levels[0] - levels[1]) > 150
        assert (levels[0] < levels[1]) is dark
    assert said == []
    context.close()
