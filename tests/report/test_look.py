"""The gallery's style and script: contrast that can be read, and nothing that the policy would stop."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

CSS = files("kroma_nb.report").joinpath("gallery.css").read_text("utf-8")
JS = files("kroma_nb.report").joinpath("gallery.js").read_text("utf-8")
SCHEMES = {
    "dark": CSS[: CSS.index("@media (prefers-color-scheme: light)")],
    "light": CSS[CSS.index("@media (prefers-color-scheme: light)") : CSS.index("* { box-sizing")],
    "print": CSS[CSS.index("@media print") :],
}


def colors(block: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))


def contrast(one: str, other: str) -> float:
    """Give the contrast ratio of two colours (W3C, Web Content Accessibility Guidelines 2.2, section 1.4.3)."""

    def luminance(color: str) -> float:
        levels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_has_the_contrast_that_the_guideline_names() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", list(SCHEMES))
@pytest.mark.parametrize("word", ["text", "soft", "accent", "bad", "warn", "calm"])
def test_words_can_be_read_on_every_surface(scheme: str, word: str) -> None:
    shades = colors(SCHEMES[scheme])

    assert all(contrast(shades[word], shades[surface]) >= 4.5 for surface in ("ground", "panel", "mat"))


def test_surfaces_that_pictures_lie_on_are_neutral() -> None:
    for scheme in SCHEMES:
        for surface in ("ground", "panel", "mat"):
            levels = bytes.fromhex(colors(SCHEMES[scheme])[surface][1:])
            assert max(levels) - min(levels) <= 3


def test_style_and_script_ask_for_nothing_and_write_text_as_text() -> None:
    assert not re.search(r"url\(|@import|@font-face|https?:", CSS)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|fetch\(|import\(|https?:", JS)


def test_a_module_stays_short() -> None:
    assert max(len(JS.splitlines()), len(CSS.splitlines())) <= 400
