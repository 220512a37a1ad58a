"""Runs whose workers are processes: what they are given by being forked holds nobody up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import provider, write_catalog
from studio import write_scenes

import kroma_nb
from kroma_nb.model.words import RunStatus
from kroma_nb.workbench import Project, open_workbench

PATHS = (Path(__file__).parents[1], Path(kroma_nb.__file__).parents[1])
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(map(str, PATHS))}


@pytest.fixture
def story(tmp_path: Path) -> Project:
    write_catalog(tmp_path / "home")
    write_scenes(tmp_path / "scenes", 2)
    return open_workbench(tmp_path / "home").create_project("noir")


def script(words: str, *told: object) -> subprocess.Popen[str]:
    """Start a script in a group of its own, so that what it leaves behind can be ended."""
    command = [sys.executable, "-W", "ignore", "-c", words, *map(str, told)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, env=os.environ | ENVIRONMENT, text=True, start_new_session=True, **pipes)


@pytest.fixture
def groups() -> Iterator[list[int]]:
    """Process groups that are ended with the test."""
    begun: list[int] = []
    yield begun
    for group in begun:
        os.killpg(group, signal.SIGKILL)


KILLED = """
import multiprocessing, os, signal, sys
from concurrent.futures import ProcessPoolExecutor
from kroma_nb.workbench import open_workbench


def die(event):
    if event.event == "candidate_finished":
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    story = open_workbench(sys.argv[1]).project("noir")
    planned = story.plan(manifest=sys.argv[2])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as workers:
        story.run(planned, executor=workers, on_event=die)
"""


def test_a_killed_run_is_gone_on_with_though_its_workers_live_on(story, tmp_path, groups) -> None:
    with script(KILLED, story.bench.home, tmp_path / "scenes" / "manifest.json") as player:
        groups.append(player.pid)

    os.killpg(player.pid, 0)  # its workers wait for work that never comes
    run = story.runs["latest"]
    assert (player.returncode, run.status) == (-signal.SIGKILL, RunStatus.INTERRUPTED)
    assert story.runs.resume(run.run_id).status is RunStatus.OK


PAID = """
import multiprocessing, sys, threading
from concurrent.futures import ProcessPoolExecutor
import kroma_nb.run.ledger
from kroma_nb.run import Ledger
from kroma_nb.workbench import open_workbench

kroma_nb.run.ledger.PATIENCE_S = 1.0  # a minute, elsewhere
story = open_workbench(sys.argv[1]).project("noir")
with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as workers:
    held, forked = threading.Event(), threading.Event()

    def hold():
        with Ledger(story.root).held():
            held.set()
            forked.wait()

    holding = threading.Thread(target=hold)
    holding.start()
    held.wait()
    workers.submit(int).result()
    forked.set()
    holding.join()
    planned = story.plan(manifest=sys.argv[2], provider="loopback", candidates=1)
    run = story.run(planned, confirm_spend=True, executor=workers)
print(run.status, run.log.spent)
"""


def test_workers_that_are_forked_while_the_ledger_is_held_do_not_keep_a_run_from_paying(story, tmp_path) -> None:
    with provider() as server, script(PAID, story.bench.home, tmp_path / "scenes" / "manifest.json") as player:
        said, _ = player.communicate(timeout=60)

    assert (said, server.bills) == ("ok $0.08\n", 2)
