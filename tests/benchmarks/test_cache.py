"""What is not made again costs next to nothing, and what is written down about money costs little beside an answer."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import pytest
from loopback import LoopbackPainter, Provider, provider, write_catalog
from studio import write_scenes

import kroma_nb as kn
from kroma_nb.blobs import BlobStore
from kroma_nb.model.paid import Attachment, PaidRequest
from kroma_nb.workbench import Project

SCENES, CANDIDATES = 50, 4
SIZE = "256x384"
"""Less than a page: what is reused costs about the same, what is drawn costs less, so the rerun's share is larger."""


def seconds(start: float) -> float:
    return time.perf_counter() - start


def story_of(folder: Path, photographs) -> tuple[Project, Path]:
    (folder / "scenes").mkdir()
    for number in range(SCENES):
        row = 7 * number
        cv2.imwrite(str(folder / "scenes" / f"{number}.png"), photographs[number % 6][row : row + 1152, :768, ::-1])
    scenes = [{"ref": f"scenes/{number}.png"} for number in range(SCENES)]
    manifest = {"scenes": scenes, "generation": {"candidates": CANDIDATES, "size": SIZE}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return kn.open_workbench(folder / "home").create_project("ink"), folder / "manifest.json"


@pytest.mark.benchmark
def test_a_rerun_of_two_hundred_pictures_takes_at_most_a_tenth_of_the_first_run(photographs, tmp_path) -> None:
    story, manifest = story_of(tmp_path, photographs)
    planned = story.plan(manifest=manifest)

    start = time.perf_counter()
    story.run(planned)
    first = seconds(start)
    reruns, copies = [], []
    for number in range(5):
        start = time.perf_counter()
        again = story.run(planned)
        reruns.append(seconds(start))
        candidates = [c for job in again.log.jobs for c in job.candidates]
        assert len(candidates) == SCENES * CANDIDATES
        assert all(one.reused for c in candidates for one in c.passes)
        copies.append(copied(story, tmp_path / f"copies-{number}", [c.passes[-1].output.sha256 for c in candidates]))

    rerun, copy = statistics.median(reruns), statistics.median(copies)
    pictures = f"200 pictures of {SIZE}"
    print(f"\nrerun of {pictures}: {rerun / first:.3f} x the first, {rerun / copy:.1f} x a checked copy of each")
    assert rerun <= 0.1 * first


def copied(story: Project, folder: Path, digests: list[str]) -> float:
    """Copy and check pictures out of the cache: the least that a rerun has to do."""
    folder.mkdir()
    pictures = BlobStore(story.root / "cache" / "pictures")
    start = time.perf_counter()
    for number, digest in enumerate(digests):
        pictures.place(digest, folder / f"{number}.png", "")
    return seconds(start)


@pytest.fixture
def server() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.mark.benchmark
def test_what_is_kept_and_written_about_a_paid_call_is_a_small_part_of_its_answers_time(server, tmp_path) -> None:
    """An answer after two seconds is quicker than any provider of pictures; theirs take ten and more."""
    answer_s, calls, at_once = 2.0, 6, 2
    write_catalog(tmp_path / "home", concurrency=at_once)
    scenes = write_scenes(tmp_path / "scenes", calls // 2, candidates=2)
    story = kn.open_workbench(tmp_path / "home").create_project("noir")
    planned = story.plan(manifest=scenes / "manifest.json", provider="loopback")
    _ = story.runs.rows()  # a new workspace makes its database once
    requests = [
        PaidRequest(
            call_id=f"{number:032x}",
            brief=job.brief(candidate, planned.plan, None),
            scene=Attachment("scene", job.scene.media_type, job.scene.source.read_bytes()),
            references=(),
            timeout_s=20.0,
        )
        for number, (job, candidate) in enumerate((job, c) for job in planned.jobs for c in job.candidates)
    ]

    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as threads:
        list(threads.map(LoopbackPainter().send, requests))
    alone = seconds(start) + answer_s * calls / at_once
    server.slow_s = answer_s
    start = time.perf_counter()
    run = story.run(planned, confirm_spend=True)
    played = seconds(start)

    assert len([c for job in run.log.jobs for c in job.candidates if c.final]) == calls
    more_ms = (played - alone) / calls * at_once * 1000
    print(
        f"\n{more_ms:.0f} ms beside each answer, {played / alone - 1:.1%} of a run whose answers take {answer_s:.0f} s"
    )
    assert played <= 1.05 * alone
