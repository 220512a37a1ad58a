"""What a notebook holds: it finds everything again, shows itself, and keeps projects apart."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from studio import draw, write_photograph

import kroma_nb as kn
from kroma_nb import images
from kroma_nb.errors import ContentDamaged, RequestInvalid
from kroma_nb.model.project import ProjectStatus
from kroma_nb.workbench import Workbench

MANIFEST = Path(__file__).parents[2] / "data/demo/manifest.json"


def small_story(folder: Path) -> Path:
    """One photograph and a manifest that draws a small page of it, with the real ink engine."""
    write_photograph(folder / "quay.png", 1, 96, 64)
    manifest = {"scenes": [{"ref": "quay.png", "name": "The quay"}], "generation": {"candidates": 2, "size": "96x64"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder / "manifest.json"


def test_a_run_from_plan_to_winner_in_a_handful_of_lines(tmp_path: Path) -> None:
    events: list[str] = []
    project = kn.open_workbench(tmp_path).create_project("harbour")

    planned = project.plan(manifest=small_story(tmp_path), candidates=3)
    run = project.run(planned, on_event=lambda event: events.append(event.event))
    night = project.run(
        project.plan(manifest=tmp_path / "manifest.json", stage="time", time="night", follow=run, candidates=1)
    )

    assert planned.pictures == len(run.candidates) == 3
    assert (events[0], events[-1]) == ("run_started", "run_finished")
    assert [one.run_id for one in project.runs] == [night.run_id, run.run_id]
    assert project.runs["latest"] == night
    (winner,) = run.winners
    assert winner.picture().shape[:2] == (64, 96)
    assert night.frame()["follows_run"].tolist() == [run.run_id]
    assert set(night.frame()["seed_style"]) == {winner.record.seeds.style}


def test_a_stopped_run_is_in_the_index_as_interrupted(tmp_path: Path) -> None:
    project = kn.open_workbench(tmp_path).create_project("harbour")
    planned = project.plan(manifest=small_story(tmp_path), candidates=6)

    def stop(event) -> None:
        if event.event == "candidate_finished":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project.run(planned, on_event=stop)

    (row,) = project.runs.rows()
    assert row.status == "interrupted"
    assert row.pictures >= 1


def test_the_frame_of_a_project_is_the_frames_of_its_runs(bench: Workbench) -> None:
    noir = bench.project("noir")

    from_rows = noir.runs.candidates()

    from_files = pd.concat([one.frame() for one in reversed(list(noir.runs))], ignore_index=True)
    pd.testing.assert_frame_equal(plain(from_rows), plain(from_files))


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Nothing is None, whatever the others in its column made of it."""
    return frame.astype(object).where(frame.notna(), None)


def test_every_number_of_a_gallery_is_found_again_by_pandas(bench: Workbench) -> None:
    noir = bench.project("noir")
    night = noir.runs["latest"]
    page = night.publish().gallery.read_text()
    frame = night.frame()

    text = re.sub(r"data:image/webp;base64,[^\"]*", "", page)
    assert {f"{value:.2f}" for value in frame["quality"]} == set(re.findall(r"quality <b>(\d\.\d\d)</b>", text))
    for _, row in frame.iterrows():
        assert f"Seeds: style {row.seed_style}, time {row.seed_time}, weather {row.seed_weather}." in text
        assert row.sha256 in text
        assert f"By {row.provider}, {row.model}" in text
        assert f"{row.width} × {row.height}" in text
    for row in noir.runs.frame().itertuples():
        assert row.run_id in text or row.run_id != night.run_id
    hashes = set(re.findall(r"sha256 ([0-9a-f]{64})", text))
    assert hashes <= set(noir.assets.frame()["sha256"])


def test_columns_of_a_frame_have_the_types_that_one_computes_with(bench: Workbench) -> None:
    frame = bench.project("noir").runs["latest"].frame()

    assert frame["quality"].dtype == np.float64
    assert frame["candidate"].dtype.kind == "i"
    assert frame["winner"].dtype == bool
    assert frame["started_at"].dt.tz is not None
    assert set(frame["status"]) == {"done"}
    assert {type(word) for word in frame["stage"]} == {str}


