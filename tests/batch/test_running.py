"""Notebooks executed for real: papermill, a kernel of this Python, files on a disk."""

from __future__ import annotations

import ast
import json
import os
import sys
from pathlib import Path

import nbformat
import pytest
from sheets import read_notebook, results, words, write_notebook
from studio import write_photograph

from kroma_nb import batch
from kroma_nb.blobs import sha256_bytes, sha256_file
from kroma_nb.errors import NotebookFailed, ParameterInvalid, RequestInvalid
from kroma_nb.model.notebook import NotebookRecord, NotebookStatus
from kroma_nb.model.run import Event

STORY = """
workspace = "elsewhere"  # where everything is written to
project = "story"  # the project's short name
scenes = ["quay.png"]  # pictures
candidates = 1  # attempts
note = ""  # anything | at <all>
"""
RUN = """
import kroma_nb as kn

story = kn.open_workbench(workspace).create_project(project)
run = story.run(story.plan(scenes=scenes, candidates=candidates))
run.run_id
"""


heard: list[Event] = []


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory):
    """A folder {with braces} that everything here starts from, with photographs."""
    folder = tmp_path_factory.mktemp("artist {x}")
    write_photograph(folder / "quay.png", 1)
    write_photograph(folder / "夜の橋.png", 2)
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="module")
def told(desk) -> tuple[Path, batch.NotebookRun]:
    """A notebook that makes two runs, and what became of it."""
    heard.clear()
    look = "import os, sys\n(os.getcwd(), os.environ['KROMA_HOME'], sys.executable, scenes, note)"
    path = write_notebook(desk / "story.ipynb", look, RUN, RUN, parameters=STORY)
    values = {"scenes": ["夜の橋.png"], "note": "a|b *c* <i>d</i>", "candidates": 1}
    return path, batch.run_notebook(
        path, values, home=desk / "home", output=desk / "copies" / "out.ipynb", on_event=heard.append
    )


def test_the_events_of_its_runs_are_told_in_order(told) -> None:
    begun = [event.run_id for event in heard if event.event == "run_started"]

    assert begun == [run.run_id for run in told[1].runs]
    assert [event.event for event in heard].count("run_finished") == 2
    assert heard[-1].event == "run_finished"


def records(done: batch.NotebookRun) -> list[NotebookRecord]:
    return [NotebookRecord.model_validate_json((run.folder / "notebook.json").read_bytes()) for run in done.runs]


def test_the_kernel_is_this_python_in_this_folder_with_this_workspace(desk, told) -> None:
    seen = results(told[1].notebook)[0]

    here = (str(desk), str(desk / "home"), sys.executable)
    assert ast.literal_eval(seen) == (*here, ["夜の橋.png"], "a|b *c* <i>d</i>")


def test_the_executed_notebook_lies_beside_the_log_of_each_run_that_it_made(desk, told) -> None:
    source, done = told

    assert len(done.runs) == 2
    assert done.notebook == done.runs[-1].folder / "notebook.ipynb"
    assert [run.run_id for run in done.runs] == [text.strip("'") for text in results(done.notebook)[1:]]
    assert records(done) == [done.record, done.record]
    for run in done.runs:
        assert run.folder.is_relative_to(desk / "home")
        assert sha256_file(run.folder / "notebook.ipynb") == done.record.executed_sha256
    assert done.record.source_sha256 == sha256_bytes(source.read_bytes())
    assert not (desk / "home" / "var" / "notebooks").exists()
    assert (desk / "copies" / "out.ipynb").read_bytes() == done.notebook.read_bytes()
    assert done.exit_code == 0


def test_the_record_has_every_parameter_and_which_were_given(told) -> None:
    record = told[1].record

    assert record.name == "story"
    assert record.parameters == {
        "workspace": "",
        "project": "story",
        "scenes": ["夜の橋.png"],
        "candidates": 1,
        "note": "a|b *c* <i>d</i>",
    }
    assert set(record.changed) == {"workspace", "scenes", "note", "candidates"}
    assert record.status is NotebookStatus.OK
    assert record.started_at < record.finished_at


def test_the_executed_notebook_is_valid_and_shows_a_table_of_its_parameters(told) -> None:
    node = read_notebook(told[1].notebook)

    nbformat.validate(node)
    tags = [cell.metadata.tags[0] for cell in node.cells if cell.metadata.get("tags")]
    assert tags == ["parameters", "injected-parameters", "parameters-table"]
    table = words(told[1].notebook)
    assert "| **scenes** |" in table
    assert "given, as default" in table
    assert "anything \\| at \\<all\\>" in table


