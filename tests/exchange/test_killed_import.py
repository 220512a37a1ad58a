"""An import whose process is killed: nothing half is seen, and the next one ends where it would have ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from predecessor import OldStudio, candidate, everything, job, run_log

from kroma_nb.workbench import Workbench, open_workbench
from kroma_nb.workbench.importing import import_kroma

RUNS = 12
IMPORTER = """
import sys
from pathlib import Path
from kroma_nb.workbench import open_workbench
from kroma_nb.workbench.importing import import_kroma
print("begun", flush=True)
import_kroma(open_workbench(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture
def many(old: OldStudio) -> OldStudio:
    for number in range(RUNS):
        made = [candidate(n, old.own(f"outputs/s{number}__c{n}.png")) for n in (1, 2, 3)]
        document = run_log(job(f"s{number}", made, old.picture(f"photos/{number}.png")))
        seconds = 1714558200 + number
        old.log(document | {"timestamp": f"{seconds}.000Z"}, f"run_{seconds}-000.json")
    with old.connect() as connection:
        old.fill(connection)
        old.asset(connection, "a1", old.own("uploads/cover.png"))
    connection.close()
    return old


def result(bench: Workbench) -> dict[str, str]:
    """Content of all that an import made; a project's random id aside, and what a killed writer's sweep will take."""
    found = everything(bench.home)
    left = {name for name in found if name.endswith((".part", ".kroma/project.json"))}
    return {name: content for name, (content, _) in found.items() if name not in left}


def killed_after(old: OldStudio, bench: Workbench, runs: int) -> None:
    """Kill an import as soon as so many runs are there."""
    command = [sys.executable, "-c", IMPORTER, str(bench.home), str(old.root)]
    folder = bench.project("noir", missing_ok=True).root / "runs"
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if folder.is_dir() and len(list(folder.iterdir())) > runs:
                process.send_signal(signal.SIGKILL)
                break


@pytest.mark.parametrize("runs", [0, 4, 9])
def test_a_killed_import_leaves_whole_runs_and_the_next_ends_as_an_undisturbed_one(
    many: OldStudio, bench: Workbench, tmp_path: Path, runs: int
) -> None:
    undisturbed = open_workbench(tmp_path / "undisturbed")
    import_kroma(undisturbed, many.root)

    killed_after(many, bench, runs)
    project = bench.project("noir")
    assert len(project.runs.ids) < RUNS
    assert all(project.runs[run_id].log.pictures == 3 for run_id in project.runs.ids)
    import_kroma(bench, many.root)

    assert result(bench) == result(undisturbed)
    assert not [name for name in result(bench) if ".incoming" in name]


def test_two_imports_at_once_end_as_one(many: OldStudio, bench: Workbench, tmp_path: Path) -> None:
    command = [sys.executable, "-c", IMPORTER, str(bench.home), str(many.root)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]

    assert [process.wait(120) for process in both] == [0, 0]

    undisturbed = open_workbench(tmp_path / "undisturbed")
    import_kroma(undisturbed, many.root)
    assert result(bench) == result(undisturbed)
