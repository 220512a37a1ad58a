"""Runs whose workers are processes: what they are given by being forked holds nobody up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import provider, write_catalog
from studio import write_scenes

import kroma_nb
from kroma_nb.workbench import Project, open_workbench

PATHS = (Path(__file__).parents[1], Path(kroma_nb.__file__).parents[1])
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(map(str, PATHS))}


@pytest.fixture
def story(tmp_path: Path) -> Project:
    write_catalog(tmp_path / "home")
    write_scenes(tmp_path / "scenes", 2)
    return open_workbench(tmp_path / "home").create_project("noir")


def script(words: str, *told: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", words, *map(str, told)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, env=os.environ | ENVIRONMENT, text=True, **pipes)


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
