"""Commands that make something: `demo`, `init`, `plan`, `run`."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.options import AsJson, Home, PlanOptions, Slug, takes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.workbench import PlannedRun, Project, Run

Workers = Annotated[int | None, typer.Option(min=1, help="Candidates made at once; by default one a processor.")]


def init(
    slug: Annotated[str, typer.Argument(help="The project's short name: ASCII letters, digits, - and _.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make a workspace with a project in it, and example settings to start from."""
    from kroma_nb.workbench import open_workbench
    from kroma_nb.workbench.founding import add_examples

    bench = open_workbench(home)
    project = bench.create_project(slug)
    examples = add_examples(bench.home)
    if as_json:
        screen.show_json({"ok": True, "project": project.slug, "created": [str(project.root), *map(str, examples)]})
        return
    for path in (project.root, *examples):
        screen.say(f"made {path}")
    screen.say(f"Next: kroma run --project {project.slug} --input FOLDER_OF_PHOTOGRAPHS")


@takes(PlanOptions)
def plan(options: PlanOptions, project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Show what a run would make and cost; writes nothing."""
    planned = _planned(options, _project(home, project))
    if as_json:
        screen.show_json(planned.plan.to_json())
    else:
        screen.show(planned.view)


@takes(PlanOptions)
def run(
    options: PlanOptions, project: Slug = None, home: Home = None, workers: Workers = None, as_json: AsJson = False
) -> None:
    """Draw every candidate, measure and rank them, and write the gallery. Ctrl-C stops in good order."""
    place = _project(home, project)
    made = play(place, _planned(options, place), workers=workers, quiet=as_json)
    _show_runs(place, [made], as_json=as_json)


DemoHome = Annotated[Path, typer.Option("--home", help="The workspace's folder.")]


def demo(home: DemoHome = Path("kroma-demo"), workers: Workers = None, as_json: AsJson = False) -> None:
    """Draw the demo universe by day, by night and in rain, without key or network."""
    from kroma_nb import batch
    from kroma_nb.batch.leading import command
    from kroma_nb.cli import notebooks

    values = {"project": "demo", "name": "Demo", "workers": workers or 0}
    with screen.runs_progress("demo", shown=not as_json) as follow:
        done = batch.run_notebook("run_chapter", values, home=home, on_event=follow)
    look = command("runs list", done.runs[-1].project, home=home)
    notebooks.show(done, as_json=as_json, project="demo", next_step=f"Look around: {look}")


def play(project: Project, planned: PlannedRun, *, workers: int | None, quiet: bool) -> Run:
    """Play a plan with a progress bar; the first Ctrl-C lets what is being made come to its end."""
    title = f"{planned.plan.stage.value}: {planned.pictures} pictures"
    with _stop_flag() as stop, screen.progress(title, planned.pictures, shown=not quiet) as follow:
        return project.run(planned, workers=workers, stop=stop, on_event=follow)


def _project(home: Path | None, slug: str | None) -> Project:
    from kroma_nb.workbench import open_workbench

    return open_workbench(home).project(slug, missing_ok=True)


def _planned(options: PlanOptions, project: Project) -> PlannedRun:
    return project.plan(settings=options.settings(project), **options.words())


def _show_runs(project: Project, made: list[Run], *, as_json: bool) -> None:
    from kroma_nb import report
    from kroma_nb.cli.notebooks import run_row
    from kroma_nb.model.words import ExitCode

    *earlier, last = made
    published = last.publish(*earlier)
    code = ExitCode.worst(one.log.exit_code for one in made)
    if as_json:
        runs = [run_row(one) for one in made]
        paths = {"gallery": str(published.gallery), "contact_sheet": str(published.contact_sheet)}
        screen.show_json({"ok": code == 0, "project": project.slug, "runs": runs, **paths})
    else:
        for one in made:
            screen.show(report.run_view(one.log))
        screen.say(f"Run log: {last.folder / 'run.json'}")
        screen.say(f"Contact sheet: {published.contact_sheet}")
        screen.say(f"Gallery: {published.gallery}")
    if code:
        raise typer.Exit(int(code))


@contextmanager
def _stop_flag() -> Iterator[threading.Event]:
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals are the main thread's
        return

    def ask(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {name: signal.signal(name, ask) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
