"""What breaks in ordinary use: equal files, copied and damaged projects, places that cannot be written, locks."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from studio import draw, dump, write_scenes

import kroma_nb as kn
from kroma_nb import store
from kroma_nb.errors import DatabaseLocked, RecordInvalid, RequestInvalid
from kroma_nb.store.database import WRITE
from kroma_nb.workbench import Workbench
from kroma_nb.workbench.index import IndexBehind


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    return write_scenes(tmp_path / "scenes", 1)


@pytest.fixture
def bench(tmp_path: Path, scenes: Path) -> Workbench:
    """Two projects with a run each."""
    bench = kn.open_workbench(tmp_path / "workspace")
    for slug in ("noir", "dawn"):
        draw(bench, slug, scenes)
    return bench


def rebuilt(bench: Workbench) -> dict:
    for path in bench.index.path.parent.glob("kroma.db*"):
        path.unlink()
    kn.open_workbench(bench.home).reindex()
    return dump(bench.index.path)


def listed(bench: Workbench) -> dict[str, int]:
    return {row.slug: row.runs for row in bench.projects.rows()}


def test_two_style_references_with_equal_bytes_are_one_picture_and_one_link(bench: Workbench, scenes: Path) -> None:
    shutil.copy(scenes / "sheet.png", scenes / "sheet_again.png")
    manifest = json.loads((scenes / "manifest.json").read_text())
    (scenes / "manifest.json").write_text(json.dumps(manifest | {"style_refs": ["sheet.png", "sheet_again.png"]}))

    run_id = draw(bench, "noir", scenes)

    noir = bench.project("noir")
    assert noir.runs.unreadable == ()
    generated = noir.runs[run_id].candidates[0].stored.path
    assert [link.type for link in noir.assets[generated].links] == ["derived_from", "reference_of"]
    assert {len(styles) for styles in noir.runs[run_id].frame()["styles"]} == {1}


@pytest.mark.parametrize("name", ["noir_backup", "a_noir"])
def test_a_copied_project_with_the_same_id_is_named_and_the_original_stays(name: str, bench: Workbench) -> None:
    before = dump(bench.index.path)
    copy = bench.home / "var/projects" / name
    shutil.copytree(bench.project("noir").root, copy)
    card = copy / ".kroma/project.json"
    card.write_text(card.read_text().replace('"slug": "noir"', f'"slug": "{name}"'))

    seen = [listed(bench) for _ in range(3)]
    (lost,) = bench.projects.unreadable

    assert seen == [{"dawn": 1, "noir": 1}] * 3
    assert "of which it is a copy" in lost.says
    assert dump(bench.index.path) == before == rebuilt(bench)
    assert name in repr(bench)


def test_a_project_whose_card_is_damaged_or_lost_has_no_rows_and_is_named(bench: Workbench) -> None:
    card = bench.project("noir").root / ".kroma/project.json"
    whole = card.read_text()

    for spoil in (lambda: card.write_text("{"), card.unlink):
        spoil()
        assert listed(bench) == {"dawn": 1}
        (lost,) = bench.projects.unreadable
        assert "project.json" in lost.says
        assert "project.json" in repr(bench)
        for handle in (bench.project("noir"), bench.project("noir").runs, bench.project("noir").assets):
            assert "project.json" in repr(handle)
            assert "project.json" in handle._repr_html_()
        as_it_is = dump(bench.index.path)
        assert as_it_is == rebuilt(bench)

    card.write_text(whole)
    assert listed(bench) == {"dawn": 1, "noir": 1}


def test_a_project_that_was_removed_by_hand_is_gone_from_the_list(bench: Workbench) -> None:
    shutil.rmtree(bench.project("noir").root)

    assert listed(bench) == {"dawn": 1}
    assert dump(bench.index.path) == rebuilt(bench)


def test_looking_makes_no_project_of_a_folder_that_is_none(bench: Workbench) -> None:
    stray = bench.home / "var/projects/notes"
    stray.mkdir()
    (stray / "ideas.txt").write_text("rain")

    shown = repr(bench), listed(bench), bench.status().unreadable

    assert shown[1] == {"dawn": 1, "noir": 1}
    assert shown[2] == ()
    assert [path.name for path in stray.iterdir()] == ["ideas.txt"]


def test_a_run_that_is_damaged_shows_why_and_can_be_put_away(bench: Workbench) -> None:
    one = bench.project("noir").runs["latest"]
    (one.folder / "run.json").write_text("{}")

    with pytest.warns(IndexBehind, match=r"run\.json"):
        one.archive()

    assert "run.json" in repr(one)
    assert "run.json" in one._repr_html_()
    assert (one.folder / "archived.json").exists()


def test_a_database_that_somebody_holds_alone_is_named_and_never_taken_for_one_that_rests(bench: Workbench) -> None:
    bench.index.store.close()
    with closing(sqlite3.connect(bench.index.path, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN IMMEDIATE")
        holder.execute("UPDATE projects SET name = 'changed'")

        with pytest.raises(DatabaseLocked):
            store.open_store(bench.index.path, busy_s=0.2)
        holder.execute("COMMIT")

    opened = store.open_store(bench.index.path, busy_s=0.2)
    assert opened.mode == WRITE


NOBODY = """
import os, sys, warnings
import kroma_nb as kn
from kroma_nb.errors import KromaError
import kroma_nb.store.migrating, kroma_nb.workbench.frames, kroma_nb.report.views
from kroma_nb.workbench.index import IndexBehind
if os.getuid() == 0:
    os.setuid(65534)  # permissions do not bind root
