"""Commands that look at what was made: `runs list`, `runs show`, `runs gallery`, `winners`."""

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
    for run_id in place.run_ids:
        try:
            log = place.read(run_id)
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
    log = place.read(run_id)
    if as_json:
        screen.show_json(log.to_json())
        return
    screen.show_run(log)
    for name in ("run.json", "gallery.html"):
        path = place.root / "runs" / log.run_id / name
        if path.exists():
            screen.say(f"{name}: {path}")


@app.command("gallery")
def gallery(run_id: RunId = "latest", project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Write the gallery and the contact sheet of a run, also of one that was imported."""
    place = _project(home, project)
    log = place.read(run_id)
    made = place.publish([log])
    if as_json:
        paths = {"gallery": str(made.gallery), "contact_sheet": str(made.contact_sheet)}
        screen.show_json({"ok": True, "run_id": log.run_id, **paths})
        return
    screen.say(f"Contact sheet: {made.contact_sheet}")
    screen.say(f"Gallery: {made.gallery}")


def winners(
    to: Annotated[Path, typer.Option(help="The folder that the winners are copied to.")],
    run_id: RunId = "latest",
    project: Slug = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Copy the winner of each scene of a run into a folder."""
    place = _project(home, project)
    log = place.read(run_id)
    copied = place.export_winners(log, to)
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

    return open_workbench(home).existing(slug)
