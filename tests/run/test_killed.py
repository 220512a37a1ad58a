"""Runs whose process is killed, interrupted, or limited."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kroma_nb import run
from kroma_nb.blobs import sha256_file
from kroma_nb.errors import RecordInvalid
from kroma_nb.model.words import CandidateStatus, RunStatus

PLAYER = """
import sys, time
from pathlib import Path
from studio import Stencil
from kroma_nb import run
from kroma_nb.model.plan import PlanRequest
from kroma_nb.planning import plan

folder, project = Path(sys.argv[1]), Path(sys.argv[2])
slow = Stencil(before=lambda brief: time.sleep(0.05))
planned = plan(PlanRequest(project="ink", root=folder, input=folder, candidates=6))
for event in run.execute(planned, root=project, painter=slow):
    print(event.event, flush=True)
"""


def player(scenes: Path, project: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", PLAYER, str(scenes), str(project)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def wait_for(process: subprocess.Popen[str], event: str, times: int) -> None:
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen += line.strip() == event
        if seen == times:
            return
    raise AssertionError(f"{event} came {seen} times")


def test_a_killed_run_is_found_interrupted_with_all_that_was_done(scenes, project) -> None:
    with player(scenes, project) as process:
        wait_for(process, "candidate_finished", 4)
        process.kill()

    (folder,) = run.run_folders(project)
    log = run.read_run(folder)

    assert log.status is RunStatus.INTERRUPTED
    done = [c for job in log.jobs for c in job.candidates]
    assert len(done) >= 4
    assert all(c.status is CandidateStatus.DONE for c in done)
    assert all(sha256_file(project / c.final.path) == c.final.sha256 for c in done)


def test_an_interrupt_from_the_keyboard_leaves_a_closed_folder(scenes, project) -> None:
    with player(scenes, project) as process:
        wait_for(process, "candidate_finished", 2)
        process.send_signal(signal.SIGINT)

    (folder,) = run.run_folders(project)
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    assert process.returncode != 0


def test_a_torn_last_line_is_accepted_and_a_broken_middle_is_named(scenes, project) -> None:
    with player(scenes, project) as process:
        wait_for(process, "candidate_finished", 3)
        process.kill()
    (folder,) = run.run_folders(project)
    journal = folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    before = run.read_run(folder)

    journal.write_bytes(b"".join(lines) + b'{"event": "candidate_fin')
    torn = run.read_run(folder)
    journal.write_bytes(b"".join([*lines[:2], b'{"event": "candida\n', *lines[3:]]))

    assert torn == before
    with pytest.raises(RecordInvalid, match=r"journal\.jsonl: line 3"):
        run.read_run(folder)


def test_a_run_folder_without_its_plan_is_named(scenes, project) -> None:
    with player(scenes, project) as process:
        wait_for(process, "run_finished", 1)
    (folder,) = run.run_folders(project)
    (folder / "run.json").unlink()
    (folder / "plan.json").unlink()

    with pytest.raises(RecordInvalid, match=r"plan\.json: cannot be read"):
        run.read_run(folder)


def limited(size_bytes: int, scenes: Path, project: Path) -> subprocess.CompletedProcess[str]:
    """Play a run whose files may not grow beyond a size, as on a disk that is full."""
    prelude = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size_bytes}, {size_bytes}))\n"
    prelude += "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", prelude + PLAYER, str(scenes), str(project)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_a_disk_that_is_full_from_the_start_leaves_nothing(scenes, project) -> None:
    ended = limited(3000, scenes, project)

    assert ended.returncode != 0
    assert "WriteFailed" in ended.stderr.splitlines()[-1]
    assert list(run.run_folders(project)) == []
    assert not list(project.rglob("*.part"))


@pytest.mark.parametrize("size_bytes", [12_000, 16_000, 20_000])
def test_a_disk_that_fills_up_ends_the_run_with_one_clear_error_and_it_can_be_read(scenes, project, size_bytes) -> None:
    ended = limited(size_bytes, scenes, project)

    assert ended.returncode != 0
    assert "WriteFailed" in ended.stderr.splitlines()[-1]
    (folder,) = run.run_folders(project)
    log = run.read_run(folder)
    assert log.status in {RunStatus.INTERRUPTED, RunStatus.FAILED}
    done = [c for job in log.jobs for c in job.candidates if c.status is CandidateStatus.DONE]
    assert all(sha256_file(project / c.final.path) == c.final.sha256 for c in done)
    assert not list(project.rglob("*.part"))


def test_nothing_of_jupyter_or_plotting_is_imported_by_a_headless_run(scenes, project) -> None:
    probe = "\nheavy = {'IPython', 'ipywidgets', 'anywidget', 'papermill', 'matplotlib', 'pandas', 'sqlalchemy'}\n"
    probe += "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))\n"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", PLAYER + probe, str(scenes), str(project)]

    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=True)

    assert ended.stdout.splitlines()[-1] == "[]"
