"""Commands that find things again and keep a workspace in order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from studio import write_photograph


@pytest.fixture
def drawn(kroma, tmp_path: Path) -> dict:
    """A project with one run of one small page."""
    write_photograph(tmp_path / "quay.png", 1, 96, 64)
    manifest = {"scenes": [{"ref": "quay.png"}], "generation": {"candidates": 2, "size": "96x64"}}
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    return json.loads(kroma("run", "--project", "noir", "--manifest", "m.json", "--json")[1])["runs"][0]


def test_projects_runs_and_pictures_are_listed_in_json_and_as_tables(kroma, drawn) -> None:
    projects = json.loads(kroma("projects", "list", "--json")[1])["projects"]
    runs = json.loads(kroma("runs", "list", "--json")[1])["runs"]
    pictures = json.loads(kroma("assets", "list", "--json")[1])

    assert [(row["slug"], row["runs"], row["pictures"]) for row in projects] == [("noir", 1, 2)]
    assert [(row["run_id"], row["status"], row["winners"]) for row in runs] == [(drawn["run_id"], "ok", 1)]
    assert (pictures["count"], len(pictures["assets"])) == (3, 3)
    for command in (("projects", "list"), ("projects", "show", "noir"), ("runs", "list"), ("assets", "list")):
        code, out, _ = kroma(*command)
        assert code == 0
        assert "noir" in out or drawn["run_id"] in out


def test_a_picture_is_shown_with_what_it_was_made_of(kroma, drawn) -> None:
    listed = json.loads(kroma("assets", "list", "--kind", "picture", "--run", drawn["run_id"], "--json")[1])
    path = listed["assets"][0]["path"]

    shown = json.loads(kroma("assets", "show", path, "--json")[1])
    code, out, _ = kroma("assets", "show", path)

    assert shown["asset"]["pass_name"] == "generate"
    assert [link["type"] for link in shown["links"]] == ["derived_from"]
    assert (code, "derived_from" in out) == (0, True)


def test_a_kind_or_path_that_is_none_is_refused_with_the_way_out(kroma, drawn) -> None:
    assert kroma("assets", "list", "--kind", "mask")[0] == 2
    code, _, err = kroma("assets", "show", "outputs/nothing.png")

    assert (code, "frame()" in err) == (2, True)


def test_status_says_what_cannot_be_read(kroma, tmp_path, drawn) -> None:
    whole = json.loads(kroma("status", "--json")[1])
    (record,) = (tmp_path / "var/projects/noir/runs").glob("*/run.json")
    record.write_text("{}")

    broken = json.loads(kroma("status", "--json")[1])
    _, out, _ = kroma("status")

    assert (whole["ok"], broken["ok"]) == (True, False)
    assert broken["unreadable"][0]["run_id"] == drawn["run_id"]
    assert "Cannot be read" in out


def test_status_of_an_empty_folder_makes_nothing(kroma, tmp_path) -> None:
    code, out, _ = kroma("status")

    assert (code, "None yet" in out) == (0, True)
    assert list(tmp_path.iterdir()) == []


def test_reindex_says_what_it_left_out_and_ends_with_6(kroma, tmp_path, drawn) -> None:
    fine, out, _ = kroma("reindex")
    (plan,) = (tmp_path / "var/projects/noir/runs").glob("*/plan.json")
    plan.write_text(plan.read_text().replace("quay", "quai"))

    partly, left, _ = kroma("reindex")
    answer = json.loads(kroma("reindex", "--json")[1])

    assert (fine, "1 run of 1 project" in out) == (0, True)
    assert (partly, "changed after the run had started" in left) == (6, True)
    assert (answer["runs"], len(answer["unreadable"])) == (0, 1)


def test_gc_says_what_would_go_and_how_much_that_is(kroma, tmp_path, drawn) -> None:
    going = tmp_path / "var/projects/noir/runs/.deleted-2026-01-01T00-00-00-000Z-abcdef-123456"
    going.mkdir()
    (going / "page.png").write_bytes(b"x" * 2_000)

    would = json.loads(kroma("gc", "--dry-run", "--json")[1])
    _, out, _ = kroma("gc", "--dry-run")
    stayed = going.exists()
    did = json.loads(kroma("gc", "--json")[1])

    assert (would["size_bytes"], would["removed"], stayed) == (2_000, False, True)
    assert "2.0 KB" in out
    assert (did["size_bytes"], did["removed"], going.exists()) == (2_000, True, False)


def test_nothing_is_deleted_where_nobody_can_be_asked(kroma, tmp_path, drawn) -> None:
    run, _, run_err = kroma("runs", "delete", drawn["run_id"])
    project, _, _ = kroma("projects", "delete", "noir")
    still = (tmp_path / "var/projects/noir/runs" / drawn["run_id"]).exists()

    gone = kroma("runs", "delete", drawn["run_id"], "--yes")[0]
    all_gone = kroma("projects", "delete", "noir", "--yes")[0]

    assert (run, project, still) == (3, 3, True)
    assert "--yes" in run_err
    assert (gone, all_gone) == (0, 0)
    assert not (tmp_path / "var/projects/noir").exists()


def test_a_run_and_a_project_are_put_away_and_taken_out_again(kroma, drawn) -> None:
    def listed(*command: str) -> int:
        answer = json.loads(kroma(*command, "--json")[1])
        return len(answer["runs" if command[0] == "runs" else "projects"])

    kroma("runs", "archive", drawn["run_id"])
    away = listed("runs", "list"), listed("runs", "list", "--all")
    code, _, err = kroma("runs", "archive", "latest", "--undo")
    kroma("runs", "archive", drawn["run_id"], "--undo")
    kroma("projects", "archive", "noir")
    hidden = listed("projects", "list"), listed("projects", "list", "--all")
    kroma("projects", "archive", "noir", "--undo")

    assert (away, hidden) == ((0, 1), (0, 1))
    assert (code, "runs list --all" in err) == (2, True)
    assert (listed("runs", "list"), listed("projects", "list")) == (1, 1)


def test_a_database_that_cannot_be_used_is_exit_5_and_runs_go_on(kroma, tmp_path, drawn) -> None:
    for path in (tmp_path / "var").glob("kroma.db*"):
        path.unlink()
    (tmp_path / "var/kroma.db").write_text("Dear diary,\n" * 500)

    code, _, err = kroma("runs", "list")
    shown, _, _ = kroma("runs", "show")
    ran, out, said = kroma("run", "--manifest", "m.json")

    assert (code, shown, ran) == (5, 0, 0)
    assert "kroma.db" in err
    assert "kroma reindex" in err
    assert "winner" in out
    assert said.count("is not in the index yet") == 1


def test_two_runs_are_compared_and_the_exit_code_is_zero_either_way(kroma, drawn, tmp_path: Path) -> None:
    again = json.loads(kroma("run", "--project", "noir", "--manifest", "m.json", "--json")[1])["runs"][0]["run_id"]
    more = ("run", "--project", "dusk", "--manifest", "m.json", "--candidates", "3", "--json")
    other = json.loads(kroma(*more)[1])["runs"][0]["run_id"]
    place = ("--project", "noir")

    same = kroma("runs", "diff", drawn["run_id"][-6:], "latest", *place)
    as_json = json.loads(kroma("runs", "diff", drawn["run_id"], again, *place, "--json")[1])
    code, out, _ = kroma("runs", "diff", drawn["run_id"], other[-6:], *place, "--other-project", "dusk")

    assert (same[0], "Nothing differs" in same[1]) == (0, True)
    assert (as_json["ok"], as_json["same"], as_json["changes"]) == (True, True, [])
    assert (code, "2 → 3" in out) == (0, True)
    assert kroma("runs", "diff", "nothing", "latest", *place)[0] == 2


def test_a_lineage_is_shown_drawn_and_given_as_mermaid_or_json(kroma, tmp_path, drawn) -> None:
    listed = json.loads(kroma("assets", "list", "--json")[1])["assets"]
    (scene,) = [asset for asset in listed if asset["kind"] == "input"]

    code, table, _ = kroma("assets", "lineage", scene["sha256"][:12])
    facts = json.loads(kroma("assets", "lineage", scene["path"], "--json")[1])
    _, mermaid, _ = kroma("assets", "lineage", scene["path"], "--mermaid")
    svg, _, _ = kroma("assets", "lineage", scene["path"], "--svg", "quay.svg")

    assert (code, "0 above, 2 below" in " ".join(table.split()), "▶ asked" in table) == (0, True, True)
    assert (facts["asset"], len(facts["pictures"]), len(facts["links"])) == (scene["path"], 3, 2)
    assert mermaid.startswith("flowchart LR\n")
    assert (svg, (tmp_path / "quay.svg").read_text().startswith("<svg")) == (0, True)
    assert kroma("assets", "lineage", scene["path"], "--svg", "quay.png")[0] == 2
    assert kroma("assets", "lineage", scene["path"], "--mermaid", "--json")[0] == 2


def test_what_a_scene_affects_is_counted_and_priced(kroma, drawn) -> None:
    (scene,) = json.loads(kroma("assets", "list", "--kind", "input", "--json")[1])["assets"]

    code, out, _ = kroma("assets", "affected", scene["path"])
    facts = json.loads(kroma("assets", "affected", scene["sha256"], "--json")[1])

    assert (code, "2 pictures in 1 run would be drawn again: at no cost." in out) == (0, True)
    assert (facts["pictures"], facts["attempts"], facts["jobs"]) == (2, 2, 1)
    assert (facts["runs"], facts["cost_low_micro_usd"], facts["cost_high_micro_usd"]) == ([drawn["run_id"]], 0, 0)
    assert [row["drawn"] for row in facts["rows"]] == [True, True]
    assert kroma("assets", "affected", "nothing.png")[0] == 2
