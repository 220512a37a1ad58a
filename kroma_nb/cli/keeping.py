"""Commands that keep a workspace in order: `projects`, `assets`, `status`, `reindex`, `gc`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.onward import CUT_SHORT, unfinished
from kroma_nb.cli.options import AsJson, Home, Limit, Options, Slug, Yes, takes
from kroma_nb.model.words import ExitCode

projects = typer.Typer(help="The projects of a workspace.", no_args_is_help=True)
assets = typer.Typer(help="The pictures that a project keeps.", no_args_is_help=True)
NamedProject = Annotated[str, typer.Argument(help="The project's slug.")]
All = Annotated[bool, typer.Option("--all", help="Also those that are put away.")]


@projects.command("list")
def list_projects(every: All = False, home: Home = None, as_json: AsJson = False) -> None:
    """List the projects of a workspace with their runs, pictures and disk use."""
    from kroma_nb import report
    from kroma_nb.model.project import ProjectStatus
    from kroma_nb.workbench import open_workbench

    bench = open_workbench(home)
    rows, lost = bench.projects.rows(archived=True), bench.projects.unreadable
    listed = [row for row in rows if every or row.status is ProjectStatus.ACTIVE]
    if as_json:
        unreadable = [one.to_json() for one in lost]
        screen.show_json({"ok": True, "projects": [row.to_json() for row in listed], "unreadable": unreadable})
    else:
        screen.show(report.projects_view(str(bench.home), listed if every else rows, lost))


@projects.command("show")
def show_project(slug: NamedProject, home: Home = None, as_json: AsJson = False) -> None:
    """Show one project: its card, its numbers, its newest runs."""
    from kroma_nb import report
    from kroma_nb.workbench import open_workbench

    project = open_workbench(home).project(slug)
    counts, runs = project.bench.projects.row(project.slug), project.runs.rows(limit=10)
    if as_json:
        card, newest = project.card.to_json(), [row.to_json() for row in runs]
        screen.show_json({"ok": True, "project": card, "counts": counts.to_json(), "runs": newest})
        return
    screen.show(report.project_view(project.card, counts, "", str(project.root), month=project.costs.this_month))
    screen.show(report.runs_view(project.slug, runs))


@projects.command("archive")
def archive_project(
    slug: NamedProject,
    undo: Annotated[bool, typer.Option("--undo", help="Take it out again.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Put a project away: it is kept whole, and lists leave it out."""
    from kroma_nb.workbench import open_workbench

    project = open_workbench(home).project(slug)
    project.archive(undo=undo)
    done = "taken out again" if undo else "put away"
    said = f"Project {project.slug} is {done}."
    screen.answer({"project": project.slug, "archived": not undo}, said, as_json=as_json)


@projects.command("delete")
def delete_project(slug: NamedProject, yes: Yes = False, home: Home = None, as_json: AsJson = False) -> None:
    """Delete a project with every picture in it; nothing brings it back."""
    from kroma_nb.workbench import open_workbench

    project = open_workbench(home).project(slug)
    screen.confirmed(f"deleting {project.root}", yes=yes)
    project.delete(confirm=project.slug)
    screen.answer({"project": project.slug}, f"Project {project.slug} is deleted.", as_json=as_json)


@dataclass(frozen=True)
class AssetOptions(Options):
    """Which pictures `assets list` lists."""

    project: Slug = None
    kind: Annotated[str | None, typer.Option(help="input, picture or imported.")] = None
    run_id: Annotated[str | None, typer.Option("--run", help="Only those of this run.")] = None
    sha256: Annotated[str | None, typer.Option(help="Only those with this content.")] = None
    limit: Limit = 60


@assets.command("list")
@takes(AssetOptions)
def list_assets(options: AssetOptions, home: Home = None, as_json: AsJson = False) -> None:
    """List the pictures of a project, newest first."""
    from kroma_nb import report
    from kroma_nb.workbench import open_workbench

    place = open_workbench(home).project(options.project)
    run = place.runs[options.run_id] if options.run_id else None
    found = place.assets.where(kind=options.kind, run=run, sha256=options.sha256)
    count = len(found)
    records = [asset.record for asset in found.page(limit=options.limit or max(1, count))]
    if as_json:
        pictures = [record.to_json() for record in records]
        screen.show_json({"ok": True, "project": place.slug, "count": count, "assets": pictures})
    else:
        screen.show(report.assets_view(records, count))


@assets.command("show")
def show_asset(
    path: Annotated[str, typer.Argument(help="Where the picture lies, relative to the project's folder.")],
    project: Slug = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show one picture: what made it, from what, and what was made of it."""
    from kroma_nb import report
    from kroma_nb.workbench import open_workbench

    asset = open_workbench(home).project(project).assets[path]
    if as_json:
        links = [link.to_json() for link in asset.links]
        screen.show_json({"ok": True, "asset": asset.record.to_json(), "links": links})
        return
    screen.show(report.asset_view(asset.record))
    screen.show(report.links_view(asset.links))


def status(home: Home = None, as_json: AsJson = False) -> None:
    """Show how the workspace stands: projects, what is running, what cannot be read."""
    from kroma_nb.workbench import open_workbench

    bench = open_workbench(home)
    found = bench.status()
    if as_json:
        screen.show_json({"ok": not (found.unreadable or found.database), **found.to_json()})
        return
    screen.show(found.view)
    # Without a database or a project's card it is said above what is wrong.
    for slug in [] if found.database else [row.slug for row in found.projects]:
        for said in unfinished(bench.project(slug), of=CUT_SHORT):
            screen.say(said)


def reindex(home: Home = None, as_json: AsJson = False) -> None:
    """Make the database again from the files of all projects; it may have been deleted."""
    from kroma_nb.report import counted
    from kroma_nb.workbench import open_workbench

    made = open_workbench(home).reindex()
    if as_json:
        screen.show_json({"ok": not made.unreadable, **made.to_json()})
    else:
        runs, projects = counted(made.runs, "run"), counted(made.projects, "project")
        screen.say(f"The index holds {runs} of {projects}.")
        for slug in made.gone:
            screen.say(f"Removed the rows of {slug}, which has no folder any more.")
        for one in made.unreadable:
            screen.say(f"Left out: {one.says}")
    if made.unreadable:
        raise typer.Exit(int(ExitCode.PARTIAL))


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go, and how much that is.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Remove what nothing needs: leftovers of killed processes, inputs that no run has read, too large a cache."""
    from kroma_nb.workbench import open_workbench

    cleaned = open_workbench(home).gc(dry_run=dry_run)
    if as_json:
        screen.show_json({"ok": True, "size_bytes": cleaned.size_bytes, **cleaned.to_json()})
        return
    screen.show(cleaned.view)
