"""The command that makes a run again, or proves it: `replay`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.making import show_run
from kroma_nb.cli.options import AsJson, Home, Options, Slug, Workers, takes
from kroma_nb.cli.stopping import stop_flag
from kroma_nb.model.words import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.workbench import Run

AnyRun = Annotated[str, typer.Argument(metavar="RUN", help="An id, its last signs, or `latest`.")]


@dataclass(frozen=True)
class ReplayOptions(Options):
    """What `replay` can be asked for."""

    verify: Annotated[bool, typer.Option("--verify", help="Keep nothing: compare every pass with what lies there.")] = (
        False
    )
    workers: Workers = None


@takes(ReplayOptions)
def replay(
    options: ReplayOptions, run: AnyRun = "latest", project: Slug = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Make a run again from its own folder, into a new run; with --verify, prove it. Nothing is bought."""
    one = _open(home, project, run)
    if options.verify:
        _prove(one, options.workers, as_json=as_json)
        return
    pictures = sum(job.planned_candidates for job in one.log.jobs)
    with stop_flag() as stop, screen.progress(f"replay: {pictures} pictures", pictures, shown=not as_json) as follow:
        made = one.project.runs.replay(one.run_id, workers=options.workers, stop=stop, on_event=follow)
    show_run(made, as_json=as_json)


def _prove(one: Run, workers: int | None, *, as_json: bool) -> None:
    proof = one.project.runs.verify(one.run_id, workers=workers)
    if as_json:
        from kroma_nb import report

        passes = [row.to_json() for row in report.proof_table(proof.record)]
        differs = [cause.to_json() | {"says": str(cause)} for cause in proof.record.differs]
        screen.show_json({"ok": proof.ok, "run_id": one.run_id, "passes": passes, "differs": differs})
    else:
        screen.show(proof.view)
    if not proof.ok:
        raise typer.Exit(int(ExitCode.PARTIAL))


def _open(home: Path | None, project: str | None, run: str) -> Run:
    from kroma_nb.workbench import open_workbench

    return open_workbench(home).project(project).runs[run]
