"""`kroma archive`: files go into the archive, are listed, and come back."""

from __future__ import annotations

import json
from pathlib import Path


def test_files_go_away_are_listed_and_come_back(kroma, tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(b"ink")

    away, out, _ = kroma("archive", "page.png", "--as", "bad", "--reason", "blank [red]page")
    _, listed, _ = kroma("archive", "--list")
    (file,) = json.loads(kroma("archive", "--list", "--json")[1])["files"]
    gone = not (tmp_path / "page.png").exists()
    back, _, _ = kroma("archive", "--restore", file["path"])

    assert (away, back, gone) == (0, 0, True)
    assert out == f"page.png is now {file['path']}\n"
    assert "blank [red]page" in listed
    assert (file["state"], file["move"]["from"]) == ("archived", "page.png")
    assert (tmp_path / "page.png").read_bytes() == b"ink"


def test_a_file_that_is_missing_does_not_keep_the_others(kroma, tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(b"ink")

    code, out, err = kroma("archive", "nowhere.png", "page.png", "--as", "replaced")
    none, told, others = kroma("archive", "nowhere.png", "nor_here.png", "--as", "replaced", "--json")

    assert (code, none) == (6, 2)
    assert "page.png is now archive/replaced/page_replaced_" in out
    assert "nowhere.png" in err
    assert json.loads(told)["error_code"] == "file_missing"
    assert "nor_here.png" in others


def test_what_is_asked_for_in_part_or_twice_is_refused_with_the_way_out(kroma, tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(b"ink")
    kroma("init", "noir")

    for words, said in (
        (["page.png"], "--as replaced or --as bad"),
        (["page.png", "--as", "ugly"], "--as replaced or --as bad"),
        (["--as", "bad"], "--list"),
        (["page.png", "--as", "bad", "--root", ".", "--project", "noir"], "one of the two"),
        (["--restore", "archive/bad/nothing.png"], "kroma archive --list"),
        (["--restore", "a", "b", "--to", "c"], "one by one"),
    ):
        code, _, err = kroma("archive", *words)
        assert (code, said in err) == (2, True), words
    assert (tmp_path / "page.png").read_bytes() == b"ink"


def test_a_project_has_an_archive_of_its_own_and_keeps_its_record(kroma, tmp_path: Path) -> None:
    kroma("init", "noir")
    root = tmp_path / "var/projects/noir"
    (root / "page.png").write_bytes(b"ink")

    code, _, _ = kroma("archive", root / "page.png", "--as", "bad", "--project", "noir")
    record, _, _ = kroma("archive", root / ".kroma/project.json", "--as", "bad", "--project", "noir")
    listed = json.loads(kroma("archive", "--list", "--project", "noir", "--json")[1])

    assert (code, record) == (0, 3)
    assert [file["move"]["from"] for file in listed["files"]] == ["page.png"]
    assert (root / ".kroma/project.json").exists()


def test_a_project_keeps_its_record_from_the_archive_of_the_workspace_too(kroma, tmp_path: Path) -> None:
    kroma("init", "noir")
    card = tmp_path / "var/projects/noir/.kroma/project.json"

    code, _, err = kroma("archive", card, "--as", "bad")

    assert (code, "record of the project in" in err, card.exists()) == (3, True, True)
    assert not (tmp_path / "archive").exists()


def test_a_line_that_cannot_be_read_is_named(kroma, tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(b"ink")
    kroma("archive", "page.png", "--as", "bad")
    (tmp_path / "archive/archive.jsonl").write_text("what?\n")

    code, out, _ = kroma("archive", "--list")

    assert (code, "line 1 cannot be read" in out, "unrecorded" in out) == (0, True, True)
