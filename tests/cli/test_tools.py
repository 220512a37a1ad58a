"""`kroma bgremove`, `upscale`, `color` and `qa`: files in, files out, without a project."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from studio import photograph, posed

from kroma_nb.images import load

MAIN = "from kroma_nb.cli import main; main()"


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    for number in range(2):
        Image.fromarray(posed(number)).save(folder / f"page_{number}.png")
    return folder


@pytest.mark.parametrize(
    ("command", "result"),
    [
        (["bgremove"], "background_removed/page_0_nobg.png"),
        (["upscale"], "upscaled/page_0_x2.png"),
        (["color", "--profile", "cinematic_warm"], "color_corrected/page_0_cinematic_warm.png"),
    ],
)
def test_a_command_puts_its_results_where_its_help_says(kroma, tmp_path, pages, command, result) -> None:
    folder, _, name = result.partition("/")

    _, help_text, _ = kroma(command[0], "--help")
    code, out, _ = kroma(*command, "pages")
    single, _, _ = kroma(*command, "pages/page_0.png")

    # Without the frame around it.
    words = " ".join(re.sub(r"[^\w./ -]+", " ", help_text).split())
    assert f"else the folder {folder} beside the input" in words
    assert (code, single) == (0, 0)
    assert {path.name for path in (tmp_path / folder).iterdir()} == {name, name.replace("0", "1", 1)}
    assert (pages / folder / name).exists()
    assert "2 of 2 files" in out
    assert not (tmp_path / "var").exists()
    assert not (tmp_path / "config").exists()


def test_the_help_of_the_tools_names_their_exit_codes(kroma) -> None:
    for command in ("bgremove", "upscale", "color", "qa"):
        assert "Exit codes: 0" in kroma(command, "--help")[1]


def test_one_that_fails_is_named_and_the_others_are_made(kroma, tmp_path, pages) -> None:
    (pages / "broken.png").write_bytes(b"ink")

    code, out, err = kroma("upscale", "pages", "--scale", 3)
    again, told, _ = kroma("upscale", "pages", "--json", "--workers", 1)
    none, _, _ = kroma("upscale", "pages/broken.png")

    assert (code, again, none, err) == (6, 6, 2, "")
    assert "Enlarged 2 of 3 files by lanczos, 1 failed" in out
    assert "broken.png: its content is no known picture format" in out
    assert load(tmp_path / "upscaled" / "page_1_x3.png").shape == (144, 192, 3)
    answer = json.loads(told)
    assert (answer["ok"], answer["counts"]["done"]) == (False, 2)
    assert {row["error_code"] for row in answer["files"]} == {"", "image_read_failed"}


def test_what_is_replaced_is_found_and_restored_by_the_archive(kroma, tmp_path, pages) -> None:
    kroma("color", "pages", "--profile", "cold_rain")
    kept = (tmp_path / "color_corrected" / "page_0_cold_rain.png").read_bytes()

    stays, _, _ = kroma("color", "pages", "--profile", "cold_rain", "--no-replace")
    _, out, _ = kroma("color", "pages", "--profile", "cold_rain", "--workers", 1)
    files = json.loads(kroma("archive", "--list", "--json")[1])["files"]

    assert stays == 3
    assert f"2 files that stood there before: now in {tmp_path / 'archive' / 'replaced'}" in out
    assert [file["move"]["from"] for file in files] == [f"color_corrected/page_{n}_cold_rain.png" for n in (0, 1)]
    (tmp_path / "color_corrected" / "page_0_cold_rain.png").unlink()
    assert kroma("archive", "--restore", files[0]["path"])[0] == 0
    assert (tmp_path / "color_corrected" / "page_0_cold_rain.png").read_bytes() == kept


def test_dry_lists_and_makes_nothing(kroma, tmp_path, pages) -> None:
    code, out, _ = kroma("bgremove", "pages", "--output", "cut", "--format", "webp", "--dry")

    assert (code, "page_0_nobg.webp" in out, "would be" in out) == (0, True, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pages"]


def test_an_output_that_ends_in_a_slash_is_a_folder(kroma, tmp_path, pages) -> None:
    kroma("upscale", "pages/page_0.png", "--output", "print.png/")
    kroma("upscale", "pages/page_0.png", "--output", "one.png")

    assert (tmp_path / "print.png" / "page_0_x2.png").exists()
    assert (tmp_path / "one.png").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bgremove", "pages", "--format", "jpg"], "write png or webp"),
        (["bgremove", "pages", "--backend", "photoroom"], "costs money"),
        (["bgremove", "pages", "--backend", ""], "choose from 'grabcut'"),
        (["upscale", "pages", "--scale", "7"], "less than or equal to 4"),
        (["upscale", "pages", "--output", ""], "an empty name is no path"),
        (["color", "pages"], "known here: cinematic_warm, cold_rain, neutral"),
        (["color", "pages", "--profiles", "nowhere.json"], "nowhere.json"),
        (["qa", "nowhere"], "no such file or folder"),
        (["qa", "pages", "--max-chroma-delta", "-1"], "max_chroma_delta"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_way_out(kroma, tmp_path, pages, words, said) -> None:
    code, out, err = kroma(*words)
    _, document, _ = kroma(*words, "--json")

    assert (code, out, said in err) == (2, "", True)
    assert json.loads(document)["ok"] is False
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pages"]


def test_the_guard_is_asked_and_ends_with_six_where_it_has_a_reason(kroma, tmp_path, pages) -> None:
    fine, out, _ = kroma("qa", "pages")
    grey, document, _ = kroma("qa", "pages", "--enforce-grayscale", "--max-chroma-delta", "0.5", "--json")
    wide, _, _ = kroma("qa", "pages/page_0.png", "--enforce-grayscale", "--max-chroma-delta", "255")
    exceeds, _, _ = kroma("qa", "pages", "--fail-on-chroma-exceed")

    assert (fine, grey, wide, exceeds) == (0, 6, 0, 6)
    assert "Judged 2 files of pages" in out
    answer = json.loads(document)
    assert answer["summary"] == {"total_files": 2, "hard_failures": 2, "soft_warnings": 2}
    assert answer["settings"]["max_chroma_delta"] == 0.5
    assert answer["files"][0]["hard_fail_reasons"] == ["not_grayscale_like"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pages"]


def test_ctrl_c_ends_after_the_file_that_is_being_made(tmp_path) -> None:
    pages, made = tmp_path / "pages", tmp_path / "upscaled"
    pages.mkdir()
    Image.fromarray(photograph(1, 320, 240)).save(tmp_path / "page.png")
    for number in range(200):
        (pages / f"page_{number:03}.png").write_bytes((tmp_path / "page.png").read_bytes())
    command = [sys.executable, "-c", MAIN, "upscale", pages, "--scale", "4", "--workers", "1", "--json"]

    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not list(made.glob("*.png")) and time.monotonic() < until:
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)

    counts = json.loads(out)["counts"]
    assert (child.returncode, err, counts["failed"]) == (6, "", 0)
    assert counts["left"] > 0
    assert [load(path).shape for path in made.glob("*.png")] == [(960, 1280, 3)] * counts["done"]
    assert not list(made.glob(".*"))