def test_nothing_of_this_machine_stands_in_record_or_metadata(desk, told) -> None:
    done = told[1]
    metadata = [read_notebook(done.notebook).metadata, *(c.metadata for c in read_notebook(done.notebook).cells)]

    assert str(desk) not in (done.runs[0].folder / "notebook.json").read_text()
    assert str(desk) not in json.dumps(metadata)


def test_an_executed_notebook_can_be_executed_again(desk, told) -> None:
    again = batch.run_notebook(told[1].notebook, {"scenes": ["quay.png"]}, home=desk / "again")

    tags = [cell.metadata.tags[0] for cell in read_notebook(again.notebook).cells if cell.metadata.get("tags")]
    assert tags == ["parameters", "injected-parameters", "parameters-table"]
    assert again.runs[0].log.jobs[0].scene_ref == "quay.png"


def test_a_notebook_that_goes_on_with_a_run_of_another_leaves_that_ones_file(desk) -> None:
    more = "run.retry('quay', candidates=1)\nrun.log.resumed"
    first = batch.run_notebook(
        write_notebook(desk / "begin.ipynb", RUN, more, parameters=STORY), home=desk / "two notebooks"
    )
    before = first.notebook.read_bytes()
    go_on = "import kroma_nb as kn\nrun = kn.open_workbench().project('story').runs['latest']\n" + more

    second = batch.run_notebook(write_notebook(desk / "go_on.ipynb", go_on), home=desk / "two notebooks")

    assert [run.run_id for run in second.runs] == [run.run_id for run in first.runs]
    assert results(second.notebook) == ["2"]
    assert first.notebook.read_bytes() == before
    assert second.notebook.parent == desk / "two notebooks" / "var" / "notebooks"


def test_a_path_inside_the_workspace_is_recorded_as_it_is_from_there(desk) -> None:
    write_notebook(desk / "plain.ipynb", "note", parameters=STORY)
    inside = desk / "home" / "var" / "x.png"

    done = batch.run_notebook("plain.ipynb", {"note": str(inside), "scenes": ["/x/y.png"]}, home="home")

    assert done.record.parameters["note"] == "var/x.png"
    assert done.record.parameters["scenes"] == ["/x/y.png"]
    assert results(done.notebook) == [repr(str(inside))]


def test_a_notebook_without_runs_stays_in_the_workspace(desk) -> None:
    write_notebook(desk / "sum.ipynb", "n + 1")

    done = batch.run_notebook("sum.ipynb", home=desk / "sums")

    assert done.notebook.parent == desk / "sums" / "var" / "notebooks"
    assert done.notebook.name.startswith("sum-")
    assert results(done.notebook) == ["2"]
    assert (done.runs, done.exit_code) == ((), 0)
    assert "| n | <code>1</code> | default | how many |" in words(done.notebook)


@pytest.mark.parametrize(
    ("cell", "kind", "code", "exit_code"),
    [
        ("kn.open_workbench().project('../x', missing_ok=True)", "validation", "invalid_request", 2),
        ("raise kn.errors.ProviderFailed('ink', 'no paper')", "provider", "provider_failed", 4),
        ("1 / 0", "unknown", "notebook_failed", 1),
        ("import os; os._exit(3)", "infra", "kernel_died", 5),
        ("kn.batch.run_notebook('gone.ipynb')", "validation", "invalid_notebook", 2),
    ],
)
def test_a_failed_cell_is_raised_with_its_kind_after_the_notebook_is_kept(cell, kind, code, exit_code, desk) -> None:
    write_notebook(desk / "fails.ipynb", "n + 1", f"import kroma_nb as kn\n{cell}", "'never'")

    with pytest.raises(NotebookFailed) as raised:
        batch.run_notebook("fails.ipynb", home=desk / "failed")

    error = raised.value
    assert (error.error_kind, error.error_code, error.exit_code) == (kind, code, exit_code)
    assert f"error_kind={kind} error_code={code}" in str(error)
    assert error.path.is_relative_to(desk / "failed" / "var" / "notebooks")
    kept = results(error.path)
    assert kept[0] == "2"
    assert "'never'" not in kept
    if code != "kernel_died":
        assert "This execution [stopped]" in words(error.path)
        assert "Here it stopped" in words(error.path)


