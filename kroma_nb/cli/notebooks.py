"""Commands that run notebooks without a person: `notebook list`, `notebook run`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from kroma_nb.cli import screen
from kroma_nb.cli.options import AsJson, Home

if TYPE_CHECKING:
    from kroma_nb.batch import NotebookRun
    from kroma_nb.workbench import Run

app = typer.Typer(help="Notebooks that run without a person.", no_args_is_help=True)

# Joins the two words of `-p name value` on their way through the parser; no word of a command line can hold it.
_JOINT = "\0"
_OPTIONS = ("-p", "--parameter")


class _Pairs(TyperCommand):
    """A command whose ``-p`` takes two words, as papermill's does, or one: ``name=value``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = list(args)
        for at, word in enumerate(words):
            if word == "--":
                break
            pair = words[at + 1 : at + 3]
            if word in _OPTIONS and len(pair) > 1 and not _is_whole(pair[0]) and not pair[1].startswith("--"):
                words[at + 1 : at + 3] = [_JOINT.join(pair)]
        return super().parse_args(ctx, words)


def _is_whole(word: str) -> bool:
    """Tell ``name=value``: no parameter's name holds the sign."""
    return re.match(r"\w+=", word) is not None


NAME_HELP = "A path that ends with .ipynb, or a name that `kroma notebook list` shows."
PARAMETER_HELP = "A parameter and its value; lists and objects as JSON. May be given again."
FILE_HELP = "A JSON or YAML file with parameters; -p wins over it."
HELP_HELP = "Show the notebook's parameters with type, default and meaning, and end."
OUTPUT_HELP = "Write the executed notebook here too; never over a file."


@app.command("list")
def list_notebooks(as_json: AsJson = False) -> None:
    """List the notebooks that travel with kroma_nb."""
    from kroma_nb import batch

    found = batch.list_notebooks()
    if as_json:
        screen.show_json({"ok": True, "notebooks": [one.to_json() for one in found]})
        return
    screen.table("Notebooks that travel with kroma_nb", ("name", "question"), [(n.name, n.question) for n in found])
    screen.say("Next: kroma notebook run NAME --help-notebook")


@app.command("run", cls=_Pairs)
def run_notebook(  # noqa: PLR0913, PLR0917 - each is an option
    name: Annotated[str, typer.Argument(help=NAME_HELP)],
    parameter: Annotated[list[str] | None, typer.Option(*_OPTIONS, metavar="NAME VALUE", help=PARAMETER_HELP)] = None,
    parameters: Annotated[Path | None, typer.Option(help=FILE_HELP)] = None,
    output: Annotated[Path | None, typer.Option(help=OUTPUT_HELP)] = None,
    help_notebook: Annotated[bool, typer.Option("--help-notebook", help=HELP_HELP)] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Execute a notebook from its first cell to its last, and keep it with the runs that it makes."""
    from kroma_nb import batch

    if help_notebook:
        _show_parameters(name, as_json=as_json)
        return
    values = _given(parameter or [], parameters)
    with screen.runs_progress(name, shown=not as_json) as follow:
        done = batch.run_notebook(name, values, home=home, output=output, on_event=follow)
    show(done, as_json=as_json)


def _given(pairs: list[str], file: Path | None) -> dict[str, object]:
    from kroma_nb.batch.given import Typed, read_parameters_file
    from kroma_nb.errors import ParameterInvalid

    typed: dict[str, object] = {}
    for pair in pairs:
        name, joint, value = pair.partition(_JOINT) if _JOINT in pair else pair.partition("=")
        if not joint:
            # A word that is no name may be a secret that was typed in the wrong place.
            word = name if name.isidentifier() else ""
            raise ParameterInvalid("-p", word, "the value is missing", "write -p name value, or -p name=value")
        if name in typed:
            raise ParameterInvalid("-p", name, "it is given twice", "keep one of them")
        typed[name] = Typed(value)
    return {**(read_parameters_file(file) if file else {}), **typed}


def _show_parameters(name: str, *, as_json: bool) -> None:
    from kroma_nb import batch
    from kroma_nb.batch.telling import shortened, written

    found = batch.describe_notebook(name)
    if as_json:
        screen.show_json({"ok": True, **found.to_json()})
        return
    rows = [(p.name, p.expected, shortened(written(p.default)), p.meaning) for p in found.parameters]
    screen.table(f"{name}: {found.question}", ("parameter", "type", "default", "what it means"), rows)
    screen.say(f"Next: kroma notebook run {name} -p PARAMETER VALUE")


def show(done: NotebookRun, *, as_json: bool, project: str | None = None, next_step: str = "") -> None:
    """Say what a notebook has made, and end with the exit code of its runs; with the project that all of it is in."""
    from kroma_nb import report

    code = int(done.exit_code)
    pages = _pages(done.runs)
    if as_json:
        runs = [{"project": run.project.slug, **run_row(run)} for run in done.runs]
        paths = {name: str(path) for name, path in pages.items()}
        place = {"project": project} if project else {}
        screen.show_json({"ok": code == 0, **place, "runs": runs, "notebook": str(done.notebook), **paths})
    else:
        for run in done.runs:
            screen.show(report.run_view(run.log))
        for name, path in {"notebook": done.notebook, **pages}.items():
            screen.say(f"{name.replace('_', ' ').capitalize()}: {path}")
        if next_step:
            screen.say(next_step)
    if code:
        raise typer.Exit(code)


def run_row(run: Run) -> dict[str, str]:
    """Give a run as JSON answers name it."""
    return {"run_id": run.run_id, "stage": run.log.stage.value, "status": run.status.value}


def _pages(runs: tuple[Run, ...]) -> dict[str, Path]:
    """Give the gallery and the contact sheet of the last run that has them."""
    names = {"contact_sheet": "contact_sheet.png", "gallery": "gallery.html"}
    for run in reversed(runs):
        found = {name: run.folder / file for name, file in names.items()}
        if all(path.exists() for path in found.values()):
            return found
    return {}
