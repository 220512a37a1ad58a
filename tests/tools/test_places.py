"""Where results go: named, mirrored, and refused before anything is made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from studio import photograph

import kroma_nb as kn
from kroma_nb.errors import BackendUnavailable, FileMissing, KromaError, PathRefused, RequestInvalid
from kroma_nb.images import probe


def targets(done: kn.tools.ToolResult) -> list[str]:
    return [row.target for row in done.rows]


@pytest.mark.parametrize(
    ("named", "becomes"),
    [
        (None, "pages/upscaled/street_x2.png"),
        ("print", "print/street_x2.png"),
        ("there.png", "there.png/street_x2.png"),
        ("print.png/", "print.png/street_x2.png"),
        ("print/page.png", "print/page.png"),
        ("page.WEBP", "page.WEBP"),
        ("page.v2", "page.v2/street_x2.png"),
        (".", "street_x2.png"),
    ],
)
def test_a_picture_goes_into_a_folder_or_to_the_very_name(pages, tmp_path, monkeypatch, named, becomes) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.png").mkdir()

    done = kn.tools.enlarge("pages/street.png", named)

    assert targets(done) == [str(tmp_path / becomes)]
    assert probe(tmp_path / becomes).width == 128


@pytest.mark.parametrize(
    ("target", "word", "media_type"),
    [("a.png", None, "png"), ("a.webp", None, "webp"), ("a.jpeg", None, "jpeg"), ("out", "webp", "webp")],
)
def test_the_name_tells_the_format_or_a_word_does(pages, tmp_path, target, word, media_type) -> None:
    (path,) = targets(kn.tools.enlarge(pages / "street.png", tmp_path / target, format=word))

    assert probe(Path(path)).media_type.value == f"image/{media_type}"


def test_links_and_what_tools_have_put_there_before_are_left_out_and_said(pages, tmp_path) -> None:
    kn.tools.enlarge(pages / "street.png")
    kn.tools.enlarge(pages / "street.png")
    kn.tools.enlarge(pages / "street.png", pages / "print")
    (pages / "link.png").symlink_to(pages / "street.png")

    done = kn.tools.enlarge(pages, pages / "print")

    left_out = {path.relative_to(pages).as_posix() for path in done.left_out}
    assert left_out == {"link.png", "upscaled", "archive", "print"}
    assert len(done.rows) == 3
    assert "Left out" in repr(done)


@pytest.mark.parametrize("word", ["jpg", "jpeg", "JPG"])
def test_a_cut_out_is_never_a_jpg(pages, tmp_path, word, listing) -> None:
    before = listing(tmp_path)

    with pytest.raises(RequestInvalid, match="write png or webp"):
        kn.tools.cut_out(pages, format=word)
    with pytest.raises(RequestInvalid, match="write png or webp"):
        kn.tools.cut_out(pages / "street.png", tmp_path / f"cut.{word}")

    assert listing(tmp_path) == before


def test_two_sources_of_one_result_are_refused_before_anything_is_made(pages, tmp_path, listing) -> None:
    Image.fromarray(photograph(7)).save(pages / "street.jpg")
    before = listing(tmp_path)

    with pytest.raises(RequestInvalid, match=r"street\.jpg and .*street\.png would both become .*street_x2\.png"):
        kn.tools.enlarge(pages)

    assert listing(tmp_path) == before


def test_a_source_is_never_its_own_target_under_whatever_name(pages, tmp_path, listing) -> None:
    street = pages / "street.png"
    (tmp_path / "way").symlink_to(pages)
    (tmp_path / "link.png").symlink_to(street)
    os.link(street, tmp_path / "hard.png")
    before = listing(tmp_path)

    for target in (street, tmp_path / "way" / "street.png", pages / "ink" / ".." / "street.png", tmp_path / "hard.png"):
        with pytest.raises(RequestInvalid, match="is the source"):
            kn.tools.color(street, target, profile="neutral")
    with pytest.raises(PathRefused, match="this is a link"):
        kn.tools.color(street, tmp_path / "link.png", profile="neutral")
    with pytest.raises(RequestInvalid, match="among their sources"):
        kn.tools.color(pages, pages, profile="neutral")

    assert listing(tmp_path) == before


def test_links_that_lead_nowhere_or_away_are_refused(pages, tmp_path, listing) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (tmp_path / "nowhere").symlink_to(tmp_path / "not there")
    (tmp_path / "source.png").symlink_to(pages / "street.png")
    (tmp_path / "print").mkdir()
    (tmp_path / "print" / "ink").symlink_to(away)
    before = listing(tmp_path)

    for source, target in (
        (pages, tmp_path / "nowhere"),
        (pages, tmp_path / "nowhere" / "print"),
        (pages / "street.png", tmp_path / "nowhere" / "page.png"),
        (pages, tmp_path / "print"),
        (tmp_path / "source.png", None),
        (tmp_path / "nowhere", None),
        (tmp_path / "nowhere" / "page.png", None),
    ):
        with pytest.raises(PathRefused):
            kn.tools.enlarge(source, target)

    assert listing(tmp_path) == before
    assert not (tmp_path / "not there").exists()


def test_a_folder_may_be_named_through_a_link_that_leads_to_it(pages, tmp_path) -> None:
    (tmp_path / "print").mkdir()
    (tmp_path / "way").symlink_to(tmp_path / "print")

    done = kn.tools.enlarge(pages / "street.png", tmp_path / "way")

    assert targets(done) == [str(tmp_path / "print" / "street_x2.png")]


def test_nothing_is_put_into_the_record_of_a_project(pages, tmp_path, listing) -> None:
    root = kn.open_workbench(tmp_path / "home").create_project("noir").root
    outputs = root / "runs" / "2026-01-31T09-15-02-417Z-5f0c1a" / "outputs"
    shutil.copytree(pages, outputs)
    before = listing(tmp_path)

    for source, target in ((outputs, None), (pages, root / "inputs"), (pages / "street.png", root / "archive/a.png")):
        with pytest.raises(RequestInvalid, match="record of the project in"):
            kn.tools.enlarge(source, target)
    assert listing(tmp_path) == before

    assert kn.tools.enlarge(outputs, root / "print").ok
    assert len(list((root / "print").rglob("*_x2.png"))) == 3


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda at: kn.tools.cut_out(at, backends=[]), RequestInvalid, "the list is empty; name at least one of"),
        (lambda at: kn.tools.cut_out(at, backends=["grabct"]), RequestInvalid, r"backends\[0\].*grabcut"),
        (lambda at: kn.tools.cut_out(at, backends="photoroom"), RequestInvalid, "costs money.*name grabcut"),
        (lambda at: kn.tools.cut_out(at, backends=["grabcut", "removebg"]), RequestInvalid, "removebg costs money"),
        (lambda at: kn.tools.enlarge(at, scale=5), RequestInvalid, "scale: the number 5"),
        (lambda at: kn.tools.enlarge(at, scale=2.0), RequestInvalid, "scale"),
        (lambda at: kn.tools.enlarge(at, backend="bicubic"), RequestInvalid, "backend.*lanczos"),
        (lambda at: kn.tools.enlarge(at, format="tiff"), RequestInvalid, "format.*png"),
        (lambda at: kn.tools.enlarge(at, fromat="png"), RequestInvalid, "fromat: there is no such word.*'format'"),
        (lambda at: kn.tools.enlarge(at, workers=0), RequestInvalid, "workers: 0 .*give 1 or more"),
        (lambda at: kn.tools.judge(at, format="png"), RequestInvalid, "format: there is no such word"),
        (kn.tools.color, RequestInvalid, "profile: none is named; known here: cinematic_warm"),
        (lambda at: kn.tools.color(at, profile="cinematic"), KromaError, "did you mean 'cinematic_warm'"),
        (lambda at: kn.tools.color(at, profiles="no.json"), FileMissing, "no.json"),
        (lambda at: kn.tools.enlarge(at, at / "street.png"), RequestInvalid, "is a file, where a folder is needed"),
        (lambda at: kn.tools.enlarge(at, at.parent / "a.png"), RequestInvalid, "goes into a folder; name a folder"),
        (lambda at: kn.tools.enlarge(at / "street.png", at / "a.tif"), RequestInvalid, "end the name in .png or .webp"),
        (lambda at: kn.tools.enlarge(at / "street.png", at / "a.png", format="webp"), RequestInvalid, "no webp file"),
        (lambda at: kn.tools.enlarge(at / "street.png", ""), RequestInvalid, "an empty name is no path"),
        (lambda at: kn.tools.enlarge(f"{at}\0"), PathRefused, "NUL"),
        (lambda at: kn.tools.enlarge(at / "no.png"), FileMissing, "no such file or folder"),
        (lambda at: kn.tools.enlarge(at / "notes.txt"), FileMissing, "neither a folder nor a picture"),
        (lambda at: kn.tools.enlarge(at / "empty"), FileMissing, "there is no picture in it"),
        (lambda at: kn.tools.judge(at / "empty"), FileMissing, "there is no picture in it"),
    ],
)
def test_what_cannot_be_done_is_one_clear_error_before_anything_is_made(pages, call, error, says, listing) -> None:
    (pages / "empty").mkdir()
    (pages / "notes.txt").write_text("ink")
    before = listing(pages.parent)

    with pytest.raises(error, match=says):
        call(pages)

    assert listing(pages.parent) == before


@pytest.mark.parametrize("backend", ["onnx", "ONNX "])
def test_a_cut_out_by_a_backend_without_its_model_says_what_to_do(pages, tmp_path, backend, listing) -> None:
    before = listing(tmp_path)

    with pytest.raises(BackendUnavailable, match=r"the backend onnx cannot work here: .*; "):
        kn.tools.cut_out(pages, backends=[backend], home=tmp_path / "home")

    assert listing(tmp_path) == before


def test_an_upscaler_without_its_program_says_what_to_do(pages, tmp_path, listing) -> None:
    before = listing(tmp_path)

    with pytest.raises(BackendUnavailable, match=r"the backend python cannot work here: .*; "):
        kn.tools.enlarge(pages, backend="python", home=tmp_path / "home")

    assert listing(tmp_path) == before


def test_the_workspace_says_where_models_are_and_nothing_else_is_read(pages, tmp_path) -> None:
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    (home / "config" / "backends.toml").write_text('[python]\nscript = "no.py"\n')
    (home / "config" / "pipeline.settings.json").write_text("not even JSON")

    with pytest.raises(KromaError, match=r"home/no\.py"):
        kn.tools.enlarge(pages, backend="python", home=home)
    assert kn.tools.color(pages, profile="neutral", home=home).ok
    assert sorted(path.name for path in home.rglob("*")) == ["backends.toml", "config", "pipeline.settings.json"]
