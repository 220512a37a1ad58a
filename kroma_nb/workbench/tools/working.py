"""Works on one file after the other, or on several at once; no file's failure is another's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag
from typing import TYPE_CHECKING

from kroma_nb.errors import KromaError
from kroma_nb.model.tools import FileState, ToolRow
from kroma_nb.run.answers import code_of, said_by
from kroma_nb.workbench.tools.words import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kroma_nb.workbench.tools.places import Way
    from kroma_nb.workbench.tools.words import Working


def work(ways: Iterable[Way], act: Callable[[Way], ToolRow], how: Working) -> tuple[ToolRow, ...]:
    """Give a row a way, in their order."""
    ways, halt, rows = tuple(ways), Flag(), list[ToolRow]()
    stop, on_begin, on_row = how.get("stop"), how.get("on_begin"), how.get("on_row")
    if on_begin is not None:
        on_begin(len(ways))

    def one(way: Way) -> ToolRow:
        if halt.is_set() or (stop is not None and stop.is_set()):
            return row_of(way, FileState.LEFT)
        return _acted(way, act)

    with ThreadPoolExecutor(min(how.get("workers") or processors(), len(ways))) as threads:
        try:
            for row in threads.map(one, ways):
                rows.append(row)
                if on_row is not None:
                    on_row(row)
        finally:
            # Whoever interrupts waits for what is under way, and for nothing else.
            halt.set()
    return tuple(rows)


def _acted(way: Way, act: Callable[[Way], ToolRow]) -> ToolRow:
    try:
        return act(way)
    except KromaError as error:
        return failed(way, error)
    except Exception as error:  # noqa: BLE001 - a backend may be anybody's; the other files are worked on all the same
        return _with(row_of(way, FileState.FAILED), said_by(error), "unknown", "bug")


def row_of(way: Way, state: FileState) -> ToolRow:
    """Give a row that says no more than which file it is about."""
    return ToolRow(source=str(way.source), target=None if way.target is None else str(way.target), state=state)


def failed(way: Way, error: KromaError) -> ToolRow:
    """Give the row of a file that something stood in the way of."""
    return _with(row_of(way, FileState.FAILED), str(error), error.error_kind, code_of(error))


def _with(row: ToolRow, said: str, kind: str, code: str) -> ToolRow:
    # Through validation, which brings what others say into characters that a file can hold.
    return ToolRow.model_validate({**dict(row), "error": said, "error_kind": kind, "error_code": code})
