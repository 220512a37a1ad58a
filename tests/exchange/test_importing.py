"""Importing: run folders that everything can show, a source that stays as it is, and a report that hides nothing."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from predecessor import GUARD, SECRET, OldStudio, candidate, everything, insert, job, run_log
from studio import damage

from kroma_nb import report
from kroma_nb.blobs import sha256_file
from kroma_nb.errors import FileMissing, ImportInvalid, RequestInvalid
from kroma_nb.model.imported import ImportReport, ItemKind, Reason
from kroma_nb.model.runlog import RunLog
from kroma_nb.model.words import CandidateStatus, PassName, RunStatus, Stage
from kroma_nb.workbench import Workbench
from kroma_nb.workbench.files import read_stored
from kroma_nb.workbench.following import followed
from kroma_nb.workbench.importing import import_kroma

LOG_NAME = "var/projects/noir/runs/run_1714558272-345.json"


def only_run(bench: Workbench, slug: str = "noir") -> RunLog:
    (run_id,) = bench.project(slug).runs.ids
    return bench.project(slug).runs[run_id].log


def said(found: ImportReport, reason: Reason) -> str:
    return "\n".join(item.says for item in found.left if item.reason is reason)


def use_database(old: OldStudio, log: Path | None = None) -> sqlite3.Connection:
    connection = old.connect()
    old.fill(connection)
    if log is not None:
        old.ingest(connection, json.loads(log.read_text()), "r1", LOG_NAME)
    return connection


def test_a_run_becomes_a_run_folder_with_its_record_its_pictures_and_its_inputs(
    old: OldStudio, bench: Workbench
) -> None:
    path = old.one_run()

    found = import_kroma(bench, old.root)

    root = bench.project("noir").root
    log = only_run(bench)
    folder = root / "runs" / log.run_id
    assert log.run_id.startswith("2024-05-01T10-11-12-345Z-")
    assert (log.status, log.project, log.jobs[0].name) == (RunStatus.OK, "noir", "Quay at dawn")
    assert (folder / "imported.json").read_bytes() == path.read_bytes()
    assert log.imported is not None
    assert (log.imported.source, log.imported.sha256) == (path.name, sha256_file(path))
    assert log.imported.mended == ()
    assert {entry.name for entry in folder.iterdir()} == {"run.json", "imported.json", "outputs"}
    finals = [c.final for c in log.jobs[0].candidates]
    assert all(final and sha256_file(root / final.path) == final.sha256 for final in finals)
    assert [entry.ref for entry in log.inputs] == ["photos/Quay at dawn.png", "references/ink.png"]
    assert all(sha256_file(root / entry.file.path) == entry.file.sha256 for entry in log.inputs)
    assert log.jobs[0].scene_sha256 == log.inputs[0].file.sha256
    assert list(json.loads((folder / "run.json").read_text()))[-1] == "jobs"
    assert found.is_complete
    assert found.counts()["runs"] == 1


def test_everything_that_shows_a_run_shows_an_imported_one(old: OldStudio, bench: Workbench) -> None:
    old.one_run()
    import_kroma(bench, old.root)
    project, log = bench.project("noir"), only_run(bench)

    page = report.gallery(log, partial(read_stored, project.root))

    assert page.count("quality not measured") == 2
    assert "0.00" not in page
    assert "Its seeds were not recorded" in page
    assert "near-ties were not measured" in page
    assert report.contact_sheet(log, partial(read_stored, project.root))[:4] == b"\x89PNG"
    rows = report.run_table(log)
    assert [(row.position, row.quality, row.seed) for row in rows] == [(1, None, None), (2, None, None)]
    steps = report.lineage(log, log.jobs[0], log.jobs[0].candidates[0])
    assert [step.kind.value for step in steps] == ["scene", "reference", "pass", "final"]
    assert all(step.intact for step in steps)
    assert project.runs[log.run_id].publish().gallery.exists()


def test_two_scenes_that_nobody_has_are_not_joined(old: OldStudio, bench: Workbench) -> None:
    jobs = [job(f"style_{n}", [candidate(1, old.own(f"outputs/{n}.png"))], f"photos/gone_{n}.png") for n in (1, 2)]
    for number in (1, 2):
        old.log(run_log(*jobs, timestamp=f"171455827{number}.000Z"), f"run_171455827{number}-000.json")
    import_kroma(bench, old.root)
    project = bench.project("noir")

    page = report.gallery([project.runs[run_id].log for run_id in project.runs.ids], partial(read_stored, project.root))

    assert "· 4 scenes" in page


def test_importing_again_changes_no_byte_and_no_time(old: OldStudio, bench: Workbench) -> None:
    with closing(use_database(old, old.one_run())) as connection:
        old.asset(connection, "a1", old.own("uploads/cover.png"))
        connection.commit()
    first = import_kroma(bench, old.root)
    before = everything(bench.home)

    again = import_kroma(bench, old.root)

    assert everything(bench.home) == before
    assert again.taken == ()
    assert again.already_there == first.taken
    assert again.left == first.left


def test_what_is_imported_stays_as_it_is_also_while_another_program_writes_its_database(
    old: OldStudio, bench: Workbench
) -> None:
    log = old.one_run()
    with closing(use_database(old, log)) as writer:
        writer.execute("UPDATE projects SET name = 'Unsaved'")
        before = everything(old.root)

        found = import_kroma(bench, old.root)

        assert everything(old.root) == before
    assert found.counts()["runs"] == 1


def test_a_dry_run_writes_nothing_and_reports_the_same(old: OldStudio, bench: Workbench) -> None:
    with closing(use_database(old, old.one_run())) as connection:
        old.asset(connection, "a1", old.own("uploads/cover.png"))
        old.asset(connection, "a2", "var/projects/noir/uploads/gone.png")
        connection.commit()

    dry = import_kroma(bench, old.root, dry_run=True)

    assert not bench.home.exists()
    real = import_kroma(bench, old.root)
    assert dry.is_dry_run
    assert dry.counts() == real.counts()
    assert (dry.taken, dry.left) == (real.taken, real.left)


@pytest.mark.parametrize(
    "path",
    [".", "var/projects/noir", "var/projects/noir/runs", LOG_NAME, "var/backend/app.db", "var/backend"],
)
def test_every_way_to_name_it_takes_the_same_run(old: OldStudio, bench: Workbench, path: str) -> None:
    use_database(old, old.one_run()).close()

    found = import_kroma(bench, old.root / path)

    log = only_run(bench)
    assert found.is_complete
    assert len(log.inputs) == 2
    assert all(c.final for c in log.jobs[0].candidates)


def test_a_workspace_that_was_moved_is_found_by_what_follows_its_project(old: OldStudio, bench: Workbench) -> None:
    old.own("outputs/a.png")
    old.own("outputs/b.png")
    there = "/home/ada/kroma/var/projects/noir/outputs"
    windows = r"C:\kroma\var\projects\noir\outputs\b.png"
    old.log(run_log(job("j", [candidate(1, f"{there}/a.png"), candidate(2, windows)], f"{there}/a.png")))

    import_kroma(bench, old.root)

    log = only_run(bench)
    assert all(c.final for c in log.jobs[0].candidates)
    assert log.jobs[0].scene_sha256 is not None


def test_no_file_outside_is_read_whatever_a_log_says(old: OldStudio, bench: Workbench, tmp_path: Path) -> None:
    other = OldStudio(tmp_path)
    private = tmp_path / other.picture("private/me.png")
    link = old.project / "outputs" / "link.png"
    link.parent.mkdir(parents=True)
    link.symlink_to(private)
    (old.root / "shared").symlink_to(tmp_path / "private")
    ways = [str(private), "../private/me.png", "var/projects/noir/outputs/link.png", "shared/me.png", "/etc/passwd"]
    old.log(run_log(job("j", [candidate(n, way) for n, way in enumerate(ways, 1)], str(private))))

    found = import_kroma(bench, old.root)

    kept = [path for path in bench.home.rglob("*") if path.is_file()]
    assert {path.name for path in kept} == {"run.json", "imported.json", "project.json"}
    assert said(found, Reason.BROKEN).count("it leads out of what is imported") == len(ways)
    assert not found.is_complete


def test_linked_folders_and_databases_that_lead_out_are_not_entered(
    old: OldStudio, bench: Workbench, tmp_path: Path
) -> None:
    elsewhere = OldStudio(tmp_path / "elsewhere", slug="secret")
    elsewhere.one_run()
    use_database(elsewhere).close()
    old.one_run()
    (old.root / "var" / "projects" / "secret").symlink_to(elsewhere.project)
    (old.root / "var" / "projects" / "half").mkdir()
    (old.root / "var" / "projects" / "half" / "runs").symlink_to(elsewhere.project / "runs")
    (old.root / "var" / "backend").mkdir()
    (old.root / "var" / "backend" / "app.db").symlink_to(elsewhere.database)

    found = import_kroma(bench, old.root)

    assert bench.slugs == ("noir",)
    links = ("var/projects/secret", "var/projects/half/runs", "var/backend/app.db")
    assert all(f"The link {link} was left" in said(found, Reason.BROKEN) for link in links)


def test_a_link_that_stays_inside_is_followed_once(old: OldStudio, bench: Workbench) -> None:
    old.one_run()
    (old.root / "disk").mkdir()
    old.project.rename(old.root / "disk" / "noir")
    old.project.symlink_to(old.root / "disk" / "noir")
    (old.project.parent / "loop").symlink_to(old.project.parent / "loop")

    found = import_kroma(bench, old.root)

    assert found.counts()["runs"] == 1
    assert all(c.final for c in only_run(bench).jobs[0].candidates)


def test_what_is_missing_or_no_picture_is_named_and_its_candidate_stays(old: OldStudio, bench: Workbench) -> None:
    old.own("outputs/torn.png")
    torn = old.project / "outputs" / "torn.png"
    torn.write_bytes(torn.read_bytes()[:-40])
    (old.project / "outputs" / "text.png").write_text("no picture")
    names = ("gone", "torn", "text")
    made = [candidate(n, f"var/projects/noir/outputs/{name}.png") for n, name in enumerate(names, 1)]
    old.log(run_log(job("j", made, old.picture("photos/quay.png"))))

    found = import_kroma(bench, old.root)

    log = only_run(bench)
    assert [c.final for c in log.jobs[0].candidates] == [None] * 3
    assert [Path(c.final_output or "").name for c in log.jobs[0].candidates] == ["gone.png", "torn.png", "text.png"]
    assert log.jobs[0].selected_candidate == 1
    assert "gone.png" in said(found, Reason.MISSING)
    assert "torn.png" in said(found, Reason.BROKEN)
    assert "text.png" in said(found, Reason.BROKEN)
    assert log.imported is not None
    assert any("gone.png" in sentence for sentence in log.imported.mended)
    page = report.gallery(log, partial(read_stored, bench.project("noir").root))
    assert page.count("The picture was not found") == 3


def test_a_picture_that_a_later_run_replaced_is_the_later_ones_alone(old: OldStudio, bench: Workbench) -> None:
    output = old.own("outputs/style_1_quay.png", seed=2)
    old.own("archive/replaced/style_1_quay_replaced_1714558300-000.png", seed=1)
    scene = old.picture("photos/quay.png")
    for seconds in (1714558200, 1714558300):
        document = run_log(job("style_1_quay", [candidate(1, output)], scene), timestamp=f"{seconds}.000Z")
        old.log(document, f"run_{seconds}-000.json")

    found = import_kroma(bench, old.root)

    newer, older = (bench.project("noir").runs[run_id].log for run_id in bench.project("noir").runs.ids)
    assert newer.jobs[0].candidates[0].final is not None
    assert older.jobs[0].candidates[0].final is None
    assert older.imported is not None
    (sentence,) = older.imported.mended
    assert "overwritten by a later run (run_1714558300-000.json)" in sentence
    assert "style_1_quay_replaced_1714558300-000.png" in sentence
    assert "archive/replaced" in said(found, Reason.NOT_IMPORTED)


def test_a_scene_that_a_later_run_overwrote_is_not_what_the_earlier_one_saw(old: OldStudio, bench: Workbench) -> None:
    page = old.own("outputs/style_1.png")
    night = run_log(job("time_1", [candidate(1, old.own("outputs/time_1.png"))], page), timestamp="1714558250.000Z")
    again = run_log(job("style_1", [candidate(1, page)], old.picture("photos/quay.png")), timestamp="1714558300.000Z")
    old.log(night | {"stage": "time"}, "run_1714558250-000.json")
    old.log(again, "run_1714558300-000.json")

    import_kroma(bench, old.root)

    logs = [bench.project("noir").runs[run_id].log for run_id in bench.project("noir").runs.ids]
    earlier = next(log for log in logs if log.stage is Stage.TIME)
    assert earlier.jobs[0].scene_sha256 is None
    assert earlier.jobs[0].candidates[0].final is not None


def test_a_file_that_is_not_what_the_database_knows_is_missing(old: OldStudio, bench: Workbench) -> None:
    log = old.one_run()
    with closing(use_database(old, log)) as connection:
        old.asset(connection, "a1", "var/projects/noir/outputs/style_1_quay__c1.png", "0" * 64)
        connection.commit()

    found = import_kroma(bench, old.root)

    first, second = only_run(bench).jobs[0].candidates
    assert (first.final, bool(second.final)) == (None, True)
    assert "knows by its sha256" in said(found, Reason.MISSING)


def test_every_pass_and_a_refused_picture_find_their_place(old: OldStudio, bench: Workbench) -> None:
    base = "var/projects/noir"
    generated, cut = old.own("outputs/a.png"), old.own("background_removed/a_nobg.png")
    colored = old.own("color_corrected/a_nobg_neutral.png")
    passes = {
        "bg_remove": {"input": generated, "output": cut, "backend": "rembg", "refine_openai": True},
        "color": {"input": cut, "output": colored, "profile": "neutral", "settings": "builtin"},
    }
    bad = old.own("archive/bad/b_bad_1714558272-400.png")
    refused = candidate(2, f"{base}/outputs/b.png", "", status="failed_output_guard")
    refused["output_guard"]["bad_archive"] = bad
    old.log(run_log(job("j", [candidate(1, generated, colored, **passes), refused], old.picture("photos/quay.png"))))

    found = import_kroma(bench, old.root)

    first, second = only_run(bench).jobs[0].candidates
    assert [record.name for record in first.passes] == [PassName.GENERATE, PassName.BG_REMOVE, PassName.COLOR]
    assert [record.output.path.split("/")[2] for record in first.passes] == [
        "outputs",
        "background_removed",
        "color_corrected",
    ]
    assert first.passes[2].input == first.passes[1].output
    assert "refined by openai" in first.notes[0]
    assert second.status is CandidateStatus.FAILED_OUTPUT_GUARD
    assert sha256_file(bench.project("noir").root / second.passes[0].output.path) == sha256_file(old.root / bad)
    assert found.is_complete


def test_one_broken_log_is_left_and_the_others_are_taken(old: OldStudio, bench: Workbench) -> None:
    old.one_run()
    old.log("{ torn", "run_1714558273-000.json")
    old.log({"timestamp": "1"}, "run_1714558274-000.json")

    found = import_kroma(bench, old.root)

    assert len(bench.project("noir").runs.ids) == 1
    assert "not JSON" in said(found, Reason.BROKEN)
    assert "no list of jobs" in said(found, Reason.BROKEN)


def test_runs_whose_log_is_gone_or_torn_come_from_the_database(old: OldStudio, bench: Workbench) -> None:
    path = old.one_run()
    use_database(old, path).close()
    path.unlink()

    import_kroma(bench, old.root)
    taken = only_run(bench)
    shutil.rmtree(bench.home)
    path.write_text("{ torn")
    found = import_kroma(bench, old.root)

    assert taken.imported is not None
    assert taken.imported.source == "app.db: runs r1"
    assert all(c.final for c in taken.jobs[0].candidates)
    assert replace_mended(only_run(bench)) == replace_mended(taken)
    assert "not JSON" in said(found, Reason.BROKEN)


def replace_mended(log: RunLog) -> RunLog:
    assert log.imported is not None
    return log.model_copy(update={"imported": log.imported.model_copy(update={"mended": ()})})


def test_projects_pictures_and_links_of_the_database_are_taken(old: OldStudio, bench: Workbench) -> None:
    log = old.one_run()
    winner = "var/projects/noir/outputs/style_1_quay__c1.png"
    with closing(use_database(old, log)) as connection:
        old.asset(connection, "a1", winner)
        old.asset(connection, "a2", old.own("uploads/cover.png"))
        old.asset(connection, "a3", "var/projects/noir/uploads/gone.png")
        old.link(connection, "a1", "a2", "derived_from")
        old.link(connection, "a1", "a3")
        old.link(connection, "a2", "a1", "cousin_of")
        connection.commit()

    found = import_kroma(bench, old.root)

    root = bench.project("noir").root
    project = json.loads((root / ".kroma" / "project.json").read_text())
    listed = json.loads((root / "imported" / "assets.json").read_text())
    (asset,) = listed["assets"]
    assert (project["name"], project["description"]) == ("Noir City", "Rain and ink.")
    assert project["created_at"] == "2024-05-01T10:11:12Z"
    assert listed["schema"] == "kroma_nb.imported_assets/1"
    assert (asset["source_id"], asset["kind"], asset["media_type"]) == ("a2", "upload", "image/png")
    assert sha256_file(root / asset["path"]) == asset["sha256"]
    (link,) = listed["links"]
    assert link == {
        "parent": only_run(bench).jobs[0].final_output,
        "child": asset["path"],
        "type": "derived_from",
    }
    assert "gone.png" in said(found, Reason.MISSING)
    assert "cousin_of" in said(found, Reason.BROKEN)


def listed_pictures(bench: Workbench) -> dict[str, list[dict[str, str]]]:
    listed: dict[str, list[dict[str, str]]] = json.loads(
        (bench.project("noir").root / "imported" / "assets.json").read_text()
    )
    return listed


def test_a_picture_that_the_database_names_twice_is_listed_once_under_its_oldest_name(
    old: OldStudio, bench: Workbench
) -> None:
    with closing(use_database(old)) as connection:
        for name, when in (("a1", None), ("a2", "2024-05-02"), ("a4", "2024-05-01"), ("a3", "2024-05-01")):
            old.asset(connection, name, old.own(f"uploads/{name}.png", seed=7), when=when)
        old.asset(connection, "b1", old.own("uploads/other.png"))
        old.link(connection, "a1", "b1")
        old.link(connection, "a2", "b1")
        connection.commit()

    found = import_kroma(bench, old.root)
    again = import_kroma(bench, old.root)

    listed = listed_pictures(bench)
    (twin,) = [asset for asset in listed["assets"] if asset["source_id"].startswith("a")]
    assert (twin["source_id"], len(listed["assets"])) == ("a3", 2)
    assert [link["parent"] for link in listed["links"]] == [twin["path"]]
    assert (found.counts()["assets"], found.counts()["links"], found.is_complete) == (2, 1, True)
    assert "uploads/a1.png was left: it is the same picture as var/projects/noir/uploads/a3.png" in said(
        found, Reason.NOT_IMPORTED
    )
    assert again.taken == ()
    assert len(bench.project("noir").assets) == 2


def test_a_list_that_names_a_picture_twice_is_mended_by_the_next_import(old: OldStudio, bench: Workbench) -> None:
    with closing(use_database(old)) as connection:
        old.asset(connection, "a2", old.own("uploads/a2.png", seed=7))
        connection.commit()
    import_kroma(bench, old.root)
    place = bench.project("noir").root / "imported" / "assets.json"
    (known,) = listed_pictures(bench)["assets"]
    itself = {"parent": known["path"], "child": known["path"], "type": "variant_of"}
    twice = listed_pictures(bench) | {"assets": [known, known | {"source_id": "a1"}], "links": [itself]}
    place.write_text(json.dumps(twice))

    found = import_kroma(bench, old.root)

    assert [asset["source_id"] for asset in listed_pictures(bench)["assets"]] == ["a1"]
    assert listed_pictures(bench)["links"] == []
    assert found.taken == ()


def test_a_link_of_a_picture_with_itself_is_left_and_the_report_says_why(old: OldStudio, bench: Workbench) -> None:
    with closing(use_database(old)) as connection:
        old.asset(connection, "a1", old.own("uploads/a1.png", seed=7))
        old.asset(connection, "a2", old.own("uploads/a2.png", seed=7))
        old.link(connection, "a1", "a2")
        old.link(connection, "a1", "a1", "derived_from")
        connection.commit()

    found = import_kroma(bench, old.root)

    assert listed_pictures(bench)["links"] == []
    assert "A link variant_of was left: its two ends are the same picture." in said(found, Reason.NOT_IMPORTED)
    assert "A link derived_from was left: both of its ends are the row a1." in said(found, Reason.BROKEN)


def test_tables_that_are_left_are_counted_and_secrets_are_never_copied(old: OldStudio, bench: Workbench) -> None:
    use_database(old, old.one_run()).close()

    found = import_kroma(bench, old.root)

    left = said(found, Reason.NOT_IMPORTED)
    assert "Ash and Ink" in left
    assert "secrets are never copied" in left
    assert not any(SECRET.encode() in path.read_bytes() for path in bench.home.rglob("*") if path.is_file())
    assert SECRET not in json.dumps(found.to_json())


def test_a_missing_column_loses_nothing_that_another_record_holds(old: OldStudio, bench: Workbench) -> None:
    with closing(use_database(old, old.one_run())) as connection:
        connection.executescript("DROP TABLE assets; CREATE TABLE assets (id TEXT PRIMARY KEY, rel_path TEXT)")
        insert(connection, "assets", ("a1", "x.png"))
        connection.commit()

    found = import_kroma(bench, old.database)

    assert "the column project_id is missing" in said(found, Reason.BROKEN)
    assert "app.db: assets.project_id" in said(found, Reason.BROKEN)
    assert all(c.final for c in only_run(bench).jobs[0].candidates)
    assert json.loads((bench.project("noir").root / ".kroma" / "project.json").read_text())["name"] == "Noir City"


def test_a_run_of_rows_that_cannot_be_read_is_left_and_not_taken_as_empty(old: OldStudio, bench: Workbench) -> None:
    path = old.one_run()
    with closing(use_database(old, path)) as connection:
        connection.executescript("DROP TABLE run_jobs; CREATE TABLE run_jobs (id TEXT PRIMARY KEY)")
    path.unlink()

    found = import_kroma(bench, old.root)

    assert bench.project("noir").runs.ids == ()
    assert "its rows cannot be read" in said(found, Reason.BROKEN)


def test_a_broken_database_does_not_keep_the_logs_from_being_taken(old: OldStudio, bench: Workbench) -> None:
    old.one_run()
    old.database.parent.mkdir(parents=True)
    old.database.write_bytes(b"SQLite format 3\x00" + b"\x00" * 500)

    found = import_kroma(bench, old.root)

    assert len(bench.project("noir").runs.ids) == 1
    assert "app.db" in said(found, Reason.BROKEN)


def test_everything_may_go_to_one_project_and_a_name_that_cannot_be_one_is_said(
    old: OldStudio, bench: Workbench
) -> None:
    folder = old.root / "logs"
    folder.mkdir()
    (folder / "run_1.json").write_text(json.dumps(run_log(project="my universe!")))

    nowhere = import_into(bench, folder, None)
    somewhere = import_kroma(bench, folder, project="mine")

    assert "name one with --project" in nowhere
    assert somewhere.projects == ("mine",)
    assert bench.slugs == ("mine",)
    with pytest.raises(RequestInvalid):
        import_kroma(bench, folder, project="../out")


def import_into(bench: Workbench, folder: Path, project: str | None) -> str:
    with pytest.raises(ImportInvalid) as refused:
        import_kroma(bench, folder, project=project)
    return str(refused.value)


def test_a_record_without_any_time_is_found_again_also_after_its_file_was_touched(
    old: OldStudio, bench: Workbench
) -> None:
    path = old.log(run_log(timestamp=None), "run_first.json")
    import_kroma(bench, old.root)
    path.touch()

    again = import_kroma(bench, old.root)

    assert again.taken == ()
    assert len(bench.project("noir").runs.ids) == 1


def test_the_same_log_in_two_files_is_one_run(old: OldStudio, bench: Workbench) -> None:
    path = old.one_run()
    shutil.copy(path, path.with_name("run_copy.json"))

    found = import_kroma(bench, old.root)

    assert len(bench.project("noir").runs.ids) == 1
    assert found.counts()["runs"] == 1
    assert found.counts()["already_there"] == 1


def test_an_imported_run_cannot_be_followed_and_the_error_says_why(old: OldStudio, bench: Workbench) -> None:
    old.one_run()
    import_kroma(bench, old.root)
    (run_id,) = bench.project("noir").runs.ids

    with pytest.raises(RequestInvalid, match="seeds"):
        followed(bench.project("noir").runs, run_id, Stage.TIME)


def test_costs_of_the_database_are_kept_where_the_log_tells_of_none(old: OldStudio, bench: Workbench) -> None:
    with closing(use_database(old, old.one_run())) as connection:
        row = ("e1", "p1", "r1", "j", "openai", "gpt-image-1", "image_generation", 2.0, 0.04, 0.08, "USD", "{}", None)
        insert(connection, "cost_events", row)
        connection.commit()

    import_kroma(bench, old.root)

    assert [str(cost.total_cost) for cost in only_run(bench).costs] == ["$0.08"]


@pytest.mark.parametrize("empty", ["folder", "file", "picture"])
def test_a_path_that_leads_to_nothing_importable_is_refused_and_nothing_is_made(
    old: OldStudio, bench: Workbench, empty: str
) -> None:
    (old.root / "folder").mkdir()
    (old.root / "file").write_text("hello")
    shutil.copy(old.root / old.picture("p.png"), old.root / "picture")

    with pytest.raises(ImportInvalid):
        import_kroma(bench, old.root / empty)
    with pytest.raises(FileMissing):
        import_kroma(bench, old.root / "none")
    assert not bench.home.exists()


def test_a_workspace_is_not_imported_into_itself(old: OldStudio) -> None:
    old.one_run()
    before = everything(old.root)

    with pytest.raises(ImportInvalid, match="--home"):
        import_kroma(Workbench(old.root), old.root)
    assert everything(old.root) == before


def test_a_damaged_list_of_pictures_is_named_and_not_overwritten(old: OldStudio, bench: Workbench) -> None:
    with closing(use_database(old, old.one_run())) as connection:
        old.asset(connection, "a1", old.own("uploads/cover.png"))
        connection.commit()
    import_kroma(bench, old.root)
    listed = bench.project("noir").root / "imported" / "assets.json"
    listed.write_text("{ torn")

    found = import_kroma(bench, old.root)

    assert "assets.json" in said(found, Reason.BROKEN)
    assert listed.read_text() == "{ torn"


def test_a_damaged_run_folder_is_named_and_not_overwritten(old: OldStudio, bench: Workbench) -> None:
    old.one_run()
    import_kroma(bench, old.root)
    folder = bench.project("noir").root / "runs" / bench.project("noir").runs.ids[0]
    (folder / "imported.json").write_text("changed")

    found = import_kroma(bench, old.root)

    assert "already there" in said(found, Reason.BROKEN)
    assert (folder / "imported.json").read_text() == "changed"


def test_a_picture_that_only_decoding_finds_damaged_is_kept_as_it_is(old: OldStudio, bench: Workbench) -> None:
    """Its checksums are right: what there is of it belongs to the artist, and the gallery says that it is damaged."""
    old.one_run()
    damage(old.project / "outputs" / "style_1_quay__c2.png")

    found = import_kroma(bench, old.root)

    assert found.is_complete
    assert only_run(bench).jobs[0].candidates[1].final is not None


def test_the_guard_and_its_words_are_taken(old: OldStudio, bench: Workbench) -> None:
    made = candidate(1, old.own("outputs/a.png"))
    made["output_guard"]["files"][0] |= {"soft_warnings": ["chroma_exceeds_threshold", "too_dull"], "chroma_delta": 3.0}
    old.log(run_log(job("j", [made], old.picture("p.png")), output_guard=GUARD | {"max_chroma_delta": 1.5}))

    import_kroma(bench, old.root)

    log = only_run(bench)
    page = report.gallery(log, partial(read_stored, bench.project("noir").root))
    assert log.guard.max_chroma_delta == 1.5
    assert "chroma 3.0, at most 1.5" in page
    assert "too_dull" in page


@pytest.mark.parametrize(("chosen", "says"), [(1, "★ Winner by rank"), (2, "★ Winner as imported")])
def test_a_winner_that_another_outranks_is_not_called_one_by_rank(
    old: OldStudio, bench: Workbench, chosen: int, says: str
) -> None:
    made = [candidate(n, old.own(f"outputs/{n}.png")) for n in (1, 2)]
    old.log(run_log(job("j", made, old.picture("p.png"), selected_candidate=chosen)))

    import_kroma(bench, old.root)

    page = report.gallery(only_run(bench), partial(read_stored, bench.project("noir").root))
    assert re.findall("★ Winner[a-z ]*", page) == [says]


def test_a_status_of_the_old_program_is_told_in_words(old: OldStudio, bench: Workbench) -> None:
    made = [candidate(1, old.own("outputs/1.png")), candidate(2, old.own("outputs/2.png"), status="sulking")]
    old.log(run_log(job("j", made, old.picture("p.png"))))

    import_kroma(bench, old.root)

    page = report.gallery(only_run(bench), partial(read_stored, bench.project("noir").root))
    assert "<b>Imported as: </b>" in page
    assert "imported_status" not in page


def test_a_second_import_says_what_kinds_of_things_were_there_and_mends_nothing_again(
    old: OldStudio, bench: Workbench
) -> None:
    made = [candidate(1, old.own("outputs/1.png"), candidate_index=None)]
    for number in (1, 2):
        old.log(run_log(job("j", made, "p.png"), timestamp=f"1714558272.00{number}Z"), f"run_{number}.json")
    first = import_kroma(bench, old.root)

    again = import_kroma(bench, old.root)

    assert first.counts()["mended"] > 0
    assert first.already == ""
    assert again.already == "1 project, 2 runs"
    assert (again.mended, again.counts()["mended"]) == ((), 0)
    counts = again.counts()
    assert [counts[f"{kind}_already_there"] for kind in ("projects", "runs", "assets", "links")] == [1, 2, 0, 0]
    assert str(again).endswith("Already there: 1 project, 2 runs.")


def test_the_report_counts_what_it_names(old: OldStudio, bench: Workbench) -> None:
    old.one_run()

    document = import_kroma(bench, old.root).to_json()

    assert document["counts"]["runs"] == sum(item["kind"] == ItemKind.RUN for item in document["taken"])
    assert document["projects"]["noir"]["pictures"] == 2
    assert document["counts"]["size_bytes"] > 0
    assert document["complete"] is True


def test_a_log_that_was_restored_does_not_bring_its_run_a_second_time(old: OldStudio, bench: Workbench) -> None:
    path = old.one_run()
    use_database(old, path).close()
    kept = path.read_bytes()
    path.unlink()
    import_kroma(bench, old.root)
    path.write_bytes(kept)

    again = import_kroma(bench, old.root)

    assert again.taken == ()
    assert len(bench.project("noir").runs.ids) == 1


def test_two_jobs_that_wrote_one_file_share_no_picture(old: OldStudio, bench: Workbench) -> None:
    output, scene = old.own("outputs/same.png"), old.picture("photos/quay.png")
    old.log(run_log(job("same", [candidate(1, output)], scene), job("same", [candidate(1, output)], scene)))

    import_kroma(bench, old.root)

    first, second = only_run(bench).jobs
    assert (first.id, second.id) == ("same", "same_2")
    assert first.candidates[0].final is None
    assert second.candidates[0].final is not None
    assert first.final_output != second.final_output


def test_a_root_that_was_named_through_a_link_is_found_in_absolute_paths(
    old: OldStudio, bench: Workbench, tmp_path: Path
) -> None:
    link = tmp_path / "studio"
    link.symlink_to(old.root)
    scene = old.picture("photos/quay.png")
    old.log(run_log(job("j", [candidate(1, str(link / old.own("outputs/a.png")))], str(link / scene))))

    found = import_kroma(bench, link)

    assert found.is_complete
    assert only_run(bench).jobs[0].scene_sha256 is not None


def test_a_project_without_runs_comes_along_and_two_owners_of_one_name_are_said(
    old: OldStudio, bench: Workbench
) -> None:
    with closing(use_database(old)) as connection:
        insert(connection, "users", ("u2", "other", "Other", None, 1, "2024", "2024"))
        insert(connection, "projects", ("p2", "u2", "noir", "Mine too", "", "archived", "{}", "2024", "2024", "u2"))
        connection.commit()

    found = import_kroma(bench, str(old.database))

    (item,) = found.taken
    assert (item.kind, bench.slugs) == (ItemKind.PROJECT, ("noir",))
    assert "2 owners" in item.mended[0]
    assert str(found).startswith("Imported 0 runs and 0 pictures into noir")


def test_a_log_that_lies_elsewhere_than_its_row_says_is_one_run_with_its_pictures(
    old: OldStudio, bench: Workbench
) -> None:
    path = old.one_run()
    use_database(old, path).close()
    path.rename(path.with_name("run_renamed.json"))

    found = import_kroma(bench, old.root)

    assert all(c.final for c in only_run(bench).jobs[0].candidates)
    assert "run_renamed.json is the log of that run" in said(found, Reason.NOT_IMPORTED)
    assert found.is_complete


def test_two_imported_runs_are_compared_by_what_both_tell(old: OldStudio, bench: Workbench) -> None:
    old.own("photos/quay.png")
    for number, prompt in enumerate(("One noir drawing hand.", "One soft drawing hand."), 1):
        made = job(
            "style_1", [candidate(1, old.own(f"outputs/{number}.png", number))], "photos/quay.png", prompt=prompt
        )
        old.log(run_log(made, timestamp=f"171455827{number}.000Z"), f"run_171455827{number}-000.json")
    import_kroma(bench, old.root)
    after, before = bench.project("noir").runs

    diff = before.diff(after)

    assert [(change.section.value, change.where.field) for change in diff] == [
        ("prompts", "prompt"),
        ("winners", "picture"),
    ]
    (open_,) = (line for line in repr(diff).splitlines() if line.startswith("Unknown in both"))
    assert all(word in open_ for word in ("generation", "passes", "environment", "seeds", "measures"))
