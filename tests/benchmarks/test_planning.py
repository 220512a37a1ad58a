"""Planning grows as the story does: ten times the scenes take about ten times the time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kroma_nb import planning
from kroma_nb.images import encode_png
from kroma_nb.model.plan import Followed, PlanRequest
from kroma_nb.model.words import Stage

FEW, MANY = 1_000, 10_000
# Ten times the work, and room for memory that no longer fits the cache.
GOAL = 12.0


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write ten thousand small pictures, all different, with manifests and jobs files about them."""
    root = tmp_path_factory.mktemp("long_story")
    (root / "photos").mkdir()
    refs = [f"photos/{number:05}.png" for number in range(MANY)]
    pixels = np.zeros((16, 24), np.uint8)
    for number, ref in enumerate(refs):
        (root / ref).write_bytes(encode_png(pixels, text={"Title": str(number)}))
    for count in (FEW, MANY):
        (root / f"{count}.json").write_text(json.dumps({"scene_refs": refs[:count], "style_refs": refs[:2]}))
        jobs = [{"id": f"job-{n}", "prompt": "Draw.", "input_images": [refs[n]]} for n in range(count)]
        (root / f"jobs_{count}.json").write_text(json.dumps(jobs))
    return root


@pytest.mark.benchmark
def test_planning_grows_in_a_straight_line(ratios, story) -> None:
    def by_manifest(count: int) -> int:
        request = PlanRequest(project="long", root=story, manifest_path=Path(f"{count}.json"), candidates=2)
        return planning.plan(request).pictures

    def by_jobs_file(count: int) -> int:
        return planning.plan(PlanRequest(project="long", root=story, jobs_file=Path(f"jobs_{count}.json"))).pictures

    manifest = ratios(lambda _: by_manifest(FEW), rounds=5, many=lambda _: by_manifest(MANY))["many"]
    jobs = ratios(lambda _: by_jobs_file(FEW), rounds=5, many=lambda _: by_jobs_file(MANY))["many"]

    print(f"10,000 to 1,000 scenes: manifest {manifest:.1f}, jobs file {jobs:.1f}")
    assert manifest <= GOAL
    assert jobs <= GOAL


@pytest.mark.benchmark
def test_following_and_selecting_grow_in_a_straight_line(ratios, story) -> None:
    plans = {
        count: planning.plan(PlanRequest(project="long", root=story, manifest_path=Path(f"{count}.json")))
        for count in (FEW, MANY)
    }

    def next_stage(count: int) -> int:
        jobs = plans[count].jobs
        request = PlanRequest(
            project="long",
            root=story,
            manifest_path=Path(f"{count}.json"),
            stage=Stage.TIME,
            only=tuple(job.id.replace("style", "time") for job in jobs),
            follows=tuple(
                Followed(
                    scene_sha256=job.scene.sha256,
                    stage=Stage.STYLE,
                    run_id="run",
                    job_id=job.id,
                    candidate=1,
                    sha256=job.scene.sha256,
                    seeds=job.candidates[0].seeds,
                )
                for job in jobs
            ),
        )
        return planning.plan(request).pictures

    measured = ratios(lambda _: next_stage(FEW), rounds=3, many=lambda _: next_stage(MANY))["many"]

    print(f"10,000 to 1,000 followed scenes: {measured:.1f}")
    assert measured <= GOAL
