"""Runs a notebook from its first cell to its last, and says how it ended."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kroma_nb.batch.declared import TAG, declared
from kroma_nb.batch.endings import Ending, ending_of
from kroma_nb.batch.filing import Desk, booked, copy_out, refuse_taken, told_without, without_home
from kroma_nb.batch.following import followed
from kroma_nb.batch.given import checked
from kroma_nb.batch.interrupts import Interrupts
from kroma_nb.batch.nodes import markdown_cell
from kroma_nb.batch.sources import read_source
from kroma_nb.batch.telling import parameters_table, stopped_words
from kroma_nb.blobs import sha256_bytes
from kroma_nb.errors import RequestInvalid, WriteFailed
from kroma_nb.model.notebook import Kind, NotebookRecord, NotebookStatus
from kroma_nb.model.run import now
from kroma_nb.model.words import ExitCode
from kroma_nb.workbench import RUN_BOOK, open_workbench

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from kroma_nb.batch.sources import Source
    from kroma_nb.model.notebook import Parameter
    from kroma_nb.model.run import Event
    from kroma_nb.workbench import Run

HOME = "KROMA_HOME"
WORKSPACE = "workspace"
INJECTED, TABLE = "injected-parameters", "parameters-table"


@dataclass(frozen=True)
class NotebookRun:
    """A notebook that came to its end.

    Attributes
    ----------
    notebook : Path
        The executed notebook: beside the log of the last run that it made, else in the workspace's ``var/notebooks``.
    record : NotebookRecord
    runs : tuple of Run
        What it made, in order.
    """

    notebook: Path
    record: NotebookRecord
    runs: tuple[Run, ...]

    @property
    def exit_code(self) -> ExitCode:
        """What a command ends with: the worst that a run says: infra, provider, policy, input, partial, ok."""
        return ExitCode.worst(run.log.exit_code for run in self.runs)


@dataclass(frozen=True)
class _Call:
    """What is to be executed, checked."""

    source: Source
    parameters: tuple[Parameter, ...]
    values: dict[str, Any]
    desk: Desk
    started_at: datetime

    def record(self, data: bytes, ending: Ending, runs: tuple[Run, ...]) -> NotebookRecord:
        executed: Any = {p.name: self.values.get(p.name, p.default) for p in self.parameters}
        failure = ending.failure
        for home in {self.desk.home, *(run.project.bench.home for run in runs)}:
            executed = without_home(executed, home)
            failure = failure and told_without(failure, home)
        return NotebookRecord(
            name=self.source.name,
            source_sha256=self.source.sha256,
            executed_sha256=sha256_bytes(data),
            parameters=executed,
            changed=tuple(self.values),
            status=NotebookStatus.FAILED if failure else NotebookStatus.OK,
            started_at=self.started_at,
            finished_at=now(),
            failure=failure,
        )


def run_notebook(
    notebook: str | Path,
    parameters: Mapping[str, object] | None = None,
    *,
    home: Path | str | None = None,
    output: Path | str | None = None,
    on_event: Callable[[Event], object] | None = None,
) -> NotebookRun:
    """Execute a notebook in a fresh kernel of this Python, and file it with the runs that it makes.

    Parameters
    ----------
    notebook : str or Path
        A path that ends with ``.ipynb``, or a shipped notebook's name.
    parameters : mapping, optional
        Values for the names in its parameters cell.
    home : Path or str, optional
        The workspace; takes the place of the notebook's own parameter ``workspace`` unless that is given too. By
        default ``KROMA_HOME``, or else the current folder.
    output : Path or str, optional
        Where the executed notebook is written as well; nothing there is overwritten.
    on_event : callable, optional
        Is told each event of the runs in the notebook soon after it has happened, on a thread of its own.

    Raises
    ------
    ValidationFailed, PolicyRefused
        Before anything is executed: an unknown notebook or parameter, a value of another type, a secret.
    NotebookFailed
        If a cell failed; the notebook as far as it came is kept, as it is with every other ending.
    NotebookInterrupted
        After Ctrl-C or a signal to end.
    InfraFailed
        If the disk refuses.
    """
    if output is not None:
        refuse_taken(Path(output))
    call, node = _prepared(notebook, dict(parameters or {}), home)
    with tempfile.TemporaryDirectory(prefix="kroma-") as scratch:
        book = Path(scratch) / "runs.jsonl"
        with followed(book, on_event):
            ending = _executed(call, node, book)
        runs = booked(book)
    data = call.desk.finished(stopped_words(ending.failure, ending.cell) if ending.failure else "")
    record = call.record(data, ending, runs)
    kept = call.desk.file(data, record, runs)
    failed = ending.error(kept, runs) if ending.failure is not None else None
    if output is not None:
        try:
            copy_out(Path(output), data)
        except (RequestInvalid, WriteFailed) as refused:
            if failed is None:
                raise
            # What happened in the notebook matters more than where its copy is.
            raise failed from refused
    if failed is not None:
        raise failed
    return NotebookRun(kept, record, runs)


def _prepared(notebook: str | Path, given: dict[str, object], home: Path | str | None) -> tuple[_Call, Any]:
    """Check everything, and give the notebook as it will be executed: with its values and their table."""
    source = read_source(notebook)
    parameters = declared(source.cells(), file=source.shown)
    own = next((p for p in parameters if p.name == WORKSPACE and p.kind is Kind.TEXT), None)
    if home is not None and own is not None and own.default:
        given = {WORKSPACE: "", **given}  # which is the workspace that the kernel's environment names
    values = checked(parameters, given, file=source.shown)
    moment = now()
    desk = Desk.for_notebook(open_workbench(home).home, source.name, moment)
    node = source.node()
    _inject(node, values, parameters_table(parameters, values))
    return _Call(source, parameters, values, desk, moment), node


def _inject(node: Any, values: dict[str, Any], table: str) -> None:
    from papermill.parameterize import parameterize_notebook

    made = {INJECTED, TABLE}  # by an earlier execution, where an executed notebook is run again
    node.cells = [cell for cell in node.cells if not made & set(cell.metadata.get("tags", ()))]
    at = next(index for index, cell in enumerate(node.cells) if TAG in cell.metadata.get("tags", ()))
    if values:
        for cell in node.cells:
            cell.metadata.setdefault("tags", [])
        node.metadata.setdefault("papermill", {})
        node.cells = parameterize_notebook(node, values, kernel_name="python3", language="python").cells
        at += 1
        node.cells[at]["id"] = INJECTED
    node.cells.insert(at + 1, markdown_cell(table, TABLE))


def _executed(call: _Call, node: Any, book: Path) -> Ending:
    interrupts = Interrupts()
    # Papermill reads braces in a path as names of parameters.
    path = str(call.desk.path).replace("{", "{{").replace("}", "}}")
    # From the moment that the notebook lies there it is kept, also while papermill takes its second to load.
    with interrupts.heard():
        call.desk.write(node)
        with ending_of(call.source.name, interrupts) as ending:
            import papermill

            from kroma_nb.batch.kernel import register

            papermill.execute_notebook(
                path,
                path,
                engine_name=register(),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                interrupts=interrupts,
                folder=str(Path.cwd()),
                environment={**os.environ, HOME: str(call.desk.home), RUN_BOOK: str(book)},
            )
    return ending
