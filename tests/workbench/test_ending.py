"""Putting away, deleting, cleaning up: what goes is what was meant, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from studio import draw, dump, write_scenes

import kroma_nb as kn
from kroma_nb.errors import InUse, NotConfirmed, RequestInvalid
from kroma_nb.workbench import Workbench
from kroma_nb.workbench.index import IndexBehind


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def aged(path: Path) -> Path:
    """Make a file look as if it had been there since yesterday."""
    os.utime(path, (time.time() - 86_400, time.time() - 86_400))
    return path


def test_a_run_that_is_put_away_is_kept_whole_and_left_out_of_lists(bench: Workbench) -> None:
    noir = bench.project("noir")
    night = noir.runs["latest"]
    before = files(night.folder)

    night.archive()
    night.archive()
    listed, every, latest = noir.runs.rows(), noir.runs.rows(archived=True), noir.runs["latest"]
    kept = files(night.folder)
    night.archive(undo=True)

    assert night.run_id not in {row.run_id for row in listed}
    assert [row.archived for row in every if row.run_id == night.run_id] == [True]
    assert latest != night
    assert {name: data for name, data in kept.items() if name != "archived.json"} == before
    assert files(night.folder) == before
    assert noir.runs["latest"] == night


def test_runs_that_are_put_away_take_no_place_in_a_list_of_the_newest(bench: Workbench) -> None:
    noir = bench.project("noir")
    style = noir.runs[-1]
    noir.runs["latest"].archive()

    assert [row.run_id for row in noir.runs.rows(limit=1)] == [style.run_id]
    assert noir.runs.put_away == 1
    assert style.run_id in repr(noir.runs)
    assert "1 run put away" in repr(noir.runs)


def test_a_run_that_others_followed_stays_until_it_is_forced(bench: Workbench) -> None:
    noir = bench.project("noir")
    night, style = noir.runs["latest"], noir.runs[noir.runs.ids[-1]]

    with pytest.raises(InUse, match=f"{night.run_id} followed its winners"):
        style.delete()
    assert style.folder.exists()
    style.delete(force=True)

    assert noir.runs.ids == (night.run_id,)
    assert night.frame()["status"].tolist() == ["done"] * 4
    assert {row[2] for row in dump(bench.index.path)["runs"]} == {night.run_id}


def test_a_run_that_is_followed_by_one_without_a_record_yet_stays_too(bench: Workbench) -> None:
    noir = bench.project("noir")
    night, style = noir.runs["latest"], noir.runs[noir.runs.ids[-1]]
    (night.folder / "run.json").unlink()
    with (night.folder / "journal.jsonl").open("r+b") as journal:
        journal.truncate(len(journal.readline()))  # killed when it had just begun

    with pytest.raises(InUse, match=night.run_id):
        style.delete()

    assert style.folder.exists()


def test_deleting_a_run_keeps_the_inputs_that_others_read(bench: Workbench) -> None:
    noir = bench.project("noir")
    inputs = {asset.path for asset in noir.assets.where(kind="input")}

    noir.runs["latest"].delete()

    assert {asset.path for asset in noir.assets.where(kind="input")} == inputs
    assert all((noir.root / path).exists() for path in inputs)


PLAYED = """
import sys, time
from pathlib import Path
from studio import Stencil, draw
import kroma_nb as kn
draw(kn.open_workbench(sys.argv[1]), "noir", Path(sys.argv[2]), painter=Stencil(before=lambda _: time.sleep(1)))
"""


def test_a_run_that_is_being_played_is_neither_deleted_nor_cleaned_up(bench: Workbench, scenes: Path) -> None:
    noir = bench.project("noir")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", PLAYED, str(bench.home), str(scenes)]
    known = set(noir.runs.ids)

    with subprocess.Popen(command, env=environment) as player:
        while not (new := set(noir.runs.ids) - known) or not (noir.runs[min(new)].folder / "outputs").exists():
            time.sleep(0.02)
        one = noir.runs[min(new)]
        while not (journal := one.folder / "journal.jsonl").exists() or not journal.stat().st_size:
            time.sleep(0.02)
        running = bench.status().running
        with pytest.raises(InUse, match=rf"run {one.run_id} stays: process {player.pid} on .* plays it"):
            one.delete()
        with pytest.raises(InUse, match=rf"run {one.run_id} stays: process {player.pid} on .* plays it"):
            noir.delete(confirm="noir")
        bench.gc()

    assert running == (f"noir/{one.run_id}",)
    assert player.returncode == 0
    assert one.status == "ok"


def test_a_project_is_deleted_only_when_its_slug_is_given_once_more(bench: Workbench, scenes: Path) -> None:
    draw(bench, "dawn", scenes)
    noir = bench.project("noir")

    with pytest.raises(NotConfirmed, match="slug once more: noir"):
        noir.delete(confirm="yes")
    assert noir.root.exists()
    noir.delete(confirm="noir")

    assert bench.slugs == ("dawn",)
    assert [row[1] for row in dump(bench.index.path)["projects"]] == ["dawn"]
    assert not list((bench.home / "var/projects").glob(".*"))


def test_cleaning_up_removes_leftovers_and_nothing_that_a_run_needs(bench: Workbench, scenes: Path) -> None:
    noir = bench.project("noir")
    before = files(bench.home)
    orphan = noir.root / "inputs/ab" / f"{'ab' * 32}.png"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"x" * 1000)
    half = noir.root / "runs" / noir.runs.ids[0] / ".run.json.123-abc.part"
    half.write_bytes(b"y" * 500)
    young = noir.root / "inputs" / ".incoming.9-def.part"
    young.write_bytes(b"z")
    going = noir.root / "runs/.deleted-2026-01-01T00-00-00-000Z-abcdef-123456"
    (going / "outputs").mkdir(parents=True)
    (going / "outputs/page.png").write_bytes(b"p" * 100)
    for path in (orphan, half, *noir.root.glob("inputs/*/*")):
        aged(path)

    would = bench.gc(dry_run=True)
    still = files(bench.home)
    did = bench.gc()

    assert would.size_bytes == did.size_bytes == 1600
    assert {left.path.split("/")[-1] for left in would.found} == {orphan.name, half.name, going.name}
    assert (would.removed, did.removed) == (False, True)
    assert orphan.exists() is False
    assert young.exists()
    assert {*before, "var/projects/noir/inputs/.incoming.9-def.part"} == set(files(bench.home))
    assert len(still) > len(before)
    noir.runs["latest"].winners[0].picture()


def test_inputs_stay_where_a_run_cannot_be_read(bench: Workbench) -> None:
    noir = bench.project("noir")
    for path in noir.root.glob("inputs/*/*"):
        aged(path)
    inputs = set(noir.root.glob("inputs/*/*"))
    for one in noir.runs:
        (one.folder / "run.json").write_text("{}")

    cleaned = bench.gc()

    assert set(noir.root.glob("inputs/*/*")) == inputs
    assert noir.runs.ids[0] in cleaned.kept[0]


CLEANED = """
import os, sys, warnings
import kroma_nb as kn
import kroma_nb.store.migrating, kroma_nb.workbench.frames
from kroma_nb.workbench.index import IndexBehind
if os.getuid() == 0:
    os.setuid(65534)  # permissions do not bind root
