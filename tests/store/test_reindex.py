"""Files are the truth: the database can go at any time and comes back with equal rows."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from studio import Stencil, draw, dump, write_scenes

import kroma_nb as kn
from kroma_nb import run
from kroma_nb.model.plan import PostprocessRequest
from kroma_nb.model.words import RunStatus, Stage, TimeOfDay
from kroma_nb.workbench import Workbench
from kroma_nb.workbench.following import followed

COLOR = PostprocessRequest(color=True, color_profile="cinematic_warm")

KILLED = """
import os, signal, sys
from pathlib import Path
from studio import Stencil
import kroma_nb as kn
from kroma_nb import run
from kroma_nb.model.plan import PlanRequest
from kroma_nb.planning import plan

scenes, root = Path(sys.argv[2]), kn.open_workbench(sys.argv[1]).create_project("noir").root
planned = plan(PlanRequest(project="noir", root=scenes, manifest_path=scenes / "manifest.json"))
finished = 0
for event in run.execute(planned, root=root, painter=Stencil()):
    finished += event.event == "candidate_finished"
    if finished == 3:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workbench, Path]:
    """Two projects; runs with colour, with failures, that follow, put away, killed and damaged."""
    folder = tmp_path_factory.mktemp("story")
    bench, scenes = kn.open_workbench(folder / "workspace"), write_scenes(folder / "scenes", 3)
    style = draw(bench, "noir", scenes, postprocess=COLOR)
    follows = followed(bench.project("noir").runs, style, Stage.TIME)
    draw(bench, "noir", scenes, stage=Stage.TIME, time=TimeOfDay.NIGHT, follows=follows)
    draw(bench, "noir", scenes, painter=Stencil(fails_on=frozenset(range(0, 2**53, 2**51)), raises=ValueError))
    away = draw(bench, "noir", scenes)
    bench.project("noir").runs[away].archive()
    draw(bench, "dawn", scenes)
    assert python(KILLED, bench.home, scenes).returncode == -signal.SIGKILL
    damaged = bench.project("dawn").runs[draw(bench, "dawn", scenes)]
    (damaged.folder / "run.json").write_text("{}")
    return bench, scenes


@pytest.fixture
def bench(story: tuple[Workbench, Path], tmp_path: Path) -> Workbench:
    """A copy of the story to break."""
    shutil.copytree(story[0].home, tmp_path / "workspace")
    return kn.open_workbench(tmp_path / "workspace")


def rows_of(bench: Workbench) -> dict[str, list[tuple[object, ...]]]:
    for project in bench.projects:
        bench.index.catch_up([project])
    return dump(bench.index.path)


def without_database(bench: Workbench) -> Workbench:
    for path in bench.index.path.parent.glob("kroma.db*"):
        path.unlink()
    return kn.open_workbench(bench.home)


def test_a_deleted_database_comes_back_with_equal_rows(bench: Workbench) -> None:
    before = rows_of(bench)

    made = without_database(bench).reindex()

    assert dump(bench.index.path) == before
    assert (made.projects, made.runs, len(made.unreadable)) == (2, 6, 1)
    every = [project.runs[run_id] for project in bench.projects for run_id in project.runs.ids]
    logs = [one.log for one in every if one.run_id not in unreadable(bench)]
    candidates = [candidate for log in logs for job in log.jobs for candidate in job.candidates]
    inputs = {(log.project, entry.file.path) for log in logs for entry in log.inputs}
    passes = [record for candidate in candidates for record in candidate.passes]
    assert len(before["run_candidates"]) == len(candidates) > 20
    assert len(before["assets"]) == len(passes) + len(inputs)
    assert len(before["quality_reports"]) == sum(candidate.output_guard is not None for candidate in candidates)
    assert len(before["run_inputs"]) == sum(len(log.inputs) for log in logs)


def unreadable(bench: Workbench) -> set[str]:
    return {lost.run_id for lost in bench.index.catch_up(bench.projects)}


def test_reindexing_changes_nothing_that_was_right(bench: Workbench) -> None:
    before = rows_of(bench)

    bench.reindex()
    bench.reindex()

    assert dump(bench.index.path) == before


