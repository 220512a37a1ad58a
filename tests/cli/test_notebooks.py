"""`kroma notebook`, as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sheets import results, write_notebook
from studio import damage, write_photograph

KROMA = Path(sys.executable).with_name("kroma")
Kroma = Callable[..., tuple[int, str, str]]
PARAMETERS = """
n = 1  # how many
title = ""  # what people read
scenes: list[str] = []  # pictures
review = False  # wait for a person
"""


@pytest.fixture
def kroma(tmp_path: Path) -> Kroma:
    """Run a command in a folder and give exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        ended = subprocess.run(
            [KROMA, *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "160", "KROMA_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout, ended.stderr

    return run


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    return write_notebook(tmp_path / "story.ipynb", "[n, title, scenes, review]", parameters=PARAMETERS)


def test_the_notebooks_that_travel_along_are_listed_with_their_questions(kroma: Kroma) -> None:
    code, out, _ = kroma("notebook", "list")
    listed = json.loads(kroma("notebook", "list", "--json")[1])["notebooks"]

    assert code == 0
    assert "How does the ink hand draw my photographs?" in out
    assert {"01_first_run", "runs/run_stage", "runs/run_chapter"} <= {one["name"] for one in listed}


def test_help_of_a_notebook_shows_parameters_types_defaults_and_meanings(kroma: Kroma, notebook: Path) -> None:
    code, out, _ = kroma("notebook", "run", notebook, "--help-notebook")
    told = json.loads(kroma("notebook", "run", "run_stage", "--help-notebook", "--json")[1])

    assert code == 0
    for word in ("n", "whole number", "1", "how many", "list of text", "[]", "true or false", "wait for a person"):
        assert word in out
    assert {p["name"] for p in told["parameters"]} >= {"workspace", "project", "stage", "candidates", "workers"}


def test_parameters_are_given_as_two_words_as_one_or_in_a_file(kroma: Kroma, notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("n: 7\nreview: true\n")
    scenes = ("-p", "scenes", '["a.png", "--json"]')

    code, out, err = kroma(
        "notebook", "run", notebook, "-p", "n", "-3", *scenes, "-p", "title=a = b", "--parameters", "p.yaml", "--json"
    )

    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert answer["ok"] is True
    assert answer["runs"] == []
    assert results(Path(answer["notebook"])) == ["[-3, 'a = b', ['a.png', '--json'], True]"]


WRONG = {
    "did you mean 'title'?": (["-p", "tittle", "1"], 2),
    "how many": (["-p", "n", "1.5"], 2),
    "true or false": (["-p", "review", "yes"], 2),
    "given twice": (["-p", "n", "1", "-p", "n", "2"], 2),
    "the value is missing": (["-p", "n", "--json"], 2),
    "n: the value is missing": (["-p", "n"], 2),
    "environment variable": (["-p", "title", "sk-abcdefghijklmnop1234567890"], 3),
    "gone.json": (["--parameters", "gone.json"], 2),
    "already there": (["--output", "story.ipynb"], 2),
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_wrong_is_said_once_before_anything_is_made(said: str, kroma: Kroma, notebook: Path) -> None:
    words, code = WRONG[said]
    before = set(notebook.parent.rglob("*"))

    ended, _, err = kroma("notebook", "run", notebook, *words)

    assert ended == code
    assert said in err
    assert err.count("error (") == 1
    assert "sk-" not in err
    assert set(notebook.parent.rglob("*")) == before


def test_a_failed_notebook_ends_with_the_code_of_its_error_and_says_where_it_is(kroma: Kroma, tmp_path: Path) -> None:
    loud = "import os, kroma_nb as kn\nos.system('echo leaked')\n"
    cell = f"{loud}raise kn.errors.WriteFailed(kn.workbench.shipped('demo'), 'full')"
    write_notebook(tmp_path / "fails.ipynb", cell)

    code, out, err = kroma("notebook", "run", "fails.ipynb", "--json")

    answer = json.loads(out)
    assert code == 5
    assert (answer["ok"], answer["error_kind"], answer["error_code"]) == (False, "infra", "write_failed")
    assert "fails: cell [2] failed: WriteFailed" in err
    (kept,) = (tmp_path / "home/var/notebooks").iterdir()
    assert str(kept) in answer["error"]


def test_runs_decide_the_exit_code_when_every_cell_came_to_its_end(kroma: Kroma, tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    for number in (1, 2):
        write_photograph(tmp_path / "photographs" / f"{number}.png", number, 96, 64)
    damage(tmp_path / "photographs" / "1.png")

    code, out, _ = kroma("notebook", "run", "run_stage", "-p", "photographs", "photographs", "--json")

    answer = json.loads(out)
    assert code == 6
    assert (answer["ok"], [run["status"] for run in answer["runs"]]) == (False, ["partial"])
    assert Path(answer["notebook"]).parent == Path(answer["gallery"]).parent
