"""Elements: whatever a text holds, it stays text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kroma_nb.report.elements import Inline, el, readable

HOSTILE = [
    '"><img src=x onerror=alert(1)>',
    "</title><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    "&lt;already&gt; &amp; &#x3c;",
    "<!-- --> ]]> <![CDATA[",
    "</textarea></style></script>",
    "\u202egnp.exe \u2067שלום\u2069",
    "夜の港 🌃 Котельная",
    "bell\x07 null\x00 escape\x1b[31m del\x7f c1\x85 lone\ud800",
]
ANY_TEXT = st.text(st.characters(codec=None)) | st.sampled_from(HOSTILE)


class Collector(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@given(ANY_TEXT)
def test_any_text_comes_back_as_the_same_text(text: str) -> None:
    page = Collector(str(el("p", text, title=text)))

    assert page.tags == ["p"]
    assert page.text == readable(text)
    assert page.attributes == [("title", readable(text))]


@given(ANY_TEXT)
def test_a_readable_text_can_be_written_as_utf8_and_hides_no_control_character(text: str) -> None:
    said = readable(text)

    assert said.encode("utf-8").decode("utf-8") == said
    assert not any(ord(char) < 32 and char not in "\n\t" for char in said)
    assert readable(said) == said


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "https://example.org/x.png",
        "//example.org/x.png",
        "/etc/passwd",
        "\\\\host\\share",
        "data:text/html,<script>",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "file:///etc/passwd",
    ],
)
def test_a_link_that_leaves_the_page_or_starts_a_script_is_refused(link: str) -> None:
    with pytest.raises(ValueError, match="relative path"):
        el("a", "here", href=link)


@pytest.mark.parametrize(
    "link", ["#scene-1", "outputs/a%20b.png", "../../inputs/x.jpg", "data:,", "data:image/webp;base64,AA"]
)
def test_an_anchor_an_embedded_picture_and_a_relative_path_are_links(link: str) -> None:
    assert f'href="{link}"' in str(el("a", "here", href=link))


def test_a_script_that_would_end_its_element_early_is_refused() -> None:
    with pytest.raises(ValueError, match="inline script"):
        list(Inline("script", "x = '</script>'").parts())


def test_none_and_false_leave_an_attribute_out_and_true_writes_it_bare() -> None:
    assert str(el("b", "x", None, title=None, hidden=False, autofocus=True)) == "<b autofocus>x</b>"
