"""The command line, as a person types it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import product
from pathlib import Path

import cv2
import pytest
from PIL import Image
from studio import damage, photograph, write_photograph

Kroma = Callable[..., tuple[int, str, str]]


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    write_photograph(folder / "quay.png", 1, 96, 64)
    write_photograph(folder / "夜の橋.png", 2, 96, 64)
    return folder


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_help_names_every_command(kroma: Kroma) -> None:
    code, out, _ = kroma("--help")

    assert code == 0
    commands = "demo init plan run runs winners import-kroma validate-config explain doctor"
    for command in commands.split():
        assert command in out


def test_an_unknown_command_is_an_input_error(kroma: Kroma) -> None:
    code, _, err = kroma("paint")

    assert code == 2
    assert "paint" in err


def test_init_makes_a_project_and_keeps_what_is_there(kroma: Kroma, tmp_path: Path) -> None:
    first, out, _ = kroma("init", "noir-city")
    settings = tmp_path / "config" / "pipeline.settings.toml"
    settings.write_text("# mine\n")

    again, _, _ = kroma("init", "noir-city")

    assert (first, again) == (0, 0)
    assert "kroma run --project noir-city" in out
    assert settings.read_text() == "# mine\n"
    assert (tmp_path / "var" / "projects" / "noir-city" / "runs").is_dir()


def test_a_slug_that_is_none_is_refused_and_nothing_is_made(kroma: Kroma, tmp_path: Path) -> None:
    code, _, err = kroma("init", "../noir")

    assert code == 2
    assert "project" in err
    assert everything(tmp_path) == set()


def test_plan_shows_scenes_seeds_and_costs_and_writes_nothing(kroma: Kroma, tmp_path: Path, photographs: Path) -> None:
    before = everything(tmp_path)

    code, out, _ = kroma("plan", "--project", "noir", "--input", photographs, "--candidates", 3)

    assert code == 0
    assert "quay" in out
    assert "夜の橋" in out
    assert "6 pictures: $0.00" in out
    assert everything(tmp_path) == before


def test_a_run_ends_with_table_gallery_and_record(kroma: Kroma, tmp_path: Path, photographs: Path) -> None:
    code, out, _ = kroma("run", "--project", "noir", "--input", photographs, "--candidates", 2)

    (folder,) = (tmp_path / "var" / "projects" / "noir" / "runs").iterdir()
    assert code == 0
    assert "winner" in out
    assert "Not reviewed" in out
    assert {"plan.json", "journal.jsonl", "run.json", "gallery.html", "contact_sheet.png"} <= everything(folder)
    assert len(list((folder / "outputs").iterdir())) == 4


def test_json_answers_are_one_document_on_standard_output(kroma: Kroma, photographs: Path) -> None:
    ran = json.loads(kroma("run", "--project", "noir", "--input", photographs, "--json")[1])
    listed = json.loads(kroma("runs", "list", "--json")[1])
    shown = json.loads(kroma("runs", "show", "--json")[1])
    planned = json.loads(kroma("plan", "--input", photographs, "--json")[1])
    checked = json.loads(kroma("validate-config", "--json")[1])

    run_id = ran["runs"][0]["run_id"]
    assert ran["ok"] is True
    assert [row["run_id"] for row in listed["runs"]] == [run_id]
    assert shown["run_id"] == run_id
    assert planned["schema"] == "kroma_nb.plan/1"
    assert checked["ok"] is True


def test_winners_are_copied_once_and_never_over_a_file(kroma: Kroma, tmp_path: Path, photographs: Path) -> None:
    kroma("run", "--project", "noir", "--input", photographs, "--candidates", 2)

    code, _, _ = kroma("winners", "--to", tmp_path / "best")
    again, _, err = kroma("winners", "--to", tmp_path / "best")

    assert (code, again) == (0, 2)
    assert len(list((tmp_path / "best").iterdir())) == 2
    assert "already there" in err


def test_a_later_stage_follows_the_winners_of_an_earlier_run(kroma: Kroma, tmp_path: Path, photographs: Path) -> None:
    kroma("run", "--project", "noir", "--input", photographs, "--candidates", 2)
    style = json.loads(kroma("runs", "show", "--json")[1])

    kroma("run", "--input", photographs, "--stage", "time", "--time", "night", "--follow", "latest")

    night = json.loads(kroma("runs", "show", "--json")[1])
    for before, after in zip(style["jobs"], night["jobs"], strict=True):
        won = before["candidates"][before["selected_candidate"] - 1]
        assert {c["seeds"]["style"] for c in after["candidates"]} == {won["seeds"]["style"]}
        assert after["follows"]["run_id"] == style["run_id"]


def test_latest_of_an_earlier_stage_is_followed_also_the_second_time(kroma: Kroma, photographs: Path) -> None:
    night = ("run", "--project", "noir", "--input", photographs, "--stage", "time", "--time", "night")
    none, _, err = kroma(*night, "--follow", "latest")
    kroma("run", "--project", "noir", "--input", photographs)
    style = json.loads(kroma("runs", "show", "--json")[1])

    codes = [kroma(*night, "--follow", "latest")[0] for _ in range(2)]

    shown = json.loads(kroma("runs", "show", "--json")[1])
    assert (none, codes) == (2, [0, 0])
    assert "before time" in err
    assert {job["follows"]["run_id"] for job in shown["jobs"]} == {style["run_id"]}


def test_a_run_says_what_its_plan_noted(kroma: Kroma, tmp_path: Path, photographs: Path) -> None:
    scenes = [{"ref": "photographs/quay.png", "name": "Quay"}, {"ref": "photographs/夜の橋.png", "indoors": True}]
    (tmp_path / "m.json").write_text(json.dumps({"scenes": scenes}))
    rain = ("run", "--project", "noir", "--manifest", "m.json", "--stage", "weather", "--weather", "rain")

    code, out, _ = kroma(*rain)
    alone, _, err = kroma(*rain, "--only", "夜の橋")
    _, style, _ = kroma("plan", "--manifest", "m.json", "--time", "night")

    assert code == 0
    assert "does not rain indoors: 夜の橋" in out
    assert (alone, "indoors" in err) == (2, True)
    assert "Not drawn in the stage style: night" in style


@pytest.mark.parametrize(
    ("option", "name"),
    [("--input", ""), *product(["--manifest", "--postprocess", "--app-settings", "--jobs-file"], ["", "."])],
)
def test_a_path_that_is_given_is_never_passed_over(
    option: str, name: str, kroma: Kroma, tmp_path: Path, photographs: Path
) -> None:
    scenes = () if option == "--input" else ("--input", photographs)
    before = everything(tmp_path)

    code, _, _ = kroma("plan", "--project", "noir", *scenes, option, name)

    assert code == 2
    assert everything(tmp_path) == before


def test_a_settings_file_is_found_from_the_current_folder(kroma: Kroma, tmp_path: Path, photographs: Path) -> None:
    (tmp_path / "mine.toml").write_text("[postprocess]\ncolor = true\n")

    _, out, _ = kroma(
        "plan", "--project", "noir", "--home", tmp_path / "w", "--input", photographs, "--app-settings", "mine.toml"
    )

    assert "generate → color" in out


def test_a_turned_photograph_gives_an_upright_page(kroma: Kroma, photographs: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photograph(7, 96, 64)).save(photographs / "turned.jpg", exif=exif)

    kroma("run", "--project", "noir", "--input", photographs / "turned.jpg")

    log = json.loads(kroma("runs", "show", "--json")[1])
    assert (log["inputs"][0]["width"], log["inputs"][0]["height"]) == (64, 96)
    assert (log["jobs"][0]["size"]["width"], log["jobs"][0]["size"]["height"]) == (1024, 1536)
    assert log["jobs"][0]["candidates"][0]["output_guard"]["measures"]["height"] == 1536


def test_a_project_need_not_be_named_when_there_is_one_and_must_when_there_are_two(kroma: Kroma) -> None:
    none, _, none_err = kroma("runs", "list")
    kroma("init", "noir")
    one, _, _ = kroma("runs", "list")
    kroma("init", "dawn")
    two, _, two_err = kroma("runs", "list")

    assert (none, one, two) == (2, 0, 2)
    assert "kroma init" in none_err
    assert "dawn, noir" in two_err


def test_an_unknown_run_is_refused_with_what_was_meant(kroma: Kroma, photographs: Path) -> None:
    kroma("run", "--project", "noir", "--input", photographs)
    run_id = json.loads(kroma("runs", "list", "--json")[1])["runs"][0]["run_id"]

    code, _, err = kroma("runs", "show", run_id[:-1])

    assert code == 2
    assert run_id in err


def test_a_damaged_run_is_listed_beside_the_others(kroma: Kroma, tmp_path: Path, photographs: Path) -> None:
    kroma("run", "--project", "noir", "--input", photographs)
    kroma("run", "--project", "noir", "--input", photographs)
    damaged = min((tmp_path / "var" / "projects" / "noir" / "runs").iterdir())
    (damaged / "run.json").write_text("{}")

    code, out, _ = kroma("runs", "list", "--json")

    rows = json.loads(out)["runs"]
    assert code == 0
    assert [row["status"] for row in rows] == ["ok", "unreadable"]
    assert "run.json" in rows[1]["says"]


def test_a_scene_that_fails_makes_the_run_partial(kroma: Kroma, photographs: Path) -> None:
    damage(photographs / "quay.png")

    code, out, _ = kroma("run", "--project", "noir", "--input", photographs)

    assert code == 6
    assert "partial" in out


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp"])
def test_a_picture_that_was_cut_off_is_refused_before_anything_is_created(
    ending: str, kroma: Kroma, tmp_path: Path, photographs: Path
) -> None:
    whole = cv2.imencode(ending, photograph(5, 200, 160))[1].tobytes()
    (photographs / f"cut{ending}").write_bytes(whole[: len(whole) * 2 // 3])
    before = everything(tmp_path)

    code, _, err = kroma("run", "--project", "noir", "--input", photographs)

    assert code == 2
    assert f"cut{ending}" in err
    assert everything(tmp_path) == before


def test_what_init_makes_can_be_used_at_once(kroma: Kroma, photographs: Path) -> None:
    codes = [
        kroma("init", "harbour")[0],
        kroma("validate-config", "--project", "harbour")[0],
        kroma("plan", "--input", photographs, "--candidates", 3)[0],
        kroma("run", "--input", photographs)[0],
    ]

    assert codes == [0, 0, 0, 0]


def test_winners_are_checked_before_the_first_is_copied(kroma: Kroma, tmp_path: Path, photographs: Path) -> None:
    kroma("run", "--project", "noir", "--input", photographs, "--candidates", 1)
    second = max((tmp_path / "var/projects/noir/runs").glob("*/outputs/*.png"))
    second.write_bytes(second.read_bytes() + b"x")

    code, _, err = kroma("winners", "--to", tmp_path / "best")

    assert code == 5
    assert second.name in err
    assert not (tmp_path / "best").exists()


def test_a_record_cannot_lead_out_of_its_project(kroma: Kroma, tmp_path: Path, photographs: Path) -> None:
    kroma("run", "--project", "noir", "--input", photographs, "--candidates", 1)
    (record,) = (tmp_path / "var/projects/noir/runs").glob("*/run.json")
    honest = json.loads(record.read_text())
    path = honest["jobs"][0]["candidates"][0]["passes"][0]["output"]["path"]

    for instead in ("/etc/hostname", "../../../../secret.png", "runs/../../x.png", "C:/x.png", "runs\\x.png"):
        record.write_text(json.dumps(honest).replace(path, json.dumps(instead)[1:-1]))
        code, _, err = kroma("winners", "--to", tmp_path / "best")
        assert (code, (tmp_path / "best").exists()) == (2, False), instead
        assert "leads out of the project" in err
    record.write_text(json.dumps(honest).replace(honest["run_id"], "another"))
    assert kroma("runs", "show")[0] == 2


def test_a_folder_that_is_no_run_is_passed_over(kroma: Kroma, tmp_path: Path, photographs: Path) -> None:
    kroma("run", "--project", "noir", "--input", photographs)
    runs = tmp_path / "var/projects/noir/runs"
    (run_folder,) = runs.iterdir()
    (runs / "zz-backup").mkdir()
    nothing = runs / "2999-01-01T00-00-00-000Z-abcdef"
    nothing.mkdir()
    os.utime(nothing, (0, 0))  # a younger one may be a run that is about to begin

    shown = json.loads(kroma("runs", "show", "--json")[1])
    listed = json.loads(kroma("runs", "list", "--json")[1])

    assert shown["run_id"] == run_folder.name
    assert [row["status"] for row in listed["runs"]] == ["unreadable", "ok"]


def test_a_usage_error_with_json_is_a_document_too(kroma: Kroma) -> None:
    code, out, err = kroma("plan", "--candidates", "many", "--json")

    assert code == 2
    assert json.loads(out)["error_code"] == "usage"
    assert "--candidates" in err


def test_names_are_shown_and_never_obeyed(kroma: Kroma, tmp_path: Path, photographs: Path) -> None:
    scenes = [{"ref": "photographs/quay.png", "name": "[red]:smile:[/red] <b>"}]
    (tmp_path / "m.json").write_text(json.dumps({"scenes": scenes}))
    (tmp_path / "bad.json").write_text(json.dumps({"scenes": [{"ref": "\x1b[31mquay\u202e.png"}]}))

    _, out, _ = kroma("plan", "--project", "noir", "--manifest", "m.json")
    code, _, err = kroma("plan", "--project", "noir", "--manifest", "bad.json")

    assert "[red]:smile:[/red] <b>" in out
    assert code == 2
    assert "\x1b" not in err
    assert "\u202e" not in err


def test_a_setting_is_explained_with_all_that_it_hides(kroma: Kroma) -> None:
    kroma("init", "noir")

    _, said, _ = kroma("explain", "postprocess.color")
    answer = json.loads(kroma("explain", "postprocess.color", "--json")[1])
    code, _, err = kroma("explain", "postprocess.colour")

    assert "pipeline.settings.toml" in said
    assert "instead of" in said
    assert (answer["value"], answer["layer"]) == (False, "app")
    assert code == 2
    assert "postprocess.color" in err


def test_doctor_draws_with_the_ink_engine_and_keeps_nothing(kroma: Kroma, tmp_path: Path) -> None:
    code, out, _ = kroma("doctor", "--json")

    findings = {finding["piece"]: finding for finding in json.loads(out)["findings"]}
    assert code == 0
    assert findings["ink engine"]["found"].endswith("repeatable")
    assert findings["backend lanczos"]["fine"] is findings["backend grabcut"]["fine"] is True
    assert "inference_realesrgan.py" in findings["backend python"]["found"]
    assert everything(tmp_path) == set()


MANIFEST = {"scene_refs": ["photographs/quay.png"]}

BAD_FILES = {
    "manifest: not JSON": ("--manifest", "m.json", '{"scene_refs": [', ["m.json", "line 1"]),
    "manifest: a list": ("--manifest", "m.json", "[]", ["m.json", "object"]),
    "manifest: unknown key": ("--manifest", "m.json", {**MANIFEST, "genertion": {}}, ["genertion", "generation"]),
    "manifest: wrong type": ("--manifest", "m.json", {**MANIFEST, "generation": {"candidates": "2"}}, ["candidates"]),
    "manifest: 3.0": ("--manifest", "m.json", {**MANIFEST, "generation": {"candidates": 3.0}}, ["candidates"]),
    "manifest: null": ("--manifest", "m.json", {**MANIFEST, "generation": None}, ["generation"]),
    "manifest: too many": ("--manifest", "m.json", {**MANIFEST, "generation": {"candidates": 7}}, ["max_candidates"]),
    "manifest: no such scene": ("--manifest", "m.json", {"scene_refs": ["gone.png"]}, ["scene_refs", "gone.png"]),
    "manifest: escape": ("--manifest", "m.json", {"scene_refs": ["../quay.png"]}, ["scene_refs", "../quay.png"]),
    "jobs: not a list": ("--jobs-file", "j.json", {}, ["j.json"]),
    "jobs: no prompt": ("--jobs-file", "j.json", [{"id": "a", "input_images": ["photographs/quay.png"]}], ["prompt"]),
    "postprocess: unknown backend": ("--postprocess", "p.json", {"upscale": {"backend": "magic"}}, ["upscale.backend"]),
    "settings: wrong type": ("--app-settings", "s.json", {"postprocess": {"color": 1}}, ["s.json", "color"]),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_one_clear_error_and_nothing_is_created(
    case: str, kroma: Kroma, tmp_path: Path, photographs: Path
) -> None:
    option, name, content, expected = BAD_FILES[case]
    (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    scenes = () if option in {"--manifest", "--jobs-file"} else ("--input", photographs)
    before = everything(tmp_path)

    code, out, err = kroma("run", "--project", "noir", *scenes, option, name)

    assert code == 2, err
    assert out == ""
    assert err.startswith("error (")
    assert all(word in err for word in (name, *expected)), err
    assert everything(tmp_path) == before


BAD_REQUESTS = {
    "no scene": ((), "input"),
    "no such folder": (("--input", "nowhere"), "nowhere"),
    "no such stage": (("--input", "photographs", "--stage", "dusk"), "dusk"),
    "no candidates": (("--input", "photographs", "--candidates", "0"), "candidates"),
    "no such profile": (("--input", "photographs", "--color-profile", "neutrl"), "neutral"),
    "no such engine": (("--input", "photographs", "--provider", "inc"), "ink"),
    "no such scene": (("--input", "photographs", "--only", "quai"), "quay"),
    "missing settings": (("--input", "photographs", "--app-settings", "mine.toml"), "mine.toml"),
    "a pass without backend": (
        ("--input", "photographs", "--upscale", "--postprocess", "python.json"),
        "or use lanczos or ncnn",
    ),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_a_bad_request_is_one_clear_error_and_nothing_is_created(
    case: str, kroma: Kroma, tmp_path: Path, photographs: Path
) -> None:
    arguments, expected = BAD_REQUESTS[case]
    (tmp_path / "python.json").write_text('{"upscale": {"backend": "python"}}')
    before = everything(tmp_path)

    code, _, err = kroma("run", "--project", "noir", *arguments)

    assert code == 2, err
    assert expected in err
    assert everything(tmp_path) == before


def test_an_error_with_json_is_a_document_with_kind_and_code(kroma: Kroma) -> None:
    code, out, _ = kroma("run", "--project", "noir", "--input", "nowhere", "--json")

    answer = json.loads(out)
    assert code == 2
    assert answer["ok"] is False
    assert answer["error_kind"] == "validation"
    assert answer["error_code"]
