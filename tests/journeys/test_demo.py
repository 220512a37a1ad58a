"""The first line that an artist types, and what she sees of it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kroma_nb import images, run
from kroma_nb.blobs import sha256_file
from kroma_nb.model.runlog import RunLog
from kroma_nb.model.words import CandidateStatus, RunStatus, Stage

KROMA = Path(sys.executable).with_name("kroma")


def ran(command: list[object], folder: Path, **environment: str) -> dict:
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def logs(workspace: Path) -> list[RunLog]:
    return [run.read_run(path) for path in reversed(list(run.run_folders(workspace / "var/projects/demo")))]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """The demo, played in a folder of its own."""
    folder = tmp_path_factory.mktemp("artist")
    return folder / "kroma-demo", ran([KROMA, "demo", "--json"], folder)


def test_the_demo_draws_style_night_and_rain(demo) -> None:
    workspace, answer = demo

    style, night, rain = logs(workspace)
    assert answer["ok"] is True
    assert [log.stage for log in (style, night, rain)] == [Stage.STYLE, Stage.TIME, Stage.WEATHER]
    assert (night.time, rain.weather) == ("night", "rain")
    for log in (style, night, rain):
        assert log.status is RunStatus.OK
        assert len(log.jobs) >= 3
        assert all(c.status is CandidateStatus.DONE for job in log.jobs for c in job.candidates)


def test_later_stages_keep_the_winners_hand_and_say_whom_they_follow(demo) -> None:
    style, night, rain = logs(demo[0])

    for before, after in ((style, night), (style, rain)):
        won = {job.scene_sha256: job.winner for job in before.jobs}
        for job in after.jobs:
            assert {c.seeds.style for c in job.candidates} == {won[job.scene_sha256].seeds.style}
            assert job.follows.sha256 == won[job.scene_sha256].final.sha256


def test_no_two_pictures_of_the_demo_are_equal(demo) -> None:
    made = [c.final.sha256 for log in logs(demo[0]) for job in log.jobs for c in job.candidates]

    assert len(set(made)) == len(made)


def test_nothing_of_this_machine_stands_in_the_record(demo) -> None:
    workspace, _ = demo

    for path in workspace.rglob("*.json*"):
        assert str(workspace.parent) not in path.read_text(), path


def test_another_workspace_hash_seed_and_worker_count_give_the_same_pictures(demo, tmp_path) -> None:
    workspace, _ = demo

    played = subprocess.run(
        [KROMA, "demo", "--workers", "1", "--home", "moved here"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        timeout=500,
        check=True,
    )
    last = played.stdout.splitlines()[-1]
    assert last == "Look around: kroma runs list --home 'moved here'"
    listed = ran([KROMA, *shlex.split(last)[3:], "--json"], tmp_path)["runs"]
    assert len(listed) == 3

    first, second = (
        [c.final.sha256 for log in logs(place) for job in log.jobs for c in job.candidates]
        for place in (workspace, tmp_path / "moved here")
    )
    assert first == second


def test_a_workspace_can_be_moved(demo, tmp_path) -> None:
    import shutil

    moved = tmp_path / "elsewhere"
    shutil.copytree(demo[0], moved)

    shown = ran([KROMA, "runs", "show", "--json", "--home", moved], tmp_path)
    copied = ran([KROMA, "winners", "--to", tmp_path / "best", "--json", "--home", moved], tmp_path)

    winners = [job["candidates"][job["selected_candidate"] - 1]["passes"][-1]["output"] for job in shown["jobs"]]
    assert [sha256_file(Path(path)) for path in copied["files"]] == [winner["sha256"] for winner in winners]


def test_pages_are_whole_pictures_that_say_how_they_were_made(demo) -> None:
    from PIL import Image

    for log in logs(demo[0]):
        for job in log.jobs:
            path = demo[0] / "var/projects/demo" / job.final_output
            picture = images.load(path)
            assert picture.shape[:2] == (job.size.height, job.size.width)
            with Image.open(path) as opened:
                opened.load()
                assert opened.info["kroma_nb:scene"] == job.scene_sha256
                assert opened.info["kroma_nb:stage"] == log.stage.value


@pytest.mark.browser
def test_the_gallery_shows_every_picture_without_one_request(demo, offline_page) -> None:
    workspace, answer = demo
    expected = sum(len(job.candidates) for log in logs(workspace) for job in log.jobs)

    asked = offline_page.open(Path(answer["gallery"]))

    widths = offline_page.page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert len(widths) >= expected
    assert all(width > 0 for width in widths)
    assert asked == [Path(answer["gallery"]).as_uri()]
