"""The engine: what happens to a run when things go well, badly, or are stopped."""

from __future__ import annotations

import json
import threading
import weakref
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from studio import Stencil, damage, die, write_photograph

from kroma_nb import run
from kroma_nb.blobs import sha256_file
from kroma_nb.errors import FileMissing, PassUnavailable, RequestInvalid, WorkersLost
from kroma_nb.model.plan import PlanRequest, PostprocessRequest
from kroma_nb.model.words import CandidateStatus, JobStatus, RunStatus
from kroma_nb.planning import plan


def on(executor) -> run.Equipment:
    return run.Equipment(executor=executor)


def the_run(project: Path):
    (folder,) = run.run_folders(project)
    return run.read_run(folder)


def seed_of(planned, job: int, candidate: int) -> int:
    return planned.jobs[job].candidates[candidate - 1].seeds.style


def test_a_run_says_what_it_does_in_order_and_ends_ok(plan_for, project) -> None:
    planned = plan_for(candidates=2)

    events = [event.event for event in run.execute(planned, root=project, painter=Stencil())]

    assert events[0] == "run_started"
    assert events[1:4] == ["input_stored"] * 3
    assert events[-1] == "run_finished"
    assert (events.count("candidate_finished"), events.count("job_finished")) == (6, 3)
    log = the_run(project)
    assert log.status is RunStatus.OK
    assert [job.status for job in log.jobs] == [JobStatus.DONE] * 3
    assert log.next_step == ""


def test_every_file_of_the_record_is_there_with_its_sha256(plan_for, project) -> None:
    list(run.execute(plan_for(), root=project, painter=Stencil()))

    log = the_run(project)
    files = [record.file for record in log.inputs]
    files += [record.output for job in log.jobs for c in job.candidates for record in c.passes]
    assert len(files) == 3 + 6
    assert all(sha256_file(project / file.path) == file.sha256 for file in files)


def test_a_failed_candidate_does_not_end_its_job(plan_for, project) -> None:
    planned = plan_for(candidates=2)
    painter = Stencil(fails_on=frozenset({seed_of(planned, 0, 1)}))

    list(run.execute(planned, root=project, painter=painter))

    log = the_run(project)
    first = log.jobs[0]
    assert first.selected_candidate == 2
    assert first.status is JobStatus.PARTIAL
    assert first.candidates[0].status is CandidateStatus.FAILED_PROVIDER
    assert "the pen broke" in first.candidates[0].failure.message
    assert [job.status for job in log.jobs[1:]] == [JobStatus.DONE] * 2
    assert log.status is RunStatus.PARTIAL


def test_a_job_without_a_usable_candidate_fails_alone(plan_for, project) -> None:
    planned = plan_for(candidates=1)
    painter = Stencil(fails_on=frozenset({seed_of(planned, 1, 1)}))

    list(run.execute(planned, root=project, painter=painter))

    log = the_run(project)
    assert [job.status for job in log.jobs] == [JobStatus.DONE, JobStatus.FAILED, JobStatus.DONE]
    assert log.jobs[1].final_output is None
    assert "the pen broke" in log.jobs[1].failure_reason


def test_a_damaged_scene_fails_alone_and_names_its_file(scenes, plan_for, project) -> None:
    damage(scenes / "scene_2.png")

    list(run.execute(plan_for(candidates=1), root=project, painter=Stencil()))

    log = the_run(project)
    failure = log.jobs[1].candidates[0].failure
    assert failure.error_code == "image_read_failed"
    assert failure.message.startswith("scene_2.png: ")
    assert [job.status for job in log.jobs] == [JobStatus.DONE, JobStatus.FAILED, JobStatus.DONE]


def test_a_stopped_run_keeps_what_is_done_and_can_be_read(plan_for, project) -> None:
    planned, stop = plan_for(candidates=3), threading.Event()
    with ThreadPoolExecutor(1) as one_thread:
        for event in run.execute(planned, root=project, painter=Stencil(), equipment=on(one_thread), stop=stop):
            if event.event == "candidate_finished":
                stop.set()

    log = the_run(project)
    made = [c for job in log.jobs for c in job.candidates if c.status is CandidateStatus.DONE]
    assert log.status is RunStatus.INTERRUPTED
    assert 1 <= len(made) < 9
    assert all((project / c.final_output).exists() for c in made)
    assert {c.status for job in log.jobs for c in job.candidates} <= {CandidateStatus.DONE, CandidateStatus.CANCELED}
    done = [job.status for job in log.jobs].count(JobStatus.DONE)
    assert f"{len(made)} of 9 pictures are kept here, {done} of 3 scenes are finished;" in log.next_step


