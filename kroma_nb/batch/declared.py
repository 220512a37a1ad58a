"""What a notebook declares: the plain literals of its parameters cell, with their comments."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kroma_nb.errors import NotebookInvalid
from kroma_nb.model.notebook import Kind, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kroma_nb.batch.sources import Cell

TAG = "parameters"
KINDS = {
    bool: Kind.BOOLEAN,
    int: Kind.INTEGER,
    float: Kind.NUMBER,
    str: Kind.TEXT,
    list: Kind.LIST,
    dict: Kind.OBJECT,
}
_BY_NAME = {kind.__name__: word for kind, word in KINDS.items()}
_LITERALS = "write a text, a number, True, False, None, a list or a dict"


def declared(cells: Sequence[Cell], *, file: str) -> tuple[Parameter, ...]:
    """Read the parameters of a notebook.

    Parameters
    ----------
    cells : sequence of Cell
    file : str
        How errors name it.

    Raises
    ------
    NotebookInvalid
        If there is no parameters cell or there are several, or one of its lines is no plain literal.
    """
    index = _parameters_cell(cells, file=file)
    source = cells[index].source
    try:
        lines = ast.parse(source).body
    except SyntaxError as cause:
        where = f"cell {index + 1}, line {cause.lineno}"
        raise NotebookInvalid(file, where, f"no Python: {cause.msg}", "correct the parameters cell") from None
    comments = _comments(source)
    found: dict[str, Parameter] = {}
    for line in lines:
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
            continue  # a text that explains
        parameter = _parameter(line, f"{file}: cell {index + 1}, line {line.lineno}", comments)
        found[parameter.name] = parameter
    return tuple(found.values())


def _parameters_cell(cells: Sequence[Cell], *, file: str) -> int:
    tagged = [index for index, cell in enumerate(cells) if TAG in cell.tags]
    if len(tagged) == 1:
        return tagged[0]
    if not tagged:
        raise NotebookInvalid(file, "", f"no cell is tagged {TAG!r}", "tag the cell that holds the defaults")
    places = ", ".join(str(index + 1) for index in tagged)
    raise NotebookInvalid(file, "", f"the cells {places} are all tagged {TAG!r}", "keep one of them")


def _parameter(line: ast.stmt, where: str, comments: dict[int, str]) -> Parameter:
    target = line.targets[0] if isinstance(line, ast.Assign) and len(line.targets) == 1 else None
    target = line.target if isinstance(line, ast.AnnAssign) else target
    value = line.value if isinstance(line, ast.Assign | ast.AnnAssign) else None
    if not isinstance(target, ast.Name) or value is None:
        problem = f"{ast.unparse(line).splitlines()[0][:60]!r} is no parameter"
        raise NotebookInvalid(where, "", problem, "keep to lines such as `candidates = 3  # attempts a scene`")
    default = _literal(value, f"{where}: {target.id}")
    annotation = ast.unparse(line.annotation) if isinstance(line, ast.AnnAssign) else ""
    kind, items, optional = _kinds(default, annotation)
    rows = range(line.lineno, (line.end_lineno or line.lineno) + 1)
    meaning = " ".join(comments[row] for row in rows if row in comments)
    try:
        return Parameter(name=target.id, kind=kind, items=items, optional=optional, default=default, meaning=meaning)
    except ValidationError:
        raise NotebookInvalid(where, target.id, "the default is no JSON value", _LITERALS) from None


def _literal(value: ast.expr, where: str) -> Any:
    try:
        default = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        default = ...
    if default is not None and type(default) not in KINDS:
        raise NotebookInvalid(where, "", f"{ast.unparse(value)[:60]!r} is no plain literal", _LITERALS)
    return default


def _kinds(default: object, annotation: str) -> tuple[Kind, Kind, bool]:
    """Say what values may be: as the default is, or as the annotation says where that is None."""
    words = [word.strip() for word in annotation.split("|")]
    optional = default is None or "None" in words
    named = next((word for word in words if word.partition("[")[0] in _BY_NAME), "")
    kind = _BY_NAME.get(named.partition("[")[0], Kind.ANY) if default is None else KINDS[type(default)]
    if kind is Kind.INTEGER and named == "float":
        kind = Kind.NUMBER
    inner = _BY_NAME.get(named.partition("[")[2].rstrip("]"), Kind.ANY)
    if isinstance(default, list) and default:
        kinds = {KINDS.get(type(item), Kind.ANY) for item in default}
        inner = kinds.pop() if len(kinds) == 1 else Kind.ANY
    return kind, inner if kind is Kind.LIST else Kind.ANY, optional


def _comments(source: str) -> dict[int, str]:
    """Give the comment of each line that has one."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ").strip() for token in tokens if token.type == tokenize.COMMENT}


def named(parameters: Iterable[Parameter]) -> dict[str, Parameter]:
    """Give them by name."""
    return {parameter.name: parameter for parameter in parameters}
