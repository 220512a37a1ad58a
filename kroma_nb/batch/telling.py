"""What a notebook says of itself: its question and its parameters, as values and as the table in an executed one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue  # noqa: TC002 - a model's field

from kroma_nb.batch.declared import declared
from kroma_nb.batch.sources import question, read_source, shipped_notebooks
from kroma_nb.errors import KromaError
from kroma_nb.model.notebook import Parameter
from kroma_nb.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from kroma_nb.model.run import Failure

LONGEST = 80


class NotebookDescription(Value):
    """A notebook that can run without a person.

    Attributes
    ----------
    name : str
    question : str
        Its title.
    parameters : tuple of Parameter
    """

    name: str
    question: str
    parameters: tuple[Parameter, ...]


def describe_notebook(notebook: str | Path) -> NotebookDescription:
    """Say what a notebook asks, and which parameters it takes.

    Parameters
    ----------
    notebook : str or Path
        A path that ends with ``.ipynb``, or a shipped notebook's name.

    Raises
    ------
    NotebookInvalid
        If there is no such notebook, or its parameters cell cannot be used.

    Examples
    --------
    >>> [parameter.name for parameter in describe_notebook("01_first_run").parameters][:3]
    ['workspace', 'project', 'candidates']
    """
    source = read_source(notebook)
    cells = source.cells()
    parameters = declared(cells, file=source.shown)
    return NotebookDescription(name=str(notebook), question=question(cells), parameters=parameters)


def list_notebooks() -> tuple[NotebookDescription, ...]:
    """Describe every notebook that travels with kroma_nb and can run without a person."""
    return tuple(describe_notebook(name) for name, _ in shipped_notebooks() if _runs(name))


def _runs(name: str) -> bool:
    try:
        describe_notebook(name)
    except KromaError:
        return False
    return True


def written(value: Any) -> str:
    """Give a value as it is typed after ``-p name``; an empty text as two quotes."""
    if isinstance(value, str):
        return value if value.strip() else '""'
    return json.dumps(value, ensure_ascii=False)


def shortened(text: str) -> str:
    """Cut a text that is too long to look at in a table."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def parameters_table(parameters: Iterable[Parameter], given: Mapping[str, JsonValue]) -> str:
    """Write the table that stands in an executed notebook, in Markdown: what it was run with."""
    lines = [
        "**Parameters of this execution**",
        "",
        # JupyterLab centres a table in its room, which is then as narrow as the table.
        '<div style="display: inline-block">',
        "",
        "| parameter | value | origin | what it means |",
        "|:--|:--|:--|:--|",
    ]
    for parameter in parameters:
        is_given = parameter.name in given
        value = given.get(parameter.name, parameter.default)
        name = f"**{_escaped(parameter.name)}**" if is_given else _escaped(parameter.name)
        origin = "changed" if is_given else "default"
        if is_given and value == parameter.default:
            origin = "given, as default"
        lines.append(f"| {name} | {_code(shortened(written(value)))} | {origin} | {_escaped(parameter.meaning)} |")
    return "\n".join([*lines, "", "</div>"])


def stopped_words(failure: Failure, cell: str) -> str:
    """Write what stands on top of a notebook that did not come to its end, in Markdown."""
    said = f"error_kind={failure.error_kind} error_code={failure.error_code}"
    told = _escaped(" ".join(failure.message.split()))
    return f"**This execution [stopped](#papermill-error-cell)** ({_escaped(cell)}, {_escaped(said)}): {told}"


_MARKS = "\\`*_{}[]<>()#+-.!|~$&"


def _escaped(text: str) -> str:
    """Give text that Markdown shows and does not obey."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return "".join(f"\\{sign}" if sign in _MARKS else sign for sign in plain)


def _code(text: str) -> str:
    """Give text as HTML code: inside Markdown's own code a bar would still end the table's cell."""
    plain = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return (
        "<code>" + "".join(f"&#{ord(sign)};" if sign in _MARKS or sign == '"' else sign for sign in plain) + "</code>"
    )
