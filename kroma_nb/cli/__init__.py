"""The command line: one command a verb, heavy rooms opened only once the command is known."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from kroma_nb.cli import (
    archiving,
    checks,
    costs,
    finishing,
    importing,
    keeping,
    lineage,
    making,
    notebooks,
    printing,
    replaying,
    resuming,
    runs,
    tools,
)
from kroma_nb.cli.screen import show_error, show_json, spoken_warnings
from kroma_nb.errors import KromaError
from kroma_nb.model.words import ExitCode

# What click ends with after Ctrl-C.
_INTERRUPTED = 130

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
app.command("finish")(finishing.finish)
app.command("bgremove")(tools.bgremove)
app.command("upscale")(tools.upscale)
app.command("color")(tools.color)
app.command("qa")(tools.qa)
app.command("print")(printing.print_)
app.command("resume")(resuming.resume)
app.command("retry")(resuming.retry)
app.command("replay")(replaying.replay)
app.command("costs")(costs.costs)
app.command("budget")(costs.budget)
app.command("winners")(runs.winners)
app.command("import-kroma")(importing.import_kroma)
app.command("validate-config")(checks.validate_config)
app.command("explain")(checks.explain)
app.command("doctor")(checks.doctor)
app.command("status")(keeping.status)
app.command("reindex")(keeping.reindex)
app.command("gc")(keeping.gc)
keeping.assets.command("lineage")(lineage.show_lineage)
keeping.assets.command("affected")(lineage.show_affected)
app.command("archive")(archiving.archive)
app.add_typer(keeping.projects, name="projects")
app.add_typer(runs.app, name="runs")
app.add_typer(notebooks.app, name="notebook")
app.add_typer(keeping.assets, name="assets")


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
    as_json = "--json" in given
    try:
        with spoken_warnings():
            app(given, prog_name="kroma")
    except KromaError as error:
        show_error(error, as_json=as_json)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        sys.exit(_closed(ended.code, as_json=as_json))
    except OSError as error:
        if error.filename is not None:
            raise
        # A terminal or pipe that takes no more.
        sys.stderr.write(f"error (output): {error}\n")
        sys.exit(ExitCode.INFRA)


def _closed(code: str | int | None, *, as_json: bool) -> str | int | None:
    """Keep to the closed list of exit codes, and to one JSON document where it was asked for."""
    if code == _INTERRUPTED:
        return int(ExitCode.PARTIAL)
    if code == ExitCode.INPUT and as_json:
        error = "the command line was not understood; standard error says why"
        show_json({"ok": False, "error": error, "error_kind": "validation", "error_code": "usage"})
    return code


__all__ = ["app", "main"]
