"""The command line: one command a verb, heavy rooms opened only once the command is known."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from kroma_nb.cli import checks, making, runs
from kroma_nb.cli.screen import show_error
from kroma_nb.errors import KromaError

app = typer.Typer(
    name="kroma",
    help="Keep one look across a long illustrated story: plan, draw, measure and compare.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    epilog="Exit codes: 0 ok, 2 input, 3 policy, 4 provider, 5 disk or system, 6 partly done, 1 a bug.",
)
app.command("demo")(making.demo)
app.command("init")(making.init)
app.command("plan")(making.plan)
app.command("run")(making.run)
app.command("winners")(runs.winners)
app.command("validate-config")(checks.validate_config)
app.command("doctor")(checks.doctor)
app.add_typer(runs.app, name="runs")


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Show the version and end.")) -> None:
    if version:
        from kroma_nb import __version__

        typer.echo(f"kroma_nb {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every `KromaError` becomes one message and its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; by default those of the process.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        app(given, prog_name="kroma")
    except KromaError as error:
        show_error(error, as_json="--json" in given)
        sys.exit(error.exit_code)


__all__ = ["app", "main"]
