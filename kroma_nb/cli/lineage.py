"""Commands about descent: `assets lineage` and `assets affected`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.options import AsJson, Home, Options, Slug, takes

Named = Annotated[
    str, typer.Argument(metavar="PATH_OR_SHA", help="Where it lies in the project, or 6 digits of its sha256 or more.")
]


@dataclass(frozen=True)
class LineageOptions(Options):
    """How `assets lineage` shows a lineage."""

    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid flowchart.")] = False
    svg: Annotated[Path | None, typer.Option(help="Draw it into this file.")] = None
    project: Slug = None


@takes(LineageOptions)
def show_lineage(options: LineageOptions, named: Named, home: Home = None, as_json: AsJson = False) -> None:
    """Show what a picture was made of and what was made of it, over all runs."""
    from kroma_nb import report
    from kroma_nb.blobs import write_atomic
    from kroma_nb.errors import RequestInvalid
    from kroma_nb.workbench import open_workbench

    svg = options.svg
    if options.mermaid and (svg or as_json):
        raise RequestInvalid("request", "mermaid", "it is asked for beside another form", "choose one of them")
    if svg is not None and svg.suffix.lower() != ".svg":
        raise RequestInvalid("request", "svg", f"{svg} is no name for a drawing", "let it end with .svg")
    lineage = open_workbench(home).project(options.project).assets.find(named).lineage()
    if svg is not None:
        write_atomic(svg, lineage.svg().encode())
    if as_json:
        screen.show_json({"ok": True, "asset": lineage.asset.path, **lineage.record.to_json()})
    elif options.mermaid:
        typer.echo(lineage.mermaid(), nl=False)
    elif svg is not None:
        screen.say(str(svg))
    else:
        screen.show(report.lineage_view(lineage.record))


def show_affected(named: Named, project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Show what must be made again if a picture changes, and what that would cost."""
    from kroma_nb import report
    from kroma_nb.workbench import open_workbench

    found = open_workbench(home).project(project).assets.affected_by(named)
    if not as_json:
        screen.show(report.affected_view(found.record))
        return
    record = found.record
    facts = {
        "asset": record.path,
        "pictures": found.pictures,
        "attempts": record.attempts,
        "jobs": found.jobs,
        "runs": list(found.runs),
        "cost_low_micro_usd": found.cost_low.micro_usd,
        "cost_high_micro_usd": found.cost_high.micro_usd if found.cost_high is not None else None,
    }
    told = record.to_json()
    screen.show_json({"ok": True, **facts, "rows": told["rows"], "cut_off": told["cut_off"]})
