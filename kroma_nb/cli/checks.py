"""Commands that check: `validate-config`, `doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.options import AsJson, Home


def validate_config(
    project: Annotated[str | None, typer.Option("--project", "-p", help="Also check this project's settings.")] = None,
    manifest: Annotated[Path | None, typer.Option(help="Also check this manifest.")] = None,
    postprocess: Annotated[Path | None, typer.Option(help="Also check this postprocess file.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Check settings, manifest, postprocess file and colour profiles together; name file, field and fix."""
    from kroma_nb.workbench import open_workbench

    bench = open_workbench(home)
    root = bench.project(project).root if project else None
    here = Path.cwd()
    summary = bench.validate(
        root,
        manifest=here / manifest if manifest else None,
        postprocess=here / postprocess if postprocess else None,
    )
    if as_json:
        screen.show_json({"ok": True, "summary": summary.to_json()})
        return
    loaded = {True: "set values", False: "set none or is not there"}
    screen.say(f"Settings of the workspace: {loaded[summary.app_settings_loaded]}")
    screen.say(f"Settings of the project: {loaded[summary.project_settings_loaded]}")
    screen.say(f"Manifest: {summary.resolved_manifest_path or 'none is named'}")
    screen.say(f"Postprocess file: {summary.resolved_postprocess_config_path or 'none is named'}")
    for key in summary.unused:
        screen.say(f"Read but not used: {key}")
    screen.say("Everything that is named can be used.")


def explain(
    key: Annotated[str, typer.Argument(help="The key, such as postprocess.color.")],
    project: Annotated[str | None, typer.Option("--project", "-p", help="With this project's settings.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say what a setting holds, which layer says so, and what that hides."""
    from kroma_nb.workbench import open_workbench

    bench = open_workbench(home)
    explanation = bench.settings(bench.project(project).root if project else None).explain(key)
    if as_json:
        value = explanation.value
        words = [str(word) for word in value] if isinstance(value, tuple) else None
        shown = words if words is not None else value if value is None or isinstance(value, bool) else str(value)
        answer = {"key": explanation.key, "value": shown, "layer": explanation.layer.value}
        screen.show_json({"ok": True, **answer, "file": str(explanation.file) if explanation.file else None})
        return
    for line in str(explanation).splitlines():
        screen.say(line)


def doctor(home: Home = None, as_json: AsJson = False) -> None:
    """Show what is installed and works here, and what each missing piece would give."""
    from kroma_nb.workbench.doctor import examine

    findings = examine(home)
    if as_json:
        screen.show_json(
            {"ok": all(f.fine or f.optional for f in findings), "findings": [f.to_json() for f in findings]}
        )
    else:
        marks = {(True, True): "ok", (True, False): "ok", (False, True): "not here", (False, False): "missing"}
        rows = [(marks[f.fine, f.optional], f.piece, f.found, f.gives) for f in findings]
        screen.table("What kroma_nb finds here", ("", "piece", "found", "what it gives"), rows)
    if any(not f.fine and not f.optional for f in findings):
        raise typer.Exit(5)