def test_a_frame_of_nothing_has_its_columns(tmp_path: Path) -> None:
    empty = kn.open_workbench(tmp_path).create_project("empty")

    assert len(empty.runs.frame()) == len(empty.assets.frame()) == len(empty.runs.candidates()) == 0
    assert "run_id" in empty.runs.frame()
    assert "sha256" in empty.assets.frame()


def test_nothing_of_one_project_is_seen_in_another(bench: Workbench, scenes: Path) -> None:
    draw(bench, "dawn", scenes)
    noir, dawn = bench.project("noir"), bench.project("dawn")

    assert set(noir.runs.ids).isdisjoint(dawn.runs.ids)
    assert {row.run_id for row in dawn.runs.rows()} == set(dawn.runs.ids)
    assert {asset.record.id for asset in noir.assets}.isdisjoint(asset.record.id for asset in dawn.assets)
    with pytest.raises(RequestInvalid, match="there is no run"):
        _ = dawn.runs[noir.runs.ids[0]]
    with pytest.raises(RequestInvalid, match="has no picture"):
        _ = dawn.assets[noir.runs["latest"].winners[0].stored.path]
    # The same photograph is kept by both, and by each for itself.
    shared = dawn.assets.where(kind="input").page()[0].record
    assert noir.assets.where(sha256=shared.sha256).page()[0].record.id != shared.id


def test_a_run_folder_that_was_copied_into_another_project_is_named_there(bench: Workbench, scenes: Path) -> None:
    import shutil

    draw(bench, "dawn", scenes)
    noir, dawn = bench.project("noir"), bench.project("dawn")
    shutil.copytree(noir.runs["latest"].folder, dawn.root / "runs" / noir.runs.ids[0])

    (lost,) = dawn.runs.unreadable

    assert "it is a run of project noir" in lost.says
    assert len(dawn.runs.rows()) == 1
    assert lost.run_id in repr(dawn.runs)


SLUGS = {"noir": "noir", " noir ": "noir", "Noir": "noir", "NOIR": "noir"}


@pytest.mark.parametrize("written", SLUGS)
def test_a_project_is_found_as_people_write_it(written: str, bench: Workbench) -> None:
    assert bench.project(written).slug == SLUGS[written]
    assert bench.projects[written].slug == SLUGS[written]


def test_a_slug_is_made_of_the_name_where_none_is_given(tmp_path: Path) -> None:
    bench = kn.open_workbench(tmp_path)

    harbour = bench.create_project(name="The Harbour, at Night", description="Book one.")

    assert harbour.slug == "the_harbour_at_night"
    assert (harbour.card.name, harbour.card.description) == ("The Harbour, at Night", "Book one.")
    assert bench.project("The Harbour, at Night") == harbour


@pytest.mark.parametrize("slug", ["", "  ", "../noir", "a b", "夜", "a" * 101, "noir/city", ".", "con\nsole"])
def test_a_slug_that_is_none_is_refused_with_the_way_out_and_nothing_is_made(slug: str, tmp_path: Path) -> None:
    bench = kn.open_workbench(tmp_path / "w")

    with pytest.raises(RequestInvalid, match="project slug"):
        bench.create_project(slug)

    assert not (tmp_path / "w").exists()


def test_making_a_project_again_updates_it_and_makes_no_second_one(tmp_path: Path) -> None:
    bench = kn.open_workbench(tmp_path)
    first = bench.create_project("noir", name="Noir").card

    again = bench.create_project("noir", name="Noir City", description="Rain.").card
    kept = bench.create_project("noir").card

    assert again.id == first.id
    assert (kept.name, kept.description, kept.created_at) == ("Noir City", "Rain.", first.created_at)
    assert [row.name for row in bench.projects.rows()] == ["Noir City"]


def test_slugs_and_runs_can_be_completed(bench: Workbench) -> None:
    bench.create_project("noir-two")
    noir = bench.project("noir")

    assert bench.projects._ipython_key_completions_() == ["noir", "noir-two"]
    assert "noir" in dir(bench.projects)
    assert bench.projects.noir == noir
    assert noir.runs._ipython_key_completions_() == ["latest", *noir.runs.ids]
    with pytest.raises(AttributeError):
        _ = bench.projects.dusk


