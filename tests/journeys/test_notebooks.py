"""The shipped notebooks without a person, through `kroma notebook run` and through plain papermill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sheets import read_notebook, words, write_notebook
from studio import write_photograph

from kroma_nb import images, open_workbench
from kroma_nb.batch.sources import shipped_notebooks
from kroma_nb.model.notebook import NotebookRecord
from kroma_nb.workbench import marking, open_practice, shipped

BIN = Path(sys.executable).parent
NOTEBOOKS = [path for _, path in shipped_notebooks()]


def ran(*command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "KROMA_HOME"}
    words = [str(word) for word in (BIN / str(command[0]), *command[1:])]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def artist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two photographs and a manifest that names them."""
    folder = tmp_path_factory.mktemp("artist")
    for number in (1, 2):
        write_photograph(folder / f"scene_{number}.png", number, 96, 64)
    scenes = [{"ref": f"scene_{number}.png", "name": f"Scene {number}"} for number in (1, 2)]
    (folder / "chapter.json").write_text(json.dumps({"scenes": scenes, "generation": {"size": "96x144"}}))
    return folder


def test_the_first_notebook_runs_by_itself_and_is_kept_with_its_run(artist) -> None:
    ended = ran("kroma", "notebook", "run", "01_first_run", "-p", "candidates", 1, "--json", folder=artist)

    answer = json.loads(ended.stdout)
    (run,) = open_workbench(artist / "kroma-demo").project("first-run").runs
    record = NotebookRecord.model_validate_json((run.folder / "notebook.json").read_bytes())
    assert (ended.returncode, ended.stderr) == (0, "")
    assert answer["notebook"] == str(run.folder / "notebook.ipynb")
    assert record.changed == ("candidates",)
    assert not (artist / "var").exists()


def test_a_chapter_of_pictures_needs_no_manifest_and_gets_its_name(artist, tmp_path) -> None:
    values = ["-p", "scenes", '["scene_1.png"]', "-p", "candidates", 1, "-p", "name", "The Quay"]

    ended = ran("kroma", "notebook", "run", "run_chapter", *values, "--home", tmp_path, folder=artist)

    story = open_workbench(tmp_path).project("chapter")
    assert ended.returncode == 0, ended.stderr
    assert story.card.name == "The Quay"
    assert {job.scene_ref for run in story.runs for job in run.log.jobs} == {"scene_1.png"}


def test_every_winner_of_a_chapter_is_finished_where_that_is_asked_for(artist, tmp_path) -> None:
    values = ["-p", "scenes", '["scenes/pilot.jpg"]', "-p", "candidates", 1, "-p", "finish", True]

    ended = ran("kroma", "notebook", "run", "run_chapter", *values, "--home", tmp_path, folder=shipped("demo"))

    assert ended.returncode == 0, ended.stderr
    *finished, rain, night, style = (run.log for run in open_workbench(tmp_path).project("chapter").runs)
    whose = [[job.follows.run_id for job in log.jobs] for log in finished]
    assert whose == [[one.run_id] for one in (rain, night, style)]
    passes = [made for log in finished for job in log.jobs for c in job.candidates for made in c.passes[1:]]
    assert [made.name for made in passes] == ["bg_remove", "upscale", "color"] * 3
    assert all(held.holds for made in passes for held in made.invariants)
    # One figure, whatever the light and the weather: what is cut away is the same in all three.
    cut = [open_workbench(tmp_path).project("chapter").root / made.output.path for made in passes[::3]]
    assert len({images.load(path)[..., 3].tobytes() for path in cut}) == 1


