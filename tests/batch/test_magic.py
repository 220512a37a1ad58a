"""`%kroma` in the cells of a real kernel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sheets import read_notebook, results, write_notebook
from studio import write_photograph

from kroma_nb import batch
from kroma_nb.errors import NotebookFailed

CELLS = [
    "%load_ext kroma_nb",
    "%kroma --version",
    "%kroma",
    "%kroma doctor --json",
    "%kroma init harbour",
    "%kroma run --input photographs",
    "%kroma runs list",
    "%kroma status",
    "shell = get_ipython()\nshell.complete('note', '%kroma note')[1] + shell.complete('r', '%kroma notebook r')[1]",
    "answer = %kroma --version\nanswer is None",
    "%unload_ext kroma_nb\n'kroma' in shell.magics_manager.magics['line']",
]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the cells show, in one text each."""
    folder = tmp_path_factory.mktemp("artist")
    (folder / "photographs").mkdir()
    write_photograph(folder / "photographs" / "quay.png", 1)
    cells = [f"import os; os.chdir({str(folder)!r})", *CELLS]
    done = batch.run_notebook(write_notebook(folder / "magic.ipynb", *cells), home=folder)
    shown = []
    for cell in read_notebook(done.notebook).cells[4:]:
        outputs = [output.get("text") or output.data["text/plain"] for output in cell.outputs]
        shown.append("".join(outputs))
    return shown


def test_the_magic_is_the_command_line(said) -> None:
    _, version, overview, doctor, init, run, runs, status, *_ = said

    assert version.startswith("kroma_nb ")
    assert "winners" in overview
    assert json.loads(doctor)["ok"] is True
    assert "made " in init
    assert "Gallery: " in run
    assert "style" in runs.lower()
    assert "harbour" in status


def test_the_magic_completes_commands_gives_nothing_back_and_can_be_taken_away(said) -> None:
    completed, answer, loaded = said[-3:]

    assert completed == "['notebook', 'run']"
    assert answer.endswith("True")
    assert loaded == "False"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("plan --input gone --project x", "file_missing", "gone"),
        ("pant", "invalid_request", "not understood"),
        ("plan --candidates many", "invalid_request", "not understood"),
        ("plan 'open", "invalid_request", "not understood"),
    ],
)
def test_a_command_that_fails_stops_the_cell_and_never_the_kernel(command, code, said, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    cell = f"try:\n    get_ipython().run_line_magic('kroma', {command!r})\nfinally:\n    open('alive', 'w').close()"
    path = write_notebook(tmp_path / "magic.ipynb", "%load_ext kroma_nb", cell)

    with pytest.raises(NotebookFailed) as raised:
        batch.run_notebook(path, home=tmp_path)

    assert raised.value.error_code == code
    assert raised.value.exit_code == 2
    assert said in str(raised.value)
    assert Path("alive").exists()


def test_a_run_that_was_partly_done_gives_its_exit_code(tmp_path, monkeypatch) -> None:
    from studio import damage

    monkeypatch.chdir(tmp_path)
    (tmp_path / "photographs").mkdir()
    for number in (1, 2):
        write_photograph(tmp_path / "photographs" / f"{number}.png", number, 96, 64)
    damage(tmp_path / "photographs" / "1.png")
    path = write_notebook(tmp_path / "m.ipynb", "%load_ext kroma_nb", "%kroma run --project x --input photographs")

    done = batch.run_notebook(path, home=tmp_path)

    assert results(done.notebook)[-1] == "6"
    assert done.exit_code == 6