def test_the_words_of_a_plan_are_completed_and_mistakes_named(bench: Workbench, scenes: Path) -> None:
    import inspect

    noir = bench.project("noir")

    assert {"manifest", "scenes", "stage", "follow", "candidates"} <= set(inspect.signature(noir.plan).parameters)
    with pytest.raises(RequestInvalid, match="did you mean 'candidates'"):
        noir.plan(manifest=scenes / "manifest.json", candidate=3)
    with pytest.raises(RequestInvalid, match="stage"):
        noir.plan(manifest=scenes / "manifest.json", stage="dusk")
    with pytest.raises(RequestInvalid, match="candidates: expected a whole number"):
        noir.plan(manifest=scenes / "manifest.json", candidates="3")
    with pytest.raises(RequestInvalid, match="no text, number or list"):
        noir.plan(manifest=object())


def test_a_forecast_says_how_many_bytes_and_comes_close(bench: Workbench, scenes: Path) -> None:
    noir = bench.project("noir")

    planned = noir.plan(manifest=scenes / "manifest.json")
    before = noir.assets.frame()["size_bytes"].sum()
    run_id = draw(bench, "noir", scenes)

    made = noir.runs.rows()[0].size_bytes
    assert before > 0
    assert 0.5 * made <= planned.forecast().size_bytes <= 2 * made
    assert "about " in repr(planned)
    assert noir.runs[run_id].status == "ok"


def test_a_forecast_of_a_new_project_writes_nothing(tmp_path: Path, scenes: Path) -> None:
    project = kn.open_workbench(tmp_path / "w").project("new", missing_ok=True)

    planned = project.plan(manifest=scenes / "manifest.json")

    assert planned.forecast().size_bytes > 0
    assert not (tmp_path / "w").exists()


def test_a_forecast_beside_other_projects_makes_none(bench: Workbench, scenes: Path) -> None:
    bench.project("new", missing_ok=True).plan(manifest=scenes / "manifest.json")

    assert bench.slugs == ("noir",)


def test_every_handle_shows_itself_plainly_and_as_html(bench: Workbench, scenes: Path) -> None:
    noir = bench.project("noir")
    run = noir.runs["latest"]
    handles = [
        *(bench, bench.projects, noir, noir.runs, noir.assets, noir.assets.page()[0], bench.status()),
        *(noir.plan(manifest=scenes / "manifest.json"), run, run.candidates, run.winners, run.winners[0], run.show()),
    ]

    for handle in handles:
        plain, rich = repr(handle), handle._repr_html_()
        assert "object at 0x" not in plain, handle
        assert rich.startswith("<div")
        assert "<script" not in rich


def test_a_hostile_name_stays_text_in_every_repr(tmp_path: Path) -> None:
    bench = kn.open_workbench(tmp_path)
    hostile = bench.create_project("noir", name='<img src=x onerror="alert(1)">', description="</style><b>")

    for shown in (bench, bench.projects, hostile):
        assert "<img" not in shown._repr_html_()
        assert "</style><b>" not in shown._repr_html_()


def test_a_picture_that_was_changed_is_not_shown_as_the_runs(bench: Workbench) -> None:
    noir = bench.project("noir")
    (winner, *_) = noir.runs["latest"].winners
    asset = noir.assets[winner.stored.path]
    winner.file.write_bytes(winner.file.read_bytes() + b"x")

    with pytest.raises(ContentDamaged):
        winner.picture()
    with pytest.raises(ContentDamaged):
        asset.picture()


def test_sizes_media_types_and_dimensions_are_those_of_the_files(bench: Workbench) -> None:
    noir = bench.project("noir")

    for asset in noir.assets:
        probed = images.probe(asset.file)
        assert asset.record.size_bytes == asset.file.stat().st_size
        assert (asset.record.width, asset.record.height) == (probed.width, probed.height)
        assert asset.record.media_type == probed.media_type


def test_disk_use_is_what_the_files_take(bench: Workbench) -> None:
    noir = bench.project("noir")

    (row,) = bench.projects.rows()

    kept = [path for path in noir.root.rglob("*") if path.suffix == ".png"]
    assert row.used_bytes == sum(path.stat().st_size for path in kept)
    assert "disk use" in repr(noir)


def test_a_project_can_be_put_away_and_taken_out_again(bench: Workbench) -> None:
    noir = bench.project("noir")

    noir.archive()
    away = bench.projects.rows(), bench.projects.rows(archived=True)
    noir.archive(undo=True)

    assert (len(away[0]), away[1][0].status) == (0, ProjectStatus.ARCHIVED)
    assert len(bench.projects.rows()) == 1
