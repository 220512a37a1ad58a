"""Imported runs in the index: found like any other, and nothing about them made up."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from predecessor import OldStudio, candidate, job, run_log
from studio import dump

import kroma_nb as kn
from kroma_nb.errors import FileMissing
from kroma_nb.workbench import Workbench


@pytest.fixture
def old(tmp_path: Path) -> OldStudio:
    return OldStudio(tmp_path / "old studio")


@pytest.fixture
def bench(tmp_path: Path, old: OldStudio) -> Workbench:
    """A run with two candidates, one of whose pictures is gone, its cost, and a cover beside it that is linked."""
    scene = old.picture("photos/quay.png")
    made = [candidate(1, old.own("outputs/quay__c1.png")), candidate(2, "var/projects/noir/outputs/gone.png")]
    log = run_log(job("quay", made, scene), cost_events=[{"provider": "openai", "units": 2, "cost_usd": 0.08}])
    path = old.log(log)
    with closing(old.connect()) as connection:
        old.fill(connection)
        old.ingest(connection, json.loads(path.read_text()), "r1", "var/projects/noir/runs/run_1714558272-345.json")
        old.asset(connection, "a1", "var/projects/noir/outputs/quay__c1.png")
        old.asset(connection, "a2", old.own("uploads/cover.png"))
        old.link(connection, "a1", "a2", "derived_from")
        connection.commit()
    bench = kn.open_workbench(tmp_path / "workspace")
    bench.import_kroma(old.root)
    return bench


def test_an_imported_run_is_listed_with_where_it_came_from(bench: Workbench) -> None:
    (row,) = bench.project("noir").runs.rows()

    assert row.imported_from == "run_1714558272-345.json"
    assert (row.seed, row.kroma_nb) == (None, None)
    assert (row.jobs, row.pictures) == (1, 2)
    assert "Imported from" in repr(bench.project("noir").runs)


def test_a_picture_that_was_not_there_has_a_row_without_content_and_no_other_number(bench: Workbench) -> None:
    noir = bench.project("noir")
    frame = noir.runs.candidates()
    (gone,) = [asset for asset in noir.assets if asset.record.sha256 is None]

    assert frame["quality"].isna().all()
    assert frame["seed"].isna().all()
    assert gone.record.path.endswith("gone.png")
    assert (gone.record.size_bytes, gone.record.width) == (None, None)
    assert "missing" in repr(gone)
    with pytest.raises(FileMissing, match="was not there when the run was imported"):
        gone.picture()


def test_pictures_beside_the_runs_are_kept_with_their_links(bench: Workbench) -> None:
    noir = bench.project("noir")

    (cover,) = noir.assets.where(kind="imported")

    (link,) = cover.links
    assert (link.type, link.child) == ("derived_from", cover.path)
    assert noir.assets[link.parent].record.run_id == noir.runs.ids[0]
    assert cover.picture().shape[:2] == (cover.record.height, cover.record.width)


def test_what_was_spent_is_kept_in_integer_micro_dollars(bench: Workbench) -> None:
    _ = bench.project("noir").runs.rows()

    ((*_, provider, model, operation, units, unit, total, currency, _),) = dump(bench.index.path)["cost_events"]

    assert (provider, operation, units, unit, total, currency) == ("openai", "legacy_event", 2.0, 40_000, 80_000, "USD")
    assert model


def test_an_imported_workspace_is_reindexed_to_equal_rows(bench: Workbench, old: OldStudio) -> None:
    _ = bench.projects.rows()
    before = dump(bench.index.path)

    bench.import_kroma(old.root)
    _ = bench.projects.rows()
    again = dump(bench.index.path)
    for path in bench.index.path.parent.glob("kroma.db*"):
        path.unlink()
    kn.open_workbench(bench.home).reindex()

    assert again == before
    assert dump(bench.index.path) == before


def test_links_of_an_import_stay_when_a_run_that_they_lead_to_is_written_again(bench: Workbench) -> None:
    noir = bench.project("noir")
    _ = noir.runs.rows()
    before = dump(bench.index.path)

    noir.runs["latest"].archive()
    noir.runs[noir.runs.ids[0]].archive(undo=True)
    _ = noir.runs.rows()

    assert len(before["asset_links"]) == 2
    assert dump(bench.index.path) == before


def test_a_damaged_list_of_imported_pictures_is_named_and_the_runs_are_indexed(bench: Workbench) -> None:
    noir = bench.project("noir")
    _ = noir.runs.rows()
    (noir.root / "imported/assets.json").write_text("[")

    made = bench.reindex()

    (lost,) = made.unreadable
    assert noir.runs.unreadable == (lost,)
    assert "assets.json" in lost.says
    assert made.runs == 1
    assert len(noir.assets.where(kind="imported")) == 0


def test_deleting_the_run_that_a_picture_is_linked_to_keeps_the_picture(bench: Workbench) -> None:
    noir = bench.project("noir")
    _ = noir.runs.rows()

    noir.runs["latest"].delete()
    left = dump(bench.index.path)
    bench.reindex()

    assert [row[5] for row in left["assets"]] == [next(iter(noir.assets)).path]
    assert left["asset_links"] == []
    assert dump(bench.index.path) == left


def test_an_imported_page_that_is_equal_to_its_own_scene_is_not_what_that_was_made_of(tmp_path: Path) -> None:
    old = OldStudio(tmp_path / "old studio")
    scene, page = old.picture("photos/quay.png", 7), old.own("outputs/quay__c1.png", 7)
    old.log(run_log(job("quay", [candidate(1, page)], scene)))
    bench = kn.open_workbench(tmp_path / "workspace")
    bench.import_kroma(old.root)
    noir = bench.project("noir")

    (read,), (made,) = noir.assets.where(kind="input"), noir.assets.where(kind="picture")

    assert read.record.sha256 == made.record.sha256
    assert [(link.parent, link.child) for link in made.links] == [(read.path, made.path)]
    assert (noir.assets.affected_by(read).pictures, noir.assets.affected_by(made).pictures) == (1, 0)
