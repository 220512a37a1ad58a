"""How a program that kroma_nb starts says no."""

from __future__ import annotations

import signal

from kroma_nb.errors.money import ProviderFailed
from kroma_nb.errors.root import KromaError, shown


class ToolNotStarted(ProviderFailed):
    """A program is not there, or the system does not start it.

    Parameters
    ----------
    program : str
        As it was named.
    cause : str
        What the system said.
    way_out : str
        As a clause.
    """

    error_code = "tool_not_started"

    def __init__(self, program: str, cause: str, way_out: str = "install it, or correct its path") -> None:
        super().__init__(program, cause)
        self.args = (program, cause, way_out)
        self.program, self.way_out = program, way_out

    def __str__(self) -> str:
        return f"{shown(self.program)} could not be started: {self.cause}; {self.way_out}."


class ToolTimedOut(ProviderFailed):
    """A program took too long and was ended with all that it had started.

    Parameters
    ----------
    program : str
    timeout_s : float, seconds
        How long it was given.
    """

    error_code = "tool_timed_out"

    def __init__(self, program: str, timeout_s: float) -> None:
        super().__init__(program, f"it had not ended after {timeout_s} seconds")
        self.args = (program, timeout_s)
        self.program, self.timeout_s = program, timeout_s

    def __str__(self) -> str:
        return f"{shown(self.program)}: {self.cause} and was ended; give it more time, or a smaller picture."


class ToolFailed(ProviderFailed):
    """A program ended with an exit status that says no, or by a signal.

    Parameters
    ----------
    program : str
    returncode : int
        Its exit status; a signal's number with a minus.
    said : str
        The end of what it wrote to standard error.
    """

    error_code = "tool_failed"

    def __init__(self, program: str, returncode: int, said: str) -> None:
        super().__init__(program, f"it was ended by {_named(-returncode)}" if returncode < 0 else "")
        self.cause = self.cause or f"it ended with exit status {returncode}"
        self.args = (program, returncode, said)
        self.program, self.returncode, self.said = program, returncode, said

    def __str__(self) -> str:
        last = " ".join(shown(self.said).split())[-_SHOWN_SIGNS:]
        return f"{shown(self.program)}: {self.cause}; " + (f"it said: {last}" if last else "it said nothing.")


class ToolStopped(KromaError):
    """Somebody asked to stop while a program was at work; it was ended with all that it had started."""

    error_kind = "interrupted"
    error_code = "tool_stopped"
    exit_code = 6

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self.program = program

    def __str__(self) -> str:
        return f"{shown(self.program)} was stopped because it was asked for."


_SHOWN_SIGNS = 400


def _named(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class NoBackendLeft(ProviderFailed):
    """Every backend of a pass was asked, and none has given a picture.

    Parameters
    ----------
    pass_name : str
    tries : tuple of (str, str)
        Each backend in the order in which they were asked, and what it said.
    """

    error_code = "no_backend_left"

    def __init__(self, pass_name: str, tries: tuple[tuple[str, str], ...]) -> None:
        said = " | ".join(f"{backend}: {says.removeprefix(f'{backend}: ')}" for backend, says in tries)
        super().__init__(pass_name, said)
        self.args = (pass_name, tries)
        self.pass_name, self.tries = pass_name, tries