warnings.simplefilter("ignore", IndexBehind)
print(*kn.open_workbench(sys.argv[1]).gc().kept)
"""


def test_inputs_stay_where_the_rows_cannot_be_brought_up_to_date(bench: Workbench, scenes: Path) -> None:
    noir, index = bench.project("noir"), bench.index
    index.store.close()
    known = index.path.read_bytes()
    draw(bench, "noir", write_scenes(scenes.parent / "more", 5))
    index.store.close()
    index.path.write_bytes(known)
    for path in noir.root.glob("inputs/*/*"):
        aged(path)
    inputs = set(noir.root.glob("inputs/*/*"))
    for path in [bench.home, *bench.home.rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    index.path.chmod(0o444)
    index.path.parent.chmod(0o555)
    for above in bench.home.parents:
        above.chmod(above.stat().st_mode | 0o055)

    command = [sys.executable, "-c", CLEANED, str(bench.home)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert set(noir.root.glob("inputs/*/*")) == inputs
    assert "what its runs need is not known" in said.stdout, said.stderr


def test_a_run_is_deleted_also_where_its_rows_cannot_be(bench: Workbench) -> None:
    noir = bench.project("noir")
    night = noir.runs["latest"]
    bench.index.store.close()
    for path in bench.index.path.parent.glob("kroma.db*"):
        path.unlink()
    bench.index.path.write_bytes(b"no database" * 100)

    with pytest.warns(IndexBehind, match="is deleted, and its rows are not yet"):
        kn.open_workbench(bench.home).project("noir").runs[night.run_id].delete()

    assert not night.folder.exists()
    with pytest.raises(RequestInvalid, match="no folder any more"):
        night.archive()


def test_what_a_killed_deletion_leaves_is_no_run_and_goes_with_the_next_clean_up(bench: Workbench) -> None:
    noir = bench.project("noir")
    night = noir.runs["latest"]
    shutil.move(night.folder, night.folder.with_name(f".deleted-{night.run_id}-abc"))

    listed = [row.run_id for row in noir.runs.rows()]
    cleaned = bench.gc()

    assert night.run_id not in listed
    assert [left.why for left in cleaned.found] == ["a run that was being deleted"]
    assert dump(bench.index.path) == dump(reindexed(bench))


def reindexed(bench: Workbench) -> Path:
    for path in bench.index.path.parent.glob("kroma.db*"):
        path.unlink()
    kn.open_workbench(bench.home).reindex()
    return bench.index.path
