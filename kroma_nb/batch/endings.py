"""How an execution ended: well, with an error in a cell, without its kernel, or because somebody ended it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb.batch.leading import survived
from kroma_nb.errors import InfraFailed, KromaError, NotebookFailed, NotebookInterrupted
from kroma_nb.model.run import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from papermill.exceptions import PapermillExecutionError

    from kroma_nb.batch.interrupts import Interrupts
    from kroma_nb.workbench import Run

# The line with which every KromaError begins to show itself in a notebook, coloured or not.
_SAID = re.compile(r"^(?:\x1b\[[\d;]*m)*(\w+)(?:\x1b\[[\d;]*m)* \(error_kind=(\w+) error_code=(\w+)\)", re.MULTILINE)
INTERRUPTED = Failure(
    error_kind=NotebookInterrupted.error_kind,
    error_code=NotebookInterrupted.error_code,
    message="ended by Ctrl-C, or by a signal to end",
)


@dataclass
class Ending:
    """How an execution ended.

    Attributes
    ----------
    failure : Failure or None
        None where every cell came to its end.
    cell : str
        Where it ended early, in words.
    """

    failure: Failure | None = None
    cell: str = ""

    def error(self, kept: Path, runs: Sequence[Run]) -> KromaError:
        """Give the error to raise, once the notebook lies where it is kept, with the runs that it made."""
        assert self.failure is not None
        if self.failure is INTERRUPTED:
            return NotebookInterrupted(kept, survived(runs))
        said = self.failure
        return NotebookFailed(kept, self.cell, said.error_kind, said.error_code, said.message)


@contextmanager
def ending_of(name: str, interrupts: Interrupts) -> Iterator[Ending]:
    """Note how the block ends; errors of cells and kernels, and the wish to end, do not leave it."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    ending = Ending()
    try:
        yield ending
    except KeyboardInterrupt:
        ending.failure = INTERRUPTED
    except PapermillExecutionError as error:
        was_ended = error.ename == "KeyboardInterrupt" or (interrupts.asked and error.ename == "CellExecutionError")
        ending.failure = INTERRUPTED if was_ended else _failure(error)
        ending.cell = f"{name}: cell [{error.exec_count or 'not begun'}]"
    except (DeadKernelError, CellTimeoutError, RuntimeError) as error:
        if isinstance(error, CellTimeoutError):
            message = "it does not answer"
        elif isinstance(error, DeadKernelError) or "ernel" in str(error):
            message = "it died, perhaps for a lack of memory"
        else:
            raise
        ending.failure = Failure(error_kind=InfraFailed.error_kind, error_code="kernel_died", message=message)
        ending.cell = f"{name}: the kernel"


def _failure(error: PapermillExecutionError) -> Failure:
    """Give an error of the tree as it called itself, and anything else as what it is to us: unknown."""
    kind, code = KromaError.error_kind, NotebookFailed.error_code
    # What led to the error is told before it, and may be of the tree as well.
    for name, *said in _SAID.findall("\n".join(error.traceback or ())):
        if name == error.ename:
            kind, code = said
    message = f"{error.ename}: {error.evalue}" if error.evalue else error.ename
    return Failure(error_kind=kind, error_code=code, message=message)