def test_closing_the_iterator_closes_the_run(plan_for, project) -> None:
    events = run.execute(plan_for(candidates=3), root=project, painter=Stencil())
    for event in events:
        if event.event == "candidate_started":
            break

    events.close()

    assert the_run(project).status is RunStatus.INTERRUPTED
    assert json.loads((next(run.run_folders(project)) / "run.json").read_text())["status"] == "interrupted"


def test_the_run_log_is_the_fold_of_plan_and_journal(plan_for, project) -> None:
    list(run.execute(plan_for(), root=project, painter=Stencil()))
    (folder,) = run.run_folders(project)
    written = run.read_run(folder)

    (folder / "run.json").unlink()

    assert run.read_run(folder) == written


def test_a_run_that_is_being_played_is_running_and_a_dead_one_is_interrupted(plan_for, project) -> None:
    events = run.execute(plan_for(), root=project, painter=Stencil())
    for event in events:
        if event.event == "candidate_finished":
            break
    (folder,) = run.run_folders(project)

    status_while_played = run.read_run(folder).status
    events.close()

    assert status_while_played is RunStatus.RUNNING
    assert run.read_run(folder).status is RunStatus.INTERRUPTED


def test_an_input_that_changed_since_the_plan_is_refused_and_nothing_is_created(scenes, plan_for, project) -> None:
    planned = plan_for()
    write_photograph(scenes / "scene_2.png", 77, width=80)

    with pytest.raises(FileMissing, match=r"scene_2\.png.*changed since the plan"):
        run.execute(planned, root=project, painter=Stencil())

    assert not project.exists()


def test_an_input_that_changed_without_growing_ends_the_run_with_its_name(scenes, plan_for, project) -> None:
    planned = plan_for()
    data = bytearray((scenes / "scene_2.png").read_bytes())
    data[-20] ^= 1
    (scenes / "scene_2.png").write_bytes(data)

    with pytest.raises(FileMissing, match=r"scene_2\.png"):
        list(run.execute(planned, root=project, painter=Stencil()))

    log = the_run(project)
    assert log.status is RunStatus.FAILED
    assert "scene_2.png" in log.next_step


@pytest.mark.parametrize("asked", ["upscale", "bg_remove"])
def test_a_pass_without_a_backend_is_refused_before_anything_is_created(asked, plan_for, project) -> None:
    planned = plan_for(postprocess=PostprocessRequest(**{asked: True}))

    with pytest.raises(PassUnavailable, match=asked):
        run.execute(planned, root=project, painter=Stencil())

    assert not project.exists()


def test_another_engine_than_the_plans_is_refused(plan_for, project) -> None:
    with pytest.raises(RequestInvalid, match="other noir-1"):
        run.execute(plan_for(), root=project, painter=Stencil(provider="other"))


def test_the_colour_pass_follows_and_is_recorded(plan_for, project) -> None:
    planned = plan_for(candidates=1, postprocess=PostprocessRequest(color=True, color_profile="cold_rain"))

    list(run.execute(planned, root=project, painter=Stencil()))

    job = the_run(project).jobs[0]
    first, second = job.winner.passes
    assert (first.name, second.name) == ("generate", "color")
    assert second.input == first.output
    assert job.final_output == f"runs/{the_run(project).run_id}/color_corrected/{job.id}_cold_rain.png"


def test_the_style_is_read_once_from_its_references(plan_for, project, tmp_path) -> None:
    style = tmp_path / "style.png"
    write_photograph(style, 9)
    planned = plan_for(style_refs=(str(style),))

    events = list(run.execute(planned, root=project, painter=Stencil()))

    studied = [event for event in events if event.event == "style_studied"]
    assert len(studied) == 1
    assert the_run(project).palette == studied[0].palette
    assert len(the_run(project).jobs[0].input_images) == 2


def test_a_run_of_no_jobs_is_ok(plan_for, project, tmp_path) -> None:
    empty = tmp_path / "jobs.json"
    empty.write_text("[]")

    events = list(
        run.execute(plan(PlanRequest(project="ink", root=tmp_path, jobs_file=empty)), root=project, painter=Stencil())
    )

    assert [event.event for event in events] == ["run_started", "run_finished"]
    assert the_run(project).status is RunStatus.OK


