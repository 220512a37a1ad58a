"""The lock of a project: who holds it is said, and a crash lets it go."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kroma_nb.errors import InUse, WriteFailed
from kroma_nb.model.marks import Holder
from kroma_nb.model.run import now
from kroma_nb.workbench import Project
from kroma_nb.workbench.locking import LOCK, held_alone

HOLD = """
import sys
from kroma_nb.workbench import open_workbench
from kroma_nb.workbench.locking import held_alone

with held_alone(open_workbench(sys.argv[1]).project("noir"), "moves it"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def script(words: str, *told: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", words, *map(str, told)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def holder(home: Path) -> subprocess.Popen[str]:
    process = script(HOLD, home)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_run_is_not_begun_while_somebody_holds_the_project_alone_and_it_says_who(bench, scenes) -> None:
    project = bench.create_project("noir")
    planned, before = project.plan(manifest=scenes / "manifest.json"), len(project.runs)
    with holder(bench.home) as process:
        with pytest.raises(InUse, match=rf"process {process.pid} on .* moves it since"):
            project.run(planned)
        begun = len(project.runs) - before
        process.kill()
        process.wait()

        # It is dead, and its name still stands in the file: that holds nobody up.
        run = project.run(planned)

    assert begun == 0
    assert run.status == "ok"


PLAY = """
import sys
from kroma_nb.workbench import open_workbench


def wait(event):
    if event.event == "run_started":
        print(event.run_id, flush=True)
        sys.stdin.readline()


project = open_workbench(sys.argv[1]).project("noir")
project.run(project.plan(manifest=sys.argv[2]), on_event=wait)
"""


def test_whoever_wants_a_project_alone_is_told_who_plays_which_run_of_it(bench, scenes) -> None:
    project = bench.create_project("noir")
    left = Holder(pid=1, host="gone", what="deletes it", since=now()).model_dump_json(by_alias=True)
    with script(PLAY, bench.home, scenes / "manifest.json") as player:
        run_id = player.stdout.readline().strip()
        (project.root / LOCK).write_text(left)  # as a crash leaves it
        with pytest.raises(InUse) as refused, held_alone(project, "moves it"):
            pytest.fail("two hold it")
        with pytest.raises(InUse) as kept:
            project.delete(confirm="noir")

    by = f"process {player.pid} on {socket.gethostname()}"
    assert str(refused.value) == f"project noir stays: {by} plays run {run_id}; wait for its end, or stop it."
    assert str(kept.value) == f"run {run_id} stays: {by} plays it; wait for its end, or stop it."
    assert player.returncode == 0


def test_a_project_is_not_deleted_while_a_run_of_it_is_played(bench, scenes) -> None:
    project = bench.create_project("noir")

    def try_it(event) -> None:
        if event.event == "run_started":
            with pytest.raises(InUse, match=rf"process {os.getpid()} on .* plays it"):
                project.delete(confirm="noir")

    run = project.run(project.plan(manifest=scenes / "manifest.json"), on_event=try_it)

    assert run.status == "ok"
    project.delete(confirm="noir")
    assert not os.path.lexists(project.root)


SHARE = """
import os, sys
from kroma_nb.errors import KromaError
from kroma_nb.workbench import open_workbench
from kroma_nb.workbench.locking import held_together

if os.getuid() == 0:
    os.setgid(65534)  # permissions do not bind root
    os.setuid(65534)
try:
    with held_together(open_workbench(sys.argv[1]).project("noir")):
        print("held", flush=True)
        sys.stdin.readline()
except KromaError as error:
    print(error)
"""


def opened_to_others(project: Project, folders: int) -> None:
    """Let everybody read a workspace, and write into its folders as far as their mode says."""
    with held_alone(project, "makes the lock"):
        pass
    for path in [project.bench.home, *project.bench.home.rglob("*")]:
        path.chmod(folders if path.is_dir() else 0o444)
    for above in project.bench.home.parents:
        if os.getuid() == 0 and above.stat().st_mode & 0o055 != 0o055:
            above.chmod(above.stat().st_mode | 0o055)


def test_a_project_whose_lock_somebody_may_only_read_is_held_by_them_all_the_same(bench) -> None:
    project = bench.create_project("noir")
    opened_to_others(project, 0o777)
    with script(SHARE, bench.home) as somebody:
        held = somebody.stdout.readline()
        (project.root / LOCK).chmod(0o644)
        with pytest.raises(InUse, match="a run of it is being played"), held_alone(project, "deletes it"):
            pytest.fail("two hold it")
    with held_alone(project, "deletes it"):
        (project.root / LOCK).chmod(0o444)
        refused, _ = script(SHARE, bench.home).communicate(timeout=60)

    assert held == "held\n"
    assert f"process {os.getpid()} on {socket.gethostname()} deletes it since" in refused


@pytest.mark.parametrize(("folders", "said"), [(0o555, "held\n"), (0o777, ".kroma/lock could not be written")])
def test_only_a_project_that_cannot_be_written_needs_no_lock(bench, folders: int, said: str) -> None:
    project = bench.create_project("noir")
    opened_to_others(project, folders)
    (project.root / ".kroma").chmod(0o755)
    (project.root / LOCK).unlink()
    (project.root / ".kroma").chmod(0o555)

    assert said in script(SHARE, bench.home).communicate(timeout=60)[0]


def test_a_folder_in_the_place_of_the_lock_is_named_and_no_run_is_begun(bench, scenes) -> None:
    project = bench.create_project("noir")
    planned, before = project.plan(manifest=scenes / "manifest.json"), len(project.runs)
    (project.root / LOCK).unlink(missing_ok=True)
    (project.root / LOCK).mkdir()

    with pytest.raises(WriteFailed, match=rf"{LOCK} could not be written: Is a directory"):
        project.run(planned)

    assert len(project.runs) == before


CHANGE = {
    "budget": """
for dollars in range(1, 101):
    project.costs.set_budget(per_month=dollars)
    time.sleep(0.002)
    assert str(project.costs.budget.per_month) == f"${dollars}.00"
""",
    "words": """
for number in range(1, 101):
    bench.create_project("noir", description=f"draft {number}")
    time.sleep(0.002)
    assert project.card.description == f"draft {number}"
""",
}


def test_two_processes_that_change_a_projects_card_at_once_keep_each_others_changes(bench) -> None:
    project = bench.create_project("noir")
    start = "import sys, time; from kroma_nb.workbench import open_workbench\n"
    opened = 'bench = open_workbench(sys.argv[1]); project = bench.project("noir"); sys.stdin.readline()\n'
    both = [
        subprocess.Popen([sys.executable, "-c", start + opened + each, str(bench.home)], stdin=subprocess.PIPE)
        for each in CHANGE.values()
    ]
    for process in both:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in both:
        with process:
            assert process.wait(timeout=120) == 0

    card = project.card
    assert (str(card.budget.per_month), card.description) == ("$100.00", "draft 100")
