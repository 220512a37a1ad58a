"""The command that imports: `import-kroma`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.options import AsJson, Home

if TYPE_CHECKING:
    from kroma_nb.model.imported import ImportReport

Source = Annotated[
    Path, typer.Argument(help="A run log, a folder of them, a project, an app.db, or the folder that holds var/.")
]
Into = Annotated[str | None, typer.Option("--project", "-p", help="The project that everything goes to.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be taken; write nothing.")]

MOST_ROWS = 40


def import_kroma(
    path: Source, project: Into = None, home: Home = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Import runs, pictures and projects of Kroma; what is imported stays as it is."""
    from kroma_nb.model.words import ExitCode
    from kroma_nb.workbench import open_workbench

    report = open_workbench(home).import_kroma(path, project=project, dry_run=dry_run)
    if as_json:
        screen.show_json({"ok": report.is_complete, **report.to_json()})
    else:
        _show(report)
    if not report.is_complete:
        raise typer.Exit(int(ExitCode.PARTIAL))


def _show(report: ImportReport) -> None:
    from kroma_nb.model.imported import Reason

    columns = ("project", "runs", "pictures", "other pictures", "links", "MB", "mended", "left")
    title = f"{'Would be imported' if report.is_dry_run else 'Imported'} from {report.source}"
    screen.table(title, columns, [_row(report, project) for project in report.projects])
    if report.already:
        screen.say(f"Already there, and not touched: {report.already}.")
    _show_mended(report)
    for reason, heading in (
        (Reason.BROKEN, "Left, because it cannot be used:"),
        (Reason.MISSING, "Left, because it is missing:"),
        (Reason.NOT_IMPORTED, "Not imported:"),
    ):
        _show_left(report, reason, heading)
    if report.projects and not report.is_dry_run:
        screen.say(f"Look at it: kroma runs list --project {report.projects[0]}, then kroma runs gallery RUN")


def _row(report: ImportReport, project: str) -> tuple[str, ...]:
    counts = report.counts(project)
    left = counts["broken"] + counts["missing"]
    others = (counts["links"], f"{counts['size_bytes'] / 1e6:.1f}", counts["mended"], left)
    pictures = counts["pictures"] - counts["assets"]
    return project, *(str(value) for value in (counts["runs"], pictures, counts["assets"], *others))


def _show_mended(report: ImportReport) -> None:
    for item in report.mended[:MOST_ROWS]:
        screen.say(f"Mended in {item.source}:")
        for sentence in item.mended[:MOST_ROWS]:
            screen.say(f"  {sentence}")
    if len(report.mended) > MOST_ROWS:
        screen.say(f"Mended in {len(report.mended) - MOST_ROWS} more; --json names them all.")


def _show_left(report: ImportReport, reason: str, heading: str) -> None:
    items = [item for item in report.left if item.reason == reason]
    if not items:
        return
    screen.say(heading)
    for item in items[:MOST_ROWS]:
        count = f"{item.count:,} × " if item.count > 1 else ""
        screen.say(f"  {count}{item.says}")
    if len(items) > MOST_ROWS:
        screen.say(f"  … and {len(items) - MOST_ROWS} more; --json names them all.")