@pytest.mark.parametrize("with_papermill", [True, False])
def test_a_chapter_keeps_the_hands_of_its_winners_through_night_and_rain(with_papermill, artist, tmp_path) -> None:
    values = ["-p", "manifest", "chapter.json", "-p", "candidates", 2, "-p", "weather_time", "night"]
    if with_papermill:
        notebook = shipped("notebooks") / "runs" / "run_chapter.ipynb"
        where = ["-p", "workspace", tmp_path, "--no-progress-bar"]
        ended = ran("papermill", notebook, tmp_path / "out.ipynb", *values, *where, folder=artist)
    else:
        ended = ran("kroma", "notebook", "run", "run_chapter", *values, "--home", tmp_path, folder=artist)

    assert ended.returncode == 0, ended.stderr
    rain, night, style = (run.log for run in open_workbench(tmp_path).project("chapter").runs)
    assert [log.stage for log in (style, night, rain)] == ["style", "time", "weather"]
    assert {job.follows.run_id for job in night.jobs} == {style.run_id}
    assert {job.follows.run_id for job in rain.jobs} == {night.run_id}
    assert (rain.time, rain.weather) == ("night", "rain")
    assert (tmp_path / "var/projects/chapter/runs" / rain.run_id / "gallery.html").exists()


def test_one_stage_takes_everything_that_a_form_would_ask_for(artist, tmp_path) -> None:
    values = [
        "-p",
        "manifest",
        "chapter.json",
        "-p",
        "only",
        '["Scene 1"]',
        "-p",
        "styles",
        '["scene_2.png"]',
        "-p",
        "candidates",
        2,
    ]
    home = ["--home", tmp_path, "--json"]
    first = ran("kroma", "notebook", "run", "run_stage", *values, *home, folder=artist)
    later = ["-p", "stage", "time", "-p", "time", "night", "-p", "follow", "latest", "-p", "color_profile"]

    second = ran("kroma", "notebook", "run", "run_stage", *values, *later, "cinematic_warm", *home, folder=artist)

    night, style = (run.log for run in open_workbench(tmp_path).project("pages").runs)
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert night.jobs[0].follows.run_id == style.run_id
    assert night.palette is not None
    assert night.postprocess_plan.pipeline_order == ("generate", "color")


@pytest.mark.parametrize("with_papermill", [True, False])
def test_a_killed_run_is_recovered_and_what_was_paid_is_proved(with_papermill, tmp_path) -> None:
    if with_papermill:
        notebook = shipped("notebooks") / "r01_recover_a_run.ipynb"
        ended = ran("papermill", notebook, tmp_path / "out.ipynb", "--no-progress-bar", folder=tmp_path)
    else:
        ended = ran("kroma", "notebook", "run", "r01_recover_a_run", "--json", folder=tmp_path)
        assert len(json.loads(ended.stdout)["runs"]) == 1  # begun once, gone on with twice

    assert ended.returncode == 0, ended.stderr
    bench = open_workbench(tmp_path / "kroma-recovery")
    (slug,) = bench.slugs
    (run,) = bench.project(slug).runs
    assert (run.status, run.log.pictures, run.log.resumed, str(run.log.spent)) == ("ok", 4, 2, "$0.20")
    assert not (tmp_path / "var").exists()


def test_a_stage_that_costs_something_is_confirmed_by_a_parameter_and_capped_by_another(artist, tmp_path) -> None:
    with open_practice(open_workbench(tmp_path)) as shop:
        values = ["-p", "manifest", "chapter.json", "-p", "provider", "practice", "-p", "candidates", 1]
        run = ["kroma", "notebook", "run", "run_stage", *values, "--home", tmp_path]
        unsure = ran(*run, folder=artist)
        billed = len(shop.billed)
        sure = ran(*run, "-p", "confirm_spend", "true", "-p", "max_cost", "0.05", folder=artist)

    assert (unsure.returncode, billed) == (3, 0)
    assert "2 pictures would cost up to $0.08" in unsure.stderr
    assert (sure.returncode, len(shop.billed)) == (6, 1), sure.stderr


def test_the_cap_of_a_chapter_holds_for_its_three_runs_together(artist, tmp_path) -> None:
    (artist / "paid.json").write_text(
        json.dumps({"scenes": [{"ref": "scene_1.png"}], "generation": {"size": "96x144", "provider": "practice"}})
    )
    with open_practice(open_workbench(tmp_path)) as shop:
        values = ["-p", "manifest", "paid.json", "-p", "candidates", 1, "-p", "confirm_spend", "true"]
        run = ["kroma", "notebook", "run", "run_chapter", *values, "-p", "max_cost", "0.10", "--home", tmp_path]
        ended = ran(*run, folder=artist)

    story = open_workbench(tmp_path).project("chapter")
    assert (ended.returncode, len(shop.billed)) == (6, 2), ended.stderr
    assert [run.status for run in story.runs] == ["partial", "ok", "ok"]
    assert str(story.costs.total) == "$0.08"