def test_a_moved_workspace_has_equal_rows(bench: Workbench, tmp_path: Path) -> None:
    before = rows_of(bench)
    shutil.move(bench.home, tmp_path / "elsewhere and renamed")

    moved = kn.open_workbench(tmp_path / "elsewhere and renamed")
    as_it_is = rows_of(moved)
    without_database(moved).reindex()

    assert as_it_is == before
    assert dump(moved.index.path) == before


def test_the_order_in_which_runs_are_met_does_not_matter(bench: Workbench) -> None:
    before = rows_of(bench)
    again = without_database(bench)
    noir = again.project("noir")

    for path in sorted(run.run_folders(noir.root), reverse=True):
        again.index.note(noir, path.name)
    rows_of(again)

    # Newest last or first: links to followed winners and the times of inputs are the same.
    assert dump(again.index.path) == before


def test_a_killed_run_is_found_and_its_rows_are_those_of_its_journal(bench: Workbench) -> None:
    rows_of(bench)

    (killed,) = [row for row in bench.project("noir").runs.rows() if row.status is RunStatus.INTERRUPTED]

    log = bench.project("noir").runs[killed.run_id].log
    made = [candidate for job in log.jobs for candidate in job.candidates]
    assert log.status is RunStatus.INTERRUPTED
    assert killed.pictures == len(made) > 0


def test_a_deleted_run_leaves_what_a_new_index_would_have(bench: Workbench) -> None:
    rows_of(bench)
    noir = bench.project("noir")
    style = noir.runs.ids[-1]

    noir.runs[style].delete(force=True)
    left = dump(bench.index.path)
    without_database(bench).reindex()

    assert dump(bench.index.path) == left
    assert style not in {row[2] for row in left["runs"]}


def test_a_run_that_is_put_back_from_a_copy_is_found_again(bench: Workbench, tmp_path: Path) -> None:
    before = rows_of(bench)
    noir = bench.project("noir")
    style = noir.runs[noir.runs.ids[-1]]

    shutil.move(style.folder, tmp_path / "kept")
    gone = rows_of(bench)
    shutil.move(tmp_path / "kept", style.folder)

    assert len(gone["runs"]) == len(before["runs"]) - 1
    assert rows_of(bench) == before


REINDEX = """
import sys
import kroma_nb as kn
kn.open_workbench(sys.argv[1]).reindex()
"""


@pytest.mark.parametrize("after_s", [0.05, 0.3, 0.45, 0.55, 0.65, 0.8])
def test_a_reindex_that_is_killed_is_made_good_by_the_next(bench: Workbench, after_s: float) -> None:
    before = rows_of(bench)
    again = without_database(bench)
    command = [sys.executable, "-c", REINDEX, str(bench.home)]

    with subprocess.Popen(command, env=os.environ) as process:
        time.sleep(after_s)
        process.kill()

    again.reindex()
    assert dump(again.index.path) == before


WRITER = """
import sys
from pathlib import Path
from studio import draw
import kroma_nb as kn

home, scenes, slug = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
for _ in range(4):
    print(draw(kn.open_workbench(home), slug, scenes), flush=True)
"""


def test_three_processes_that_write_runs_at_once_lose_nothing(tmp_path: Path) -> None:
    scenes = write_scenes(tmp_path / "scenes", 2)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    # A warning would say that a run could not be written into the database.
    commands = [
        [sys.executable, "-W", "error", "-c", WRITER, str(tmp_path / "new"), str(scenes), slug]
        for slug in ("noir", "noir", "dawn")
    ]

    # All of them meet a workspace without a database, and make it.
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for command in commands]
    said = [writer.communicate(timeout=120)[0].split() for writer in writers]

    assert [writer.returncode for writer in writers] == [0, 0, 0]
    bench = kn.open_workbench(tmp_path / "new")
    written = dump(bench.index.path)
    bench.reindex()
    assert sorted(row[2] for row in written["runs"]) == sorted(run_id for ids in said for run_id in ids)
    assert len(written["runs"]) == 12
    assert dump(bench.index.path) == written
    assert {row[3] for row in written["runs"]} == {"ok"}


