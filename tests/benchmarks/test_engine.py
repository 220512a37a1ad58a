"""What the engine adds to the work itself: two workers against two processes, and memory against the number of jobs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import pytest
from studio import finish_scenes, play, play_scenes

from kroma_nb.model.plan import PlanRequest
from kroma_nb.planning import plan

SCENES = 6


@pytest.mark.benchmark
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two workers need two processors")
def test_two_workers_reach_what_two_processes_reach(ratios, photographs, tmp_path) -> None:
    for number in range(SCENES):
        cv2.imwrite(str(tmp_path / f"{number}.png"), photographs[number])
    planned = plan(PlanRequest(project="ink", root=tmp_path, input=tmp_path, candidates=2))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pair:
        names = [tuple(f"{number}.png" for number in range(half, SCENES, 2)) for half in (0, 1)]

        def processes(_: int) -> None:
            halves = [pair.submit(play_scenes, tmp_path, tmp_path / "project", names[half]) for half in (0, 1)]
            assert sum(half.result() for half in halves) == 2 * SCENES

        def threads(_: int) -> None:
            assert play(planned, tmp_path / "project", workers=2) == 2 * SCENES

        found = ratios(base=threads, rounds=5, processes=processes)

    print(f"\ntwo workers reach {found['processes']:.2f} of what two processes reach")
    assert found["processes"] >= 0.9


DEMO = Path(__file__).parents[2] / "data" / "demo" / "scenes"


@pytest.mark.benchmark
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two workers need two processors")
def test_two_workers_finish_pages_as_two_processes_do(ratios, tmp_path) -> None:
    names = ("mountain.jpg", "room.jpg")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pair:

        def processes(_: int) -> None:
            halves = [pair.submit(finish_scenes, DEMO, tmp_path / "project", names[half::2]) for half in (0, 1)]
            assert sum(half.result() for half in halves) == len(names)

        def threads(_: int) -> None:
            assert finish_scenes(DEMO, tmp_path / "project", names, workers=2) == len(names)

        found = ratios(base=threads, rounds=3, processes=processes)

    print(f"\ntwo workers reach {found['processes']:.2f} of what two processes reach with the finishing chain")
    assert found["processes"] >= 0.9


PLAYER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from studio import Stencil
from kroma_nb import run
from kroma_nb.model.plan import PlanRequest
from kroma_nb.planning import plan

folder, project, jobs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
planned = plan(PlanRequest(project="ink", root=folder, scene_refs=tuple(f"{n}.png" for n in range(jobs))))
with ThreadPoolExecutor(2) as threads:
    events = run.execute(planned, root=project, painter=Stencil(), equipment=run.Equipment(executor=threads))
    finished = sum(event.event == "job_finished" for event in events)
# The high-water mark of this very process; getrusage also counts what its parent held.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps({"finished": finished, "peak_kb": int(status["VmHWM"].split()[0])}))
"""


def peak_kb(folder: Path, project: Path, jobs: int) -> int:
    # Large blocks go back when they are freed: what counts is what a run holds, not what the C library keeps for later.
    allocation = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072"}
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])} | allocation
    command = [sys.executable, "-c", PLAYER, str(folder), str(project), str(jobs)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    answer = json.loads(ended.stdout)
    assert answer["finished"] == jobs
    return int(answer["peak_kb"])


@pytest.mark.benchmark
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the high-water mark is read from Linux's /proc")
def test_memory_hardly_grows_with_the_number_of_jobs(photographs, tmp_path) -> None:
    few, many = 20, 2_000
    for number in range(many):
        row = number % 1400
        cv2.imwrite(str(tmp_path / f"{number}.png"), photographs[number % 4][row : row + 96, :64])

    little = peak_kb(tmp_path, tmp_path / "few", few)
    much = peak_kb(tmp_path, tmp_path / "many", many)

    print(f"\n{little:,} KB for {few} jobs, {much:,} KB for {many}: {(much - little) / (many - few):.1f} KB a job")
    assert much <= 1.10 * little + 4 * (many - few)
