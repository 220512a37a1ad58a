"""Ctrl-C and worse, sent to a real command that executes a notebook."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sheets import alive, results, write_notebook

KROMA = Path(sys.executable).with_name("kroma")
SLOW = """
import kroma_nb as kn

story = kn.open_workbench().create_project("slow")
planned = story.plan(manifest=kn.workbench.shipped("demo") / "manifest.json", candidates=6)
run = story.run(planned, workers=1)
"""
DEAF = """
import time

open("listening", "w").close()
while True:
    try:
        time.sleep(0.1)
    except KeyboardInterrupt:
        pass
"""


def until(true: Callable[[], object], within_s: float = 60) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


class Command:
    """A running command that executes a notebook, and the kernel that it started."""

    def __init__(self, folder: Path, *words: object) -> None:
        self.folder = folder
        environment = {**os.environ, "KROMA_HOME": str(self.folder / "home")}
        self.process = subprocess.Popen(
            [KROMA, *map(str, words)],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.kernels: list[int] = []

    def wait_for(self, pattern: str) -> None:
        until(lambda: self.process.poll() is not None or list(self.folder.glob(pattern)))
        self.kernels = [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]

    def send(self, name: signal.Signals) -> None:
        self.process.send_signal(name)

    def end(self) -> tuple[int, str]:
        """Wait for the end, and see that no kernel stays behind."""
        code = self.process.wait(60)
        left = [pid for pid in self.kernels if alive(pid)]
        if code >= 0:  # a killed command can end nothing; its kernel notices
            assert left == []
        until(lambda: not any(alive(pid) for pid in left), within_s=20)
        return code, self.process.communicate()[1]


def notebook_run(folder: Path, *cells: str) -> Command:
    return Command(folder, "notebook", "run", write_notebook(folder / "story.ipynb", *cells))


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_run_in_a_notebook_that_is_interrupted_closes_its_folder_and_is_kept(name, tmp_path) -> None:
    command = notebook_run(tmp_path, "n + 1", SLOW, "'never'")
    command.wait_for("home/var/projects/slow/runs/*/outputs/*.png")

    command.send(name)
    code, said = command.end()

    (folder,) = (tmp_path / "home/var/projects/slow/runs").iterdir()
    record = json.loads((folder / "notebook.json").read_text())
    log = json.loads((folder / "run.json").read_text())
    done = [c for job in log["jobs"] for c in job["candidates"] if c["status"] == "done"]
    assert code == 6
    assert len(command.kernels) == 1
    planned = sum(len(job["candidates"]) for job in log["jobs"])
    told = f"{len(done)} of {planned} pictures are kept"
    assert planned == 6 * len(log["jobs"])
    assert str(folder / "notebook.ipynb") in said
    assert f"{told} in run {folder.name}, and `kroma runs gallery {folder.name}` shows them" in said
    assert log["status"] == "interrupted"
    assert log["next_step"].startswith(f"{told} here, ")
    assert done
    assert (record["status"], record["failure"]["error_kind"]) == ("failed", "interrupted")
    assert results(folder / "notebook.ipynb") == ["2", "KeyboardInterrupt"]
    assert "kroma_nb/run" not in (folder / "notebook.ipynb").read_text()


@pytest.mark.parametrize("wait_s", [0.0, 0.4, 0.8, 1.2])
def test_an_interrupt_is_heard_also_while_the_kernel_starts_and_between_cells(wait_s, tmp_path) -> None:
    cells = ["import time\ntime.sleep(0.2)"] * 4
    command = notebook_run(tmp_path, *cells, "time.sleep(60)", "'never'")
    command.wait_for("home/var/notebooks/*.ipynb")
    time.sleep(wait_s)

    command.send(signal.SIGINT)
    code, said = command.end()

    (kept,) = (tmp_path / "home/var/notebooks").iterdir()
    assert code == 6
    assert str(kept) in said
    assert "'never'" not in results(kept)


def test_a_cell_that_does_not_listen_is_ended_when_asked_often_enough(tmp_path) -> None:
    command = notebook_run(tmp_path, "n + 1", DEAF, "'never'")
    command.wait_for("listening")

    for _ in range(6):
        command.send(signal.SIGINT)
        time.sleep(0.3)
    code, _ = command.end()

    (kept,) = (tmp_path / "home/var/notebooks").iterdir()
    assert code == 6
    assert results(kept)[0] == "2"


def test_the_kernel_of_a_killed_command_ends_too_and_what_was_executed_is_there(tmp_path) -> None:
    command = notebook_run(tmp_path, "n + 1", SLOW, "'never'")
    command.wait_for("home/var/projects/slow/runs/*/outputs/*.png")

    command.send(signal.SIGKILL)
    code, _ = command.end()

    (kept,) = (tmp_path / "home/var/notebooks").iterdir()
    shown = subprocess.run(
        [KROMA, "runs", "show", "--json", "--home", tmp_path / "home"], capture_output=True, text=True, check=True
    )
    assert code == -signal.SIGKILL
    assert len(command.kernels) == 1
    assert results(kept)[0] == "2"
    assert json.loads(shown.stdout)["status"] == "interrupted"


def test_a_demo_that_is_interrupted_ends_after_what_is_being_drawn(tmp_path) -> None:
    command = Command(tmp_path, "demo", "--workers", 1)
    command.wait_for("kroma-demo/var/projects/demo/runs/*/outputs/*.png")

    command.send(signal.SIGINT)
    code, said = command.end()

    (folder,) = (tmp_path / "kroma-demo/var/projects/demo/runs").iterdir()
    assert code == 6
    assert said.count("\n") == 1
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    assert (folder / "notebook.ipynb").exists()
    assert f"`kroma runs gallery {folder.name} --home kroma-demo` shows them" in said
