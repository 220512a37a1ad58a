"""Commands that look at what was made: `runs list`, `runs show`, `winners`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.options import AsJson, Home, Slug

if TYPE_CHECKING:
    from kroma_nb.workbench import Project

app = typer.Typer(help="Runs that were made.", no_args_is_help=True)
RunId = Annotated[str, typer.Argument(help="The run's id; `latest` is the newest.")]


@app.command("list")
def list_runs(project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """List the runs of a project, newest first; one that cannot be read is named with its cause."""
    from kroma_nb.errors import KromaError

    place = _project(home, project)
    rows: list[dict[str, str]] = []
    for made in place.runs:
        run_id = made.run_id
        try:
            log = made.log
        except KromaError as error:
            rows.append({"run_id": run_id, "stage": "", "status": "unreadable", "pictures": "", "says": str(error)})
            continue
        says = log.next_step if log.status.value != "ok" else ""
        pictures = str(log.pictures)
        row = {"run_id": run_id, "stage": log.stage.value, "status": log.status.value, "pictures": pictures}
        rows.append(row | {"says": says})
    if as_json:
        screen.show_json({"ok": True, "project": place.slug, "runs": rows})
    else:
        screen.table(
            f"Runs of {place.slug}", ("run", "stage", "status", "pictures", "says"), [tuple(r.values()) for r in rows]
        )


@app.command("show")
def show(run_id: RunId = "latest", project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Show one run: its candidates, ranks and reasons."""
    place = _project(home, project)
    made = place.runs[run_id]
    if as_json:
        screen.show_json(made.log.to_json())
        return
    screen.show(made.view)
    for name in ("run.json", "gallery.html"):
        path = made.folder / name
        if path.exists():
            screen.say(f"{name}: {path}")


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
    missing = [job.name for job in log.jobs if job.winner is None]
    if missing:
        screen.say(f"Without a winner: {', '.join(missing)}")


def _project(home: Path | None, slug: str | None) -> Project:
    from kroma_nb.workbench import open_workbench

    return open_workbench(home).project(slug)
