"""`kroma import-kroma`, as a person types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from predecessor import OldStudio, candidate, everything, job, run_log

Kroma = Callable[..., tuple[int, str, str]]


@pytest.fixture
def old(tmp_path: Path) -> OldStudio:
    root = tmp_path / "old studio"
    root.mkdir()
    return OldStudio(root)


def test_an_import_says_what_it_took_and_the_run_can_be_looked_at(kroma: Kroma, old: OldStudio) -> None:
    old.one_run()

    code, out, _ = kroma("import-kroma", old.root)
    listed = kroma("runs", "list")
    shown = kroma("runs", "show")
    drawn = json.loads(kroma("runs", "gallery", "--json")[1])

    assert code == 0
    assert "noir" in out
    assert "quality not measured" in Path(drawn["gallery"]).read_text()
    assert "kroma runs list --project noir" in out
    assert (listed[0], shown[0]) == (0, 0)
    assert "2024-05-01T10-11-12-345Z" in listed[1]
    assert "not measured" in shown[1]
    assert "winner" in shown[1]


def test_what_is_missing_ends_with_code_6_and_is_named(kroma: Kroma, old: OldStudio) -> None:
    old.log(run_log(job("j", [candidate(1, "var/projects/noir/outputs/gone.png")], "photos/quay.png")))

    code, out, _ = kroma("import-kroma", old.root)
    again = kroma("import-kroma", old.root)

    assert code == 6
    assert "Left, because it is missing:" in out
    assert "gone.png" in out
    assert again[0] == 6


def test_a_second_import_does_not_say_again_what_was_mended(kroma: Kroma, old: OldStudio) -> None:
    scene = old.picture("photos/quay.png")
    old.log(run_log(job("j", [candidate(1, old.own("outputs/1.png"), candidate_index=None)], scene)))
    first = kroma("import-kroma", old.root)[1]

    again = kroma("import-kroma", old.root)[1]

    assert "Mended in" in first
    assert "Already there" not in first
    assert "Mended in" not in again
    assert "Already there, and not touched: 1 project, 1 run." in again


@pytest.mark.parametrize("slug", ["noir", "the-long-night-of-the-harbour-police"])
def test_a_report_breaks_no_word_on_a_narrow_screen(
    kroma: Kroma, old: OldStudio, monkeypatch: pytest.MonkeyPatch, slug: str
) -> None:
    old.slug = slug
    scene = old.picture("photos/quay.png")
    old.log(run_log(job("j", [candidate(1, old.own("outputs/1.png"))], scene), project=slug))
    monkeypatch.setenv("COLUMNS", "80")

    out = kroma("import-kroma", old.root)[1]

    grid = out.splitlines()[1:8]
    assert max(map(len, grid)) <= 80
    words = {"project", "runs", "pictures", "other", "links", "MB", "mended", "left"}
    assert words <= set("\n".join(grid).split())


def test_a_dry_run_says_the_same_and_writes_nothing(kroma: Kroma, old: OldStudio, tmp_path: Path) -> None:
    old.one_run()
    before = everything(tmp_path)

    dry = json.loads(kroma("import-kroma", old.root, "--dry-run", "--json")[1])

    assert everything(tmp_path) == before
    real = json.loads(kroma("import-kroma", old.root, "--json")[1])
    assert dry["counts"] == real["counts"]
    assert (dry["is_dry_run"], real["is_dry_run"], real["ok"]) == (True, False, True)


@pytest.mark.parametrize("path", ["none", "text", "folder"])
def test_what_cannot_be_imported_ends_with_code_2_and_one_answer(kroma: Kroma, tmp_path: Path, path: str) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "folder").mkdir()

    code, out, err = kroma("import-kroma", tmp_path / path, "--json")

    assert code == 2
    assert json.loads(out)["error_code"] in {"invalid_import", "file_missing"}
    assert path in err


def test_a_project_and_a_home_can_be_named(kroma: Kroma, old: OldStudio, tmp_path: Path) -> None:
    old.one_run()

    code, _, _ = kroma("import-kroma", old.project, "--project", "mine", "--home", tmp_path / "here")

    assert code == 0
    assert [path.name for path in (tmp_path / "here" / "var" / "projects").iterdir()] == ["mine"]


def test_a_log_cannot_play_with_the_terminal(kroma: Kroma, old: OldStudio) -> None:
    hostile = "\x1b[2J[bold]\u202e"
    made = candidate(1, f"{hostile}.png", status=hostile)
    old.log(run_log(job(hostile, [made], hostile, prompt=hostile), project="noir"))

    _, out, _ = kroma("import-kroma", old.root)
    shown = kroma("runs", "show")[1]

    assert "\x1b[2J" not in out + shown
    assert "\u202e" not in out + shown


def test_winners_that_the_import_did_not_find_are_named(kroma: Kroma, old: OldStudio, tmp_path: Path) -> None:
    scene = old.picture("photos/quay.png")
    jobs = [
        job("there", [candidate(1, old.own("outputs/there.png"))], scene),
        job("gone", [candidate(1, "var/projects/noir/outputs/gone.png")], old.picture("photos/bridge.png")),
    ]
    old.log(run_log(*jobs))
    kroma("import-kroma", old.root)

    code, out, _ = kroma("winners", "--to", tmp_path / "chosen")

    assert code == 0
    assert [path.name for path in (tmp_path / "chosen").iterdir()] == ["there.png"]
    assert "bridge" in out
