"""The command line inside a notebook: `%load_ext kroma_nb`, then `%kroma status`."""

from __future__ import annotations

import shlex
from typing import Any

from kroma_nb.errors import RequestInvalid
from kroma_nb.model.words import ExitCode

MAGIC = "kroma"
# What typer ends with after Ctrl-C.
INTERRUPTED = 130


def load_ipython_extension(ipython: Any) -> None:
    """Teach a notebook the magic ``%kroma``; called by ``%load_ext kroma_nb``."""
    ipython.register_magic_function(kroma, magic_kind="line", magic_name=MAGIC)
    ipython.set_hook("complete_command", _complete, str_key=f"%{MAGIC}")


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magic away again; called by ``%unload_ext kroma_nb``."""
    ipython.magics_manager.magics["line"].pop(MAGIC, None)


def kroma(line: str) -> int | None:
    """Run a kroma command as a terminal would, in this notebook's own process.

    ``%kroma`` alone shows the commands, ``%kroma COMMAND --help`` a command's options. An error stops the cell, as any
    other would, so that a notebook which runs without a person stops too. A run that was only partly done gives its
    exit code.
    """
    from kroma_nb.cli import app

    code = _run(app, _words(line) or ["--help"])
    return code or None


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as cause:
        raise RequestInvalid(f"%{MAGIC}", "", f"{line!r} was not understood: {cause}", "close what is open") from None


def _run(app: Any, words: list[str]) -> int:
    """Call the command line; errors of kroma_nb leave as they are, and nothing ends the kernel."""
    try:
        app(words, prog_name=MAGIC)
    except SystemExit as ended:
        code = int(ended.code or 0)
        if code == INTERRUPTED:
            raise KeyboardInterrupt from None
        if code == ExitCode.INPUT:
            problem = f"{shlex.join(words)!r} was not understood"
            raise RequestInvalid(f"%{MAGIC}", "", problem, "what is shown above says why") from None
        return code
    return 0


def _complete(_: Any, event: Any) -> list[str]:
    """Give the commands, or those of a group, that may stand next."""
    import typer

    from kroma_nb.cli import app

    words = event.line.split()[1:]
    done = words if event.line.endswith(" ") else words[:-1]
    node: Any = typer.main.get_command(app)
    for word in done:
        node = getattr(node, "commands", {}).get(word)
    return sorted(getattr(node, "commands", {}))
