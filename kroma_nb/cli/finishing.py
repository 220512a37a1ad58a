"""Takes what was drawn through the passes after drawing: `finish`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.making import show_run
from kroma_nb.cli.options import AsJson, Home, Options, Slug, Workers, named_path, takes
from kroma_nb.cli.stopping import stop_flag

Run = Annotated[str, typer.Argument(help="The run whose winners are finished: its id, its last signs, or `latest`.")]


@dataclass(frozen=True)
class FinishOptions(Options):
    """What `finish` can be asked for; a pass that nothing is said of is left to the settings."""

    bg_remove: Annotated[bool | None, typer.Option("--bg-remove/--no-bg-remove", help="Cutting figures out.")] = None
    upscale: Annotated[bool | None, typer.Option("--upscale/--no-upscale", help="Enlarging.")] = None
    color: Annotated[bool | None, typer.Option("--color/--no-color", help="The colour pass.")] = None
    color_profile: Annotated[str | None, typer.Option(help="Which colour profile.")] = None
    postprocess: Annotated[Path | None, typer.Option(parser=named_path, help="A postprocess file.")] = None
    only: Annotated[list[str] | None, typer.Option(help="Keep this scene or job only; may be given again.")] = None
    dry: Annotated[bool, typer.Option("--dry", help="Only show what would be made, in which order.")] = False
    workers: Workers = None

    def words(self) -> dict[str, Any]:
        """Turn the options into what `Project.plan` takes."""
        names = ("bg_remove", "upscale", "color", "color_profile", "postprocess", "only")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@takes(FinishOptions)
def finish(options: FinishOptions, run: Run, project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Cut out, enlarge and colour the winners of a run, and draw nothing. Ctrl-C stops in good order."""
    from kroma_nb.workbench import open_workbench

    place = open_workbench(home).project(project)
    planned = place.plan(finish=run, **options.words())
    if options.dry:
        screen.show_json(planned.plan.to_json()) if as_json else screen.show(planned.view)
        return
    title = f"finish: {planned.pictures} pictures"
    with stop_flag() as stop, screen.progress(title, planned.pictures, shown=not as_json) as follow:
        made = place.run(planned, workers=options.workers, stop=stop, on_event=follow)
    show_run(made, as_json=as_json)
