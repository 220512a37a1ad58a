"""Commands that look at runs, copy their winners, put them away and delete them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.onward import CUT_SHORT, next_commands, unfinished
from kroma_nb.cli.options import AsJson, Home, Limit, Options, Slug, Yes, takes
from kroma_nb.errors import RequestInvalid

if TYPE_CHECKING:
    from kroma_nb.workbench import Project

app = typer.Typer(help="Runs that were made.", no_args_is_help=True)
RunId = Annotated[str, typer.Argument(help="The run's id; `latest` is the newest.")]
NamedRun = Annotated[str, typer.Argument(help="The run's id.")]


@app.command("list")
def list_runs(
    project: Slug = None,
    limit: Limit = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that are put away.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the runs of a project, newest first; one that cannot be read is named with its cause."""
    from kroma_nb import report

    place = _project(home, project)
    lost, rows = place.runs.unreadable, place.runs.rows(archived=every, limit=limit)
    if as_json:
        unread = [{"run_id": one.run_id, "status": "unreadable", **one.to_json()} for one in lost]
        runs = sorted([*(row.to_json() for row in rows), *unread], key=lambda row: str(row["run_id"]), reverse=True)
        screen.show_json({"ok": True, "project": place.slug, "runs": runs})
    else:
        screen.show(report.runs_view(place.slug, rows, lost, hidden=0 if every else place.runs.put_away))
        for said in unfinished(place, of=CUT_SHORT):
            screen.say(said)


@app.command("show")
def show(run_id: RunId = "latest", project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Show one run: its candidates, ranks and reasons."""
    from kroma_nb import report

    made = _project(home, project).runs[run_id]
    if as_json:
        screen.show_json(made.log.to_json())
        return
    screen.show(report.run_view(made.log))
    for name in ("run.json", "gallery.html"):
        path = made.folder / name
        if path.exists():
            screen.say(f"{name}: {path}")
    for said in next_commands(made):
        screen.say(f"Next: {said}")


TWO_RUNS = "Two runs, the earlier first: an id, its last signs, or `latest`."
TwoRuns = Annotated[tuple[str, str], typer.Argument(metavar="EARLIER LATER", help=TWO_RUNS)]


@dataclass(frozen=True)
class DiffOptions(Options):
    """Where the later run is."""

    other_project: Annotated[
        str | None, typer.Option("--other-project", help="The project of the later run, where that is another.")
    ] = None


@app.command("diff")
@takes(DiffOptions)
def diff(options: DiffOptions, runs: TwoRuns, project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Say what differs between two runs; that something does is no failure, so the exit code is 0 either way."""
    from kroma_nb import report

    place = _project(home, project)
    there = _project(home, options.other_project) if options.other_project else place
    found = place.runs[runs[0]].diff(there.runs[runs[1]]).record
    if as_json:
        screen.show_json({"ok": True, "same": found.is_empty, **found.to_json()})
    else:
        screen.show(report.diff_view(found))


@app.command("archive")
def archive(
    run_id: NamedRun,
    undo: Annotated[bool, typer.Option("--undo", help="Take it out again.")] = False,
    project: Slug = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Put a run away: it is kept whole, and lists leave it out."""
    if undo and run_id == "latest":
        problem = "the latest is the newest that is not put away"
        raise RequestInvalid("request", "run", problem, "name the run: `kroma runs list --all` shows it")
    made = _project(home, project).runs[run_id]
    made.archive(undo=undo)
    done = "taken out again" if undo else "put away"
    screen.answer({"run_id": made.run_id, "archived": not undo}, f"Run {made.run_id} is {done}.", as_json=as_json)


@dataclass(frozen=True)
class DeleteOptions(Options):
    """How sure one is to delete a run."""

    yes: Yes = False
    force: Annotated[bool, typer.Option(help="Also where other runs have followed its winners.")] = False


@app.command("delete")
@takes(DeleteOptions)
def delete(
    options: DeleteOptions, run_id: NamedRun, project: Slug = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Delete a run with every picture that it made; nothing brings it back."""
    made = _project(home, project).runs[run_id]
    screen.confirmed(f"deleting run {made.run_id} of {made.project.slug}", yes=options.yes)
    made.delete(force=options.force)
    screen.answer({"run_id": made.run_id}, f"Run {made.run_id} is deleted.", as_json=as_json)


RunIds = Annotated[list[str] | None, typer.Argument(help="A run, or several that followed each other, oldest first.")]


@app.command("gallery")
def gallery(run_ids: RunIds = None, project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Write gallery and contact sheet of a run, or of a chain of runs, beside the last one's record."""
    runs = _project(home, project).runs
    *earlier, made = [runs[run_id] for run_id in run_ids or ["latest"]]
    published = made.publish(*earlier)
    if as_json:
        paths = {"gallery": str(published.gallery), "contact_sheet": str(published.contact_sheet)}
        screen.show_json({"ok": True, "run_id": made.run_id, **paths})
        return
    screen.say(f"Contact sheet: {published.contact_sheet}")
    screen.say(f"Gallery: {published.gallery}")


def winners(
    to: Annotated[Path, typer.Option(help="The folder that the winners are copied to.")],
    run_id: RunId = "latest",
    project: Slug = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Copy the winner of each scene of a run into a folder."""
    place = _project(home, project)
    made = place.runs[run_id]
    log = made.log
    copied = made.winners.export(to)
    if as_json:
        screen.show_json({"ok": True, "run_id": log.run_id, "files": [str(path) for path in copied]})
        return
    for path in copied:
        screen.say(f"copied {path}")
    missing = [job.name for job in log.jobs if job.winner is None or job.winner.final is None]
    if missing:
        screen.say(f"Without a winner, or without its picture: {', '.join(missing)}")


def _project(home: Path | None, slug: str | None) -> Project:
    from kroma_nb.workbench import open_workbench

    return open_workbench(home).project(slug)
