"""How a notebook that runs without a person says no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.errors.leaves import InfraFailed, PolicyRefused, ValidationFailed
from kroma_nb.errors.money import ProviderFailed
from kroma_nb.errors.root import KromaError, shown

if TYPE_CHECKING:
    from pathlib import Path


class SecretRefused(PolicyRefused):
    """A parameter looks like a secret, and everything that a notebook is given stays in its file."""

    error_code = "secret_refused"

    def __init__(self, parameter: str, sign: str) -> None:
        super().__init__(parameter, sign)
        self.parameter, self.sign = parameter, sign

    def __str__(self) -> str:
        return (
            f"the parameter {self.parameter} {self.sign}, and what a notebook is given stays readable in its file; "
            "set it as an environment variable and let the notebook's code find it there."
        )


class NotebookFailed(KromaError):
    """A cell ended with an error; the notebook as far as it came is kept.

    Parameters
    ----------
    path : Path
        The kept notebook.
    cell : str
        Which cell, in words.
    error_kind, error_code : str
        Of the error in the cell.
    message : str
        What that error said.
    """

    error_code = "notebook_failed"

    def __init__(self, path: Path, cell: str, error_kind: str, error_code: str, message: str) -> None:
        super().__init__(path, cell, error_kind, error_code, message)
        self.path, self.cell, self.message = path, cell, message
        self.error_kind, self.error_code = error_kind, error_code
        self.exit_code = EXIT_CODES.get(error_kind, 1)

    def __str__(self) -> str:
        told = " ".join(self.message.split()).rstrip(".")
        return (
            f"{self.cell} failed: {told} (error_kind={self.error_kind} error_code={self.error_code}); "
            f"what was executed is kept in {shown(self.path)}."
        )


class NotebookInterrupted(KromaError):
    """Somebody ended a notebook; what was made, and the notebook as far as it came, is kept.

    Parameters
    ----------
    path : Path
        The kept notebook.
    survived : str
        Which pictures are kept, and the command that shows them; empty where no run had begun.
    """

    error_kind = "interrupted"
    error_code = "notebook_interrupted"
    exit_code = 6

    def __init__(self, path: Path, survived: str = "") -> None:
        super().__init__(path, survived)
        self.path, self.survived = path, survived

    def __str__(self) -> str:
        survived = f"{self.survived}; " if self.survived else ""
        return (
            f"interrupted; {survived}what was executed is kept in {shown(self.path)}. "
            "Give the same command for a new run."
        )


EXIT_CODES = {
    kind.error_kind: kind.exit_code
    for kind in (ValidationFailed, PolicyRefused, ProviderFailed, InfraFailed, NotebookInterrupted)
}