def test_a_notebook_that_fails_after_a_run_is_kept_beside_that_run(desk) -> None:
    write_notebook(desk / "late.ipynb", RUN, "raise kn.errors.PolicyRefused(f'not {run.folder} yet')", parameters=STORY)

    with pytest.raises(NotebookFailed) as raised:
        batch.run_notebook("late.ipynb", home=desk / "late", output=desk / "late.out.ipynb")

    folder = raised.value.path.parent
    record = NotebookRecord.model_validate_json((folder / "notebook.json").read_bytes())
    assert raised.value.exit_code == 3
    assert json.loads((folder / "run.json").read_text())["status"] == "ok"
    assert record.status is NotebookStatus.FAILED
    assert record.failure is not None
    assert (record.failure.error_kind, record.failure.error_code) == ("policy", "policy_refused")
    assert record.failure.message.startswith("PolicyRefused: not var/projects/story/runs/")
    assert record.executed_sha256 == sha256_file(folder / "notebook.ipynb")
    assert (desk / "late.out.ipynb").read_bytes() == raised.value.path.read_bytes()
    assert not (desk / "late" / "var" / "notebooks").exists()


def test_a_notebook_may_run_another_one_and_delete_what_it_made(desk) -> None:
    write_notebook(desk / "inner.ipynb", RUN, parameters=STORY)
    write_notebook(
        desk / "outer.ipynb",
        "import kroma_nb as kn\ninner = kn.batch.run_notebook('inner.ipynb', home='nest')\nlen(inner.runs)",
        "run = kn.open_workbench().project('story').runs['latest']\nassert run == inner.runs[0]",
        "again = run.project.run(run.project.plan(scenes=['quay.png'], candidates=1))\nagain.delete(force=True)",
    )

    done = batch.run_notebook("outer.ipynb", home=desk / "nest")

    assert results(done.notebook)[0] == "1"
    assert done.runs == ()
    assert done.notebook.parent == desk / "nest" / "var" / "notebooks"


def test_nothing_is_executed_when_something_is_wrong_from_the_start(desk) -> None:
    write_notebook(desk / "sum.ipynb", "open('touched', 'w')")
    taken = desk / "taken.ipynb"
    taken.write_text("mine")

    with pytest.raises(RequestInvalid, match="already there"):
        batch.run_notebook("sum.ipynb", home=desk / "new", output=taken)
    with pytest.raises(ParameterInvalid, match="expected a whole number"):
        batch.run_notebook("sum.ipynb", {"n": "1"}, home=desk / "new")

    assert taken.read_text() == "mine"
    assert not (desk / "new").exists()
    assert not (desk / "touched").exists()


def test_a_copy_that_cannot_be_written_does_not_hide_what_happened_in_the_notebook(desk) -> None:
    write_notebook(desk / "own.ipynb", "open(title, 'w').write('mine')", "1 / 0", parameters="title = ''")
    copy = desk / "copy.ipynb"

    with pytest.raises(NotebookFailed, match="ZeroDivisionError") as raised:
        batch.run_notebook("own.ipynb", {"title": str(copy)}, home=desk / "own", output=copy)

    assert "already there" in str(raised.value.__cause__)
    assert copy.read_text() == "mine"


def test_a_notebook_of_two_hundred_candidates_stays_under_a_megabyte_and_shows_them_all(desk) -> None:
    photographs = desk / "many"
    photographs.mkdir()
    for number in range(40):
        write_photograph(photographs / f"scene_{number:02}.png", number)
    refs = [{"ref": f"many/scene_{number:02}.png"} for number in range(40)]
    manifest = {"scenes": refs, "generation": {"candidates": 5, "size": "96x144"}}
    (desk / "many.json").write_text(json.dumps(manifest))

    done = batch.run_notebook("run_stage", {"manifest": "many.json", "project": "many"}, home=desk / "home")

    (run,) = done.runs
    pages = "".join(
        output.data.get("text/html", "")
        for cell in read_notebook(done.notebook).cells
        for output in cell.get("outputs", ())
        if "data" in output
    )
    assert len(run.candidates) == 200
    assert pages.count("<img") == 200 + len(run.log.jobs)  # beside each scene its source
    assert done.notebook.stat().st_size < 1_000_000
