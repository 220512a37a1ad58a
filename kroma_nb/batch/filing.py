"""Where an executed notebook is kept: first in the workspace, then in the folder of each run that it made."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kroma_nb.batch.nodes import node_bytes, read_node
from kroma_nb.blobs import create_atomic, write_atomic
from kroma_nb.errors import RequestInvalid, WriteFailed
from kroma_nb.run.folder import new_run_id
from kroma_nb.workbench import open_workbench
from kroma_nb.workbench.marking import NOTEBOOK as RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kroma_nb.model.notebook import NotebookRecord
    from kroma_nb.model.run import Failure
    from kroma_nb.workbench import Run

NOTEBOOK = "notebook.ipynb"
# Papermill marks where an execution stopped by two cells with this tag, and takes them out before the next one.
ERROR_TAG = "papermill-error-cell-tag"
ANCHOR = '<a id="papermill-error-cell"></a>'


@dataclass(frozen=True)
class Desk:
    """Where a notebook lies while it is executed.

    Attributes
    ----------
    home : Path
        The workspace.
    path : Path
        The notebook, written again after each cell.
    """

    home: Path
    path: Path

    @classmethod
    def for_notebook(cls, home: Path, name: str, moment: datetime) -> Desk:
        """Choose a place that no other execution has."""
        return cls(home, home / "var" / "notebooks" / f"{name}-{new_run_id(moment)}.ipynb")

    def write(self, node: Any) -> None:
        """Put the notebook there.

        Raises
        ------
        WriteFailed
            If the disk refuses.
        """
        write_atomic(self.path, node_bytes(node))

    def finished(self, stopped: str) -> bytes:
        """Tidy what papermill has left, write it once more, and give it.

        Parameters
        ----------
        stopped : str
            Why it did not come to its end, in Markdown.

        Raises
        ------
        WriteFailed
            If the disk refuses, or somebody took the file away.
        """
        try:
            node = read_node(self.path.read_bytes())
        except (OSError, ValueError) as cause:
            raise WriteFailed(self.path, f"it cannot be read back: {cause}") from cause
        # Where the files lay on this machine is nobody else's business, and changes with every copy.
        for key in ("input_path", "output_path"):
            node.metadata.get("papermill", {}).pop(key, None)
        for output in (output for cell in node.cells for output in cell.get("outputs", ())):
            if output.get("ename") == "KeyboardInterrupt":
                output["traceback"] = ["KeyboardInterrupt"]  # where in our code that was tells nobody anything
        marks = [cell for cell in node.cells if ERROR_TAG in cell.metadata.get("tags", ())]
        for cell, text in zip(marks, (stopped, f"{ANCHOR}\n\n**Here it stopped:**"), strict=False):
            cell.source = text
        data = node_bytes(node)
        write_atomic(self.path, data)
        return data

    def file(self, data: bytes, record: NotebookRecord, runs: Iterable[Run]) -> Path:
        """Put notebook and record beside the log of each run that it has made, and say where the notebook is now.

        Raises
        ------
        WriteFailed
            If the disk refuses; the notebook then stays where it was executed.
        """
        kept = self.path
        text = (record.model_dump_json(indent=2, by_alias=True) + "\n").encode()
        for run in runs:
            if (run.folder / RECORD).exists():
                continue  # it was made by another notebook, and this one has only gone on with it
            write_atomic(run.folder / NOTEBOOK, data)
            write_atomic(run.folder / RECORD, text, durable=True)
            kept = run.folder / NOTEBOOK
        if kept != self.path:
            self.path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # folders that hold something else stay
                self.path.parent.rmdir()
                self.path.parent.parent.rmdir()
        return kept


def booked(book: Path) -> tuple[Run, ...]:
    """Give the runs that were written into a run book and are still there, each once, as they last began or went on."""
    with contextlib.suppress(FileNotFoundError):
        entries = [json.loads(line) for line in book.read_text("utf-8").splitlines()]
        roots = [(Path(entry["root"]), str(entry["run_id"])) for entry in entries]
        newest = reversed(dict.fromkeys(reversed(roots)))
        roots = [(root, run_id) for root, run_id in newest if (root / "runs" / run_id).is_dir()]
        # <home>/var/projects/<slug>
        return tuple(open_workbench(root.parents[2]).project(root.name).runs[run_id] for root, run_id in roots)
    return ()


def refuse_taken(output: Path) -> None:
    """Refuse to write over a file, before anything is done.

    Raises
    ------
    RequestInvalid
        If something is there already.
    """
    if output.exists() or output.is_symlink():
        raise RequestInvalid("request", "output", f"{output} is already there", "name another file")


def copy_out(output: Path, data: bytes) -> None:
    """Write the notebook to a place that was asked for, never over a file.

    Raises
    ------
    RequestInvalid
        If something is there by now.
    WriteFailed
        If the disk refuses.
    """
    if not create_atomic(output, data):
        refuse_taken(output)


def without_home(value: Any, home: Path) -> Any:
    """Give a value with paths inside the workspace as they are from there, so that it may be moved."""
    if isinstance(value, str):
        path = Path(value)
        return path.relative_to(home).as_posix() if path.is_absolute() and path.is_relative_to(home) else value
    if isinstance(value, list):
        return [without_home(item, home) for item in value]
    return {key: without_home(item, home) for key, item in value.items()} if isinstance(value, dict) else value


def told_without(failure: Failure, home: Path) -> Failure:
    """Tell a failure in words that may be stored: without where the workspace and the current folder are."""
    message = failure.message.replace(f"{home}{os.sep}", "").replace(f"{Path.cwd()}{os.sep}", "")
    return failure.model_copy(update={"message": message})