warnings.simplefilter("always")
with warnings.catch_warnings(record=True) as heard:
    try:
        bench = kn.open_workbench(sys.argv[1])
        print({row.slug: row.runs for row in bench.projects.rows()})
        print(len(bench.project("noir").assets.page()))
        print([lost.run_id for lost in bench.project("noir").runs.unreadable])
    except KromaError as error:
        print(type(error).__name__, error)
print({warning.category.__name__ for warning in heard})
"""


def read_by_nobody(home: Path) -> list[str]:
    for path in [home, *home.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    reachable = home
    while reachable != reachable.parent:
        reachable.chmod(reachable.stat().st_mode | 0o055)
        reachable = reachable.parent
    command = [sys.executable, "-c", NOBODY, str(home)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr
    return said.stdout.splitlines()


def test_an_index_that_is_behind_where_nothing_can_be_written_is_read_with_a_warning(
    bench: Workbench, tmp_path: Path, scenes: Path
) -> None:
    bench.index.store.close()
    copy = tmp_path / "copied"
    shutil.copytree(bench.home, copy, copy_function=shutil.copyfile)  # with other times, as many copies have

    said = read_by_nobody(copy)

    assert said == ["{'dawn': 1, 'noir': 1}", "4", "[]", "{'IndexBehind'}"]


def test_an_older_database_where_nothing_can_be_written_is_named_with_the_way_out(bench: Workbench) -> None:
    with bench.index.store.writing() as rows:
        rows.exec_driver_sql("DROP TABLE project_files")
        rows.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    bench.index.store.close()

    said = read_by_nobody(bench.home)

    assert "an older kroma_nb has made it" in said[0]
    assert "copy the workspace" in said[0]


def test_a_page_after_a_run_that_is_not_there_is_refused_and_not_empty(bench: Workbench) -> None:
    noir = bench.project("noir")
    last = noir.runs["latest"]
    asset = noir.assets.page()[-1]
    shutil.rmtree(last.folder)
    _ = noir.runs.rows()

    with pytest.raises(RequestInvalid, match="is not in the index"):
        noir.runs.rows(after=last)
    bench.index.path.unlink()
    assert noir.assets.page(after=asset) == ()
    assert len(noir.assets.page()) == 0


def test_one_picture_that_stands_twice_in_a_list_of_imports_has_one_row(bench: Workbench) -> None:
    noir = bench.project("noir")
    known = noir.assets.where(kind="input").page()[0].record
    path = f"imported/{known.sha256[:2]}/{known.sha256}.png"
    entry = {
        "path": path,
        "sha256": known.sha256,
        "size_bytes": known.size_bytes,
        "media_type": "image/png",
        "width": known.width,
        "height": known.height,
        "kind": "cover",
        "source": "a.png",
    }
    dates = ("2024-05-02T00:00:00Z", "2024-05-01T00:00:00Z", None)
    entries = [entry | {"created_at": at, "source_id": f"a{n}"} for n, at in enumerate(dates[:2])]
    links = [{"parent": path, "child": path, "type": "variant_of"}]
    (noir.root / "imported").mkdir()
    document = {"schema": "kroma_nb.imported_assets/1", "assets": entries, "links": links}
    (noir.root / "imported/assets.json").write_text(json.dumps(document))

    (imported,) = noir.assets.where(kind="imported")

    assert imported.record.created_at.isoformat() == "2024-05-01T00:00:00+00:00"
    assert [(link.parent, link.child) for link in imported.links] == [(path, known.path)]
    assert dump(bench.index.path) == rebuilt(bench)


def test_runs_are_found_by_place_by_the_end_of_their_id_and_by_latest(bench: Workbench, scenes: Path) -> None:
    draw(bench, "noir", scenes)
    noir = bench.project("noir")
    newest, oldest = noir.runs.ids

    assert [noir.runs[key].run_id for key in (0, -1, "latest")] == [newest, oldest, newest]
    assert noir.runs[oldest[-6:]].run_id == oldest
    for key in (2, "", oldest[-3:], None):
        with pytest.raises(RequestInvalid):
            _ = noir.runs[key]


def test_pictures_are_found_by_the_digits_that_a_page_shows(bench: Workbench) -> None:
    noir = bench.project("noir")
    every = {asset.record.sha256 for asset in noir.assets}

    for sha256 in every:
        assert {asset.record.sha256 for asset in noir.assets.where(sha256=sha256[:12])} == {sha256}
    assert len(noir.assets.where(run="latest")) == 2
    for wrong in ({"sha256": "xyz"}, {"sha256": "abc"}, {"run": "nobody"}, {"kind": "mask"}):
        with pytest.raises(RequestInvalid):
            noir.assets.where(**wrong)


def test_an_input_that_a_run_takes_up_while_others_are_cleaned_up_stays(bench: Workbench, scenes: Path) -> None:
    from kroma_nb.blobs import BlobStore
    from kroma_nb.workbench import cleaning

    noir = bench.project("noir")
    inputs = BlobStore(noir.root / "inputs")
    blob = inputs.put_file(scenes / "sheet.png", ".webp")  # of no run
    path = inputs.path(blob.sha256, ".webp")
    os.utime(path, (0, 0))
    (needless,) = [found for found, _ in cleaning._needless(bench, [])]
    assert needless == path

    inputs.put_file(scenes / "sheet.png", ".webp")  # at this very moment
    gone = cleaning._removed(path)

    assert gone is False
    assert inputs.verify(blob.sha256, ".webp") == path
    os.utime(path, (0, 0))
    assert [left.path.endswith(".webp") for left in bench.gc().found] == [True]


def test_a_run_that_has_no_plan_yet_keeps_every_input(bench: Workbench) -> None:
    noir = bench.project("noir")
    (noir.root / "runs/2999-01-01T00-00-00-000Z-abcdef").mkdir()
    orphan = noir.root / "inputs/ab" / f"{'ab' * 32}.png"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"x")
    os.utime(orphan, (0, 0))

    cleaned = bench.gc()

    assert cleaned.found == ()
    assert "stay" in cleaned.kept[0]


def test_a_card_of_the_wrong_project_is_an_error_of_the_record(bench: Workbench) -> None:
    shutil.copytree(bench.project("noir").root, bench.home / "var/projects/dusk")

    with pytest.raises(RecordInvalid, match="it is the card of project noir"):
        _ = bench.project("dusk").card


def test_a_copy_of_a_project_has_no_rows_of_its_own_and_says_so(bench: Workbench) -> None:
    copy = bench.home / "var/projects/noir_backup"
    shutil.copytree(bench.project("noir").root, copy)
    card = copy / ".kroma/project.json"
    card.write_text(card.read_text().replace('"slug": "noir"', '"slug": "noir_backup"'))
    twin = bench.project("noir_backup")

    with pytest.raises(RecordInvalid, match="of which it is a copy"):
        twin.runs.rows()
    with pytest.raises(RecordInvalid, match="of which it is a copy"):
        twin.assets.page()


def test_a_page_that_has_no_rows_and_a_path_that_is_none_are_refused(bench: Workbench) -> None:
    noir = bench.project("noir")

    for limit in (0, -1, 2**31):
        with pytest.raises(RequestInvalid, match="no number of rows"):
            noir.assets.page(limit=limit)
        with pytest.raises(RequestInvalid, match="no number of rows"):
            noir.runs.rows(limit=limit)
    for path in (None, 3):
        with pytest.raises(RequestInvalid, match="no path in the project"):
            _ = noir.assets[path]


def test_a_damaged_run_is_named_also_where_nothing_can_be_written(bench: Workbench) -> None:
    one = bench.project("noir").runs["latest"]
    (one.folder / "run.json").write_text("{}")
    bench.index.store.close()

    said = read_by_nobody(bench.home)

    assert said[-2] == f"['{one.run_id}']"
    assert "IndexBehind" in said[-1]