ANOTHER = "2020-01-01T00-00-00-000Z-abcdef"
DAMAGE = {
    "a record that is cut off": ("run.json", lambda text: text[: len(text) // 2]),
    "a record of nothing": ("run.json", lambda text: ""),
    "an edited plan": ("plan.json", lambda text: text.replace("scene_0", "scene_9")),
    "a plan that is gone": ("plan.json", None),
    "another project's run": ("run.json", lambda text: text.replace('"project": "noir"', '"project": "dawn"')),
    "a negative size": ("run.json", lambda text: text.replace('"size_bytes": ', '"size_bytes": -')),
    "an escape": ("run.json", lambda text: text.replace('"path": "runs/', '"path": "../runs/')),
    "another run's picture": (
        "run.json",
        lambda text: re.sub(r"runs/2\d{3}-[^/]*/", "runs/2020-01-01T00-00-00-000Z-abcdef/", text),
    ),
    "an input that is none": ("run.json", lambda text: text.replace('"path": "inputs/', '"path": "imports/')),
    "a job twice": ("run.json", lambda text: text.replace('"id": "style_2_scene_1"', '"id": "style_1_scene_0"')),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_run_that_cannot_be_read_is_named_and_the_others_are_indexed(case: str, bench: Workbench) -> None:
    name, spoil = DAMAGE[case]
    noir = bench.project("noir")
    one = noir.runs[noir.runs.ids[-1]]
    file = one.folder / name
    if spoil is None:
        file.unlink()
    else:
        spoiled = spoil(file.read_text())
        assert spoiled != file.read_text()
        file.write_text(spoiled)

    made = bench.reindex()
    caught_up = rows_of(bench)

    (named,) = [lost for lost in made.unreadable if lost.project == "noir"]
    assert named.run_id == one.run_id
    assert one.run_id in named.says
    assert made.runs == 5
    assert caught_up == dump(bench.index.path)
    assert one.run_id not in {row[2] for row in caught_up["runs"]}


def test_a_journal_broken_in_its_middle_is_named_by_its_line_and_nothing_is_guessed(bench: Workbench) -> None:
    noir = bench.project("noir")
    (killed,) = [one for one in noir.runs if one.status is RunStatus.INTERRUPTED]
    journal = killed.folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:3], b'{"event": "candida\n', *lines[4:]]))

    (named,) = [lost for lost in bench.reindex().unreadable if lost.project == "noir"]

    assert "journal.jsonl: line 4" in named.says


def test_a_torn_last_line_of_a_journal_is_accepted(bench: Workbench) -> None:
    before = rows_of(bench)
    noir = bench.project("noir")
    (killed,) = [one for one in noir.runs if one.status is RunStatus.INTERRUPTED]
    with (killed.folder / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"event": "candidate_fin')

    bench.reindex()

    assert dump(bench.index.path) == before


def test_a_copied_project_folder_is_named_and_the_others_are_indexed(bench: Workbench) -> None:
    shutil.copytree(bench.project("dawn").root, bench.home / "var/projects/dusk")

    made = bench.reindex()

    (named,) = [lost for lost in made.unreadable if lost.project == "dusk"]
    assert "it is the card of project dawn" in named.says
    assert made.projects == 2


def test_a_project_whose_folder_is_gone_leaves_no_rows(bench: Workbench) -> None:
    rows_of(bench)
    shutil.rmtree(bench.project("dawn").root)

    made = bench.reindex()

    assert made.gone == ("dawn",)
    assert [row[1] for row in dump(bench.index.path)["projects"]] == ["noir"]


def test_a_run_that_is_about_to_begin_is_not_called_damaged(bench: Workbench) -> None:
    dawn = bench.project("dawn")
    rows_of(bench)
    new = dawn.root / "runs/2999-01-01T00-00-00-000Z-abcdef"
    new.mkdir()
    shutil.copy(dawn.runs[dawn.runs.ids[-1]].folder / "plan.json", new)

    young = {lost.run_id for lost in dawn.runs.unreadable}
    os.utime(new, (time.time() - 60, time.time() - 60))
    old = {lost.run_id for lost in dawn.runs.unreadable}

    assert new.name not in young
    assert new.name in old