def test_photographs_are_drawn_without_the_demo_or_with_the_settings_of_a_manifest(artist, tmp_path) -> None:
    (tmp_path / "look.json").write_text(
        json.dumps({"scenes": [{"ref": "gone.png"}], "generation": {"size": "96x144", "candidates": 2}})
    )
    run = ["kroma", "notebook", "run", "run_stage", "-p", "photographs", "scene_1.png", "--home", tmp_path, "--json"]

    alone = ran(*run, "-p", "candidates", 1, folder=artist)
    beside = ran(*run, "-p", "manifest", tmp_path / "look.json", folder=artist)

    assert (alone.returncode, beside.returncode) == (0, 0), alone.stderr + beside.stderr
    second, first = open_workbench(tmp_path).project("pages").runs
    assert marking.read_notebook(first.folder).parameters["manifest"] == ""
    assert [job.scene_ref for job in second.log.jobs] == ["scene_1.png"]
    assert second.log.generation.candidates == 2
    assert (second.log.jobs[0].size.width, second.log.jobs[0].size.height) == (96, 144)


@pytest.mark.parametrize(
    ("notebook", "values", "said"),
    [
        ("run_stage", ["-p", "photographs", "gone"], "gone"),
        ("run_stage", ["-p", "manifest", "gone.json"], "gone.json"),
        ("run_stage", ["-p", "stage", "storm"], "storm"),
        ("run_chapter", ["-p", "scenes", '["gone.png"]', "-p", "name", "Gone"], "gone.png"),
        ("run_chapter", ["-p", "weather", "fog", "-p", "name", "Fog"], "weather"),
    ],
)
def test_a_wrong_path_or_word_makes_no_project_and_its_notebook_is_kept(
    notebook, values, said, artist, tmp_path
) -> None:
    ended = ran("kroma", "notebook", "run", notebook, *values, "--home", tmp_path, folder=artist)

    assert ended.returncode == 2
    assert said in ended.stderr
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["notebooks"]
    assert len(list(tmp_path.glob(f"var/notebooks/{notebook}-*.ipynb"))) == 1


def test_a_failure_in_plain_papermill_carries_kind_and_code(artist, tmp_path) -> None:
    notebook = shipped("notebooks") / "runs" / "run_stage.ipynb"
    values = ["-p", "photographs", "gone", "-p", "workspace", tmp_path, "--no-progress-bar"]

    ended = ran("papermill", notebook, tmp_path / "out.ipynb", *values, folder=artist)

    assert ended.returncode != 0
    assert "error_kind=validation error_code=file_missing" in ended.stderr
    assert "gone: there is no such file" in ended.stderr
    assert "site-packages/kroma_nb" not in ended.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_shipped_notebook_is_laid_out_as_the_house_does_it(path: Path) -> None:
    node = read_notebook(path)
    code = [cell for cell in node.cells if cell.cell_type == "code"]

    assert node.cells[0].source.splitlines()[0].endswith("?")
    for word in ("**Needs**", "**Makes**"):
        assert word in words(path)
    assert [cell.metadata.get("tags") for cell in code].count(["parameters"]) == 1
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert all(cell.id.replace("-", "").isalpha() for cell in node.cells)
    for cell in code[1:]:
        assert len(cell.source.splitlines()) <= 10, cell.id
        assert "def " not in cell.source
    assert any("assert " in cell.source for cell in code)


def test_a_notebook_of_ones_own_needs_only_a_tagged_cell(artist, tmp_path) -> None:
    mine = write_notebook(tmp_path / "mine.ipynb", "n * 2")

    ended = ran("kroma", "notebook", "run", mine, "-p", "n", 21, "--json", folder=tmp_path)

    assert ended.returncode == 0
    assert Path(json.loads(ended.stdout)["notebook"]).is_relative_to(tmp_path / "var" / "notebooks")
