"""Where to look next: which pictures are kept, and the commands that show them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb.errors import KromaError
from kroma_nb.workbench import open_workbench

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kroma_nb.workbench import Project, Run


def command(words: str, project: Project, *, home: Path | str | None = None) -> str:
    """Write a command about a project, as it is typed in the current folder.

    Parameters
    ----------
    words : str
        Such as ``runs list``.
    project : Project
    home : Path or str, optional
        How the workspace is called; by default it is named only where the command would not find it by itself.
    """
    bench = project.bench
    if home is None and bench.home != open_workbench().home:
        inside = bench.home.is_relative_to(Path.cwd())
        home = bench.home.relative_to(Path.cwd()) if inside else bench.home
    named = ["--project", project.slug] if len(bench.slugs) > 1 else []
    placed = ["--home", str(home)] if home is not None else []
    return f"kroma {shlex.join([*words.split(), *named, *placed])}"


def survived(runs: Sequence[Run]) -> str:
    """Say which pictures of an interrupted notebook are kept; empty where no run had begun, or it cannot be read."""
    if not runs:
        return ""
    *earlier, last = runs
    try:
        log = last.log
    except KromaError:
        return ""
    planned = sum(len(job.candidates) for job in log.jobs)
    told = f"{log.pictures} of {planned} pictures are kept in run {last.run_id}"
    if log.pictures:
        told += f", and `{command(f'runs gallery {last.run_id}', last.project)}` shows them"
    if earlier:
        told += f"; the notebook's earlier runs are kept as well ({len(earlier)})"
    return told