def is_whole(log, project: Path) -> bool:
    """Tell whether every file that a log names is what the log says."""
    files = [record.file for record in log.inputs]
    files += [record.output for job in log.jobs for c in job.candidates for record in c.passes]
    return all(sha256_file(project / file.path) == file.sha256 for file in files)


def test_a_later_run_that_fails_leaves_the_files_of_an_earlier_one_as_they_were(plan_for, project) -> None:
    planned = plan_for(candidates=1)
    list(run.execute(planned, root=project, painter=Stencil()))
    (earlier,) = run.run_folders(project)
    everyone = frozenset(c.seeds.style for job in planned.jobs for c in job.candidates)

    list(run.execute(planned, root=project, painter=Stencil(fails_on=everyone)))

    later = next(run.run_folders(project))
    assert run.read_run(later).status is RunStatus.FAILED
    assert is_whole(run.read_run(earlier), project)
    assert len(list((earlier / "outputs").iterdir())) == 3


def test_job_ids_that_differ_in_signs_alone_keep_their_own_files(scenes, project, tmp_path) -> None:
    ids = ["a.b", "a_b", "a..b", "_a", "a-", "A-b"]
    refs = [f"photographs/scene_{1 + number % 3}.png" for number in range(len(ids))]
    entries = [{"id": name, "prompt": "x", "input_images": [ref]} for name, ref in zip(ids, refs, strict=True)]
    (tmp_path / "jobs.json").write_text(json.dumps(entries))
    color = PostprocessRequest(color=True, color_profile="cold_rain")
    planned = plan(
        PlanRequest(project="ink", root=tmp_path, jobs_file=Path("jobs.json"), candidates=1, postprocess=color)
    )

    list(run.execute(planned, root=project, painter=Stencil()))

    log = the_run(project)
    finals = [job.final_output for job in log.jobs]
    assert len(set(finals)) == len(ids)
    assert is_whole(log, project)


def test_a_page_is_measured_against_the_part_of_its_scene_that_it_shows(tmp_path, project) -> None:
    write_photograph(tmp_path / "wide.png", 4, 192, 64)
    (tmp_path / "m.json").write_text('{"scenes": [{"ref": "wide.png"}], "generation": {"size": "64x64"}}')
    planned = plan(PlanRequest(project="ink", root=tmp_path, manifest_path=Path("m.json"), candidates=1))

    class Corner(Stencil):
        def paint(self, scene, brief):
            page = super().paint(np.ascontiguousarray(scene[:, 128:]), brief)
            return replace(page, part=self.part)

        part = (0, 64, 128, 192)

    class Liar(Corner):
        part = (0, 64, 0, 64)

    qualities = []
    for painter in (Corner(), Liar()):
        list(run.execute(planned, root=project, painter=painter))
        log = run.read_run(next(run.run_folders(project)))
        qualities.append(log.jobs[0].candidates[0].output_guard.measures.fidelity)

    assert qualities[0] > qualities[1]


def test_a_closed_executor_is_told_also_where_a_style_is_studied_first(plan_for, project, tmp_path) -> None:
    write_photograph(tmp_path / "style.png", 9)
    closed = ThreadPoolExecutor(1)
    closed.shutdown()

    with pytest.raises(WorkersLost):
        list(
            run.execute(
                plan_for(style_refs=(str(tmp_path / "style.png"),)),
                root=project,
                painter=Stencil(),
                equipment=on(closed),
            )
        )

    assert the_run(project).status is RunStatus.FAILED


def test_style_references_are_held_one_at_a_time(plan_for, project, tmp_path) -> None:
    refs = []
    for number in range(6):
        refs.append(str(tmp_path / f"style_{number}.png"))
        write_photograph(Path(refs[-1]), number)

    class Sampler(Stencil):
        def study(self, references):
            held, most = [], 0
            for reference in references:
                held = [alive for alive in held if alive() is not None]
                held.append(weakref.ref(reference))
                most = max(most, len(held))
            assert most <= 2
            return super().study([1])

    list(run.execute(plan_for(style_refs=tuple(refs), candidates=1), root=project, painter=Sampler()))

    assert the_run(project).status is RunStatus.OK


def test_two_runs_of_one_project_at_once_lose_nothing(plan_for, project) -> None:
    planned = plan_for(candidates=2)
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: list(run.execute(planned, root=project, painter=Stencil())), range(2)))

    logs = [run.read_run(folder) for folder in run.run_folders(project)]
    assert len(logs) == 2
    assert [log.status for log in logs] == [RunStatus.OK] * 2
    assert all(is_whole(log, project) for log in logs)
    assert [c.final.sha256 for j in logs[0].jobs for c in j.candidates] == [
        c.final.sha256 for j in logs[1].jobs for c in j.candidates
    ]


