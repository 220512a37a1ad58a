"""The same plan gives the same bytes, wherever and in whatever order it is played."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path

from studio import write_photograph

from kroma_nb import run
from kroma_nb.model.plan import Plan
from kroma_nb.providers.ink import InkPainter

PLAYER = """
import sys
from pathlib import Path
from kroma_nb import run
from kroma_nb.model.plan import PlanRequest
from kroma_nb.planning import plan
from kroma_nb.providers.ink import InkPainter

folder, project = Path(sys.argv[1]), Path(sys.argv[2])
planned = plan(PlanRequest(project="ink", root=folder, input=folder, candidates=2))
list(run.execute(planned, root=project, painter=InkPainter()))
"""


def pictures(project: Path) -> dict[str, str]:
    """Give the sha256 of every candidate by scene and index."""
    (folder,) = run.run_folders(project)
    log = run.read_run(folder)
    return {f"{job.scene_ref} c{c.candidate_index}": c.final.sha256 for job in log.jobs for c in job.candidates}


def played(plan: Plan, project: Path, executor: Executor | None = None) -> dict[str, str]:
    list(run.execute(plan, root=project, painter=InkPainter(), equipment=run.Equipment(executor=executor)))
    return pictures(project)


def test_threads_and_processes_make_the_same_pictures(plan_for, tmp_path) -> None:
    plan = plan_for(candidates=2)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(4) as four:
        alone = played(plan, tmp_path / "one", one)
        crowded = played(plan, tmp_path / "four", four)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        apart = played(plan, tmp_path / "processes", processes)

    assert alone == crowded == apart


def test_another_workspace_and_hash_seed_make_the_same_pictures(scenes, tmp_path) -> None:
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", PLAYER, str(scenes), str(tmp_path / f"workspace {seed}")]
        subprocess.run(command, env=environment, check=True, timeout=300)

    assert pictures(tmp_path / "workspace 1") == pictures(tmp_path / "workspace 2")


def test_candidates_differ_pairwise(plan_for, project) -> None:
    made = played(plan_for(candidates=4), project)

    assert all(a != b for a, b in combinations(made.values(), 2))


def test_a_scene_inserted_in_the_middle_changes_no_other_scenes_bytes(scenes, plan_for, tmp_path) -> None:
    before = played(plan_for(), tmp_path / "before")
    write_photograph(scenes / "scene_1b.png", 50)

    after = played(plan_for(), tmp_path / "after")

    assert len(after) == len(before) + 2
    assert {name: after[name] for name in before} == before
