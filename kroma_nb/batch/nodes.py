"""Notebooks in memory: nbformat, opened when the first one is read."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def read_node(data: bytes) -> Any:
    """Parse a notebook's bytes, as nbformat 4 whatever they were.

    Raises
    ------
    ValueError
        If it is none; the text says why.
    """
    nbformat: Any = import_module("nbformat")
    problems = (nbformat.reader.NotJSONError, nbformat.ValidationError, KeyError, AttributeError, TypeError)
    try:
        node = nbformat.reads(data.decode("utf-8-sig"), as_version=4)
        node = nbformat.v4.upgrade(node)
    except problems as cause:
        lines = str(cause).strip().splitlines()
        raise ValueError(lines[0][:120] if lines else type(cause).__name__) from cause
    return node


def node_bytes(node: Any) -> bytes:
    """Give a notebook as it is written to a file."""
    nbformat: Any = import_module("nbformat")
    text: str = nbformat.writes(node)
    return (text.rstrip("\n") + "\n").encode("utf-8", "backslashreplace")


def markdown_cell(text: str, name: str) -> Any:
    """Make a cell of words, with its name as id and tag."""
    nbformat: Any = import_module("nbformat")
    return nbformat.v4.new_markdown_cell(text, id=name, metadata={"tags": [name]})