def test_an_executor_that_breaks_ends_the_run_in_good_order(plan_for, project) -> None:
    planned = plan_for(candidates=6)
    closed = ThreadPoolExecutor(1)
    closed.shutdown()

    events = list(run.execute(planned, root=project, painter=Stencil(), equipment=on(closed)))

    assert events[-1].event == "run_finished"
    log = the_run(project)
    assert log.status is RunStatus.INTERRUPTED
    assert "takes no more work" in log.next_step


def test_a_worker_that_dies_is_told_apart_from_an_engine_that_fails(plan_for, project) -> None:
    planned = plan_for(candidates=2)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        list(run.execute(planned, root=project, painter=Stencil(before=die), equipment=on(processes)))

    log = the_run(project)
    failures = {c.failure.error_code for job in log.jobs for c in job.candidates if c.failure}
    assert log.status in {RunStatus.FAILED, RunStatus.INTERRUPTED}
    assert failures == {"worker_died"}


def test_a_stop_before_the_start_starts_nothing(plan_for, project) -> None:
    stop = threading.Event()
    stop.set()

    events = [event.event for event in run.execute(plan_for(), root=project, painter=Stencil(), stop=stop)]

    assert events == ["run_started", "run_finished"]
    assert the_run(project).status is RunStatus.INTERRUPTED


def test_a_stop_after_the_last_candidate_cuts_nothing_short(plan_for, project) -> None:
    stop = threading.Event()
    for event in run.execute(plan_for(candidates=1), root=project, painter=Stencil(), stop=stop):
        if event.event == "job_finished" and len(list(project.glob("runs/*/outputs/*"))) == 3:
            stop.set()

    assert the_run(project).status is RunStatus.OK


def test_a_stored_input_that_was_damaged_is_mended_from_its_source(plan_for, project) -> None:
    planned = plan_for(candidates=1)
    list(run.execute(planned, root=project, painter=Stencil()))
    (folder,) = run.run_folders(project)
    spoil(project / run.read_run(folder).inputs[0].file.path)

    list(run.execute(planned, root=project, painter=Stencil()))

    log = run.read_run(next(run.run_folders(project)))
    assert log.status is RunStatus.OK
    assert is_whole(log, project)


def test_an_input_that_changes_under_a_run_fails_its_scene_alone(plan_for, project) -> None:
    with ThreadPoolExecutor(1) as one_thread:
        for event in run.execute(plan_for(candidates=1), root=project, painter=Stencil(), equipment=on(one_thread)):
            if event.event == "input_stored" and event.ref.endswith("scene_3.png"):
                spoil(project / event.file.path)

    log = the_run(project)
    assert log.jobs[2].candidates[0].failure.error_code == "content_damaged"
    assert [job.status for job in log.jobs] == [JobStatus.DONE, JobStatus.DONE, JobStatus.FAILED]


def spoil(stored: Path) -> None:
    """Change a stored file behind everybody's back."""
    stored.chmod(0o644)
    data = bytearray(stored.read_bytes())
    data[-30] ^= 1
    stored.write_bytes(data)


def test_no_path_of_this_machine_is_stored_with_a_failure(scenes, plan_for, project) -> None:
    damage(scenes / "scene_1.png")
    planned = plan_for(candidates=1)
    list(run.execute(planned, root=project, painter=Stencil(fails_on=frozenset({seed_of(planned, 1, 1)}))))

    for path in project.rglob("*.json*"):
        assert str(project.parent) not in path.read_text()


def test_a_painters_words_may_hold_any_bytes(plan_for, project) -> None:
    def complain(_: object) -> None:
        raise RuntimeError("caf\udce9 broke")

    list(run.execute(plan_for(candidates=1), root=project, painter=Stencil(before=complain)))

    assert "broke" in the_run(project).jobs[0].candidates[0].failure.message


def test_a_bug_in_a_painter_that_is_no_exception_of_ours_names_its_type(plan_for, project) -> None:
    planned = plan_for(candidates=1)
    painter = Stencil(fails_on=frozenset({seed_of(planned, 0, 1)}), raises=ZeroDivisionError)

    list(run.execute(planned, root=project, painter=painter))

    failure = the_run(project).jobs[0].candidates[0].failure
    assert (failure.error_kind, failure.error_code) == ("provider", "provider_failed")
    assert "ZeroDivisionError" in failure.message
