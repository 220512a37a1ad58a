"""The guard over files and folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from kroma_nb.model.quality import FileReport, GuardReport, GuardSettings, HardReason, SoftWarning
from kroma_nb.qa import guard

STRICT = GuardSettings(judge_chroma=True, fail_on_chroma_exceed=True)
MILD = GuardSettings(judge_chroma=True)


def page(seed: int = 0, tint: int = 0) -> np.ndarray:
    chance = np.random.default_rng(seed)
    drawing = np.full((240, 160, 3), 255, np.uint8)
    drawing[..., 2] -= np.uint8(tint)
    for _ in range(30):
        ends = (chance.random((2, 2)) * (160, 240)).astype(int).tolist()
        cv2.line(drawing, ends[0], ends[1], (0, 0, 0), 3, cv2.LINE_AA)
    return drawing


def put(path: Path, picture: np.ndarray, kind: str = ".png") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(kind, picture[..., ::-1])[1].tobytes())
    return path


def only(report: GuardReport) -> FileReport:
    (entry,) = report.files
    return entry


def counts(report: GuardReport) -> tuple[int, int, int]:
    return report.summary.total_files, report.summary.hard_failures, report.summary.soft_warnings


def test_one_good_picture_is_one_good_file(tmp_path: Path) -> None:
    report = guard(put(tmp_path / "page.png", page()))

    assert (counts(report), report.ok, only(report).file) == ((1, 0, 0), True, "page.png")
    assert report.input == (tmp_path / "page.png").as_posix()


def test_a_missing_input_is_an_entry_and_counts_as_a_failure(tmp_path: Path) -> None:
    report = guard(tmp_path / "gone")

    assert (counts(report), report.ok) == ((0, 1, 0), False)
    assert only(report).hard_fail_reasons == (HardReason.INPUT_NOT_FOUND,)
    assert "No such file" in str(only(report).error)


@pytest.mark.parametrize("name", ["a\0b.png", "x" * 300 + ".png"])
def test_a_name_that_no_file_can_have_is_not_found(tmp_path: Path, name: str) -> None:
    assert only(guard(tmp_path / name)).hard_fail_reasons == (HardReason.INPUT_NOT_FOUND,)


def test_a_folder_without_pictures_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("ink")

    report = guard(tmp_path)

    assert (counts(report), only(report).hard_fail_reasons) == ((0, 1, 0), (HardReason.NO_IMAGES_FOUND,))


def test_a_file_with_another_ending_is_no_picture(tmp_path: Path) -> None:
    report = guard(put(tmp_path / "page.dat", page()))

    assert only(report).hard_fail_reasons == (HardReason.NO_IMAGES_FOUND,)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions work differently")
def test_a_folder_that_cannot_be_walked_is_a_failed_read(tmp_path: Path) -> None:
    put(tmp_path / "open" / "page.png", page())
    (tmp_path / "open" / "closed").mkdir()
    (tmp_path / "open" / "closed").chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    ask = (
        "import os, sys; from pathlib import Path; from kroma_nb.qa import guard\n"
        "os.getuid() or os.setuid(65534)\n"
        "print(guard(Path(sys.argv[1])).model_dump_json())"
    )

    said = subprocess.run(
        [sys.executable, "-c", ask, str(tmp_path / "open")], capture_output=True, text=True, check=True, timeout=120
    )

    report = GuardReport.model_validate_json(said.stdout)
    assert (counts(report), only(report).hard_fail_reasons) == ((0, 1, 0), (HardReason.IMAGE_READ_FAILED,))
    assert "Permission denied" in str(only(report).error)


def test_an_unreadable_file_has_no_measures_and_does_not_end_the_walk(tmp_path: Path) -> None:
    put(tmp_path / "a.png", page())
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "c.png").write_bytes(b"")
    put(tmp_path / "d.png", page(1))

    report = guard(tmp_path)

    assert counts(report) == (4, 2, 0)
    for entry in report.files[1:3]:
        assert entry.hard_fail_reasons == (HardReason.IMAGE_READ_FAILED,)
        assert (entry.chroma_delta, entry.grayscale_like, entry.measures) == (None, None, None)
        assert entry.error


def test_the_content_tells_the_format_not_the_name(tmp_path: Path) -> None:
    report = guard(put(tmp_path / "really_a_jpeg.png", page(), ".jpg"))

    assert (counts(report), only(report).hard_fail_reasons) == ((1, 0, 0), ())


def test_a_file_with_both_kinds_of_reason_counts_in_both(tmp_path: Path) -> None:
    put(tmp_path / "tinted.png", page(tint=60))
    put(tmp_path / "grey.png", page())

    report = guard(tmp_path, GuardSettings(judge_chroma=True, enforce_grayscale=True))

    assert counts(report) == (2, 1, 1)


def test_files_stand_in_byte_order_with_a_folder_in_its_place(tmp_path: Path) -> None:
    for name in ("z-dir/2.jpg", "b.PNG", "a-dir/1.jpg", "a.png", "a-dir/.hidden.webp", "Z.tif", "é.bmp"):
        kind = Path(name).suffix.lower()
        put(tmp_path / name, page(), ".jpg" if kind == ".jpg" else ".png")

    report = guard(tmp_path)

    names = ["Z.tif", "a-dir/.hidden.webp", "a-dir/1.jpg", "a.png", "b.PNG", "z-dir/2.jpg", "é.bmp"]
    assert [entry.file for entry in report.files] == names


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_inside_a_folder_are_left_out(tmp_path: Path) -> None:
    put(tmp_path / "in" / "page.png", page())
    put(tmp_path / "out" / "other.png", page(1))
    (tmp_path / "in" / "linked.png").symlink_to(tmp_path / "out" / "other.png")
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "around").symlink_to(tmp_path / "in")
    os.mkfifo(tmp_path / "in" / "pipe.png")

    report = guard(tmp_path / "in")

    assert [entry.file for entry in report.files] == ["page.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_not_utf_8_can_still_be_reported(tmp_path: Path) -> None:
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")), page())

    report = guard(tmp_path)

    assert only(report).file == "caf\\xe9.png"
    assert GuardReport.model_validate_json(report.model_dump_json()) == report


def test_more_workers_give_the_same_report_in_the_same_order(tmp_path: Path) -> None:
    for seed in range(12):
        put(tmp_path / f"{seed}.png", page(seed, tint=seed * 9))
    (tmp_path / "5x.png").write_bytes(b"no picture")
    threads = cv2.getNumThreads()

    alone, together = guard(tmp_path, MILD), guard(tmp_path, MILD, workers=3)

    assert together == alone
    assert counts(alone)[0] == 13
    assert cv2.getNumThreads() == threads


def test_what_is_remembered_are_measures_and_other_settings_judge_them_anew(tmp_path: Path) -> None:
    put(tmp_path / "in" / "tinted.png", page(tint=60))
    cache = tmp_path / "cache"

    mild = only(guard(tmp_path / "in", MILD, cache=cache))
    strict = only(guard(tmp_path / "in", STRICT, cache=cache))

    assert mild.soft_warnings == (SoftWarning.CHROMA_EXCEEDS_THRESHOLD,)
    assert strict.hard_fail_reasons == (HardReason.CHROMA_EXCEEDS_THRESHOLD,)
    assert strict == only(guard(tmp_path / "in", STRICT))


def test_a_second_walk_reads_what_the_first_remembered(tmp_path: Path) -> None:
    put(tmp_path / "in" / "page.png", page())
    cache = tmp_path / "cache"
    guard(tmp_path / "in", cache=cache)
    (entry,) = (cache / "contents").iterdir()
    entry.write_bytes(entry.read_bytes().replace(b'"ink":0.', b'"ink":9.'))

    remembered = only(guard(tmp_path / "in", cache=cache)).measures

    assert remembered is not None
    assert remembered.ink > 9


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "in" / "page.bmp"
    put(file, page(), ".bmp")
    cache, before = tmp_path / "cache", file.stat()
    first = only(guard(tmp_path / "in", cache=cache))
    put(file, page(tint=90), ".bmp")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    second = only(guard(tmp_path / "in", cache=cache))

    assert file.stat().st_size == before.st_size
    assert (first.chroma_delta, second.chroma_delta) == (0.0, only(guard(tmp_path / "in")).chroma_delta)


@pytest.mark.parametrize(
    "damage", [b"", b"{", b'{"sha256": "x"}', b"\xff\xfe", b'{"sha256":"0","version":-1,"chroma_delta":0.0}']
)
def test_a_damaged_memory_is_measured_over(tmp_path: Path, damage: bytes) -> None:
    put(tmp_path / "in" / "page.png", page(tint=30))
    cache = tmp_path / "cache"
    first = guard(tmp_path / "in", cache=cache)
    (entry,) = (cache / "contents").iterdir()
    entry.write_bytes(damage)

    assert guard(tmp_path / "in", cache=cache) == first
    assert entry.read_bytes() != damage


def test_measures_of_another_content_under_a_files_name_are_not_believed(tmp_path: Path) -> None:
    put(tmp_path / "in" / "page.png", page())
    other = guard(put(tmp_path / "other.png", page(1, tint=90)), cache=tmp_path / "cache")
    (entry,) = (tmp_path / "cache" / "contents").iterdir()
    strange = entry.read_bytes()
    entry.unlink()
    first = guard(tmp_path / "in", cache=tmp_path / "cache")
    (entry,) = (tmp_path / "cache" / "contents").iterdir()
    entry.write_bytes(strange)

    assert guard(tmp_path / "in", cache=tmp_path / "cache") == first
    assert only(first).chroma_delta != only(other).chroma_delta


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    put(tmp_path / "in" / "page.png", page())
    (tmp_path / "cache").write_text("a file stands where the folder should be")

    assert guard(tmp_path / "in", cache=tmp_path / "cache") == guard(tmp_path / "in")


def test_an_unreadable_file_is_not_remembered(tmp_path: Path) -> None:
    put(tmp_path / "in" / "page.png", page())
    whole = (tmp_path / "in" / "page.png").read_bytes()
    (tmp_path / "in" / "page.png").write_bytes(whole[:-40])
    broken = guard(tmp_path / "in", cache=tmp_path / "cache")
    (tmp_path / "in" / "page.png").write_bytes(whole)

    assert (broken.ok, guard(tmp_path / "in", cache=tmp_path / "cache").ok) == (False, True)
