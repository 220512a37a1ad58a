"""Commands that make something: `demo`, `init`, `plan`, `run`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.options import AsJson, Home, PlanOptions, RunOptions, Slug, Workers, takes
from kroma_nb.cli.spending import agreed, say_what_budgets_leave
from kroma_nb.cli.stopping import stop_flag

if TYPE_CHECKING:
    from kroma_nb.workbench import PlannedRun, Project, Run


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
        screen.show_json(planned.plan.model_copy(update={"forecast": planned.forecast()}).to_json())
    else:
        screen.show(planned.view)


@takes(RunOptions)
def run(options: RunOptions, project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Draw every candidate, measure and rank them, and write the gallery. Ctrl-C stops in good order."""
    place = _project(home, project)
    planned = _planned(options, place)
    forecast = planned.forecast()
    if forecast.paid_pictures and not as_json:
        # What is planned in full is what `kroma plan` shows.
        screen.show(replace(planned.view, columns=(), rows=()))
        say_what_budgets_leave(place, forecast)
    most = planned.plan.max_cost
    sure = agreed(forecast, most=most, confirm_spend=options.confirm_spend, ask=not as_json)
    title = f"{planned.plan.stage.value}: {planned.pictures} pictures"
    with stop_flag() as stop, screen.progress(title, planned.pictures, shown=not as_json) as follow:
        made = place.run(planned, confirm_spend=sure, workers=options.workers, stop=stop, on_event=follow)
    show_run(made, as_json=as_json)


DemoHome = Annotated[Path, typer.Option("--home", help="The workspace's folder.")]


Finish = Annotated[bool, typer.Option("--finish", help="Also cut out, enlarge and colour every winner.")]


def demo(
    home: DemoHome = Path("kroma-demo"), finish: Finish = False, workers: Workers = None, as_json: AsJson = False
) -> None:
    """Draw the demo universe by day, by night and in rain, without key or network."""
    from kroma_nb import batch
    from kroma_nb.batch.leading import command
    from kroma_nb.cli import notebooks

    values = {"project": "demo", "name": "Demo", "finish": finish, "workers": workers or 0}
    with screen.runs_progress("demo", shown=not as_json) as follow:
        done = batch.run_notebook("run_chapter", values, home=home, on_event=follow)
    look = command("runs list", done.runs[-1].project, home=home)
    notebooks.show(done, as_json=as_json, project="demo", next_step=f"Look around: {look}")


def _project(home: Path | None, slug: str | None) -> Project:
    from kroma_nb.workbench import open_workbench

    return open_workbench(home).project(slug, missing_ok=True)


def _planned(options: PlanOptions, project: Project) -> PlannedRun:
    return project.plan(settings=options.settings(project), **options.words())


def show_run(made: Run, *, as_json: bool) -> None:
    """Publish a run, show how it ended and what to do next, and end with its exit code."""
    from kroma_nb import report
    from kroma_nb.cli.notebooks import run_row
    from kroma_nb.cli.onward import next_commands

    published = made.publish()
    log, code = made.log, int(made.log.exit_code)
    commands = next_commands(made)
    if as_json:
        paths = {"gallery": str(published.gallery), "contact_sheet": str(published.contact_sheet)}
        spent = {"spent_micro_usd": log.spent.micro_usd, "next": list(commands)}
        facts = {"project": made.project.slug, "runs": [run_row(made)], **paths, **spent}
        screen.show_json({"ok": code == 0, **facts})
    else:
        screen.show(report.run_view(log))
        if log.spent:
            screen.say(f"Charged: {log.spent}")
        screen.say(f"Run log: {made.folder / 'run.json'}")
        screen.say(f"Contact sheet: {published.contact_sheet}")
        screen.say(f"Gallery: {published.gallery}")
        for command in commands:
            screen.say(f"Next: {command}")
    if code:
        raise typer.Exit(code)
