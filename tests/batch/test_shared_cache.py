"""One project, one pass cache: what a notebook draws is not drawn again, whoever asks for it."""

from __future__ import annotations

import ast
from pathlib import Path

import papermill
from sheets import results, write_notebook
from studio import write_scenes

from kroma_nb.cli import main
from kroma_nb.workbench import open_workbench

PARAMETERS = """
workspace = ""  # where everything is written to
manifest = ""  # what is drawn
"""
RUN = """
import kroma_nb as kn

story = kn.open_workbench(workspace).create_project("noir")
run = story.run(story.plan(manifest=manifest, color=True, color_profile="cinematic_warm"))
[one.reused for job in run.log.jobs for c in job.candidates for one in c.passes]
"""


def kroma(*arguments: object) -> int:
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_python_the_command_line_and_papermill_share_what_was_made(tmp_path: Path) -> None:
    manifest = write_scenes(tmp_path / "scenes", 2, candidates=1) / "manifest.json"
    home, notebook = tmp_path / "home", write_notebook(tmp_path / "story.ipynb", RUN, parameters=PARAMETERS)
    values = {"workspace": str(home), "manifest": str(manifest)}

    parameters = [word for name, value in values.items() for word in ("-p", name, value)]
    assert kroma("notebook", "run", notebook, "--home", home, "--output", tmp_path / "a.ipynb", *parameters) == 0
    papermill.execute_notebook(notebook, tmp_path / "b.ipynb", values, progress_bar=False, kernel_name="python3")
    words = ("--home", home, "--project", "noir", "--manifest", manifest, "--color-profile", "cinematic_warm")
    assert kroma("run", *words) == 0

    assert ast.literal_eval(results(tmp_path / "a.ipynb")[-1]) == [False] * 4
    assert ast.literal_eval(results(tmp_path / "b.ipynb")[-1]) == [True] * 4
    log = open_workbench(home).project("noir").runs["latest"].log
    assert [one.reused for job in log.jobs for c in job.candidates for one in c.passes] == [True] * 4
