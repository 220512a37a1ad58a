"""Commands that make something: `demo`, `init`, `plan`, `run`."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.options import AsJson, Home, PlanOptions, Slug, takes_plan_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.model.plan import Plan
    from kroma_nb.model.runlog import RunLog
    from kroma_nb.workbench import Project

Workers = Annotated[int | None, typer.Option(min=1, help="Candidates made at once; by default one a processor.")]


def init(
    slug: Annotated[str, typer.Argument(help="The project's short name: ASCII letters, digits, - and _.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make a workspace with a project in it, and example settings to start from."""
    from kroma_nb.workbench import open_workbench

    created = open_workbench(home).create(slug)
    if as_json:
        screen.show_json({"ok": True, "project": created.project.slug, "created": [str(p) for p in created.files]})
        return
    for path in created.files:
        screen.say(f"made {path}")
    screen.say(f"Next: kroma run --project {created.project.slug} --input FOLDER_OF_PHOTOGRAPHS")


@takes_plan_options
def plan(options: PlanOptions, project: Slug = None, home: Home = None, as_json: AsJson = False) -> None:
    """Show what a run would make and cost; writes nothing."""
    planned = _planned(options, _project(home, project))
    if as_json:
        screen.show_json(planned.to_json())
    else:
        screen.show_plan(planned)


@takes_plan_options
def run(
    options: PlanOptions, project: Slug = None, home: Home = None, workers: Workers = None, as_json: AsJson = False
) -> None:
    """Draw every candidate, measure and rank them, and write the gallery. Ctrl-C stops in good order."""
    place = _project(home, project)
    log = play(place, _planned(options, place), workers=workers, quiet=as_json)
    _show_runs(place, [log], as_json=as_json)


DemoHome = Annotated[Path, typer.Option("--home", help="The workspace's folder.")]


def demo(home: DemoHome = Path("kroma-demo"), workers: Workers = None, as_json: AsJson = False) -> None:
    """Draw the demo universe by day, by night and in rain, without key or network."""
    from kroma_nb.model.plan import PlanRequest
    from kroma_nb.model.words import Stage, TimeOfDay, Weather
    from kroma_nb.workbench import open_workbench
    from kroma_nb.workbench.resources import shipped

    place = open_workbench(home).project("demo")
    manifest = shipped("demo") / "manifest.json"
    logs: list[RunLog] = []
    for stage in (Stage.STYLE, Stage.TIME, Stage.WEATHER):
        request = PlanRequest(
            project=place.slug,
            root=Path.cwd(),
            manifest_path=manifest,
            stage=stage,
            time=TimeOfDay.NIGHT if stage is Stage.TIME else TimeOfDay.DAY,
            weather=Weather.RAIN if stage is Stage.WEATHER else Weather.CLEAR,
            follows=place.follow(logs[0].run_id, stage) if logs else (),
        )
        logs.append(play(place, place.plan(request), workers=workers, quiet=as_json))
        if screen.exit_code(logs[-1]):
            break
    _show_runs(place, logs, as_json=as_json)


def play(project: Project, plan: Plan, *, workers: int | None, quiet: bool) -> RunLog:
    """Play a plan with a progress bar; the first Ctrl-C lets what is being made come to its end."""
    from concurrent.futures import ThreadPoolExecutor

    threads = ThreadPoolExecutor(max_workers=workers) if workers else None
    run_id = ""
    title = f"{plan.stage.value}: {plan.pictures} pictures"
    with _stop_flag() as stop, screen.progress(title, plan.pictures, shown=not quiet) as follow:
        for event in project.run(plan, executor=threads, stop=stop):
            follow(event)
            run_id = event.run_id if event.event == "run_started" else run_id
    if threads is not None:
        threads.shutdown()
    return project.read(run_id)


def _project(home: Path | None, slug: str | None) -> Project:
    from kroma_nb.workbench import open_workbench

    bench = open_workbench(home)
    return bench.project(slug) if slug else bench.existing()


def _planned(options: PlanOptions, project: Project) -> Plan:
    return project.plan(options.request(project), settings=options.settings(project))


def _show_runs(project: Project, logs: list[RunLog], *, as_json: bool) -> None:
    made = project.publish(logs)
    code = max(screen.exit_code(log) for log in logs)
    if as_json:
        runs = [{"run_id": log.run_id, "stage": log.stage.value, "status": log.status.value} for log in logs]
        paths = {"gallery": str(made.gallery), "contact_sheet": str(made.contact_sheet)}
        screen.show_json({"ok": code == 0, "project": project.slug, "runs": runs, **paths})
    else:
        for log in logs:
            screen.show_run(log)
        screen.say(f"Run log: {project.root / 'runs' / logs[-1].run_id / 'run.json'}")
        screen.say(f"Contact sheet: {made.contact_sheet}")
        screen.say(f"Gallery: {made.gallery}")
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
