"""The run log: what later readers find in it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from studio import Stencil

from kroma_nb import run
from kroma_nb.errors import RecordInvalid
from kroma_nb.model.plan import PostprocessRequest
from kroma_nb.model.run import event_adapter
from kroma_nb.model.words import CandidateStatus


@pytest.fixture
def record(plan_for, project) -> dict[str, Any]:
    """The run log of a run with a colour pass and one failed candidate, as its file says it."""
    plan = plan_for(candidates=2, postprocess=PostprocessRequest(color=True, color_profile="neutral"))
    broken = plan.jobs[2].candidates[1].seeds.style
    list(run.execute(plan, root=project, painter=Stencil(fails_on=frozenset({broken}))))
    return json.loads((folder_of(project) / "run.json").read_text())


def folder_of(project: Path) -> Path:
    (folder,) = run.run_folders(project)
    return folder


def test_the_record_says_when_by_what_from_what_and_why(record, project) -> None:
    started, finished = (datetime.fromisoformat(record[key]) for key in ("timestamp", "finished_at"))
    candidate = record["jobs"][0]["candidates"][0]
    drawn, colored = candidate["passes"]

    assert started.utcoffset() == timedelta(0)
    assert started <= finished
    assert (record["provider"], record["model"], record["status"]) == ("ink", "noir-1", "partial")
    assert set(record["environment"]["libraries"]) >= {"numpy", "opencv-python-headless", "pillow"}
    assert set(candidate["seeds"]) == {"style", "time", "weather"}
    assert drawn["input"]["sha256"] == record["inputs"][0]["file"]["sha256"]
    assert colored["input"] == drawn["output"]
    for made in (drawn, colored):
        assert datetime.fromisoformat(made["started_at"]) <= datetime.fromisoformat(made["finished_at"])
        assert len(made["output"]["sha256"]) == 64
        assert made["version"]
    assert candidate["output_guard"]["measures"]["width"] == 1536
    assert record["jobs"][2]["candidates"][1]["failure"]["error_code"] == "provider_failed"


def test_readers_of_older_logs_find_their_keys(record) -> None:
    top = (
        "timestamp project stage time weather mode model size quality generation postprocess output_guard storage jobs"
    )
    common = "id mode time weather input_images prompt status planned_generation planned_postprocess"
    done = "planned_output_guard selected_candidate final_output candidates output color output_guard"
    candidate = "candidate_index output status rank final_output output_guard"

    job = record["jobs"][0]
    assert set(top.split()) <= set(record)
    assert set((common + " " + done).split()) <= set(job)
    assert set(candidate.split()) <= set(job["candidates"][0])
    assert {"hard_failures", "soft_warnings", "avg_chroma_exceed"} <= set(job["candidates"][0]["rank"])
    assert record["mode"] == "run"
    assert record["output_guard"]["enabled"] is True
    assert record["postprocess"]["pipeline_order"] == ["generate", "color"]
    assert set(record["postprocess"]) == {
        *("upscale", "color", "bg_remove", "upscale_backend", "color_profile", "bg_remove_backends"),
        *("bg_refine_openai", "bg_refine_openai_required", "pipeline_order"),
    }
    assert job["output"] == job["final_output"] == job["candidates"][job["selected_candidate"] - 1]["final_output"]


def test_the_streamed_file_is_indented_json_in_utf_8_that_reads_back_equal(record, project) -> None:
    folder = folder_of(project)
    text = (folder / "run.json").read_text(encoding="utf-8")
    written = run.read_run(folder)

    assert text == json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    events = [event_adapter.validate_json(line) for line in (folder / "journal.jsonl").read_bytes().splitlines()]
    assert written == run.fold(run.RunFolder(project, folder.name).plan(), events)


def test_a_run_log_that_was_changed_is_refused_with_the_way_out(record, project) -> None:
    path = folder_of(project) / "run.json"
    path.write_text(path.read_text().replace('"status": "partial"', '"status": "splendid"', 1))

    with pytest.raises(RecordInvalid, match=r"run\.json: status: .*delete the file"):
        run.read_run(folder_of(project))


def test_an_edited_plan_is_named_by_its_field(record, project) -> None:
    folder = folder_of(project)
    (folder / "run.json").unlink()
    plan = json.loads((folder / "plan.json").read_text())
    plan["jobs"][1]["candidates"] = "two"
    (folder / "plan.json").write_text(json.dumps(plan))

    with pytest.raises(RecordInvalid, match=r"plan\.json: jobs\.1\.candidates"):
        run.read_run(folder)


def test_a_plan_that_was_changed_into_another_valid_one_is_refused(record, project) -> None:
    folder = folder_of(project)
    (folder / "run.json").unlink()
    text = (folder / "plan.json").read_text()
    (folder / "plan.json").write_text(text.replace('"project": "ink"', '"project": "red"', 1))

    with pytest.raises(RecordInvalid, match=r"plan\.json: it was changed after the run had started"):
        run.read_run(folder)


def test_a_run_id_keeps_the_order_of_time_and_never_repeats() -> None:
    from kroma_nb.run.folder import new_run_id

    moment = datetime.fromisoformat("2026-01-02T03:04:05.678+00:00")
    ids = {new_run_id(moment) for _ in range(500)}

    assert len(ids) == 500
    assert max(ids) < new_run_id(moment + timedelta(milliseconds=1))
    assert not any(":" in name for name in ids)


def test_every_candidate_has_one_of_the_closed_words(record) -> None:
    words = {c["status"] for job in record["jobs"] for c in job["candidates"]}

    assert words == {CandidateStatus.DONE.value, CandidateStatus.FAILED_PROVIDER.value}
