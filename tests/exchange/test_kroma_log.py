"""Run logs of the predecessor, of every age and in every state."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from predecessor import GUARD, candidate, job, run_log

from kroma_nb.errors import ImportInvalid
from kroma_nb.exchange import KromaLog, read_log
from kroma_nb.model.quality import HardReason, SoftWarning
from kroma_nb.model.words import CandidateStatus, JobStatus, PassName, RunStatus


def read(document: Any, name: str = "run_1714558272-345.json") -> KromaLog:
    return read_log(json.dumps(document).encode(), name=name)


def only_job(*candidates: dict[str, Any], **more: Any) -> KromaLog:
    return read(run_log(job("style_1_quay", list(candidates), "photos/quay.png", **more)))


def mended(log: KromaLog) -> str:
    return "\n".join(log.mended)


def test_a_whole_log_is_read_and_nothing_has_to_be_mended() -> None:
    log = only_job(candidate(1, "outputs/a.png"), candidate(2, "outputs/b.png"))

    (made,) = log.jobs
    assert (log.status, log.project, log.provider, log.model) == (RunStatus.OK, "noir", "openai", "gpt-image-1")
    assert log.timestamp == datetime(2024, 5, 1, 10, 11, 12, 345_000, UTC)
    assert (made.status, made.selected, made.input_images) == (JobStatus.DONE, 1, ("photos/quay.png",))
    assert [c.rank.position for c in made.candidates] == [1, 2]
    assert log.mended == ()


@pytest.mark.parametrize(
    ("written", "name", "when"),
    [
        ("1714558272.345Z", "run_1.json", "2024-05-01T10:11:12.345+00:00"),
        ("2024-05-01T10:11:12.345Z", "run_x.json", "2024-05-01T10:11:12.345+00:00"),
        ("2024-05-01T12:11:12.345+02:00", "run_x.json", "2024-05-01T10:11:12.345+00:00"),
        (None, "run_1714558272-345.json", "2024-05-01T10:11:12.345+00:00"),
        ("", "run_2024-05-01T10-11-12-345Z.json", "2024-05-01T10:11:12.345+00:00"),
    ],
)
def test_the_time_is_read_as_scripts_and_the_last_version_wrote_it(written: Any, name: str, when: str) -> None:
    log = read(run_log(timestamp=written), name)

    assert log.timestamp is not None
    assert log.timestamp.isoformat(timespec="milliseconds") == when
    assert ("taken from the file's name" in mended(log)) is not bool(written)


def test_a_time_that_no_calendar_holds_is_none() -> None:
    assert read(run_log(timestamp="99999999999999.1Z"), "run_x.json").timestamp is None
    assert read(run_log(timestamp=-5), "run_x.json").timestamp is None


def test_a_dry_log_has_planned_jobs_and_no_candidate_that_nobody_made() -> None:
    planned = job("style_1_quay", [], "photos/quay.png", status="planned", planned_generation={"candidates": 3})
    del planned["candidates"], planned["selected_candidate"], planned["final_output"]

    log = read(run_log(planned, mode="dry", model="", size="", quality=""))

    assert (log.status, log.provider) == (RunStatus.PLANNED, "")
    assert [(made.status, made.candidates, made.planned_candidates) for made in log.jobs] == [
        (JobStatus.PLANNED, (), 3)
    ]
    assert log.mended == ()


def test_paths_may_be_objects_and_have_any_slash() -> None:
    made = candidate(1, "x", "y") | {
        "output": {"output": r"outputs\a.png"},
        "final_output": {"output": "outputs/a.png"},
    }

    (found,) = only_job(made).jobs[0].candidates

    assert (found.output, found.final_output) == ("outputs/a.png", "outputs/a.png")


def test_a_missing_index_is_the_place_in_the_job_and_a_taken_one_the_next_free() -> None:
    first, second, third = (candidate(n, f"outputs/{n}.png") for n in (1, 1, 3))
    del third["candidate_index"]

    log = only_job(first, second, third)

    assert [c.index for c in log.jobs[0].candidates] == [1, 2, 3]
    assert [c.output for c in log.jobs[0].candidates] == ["outputs/1.png", "outputs/1.png", "outputs/3.png"]
    assert "no usable candidate_index" in mended(log)
    assert "has its index 1 already" in mended(log)


def test_a_blank_final_output_is_the_last_picture_that_the_candidate_reached() -> None:
    upscale = {"input": "outputs/a.png", "output": "upscaled/a_x2.png", "backend": "ncnn", "scale": 2, "model": "x4"}

    log = only_job(candidate(1, "outputs/a.png", "  ", upscale=upscale))

    (found,) = log.jobs[0].candidates
    assert found.final_output == "upscaled/a_x2.png"
    assert [(made.name, made.input) for made in found.passes] == [
        (PassName.GENERATE, None),
        (PassName.UPSCALE, "outputs/a.png"),
    ]
    assert (found.passes[1].backend, found.passes[1].version) == ("ncnn", "x4 ×2")
    assert "names no final picture" in mended(log)


def test_a_missing_winner_is_the_first_by_the_predecessors_own_ranking() -> None:
    worse = candidate(1, "outputs/1.png", rank={"hard_failures": 0, "soft_warnings": 1, "avg_chroma_exceed": 0})
    better = candidate(2, "outputs/2.png", rank={"hard_failures": 0, "soft_warnings": 0, "avg_chroma_exceed": "0.5"})

    log = only_job(worse, better, selected_candidate=None)

    assert log.jobs[0].selected == 2
    assert [c.rank.position for c in log.jobs[0].candidates] == [2, 1]
    assert "names no winner" in mended(log)


def test_the_winner_that_a_log_chose_stays_and_the_report_says_who_ranks_better() -> None:
    log = only_job(candidate(1, "outputs/1.png"), candidate(2, "outputs/2.png"), selected_candidate=2)

    assert log.jobs[0].selected == 2
    assert [c.rank.position for c in log.jobs[0].candidates] == [2, 1]
    assert "although c1 has the better rank" in mended(log)


def test_a_job_with_a_picture_and_no_candidates_has_one() -> None:
    early = job("style_1_quay", [], "photos/quay.png", output="outputs/a.png", final_output="outputs/a.png")
    del early["candidates"]

    (made,) = read(run_log(early)).jobs

    assert (made.status, made.selected) == (JobStatus.DONE, 1)
    assert made.candidates[0].final_output == "outputs/a.png"


def test_an_unknown_status_is_kept_in_words_and_wins_nothing() -> None:
    log = only_job(candidate(1, "outputs/a.png", status="generated"), candidate(2, "b.png", status="failed_upscale"))

    first, second = log.jobs[0].candidates
    assert (first.status, second.status) == (CandidateStatus.CANCELED, CandidateStatus.FAILED_PROVIDER)
    assert first.failure is not None
    assert "generated" in first.failure.message
    assert (log.jobs[0].status, log.jobs[0].selected) == (JobStatus.FAILED, None)


def test_a_job_with_a_winner_and_a_candidate_that_was_never_finished_is_partial() -> None:
    log = only_job(candidate(1, "outputs/a.png"), candidate(2, "outputs/b.png", status="generated"))

    assert (log.jobs[0].status, log.status) == (JobStatus.PARTIAL, RunStatus.PARTIAL)


def test_a_candidate_without_a_status_that_names_its_final_picture_is_done() -> None:
    made = candidate(1, "outputs/a.png")
    del made["status"]

    log = only_job(made)

    assert log.jobs[0].candidates[0].status is CandidateStatus.DONE
    assert "it has no status" in mended(log)


def test_reasons_that_the_guard_counted_and_did_not_keep_are_worked_out_by_its_rule() -> None:
    refused = candidate(1, "outputs/a.png", "", status="failed_output_guard")
    refused["rank"] = {"hard_failures": 1, "soft_warnings": 0, "avg_chroma_exceed": 1.5}
    refused["output_guard"] = {
        "files": [{"file": "a", "chroma_delta": 3.5}],
        "bad_archive": "archive/bad/a_bad_1-2.png",
    }
    warned = candidate(2, "outputs/b.png", rank={"hard_failures": 0, "soft_warnings": 1, "avg_chroma_exceed": 1.5})
    warned["output_guard"]["files"][0]["chroma_delta"] = 3.5

    strict = read(run_log(job("j", [refused]), output_guard=GUARD | {"fail_on_chroma_exceed": True}))
    mild = read(run_log(job("j", [warned])))

    (first,), (second,) = strict.jobs[0].candidates, mild.jobs[0].candidates
    assert first.guard is not None
    assert second.guard is not None
    assert first.guard.hard_fail_reasons == (HardReason.CHROMA_EXCEEDS_THRESHOLD,)
    assert first.archived == "archive/bad/a_bad_1-2.png"
    assert second.guard.soft_warnings == (SoftWarning.CHROMA_EXCEEDS_THRESHOLD,)


def test_a_refusal_without_a_reason_is_said_to_have_none() -> None:
    refused = candidate(1, "outputs/a.png", "", status="failed_output_guard")
    refused["rank"] = {"hard_failures": 1, "soft_warnings": 0, "avg_chroma_exceed": 0}

    (found,) = only_job(refused).jobs[0].candidates

    assert found.guard is not None
    assert found.guard.hard_fail_reasons == ()
    assert found.notes == ("The guard refused it, and the record does not say why.",)


def test_job_ids_become_unique_and_safe_and_the_log_says_so() -> None:
    log = read(run_log(*(job(name, [], "photos/quay.png", status="planned") for name in ("a", "a", "../x/y", ""))))

    assert [made.id for made in log.jobs] == ["a", "a_2", "_x_y", "job_4"]
    assert "../x/y" in mended(log)


def test_costs_are_whole_micro_dollars_from_whichever_key_the_age_used() -> None:
    events = [
        {"provider_code": "openai", "operation_code": "edit", "units": 3, "cost_usd": "0.25", "job_id": "j1"},
        {"amount_cents": 7, "quantity": 2},
        {"cost_usd": -1},
    ]

    log = read(run_log(cost_events=events, generation={"cost_usd": 0.1, "images": 4}))
    total = read(run_log(cost_usd=0.5, generation={}))

    assert [(c.operation, c.total_cost.micro_usd, c.unit_cost.micro_usd, c.units) for c in log.costs] == [
        ("edit", 250_000, 83_333, 3.0),
        ("legacy_event", 70_000, 35_000, 2.0),
        ("image_generation", 100_000, 25_000, 4.0),
    ]
    assert "-1" in mended(log)
    assert [(c.operation, c.total_cost.micro_usd) for c in total.costs] == [("run_total", 500_000)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "no JSON object"),
        (b"{}", "no list of jobs"),
        (b'{"jobs": {}}', "no list of jobs"),
        (b'{"jobs": [], "schema": "kroma_nb.run/1"}', "kroma_nb itself"),
        (b"[" * 100_000, "not JSON"),
        (b'{"jobs": [' + b"9" * 5000 + b"]}", "not JSON"),
    ],
)
def test_what_is_no_run_log_is_refused_with_its_reason(data: bytes, says: str) -> None:
    with pytest.raises(ImportInvalid, match=says):
        read_log(data, name="run_1.json")


KEYS = [
    *("id", "status", "output", "final_output", "candidate_index", "rank", "selected_candidate", "input_images"),
    *("bg_remove", "upscale", "color", "output_guard", "files", "bad_archive", "hard_failures", "chroma_delta", "mode"),
    *("cost_usd", "units", "cost_events", "generation", "timestamp", "candidates", "planned_generation", "summary"),
    *("hard_fail_reasons", "soft_warnings", "avg_chroma_exceed", "max_chroma_delta", "moved", "error", "stage"),
]
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.sampled_from(["done", "failed", "planned", " ", "a/b.png", "..", "\ud800", "7", "nan", "1e999", "generated"])
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)
ENTRY = st.dictionaries(st.sampled_from(KEYS), ODD, max_size=10)
JOBS = st.lists(
    ODD | st.builds(lambda entry, made: entry | {"candidates": made}, ENTRY, st.lists(ODD | ENTRY, max_size=5)),
    max_size=4,
)


@given(head=ENTRY, jobs=JOBS)
def test_no_field_can_break_the_reading_and_no_candidate_is_lost_in_silence(head: dict[str, Any], jobs: Any) -> None:
    log = read_log(json.dumps(head | {"jobs": jobs}).encode(), name="run_odd.json")

    objects = [entry for entry in jobs if isinstance(entry, dict)]
    assert len(log.jobs) == len(objects)
    assert len({made.id for made in log.jobs}) == len(log.jobs)
    for written, made in zip(objects, log.jobs, strict=True):
        listed = written.get("candidates")
        listed = listed if isinstance(listed, list) else []
        whole = [entry for entry in listed if isinstance(entry, dict)]
        assert len(made.candidates) == len(whole) or (not whole and len(made.candidates) <= 1)
        assert len({c.index for c in made.candidates}) == len(made.candidates)
        if len(whole) < len(listed):
            assert "no object in the log" in mended(log)
        winner = [c for c in made.candidates if c.index == made.selected]
        assert all(c.final_output and c.rank.position == 1 for c in winner)
        assert bool(winner) == any(c.final_output for c in made.candidates)
    if len(objects) < len(jobs):
        assert "are no objects" in mended(log)
