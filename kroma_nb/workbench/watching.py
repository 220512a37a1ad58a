"""A run that is being played, followed to its end: passed on, booked, indexed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from kroma_nb.errors import WriteFailed
from kroma_nb.workbench.locking import held_together

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from kroma_nb.model.run import Event
    from kroma_nb.workbench.project import Project

RUN_BOOK = "KROMA_RUN_BOOK"
"""Names a file to which every run that begins is written, a line each: how batch knows what a notebook has made."""


def watched(
    project: Project, events: Generator[Event], on_event: Callable[[Event], object] | None, run_id: str = ""
) -> str:
    """Pass a run's events on, book and index it, and give its id.

    Parameters
    ----------
    run_id : str
        Of a run that goes on; a new one says it itself.

    Raises
    ------
    InUse
        If somebody holds the project alone; nothing is begun.
    """
    with held_together(project):
        try:
            for event in events:
                if event.event == "run_started":
                    run_id = event.run_id
                if event.event in {"run_started", "run_resumed"}:
                    _book(project.root, run_id)
                if on_event is not None:
                    on_event(event)
        finally:
            # Also a run that was stopped or that failed has left its folder in order.
            events.close()
            if run_id:
                project.bench.index.note(project, run_id)
    return run_id


def _book(root: Path, run_id: str) -> None:
    path = os.environ.get(RUN_BOOK)
    if not path:
        return
    line = json.dumps({"root": str(root), "run_id": run_id}) + "\n"
    try:
        with open(path, "a", encoding="utf-8") as book:  # noqa: PTH123 - a path from the environment
            book.write(line)
    except OSError as cause:
        raise WriteFailed(root, f"{RUN_BOOK}: {cause.strerror or cause}") from cause
