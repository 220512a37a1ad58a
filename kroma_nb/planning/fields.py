"""The kinds of fields that manifests, jobs files and postprocess files share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator


def _not_blank(text: str) -> str:
    trimmed = text.strip()
    if not trimmed:
        raise ValueError("the text is blank; write something or leave the entry out")
    return trimmed


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("the text holds a line break or a control character; write it on one line")
    if len(text) > 200:
        raise ValueError(f"the text has {len(text)} characters; write at most 200")
    return text


def _as_word(found: Any) -> Any:
    return found.strip().lower() if isinstance(found, str) else found


Text = Annotated[str, AfterValidator(_not_blank)]
"""A text that says something, trimmed."""

Name = Annotated[str, AfterValidator(_not_blank), AfterValidator(_one_line)]
"""A text on one line of at most 200 characters, in any script."""

AnyCase = BeforeValidator(_as_word)
"""Lets a word of a closed list be written in any case, with blanks around it."""
