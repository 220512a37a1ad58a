"""HTML as typed elements: text is escaped when it is written, so that no caller can forget it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VOID = frozenset({"img", "link", "meta", "rect"})
LINKS = frozenset({"href", "src"})
_SAFE_LINK = re.compile(r"#|data:image/webp;base64,|data:,\Z|[^\x00-\x20:/\\][^:\\]*\Z")

# Control pictures (U+2400..) say openly what a raw control character would hide; a lone surrogate cannot be written
# as UTF-8 at all.
_SPOKEN = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
_SPOKEN |= {0x7F: 0x2421} | dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], 0xFFFD)


def readable(text: str) -> str:
    r"""Give a text that a page can hold: control characters become visible, lone surrogates a replacement mark.

    Examples
    --------
    >>> readable("bell\x07 and\r\nline")
    'bell␇ and\nline'
    """
    return text.replace("\r\n", "\n").translate(_SPOKEN)


@dataclass(frozen=True, slots=True)
class Element:
    """One HTML element; its children are elements and plain text."""

    tag: str
    attributes: tuple[tuple[str, str | None], ...] = ()
    children: tuple[Element | Inline | str, ...] = ()

    def __str__(self) -> str:
        return "".join(self.parts())

    def parts(self) -> Iterator[str]:
        """Write the element piece by piece, every text escaped."""
        yield f"<{self.tag}"
        for name, value in self.attributes:
            yield f" {name}" if value is None else f' {name}="{escape(readable(value))}"'
        yield ">"
        for child in self.children:
            if isinstance(child, str):
                yield escape(readable(child), quote=False)
            else:
                yield from child.parts()
        if self.tag not in VOID:
            yield f"</{self.tag}>"


@dataclass(frozen=True, slots=True)
class Inline:
    """A style sheet or a script of this package, which HTML does not escape; never a text from outside."""

    tag: str
    text: str

    def parts(self) -> Iterator[str]:
        """Write the element.

        Raises
        ------
        ValueError
            If the text would end its element early.
        """
        if "</" in self.text or "<!--" in self.text:
            raise ValueError(f"an inline {self.tag} holds '</' or '<!--'; write it another way")
        yield f"<{self.tag}>{self.text}</{self.tag}>"


Child = Element | Inline | str | None


def coded(text: str) -> tuple[Element | str, ...]:
    """Set what stands between backticks as code, and everything as text.

    Examples
    --------
    >>> "".join(str(part) for part in coded("give `kroma resume`."))
    'give <code>kroma resume</code>.'
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return (text,)
    return tuple(el("code", part) if place % 2 else part for place, part in enumerate(parts) if part)


def el(tag: str, *children: Child, **attributes: str | float | bool | None) -> Element:
    """Build an element.

    Parameters
    ----------
    tag : str
        Name of the element, as the code writes it.
    *children : Element, Inline, str or None
        In order; None is left out, a str is text and never markup.
    **attributes : str, number, bool or None
        ``class_`` stands for ``class`` and ``aria_label`` for ``aria-label``; None and False are left out, True
        gives a bare attribute.

    Returns
    -------
    Element

    Raises
    ------
    ValueError
        If a link could leave the page's own folder tree or start a script.

    Examples
    --------
    >>> str(el("p", 'A "quoted" <name>', class_="name", title='say "hi"'))
    '<p class="name" title="say &quot;hi&quot;">A "quoted" &lt;name&gt;</p>'
    """
    kept = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    written = tuple(
        (name, None if value is True else str(value))
        for name, value in kept.items()
        if value is not None and value is not False
    )
    for name, text in written:
        if name in LINKS and not _SAFE_LINK.match(text or ""):
            raise ValueError(f"{name}={text!r} is neither an anchor, an embedded picture nor a relative path")
    return Element(tag, written, tuple(child for child in children if child is not None))
