"""The root of the exception tree, and how an error shows itself in a notebook."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_PACKAGE = Path(__file__).parents[1]


def shown(path: object) -> str:
    """Give a path in characters that every terminal and file can take, whatever bytes its name holds."""
    return str(path).encode("utf-8", "backslashreplace").decode()


class KromaError(Exception):
    """The root of the tree.

    Attributes
    ----------
    error_kind : str
        One of ``validation``, ``policy``, ``provider``, ``infra``; ``interrupted`` where a person ended it.
    error_code : str
        A stable word for this very case, as run logs and faces report it.
    exit_code : int
        What a command ends with when this error reaches it.
    """

    error_kind: str = "unknown"
    error_code: str = "unknown"
    exit_code: int = 1

    def _render_traceback_(self) -> list[str]:
        """Say in a notebook what a command says, once: IPython shows this in place of a traceback."""
        said = f"\x1b[31m{type(self).__name__}\x1b[0m (error_kind={self.error_kind} error_code={self.error_code})"
        return [said, *_asked_from(self.__traceback__), str(self)]


def _asked_from(trace: TracebackType | None) -> list[str]:
    """Give the line, usually of a cell, that called into kroma_nb."""
    asked = ""
    for frame in traceback.extract_tb(trace):
        if Path(frame.filename).is_relative_to(_PACKAGE):
            break
        if "IPython" not in Path(frame.filename).parts:
            asked = f"  line {frame.lineno}: {frame.line}"
    return [asked] if asked else []
