"""`print_files` and `kroma print`: what they make, what they say of it, and what they refuse."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from studio import photograph

import kroma_nb as kn
from kroma_nb.blobs import sha256_file
from kroma_nb.cli import main
from kroma_nb.errors import RequestInvalid
from kroma_nb.images import encode_png, load
from kroma_nb.model.printing import Halftone, LineArt, PrintSettings
from kroma_nb.model.tools import FileState, PrintRow
from kroma_nb.model.words import ExitCode

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Type `kroma print` beside the pages; gives exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["print", *map(str, words)])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def street(pages: Path) -> Path:
    """64 x 48 pixels in colour."""
    return pages / "street.png"


def name_of(icc: bytes) -> str:
    return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))).strip()


# ---------------------------------------------------------------- files, as Pillow reads them


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["--dpi", 300], ("RGB", (64, 48), 300, "sRGB built-in")),
        (["--width-cm", 2], ("RGB", (64, 48), 64 / 2 * 2.54, "sRGB built-in")),
        (["--height-cm", 2, "--dpi", 254], ("RGB", (267, 200), 254, "sRGB built-in")),
        (["--dpi", 300, "--profile", "gray"], ("L", (64, 48), 300, "Grey with the tone curve of sRGB")),
        (["--width-cm", 2, "--dpi", 600, "--line-art", "threshold"], ("1", (472, 354), 600, None)),
        (["--width-cm", 2, "--dpi", 600, "--line-art", "halftone", "--lpi", 75, "--angle", 15],
         ("1", (472, 354), 600, None)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["tiff", "png"])
def test_the_file_has_the_size_depth_dpi_and_profile_that_were_asked_for(typed, pages, words, asked, kind) -> None:
    mode, size, dpi, profile = asked
    code, told, _ = typed("pages/street.png", *words, "--format", kind, "--json")

    (row,) = json.loads(told)["files"]
    with Image.open(pages / "print" / f"street_print.{kind}") as image:
        image.load()
        assert (code, image.mode, image.size) == (0, mode, size)
        # A PNG has whole dots a metre.
        assert image.info["dpi"] == pytest.approx((dpi, dpi), abs=1e-4 if kind == "tiff" else 0.013)
        assert (name_of(image.info["icc_profile"]) if profile else image.info.get("icc_profile")) == profile
        if kind == "tiff":
            bits = image.tag_v2[258]
            assert image.info["compression"] == ("group4" if mode == "1" else "tiff_adobe_deflate")
        else:
            bits = ((pages / "print" / "street_print.png").read_bytes()[24],)
    assert set(bits) == {row["bits"]} == {1 if mode == "1" else 8}
    assert (row["width"], row["height"], row["dpi"]) == (*size, pytest.approx(dpi))
    assert row["width_cm"] == pytest.approx(64 / row["source_dpi"] * 2.54)


def test_a_profile_of_ones_own_is_embedded_whole(typed, tmp_path, pages) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (tmp_path / "press.icc").write_bytes(icc)

    _, out, _ = typed("pages/street.png", "-o", "one.tif", "--dpi", 300, "--profile", "press.icc")

    with Image.open(tmp_path / "one.tif") as image:
        assert image.info["icc_profile"] == icc
        assert np.abs(np.asarray(image).astype(int) - load(pages / "street.png")).max() <= 1
    assert "8-bit press.icc" in out


def test_a_threshold_parts_where_it_was_asked_to(street) -> None:
    kn.tools.print_files(street, street.parent / "one.png", dpi=600, line_art="threshold", threshold=90)

    gray = np.asarray(load(street)) @ [0.2126, 0.7152, 0.0722]
    with Image.open(street.parent / "one.png") as image:
        white = np.asarray(image)
    # Colours count by their light: far from the threshold a mean of levels says the same.
    assert white[gray > 120].all()
    assert not white[gray < 60].any()


def test_what_is_known_of_the_source_goes_along_and_its_file_is_named(tmp_path) -> None:
    page = tmp_path / "page.png"
    page.write_bytes(encode_png(photograph(1), text={"Software": "kroma_nb", "kroma_nb:pass": "color neutral"}))

    for kind in ("tiff", "png"):
        kn.tools.print_files(page, dpi=300, format=kind)

    told = {"Software": "kroma_nb", "kroma_nb:pass": "color neutral", "kroma_nb:printed_from": sha256_file(page)}
    with Image.open(tmp_path / "print" / "page_print.png") as image:
        image.load()
        assert image.text == told
    with Image.open(tmp_path / "print" / "page_print.tiff") as image:
        assert json.loads(image.tag_v2[270]) == told


# ---------------------------------------------------------------- places


def test_a_folder_is_mirrored_beside_itself_and_one_bad_file_ends_no_other(pages, broken, tmp_path, listing) -> None:
    before = listing(pages)

    done = kn.tools.print_files(pages, dpi=300)

    assert set(listing(tmp_path / "print")) == {
        "street_print.tiff",
        "ink/grey_print.tiff",
        "ink/figure_print.tiff",
    }
    assert listing(pages) == before
    assert (done.exit_code, done.counts[FileState.FAILED]) == (ExitCode.PARTIAL, 1)
    assert {type(row) for row in done.rows} == {PrintRow}
    assert "Prepared for print 3 of 4 files, 1 failed" in repr(done)
    modes = {Path(row.source).name: (row.mode, row.profile) for row in done.rows}
    assert modes == {
        "street.png": ("rgb", "srgb"),
        "grey.png": ("gray", "gray"),
        "figure.png": ("rgba", "srgb"),
        "broken.png": ("", ""),
    }


def test_a_single_files_name_says_its_format(typed, tmp_path, pages) -> None:
    for name in ("a.TIF", "b.png", "c.tiff"):
        assert typed("pages/street.png", "-o", name, "--dpi", 300)[0] == 0
    typed("pages/street.png", "-o", "folder.png/", "--dpi", 300)

    starts = {name: (tmp_path / name).read_bytes()[:4] for name in ("a.TIF", "b.png", "c.tiff")}
    assert starts == {"a.TIF": b"II*\0", "b.png": b"\x89PNG", "c.tiff": b"II*\0"}
    assert (tmp_path / "folder.png" / "street_print.tiff").exists()


def test_what_stood_there_goes_to_the_archive_or_stays(typed, pages, listing) -> None:
    typed("pages/street.png", "--dpi", 300)
    old = (pages / "print" / "street_print.tiff").read_bytes()

    code, _, _ = typed("pages/street.png", "--dpi", 150, "--no-replace")
    kept = (pages / "print" / "street_print.tiff").read_bytes()
    _, out, _ = typed("pages/street.png", "--dpi", 150)

    foreseen = kn.tools.print_files(pages / "street.png", dpi=150, replace=False, dry=True)
    assert (foreseen.rows[0].error_code, code, kept) == ("in_use", 3, old)
    assert f"1 file that stood there before: now in {pages / 'archive' / 'replaced'}" in out
    (moved,) = (pages / "archive" / "replaced").iterdir()
    assert moved.read_bytes() == old
    with Image.open(pages / "print" / "street_print.tiff") as image:
        assert image.info["dpi"] == (150, 150)


def test_a_source_is_never_its_own_print(street) -> None:
    before = street.read_bytes()

    with pytest.raises(RequestInvalid, match=r"is the source .* itself; name another"):
        kn.tools.print_files(street, street, dpi=300)
    assert street.read_bytes() == before


# ---------------------------------------------------------------- what is said


def test_dry_says_which_dpi_a_size_gives_and_writes_nothing(typed, tmp_path, pages, listing) -> None:
    before = listing(tmp_path)

    code, out, _ = typed("pages", "--width-cm", 2, "--dry")
    planned = kn.tools.print_files(pages, width_cm=2, dry=True)

    assert (code, listing(tmp_path)) == (0, before)
    assert "would be 3 of 3 files" in out
    assert "3 files: At 2 x 1.5 cm the picture has 81 dots an inch; tones want 300" in out
    made = kn.tools.print_files(pages, width_cm=2)
    same = ("source", "target", "width", "height", "width_cm", "height_cm", "dpi", "source_dpi", "bits", "cautions")
    assert [[getattr(row, name) for name in same] for row in planned.rows] == [
        [getattr(row, name) for name in same] for row in made.rows
    ]
    assert planned.rows[0].dpi == pytest.approx(81.28)


def test_enough_dots_are_said_nothing_of_and_too_few_are_no_failure(street) -> None:
    fine, coarse = (kn.tools.print_files(street, width_cm=width, dpi=600) for width in (0.5, 2))

    assert (fine.rows[0].cautions, fine.ok, coarse.ok) == ((), True, True)
    assert "81 dots an inch" in coarse.rows[0].cautions[0]


def test_an_aspect_that_leaves_a_strip_empty_is_said(street) -> None:
    (row,) = kn.tools.print_files(street, width_cm=0.5, height_cm=1, dpi=600).rows

    assert (row.width, row.height) == (118, 89)
    assert "stays empty at its top or bottom" in row.cautions[0]


def test_a_page_without_a_drop_of_ink_is_said(tmp_path) -> None:
    for name, level in (("white", 255), ("black", 0)):
        Image.fromarray(np.full((8, 8), level, np.uint8)).save(tmp_path / f"{name}.png")

    done = kn.tools.print_files(tmp_path, dpi=600, line_art="threshold")

    said = {Path(row.source).name: row.cautions for row in done.rows}
    assert said["white.png"][0].startswith("All of the page is bare paper")
    assert said["black.png"][0].startswith("All of the page is ink")


def test_transparency_is_kept_where_the_file_can_and_said_where_it_cannot(pages) -> None:
    figure = pages / "ink" / "figure.png"

    (kept,) = kn.tools.print_files(figure, dpi=600, format="png").rows
    (lost,) = kn.tools.print_files(figure, dpi=600, line_art="threshold").rows

    assert (kept.mode, kept.cautions) == ("rgba", ())
    assert np.array_equal(load(Path(kept.target))[..., 3], load(figure)[..., 3])
    assert "no transparency: the picture lies over white" in lost.cautions[0]


def test_deep_channels_are_said(deep) -> None:
    (row,) = kn.tools.print_files(deep, dpi=300).rows

    assert row.notes == ("Its 16-bit channels were read as 8-bit.",)


def test_settings_give_what_is_not_named(street) -> None:
    asked = PrintSettings(dpi=600, width_cm=2, line_art=LineArt.THRESHOLD, threshold=90)
    screen = PrintSettings(dpi=600, line_art=LineArt.HALFTONE, halftone=Halftone(lpi=60, angle_deg=0))

    (same,) = kn.tools.print_files(street, settings=asked).rows
    (other,) = kn.tools.print_files(street, settings=asked, threshold=120, format="png").rows
    plain = kn.tools.print_files(street, street.parent / "a.png", screen).rows[0].sha256
    again = kn.tools.print_files(street, street.parent / "b.png", screen, lpi=60, angle_deg=0).rows[0].sha256
    turned = kn.tools.print_files(street, street.parent / "c.png", screen, angle_deg=45).rows[0].sha256

    assert (same.threshold, other.threshold, other.compression) == (90, 120, "deflate")
    fresh = PrintSettings(dpi=600, line_art=LineArt.HALFTONE, halftone=Halftone(lpi=60, angle_deg=45))
    whole = kn.tools.print_files(street, street.parent / "d.png", fresh).rows[0].sha256
    assert plain == again != turned == whole


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give dpi, width_cm or height_cm"),
        (["--dpi", 3], "dpi: the number 3.0 cannot stand here; should be greater than or equal to 10"),
        (["--width-cm", 0], "width_cm: "),
        (["--dpi", 300, "--format", "pdf"], "format: .*choose from 'png' or 'tiff'"),
        (["--dpi", 300, "--format", "tiff", "-o", "a.png"], "format: a.png is no tiff file by its name"),
        (["--dpi", 300, "-o", "a.jpg"], r"output: \.jpg is not written; end the name in \.tif or \.png"),
        (["--dpi", 300, "--line-art", "dots"], "line_art: .*choose from 'none', 'threshold' or 'halftone'"),
        (["--dpi", 300, "--threshold", 9], "threshold belongs to line_art threshold; ask for that, or leave"),
        (["--dpi", 300, "--line-art", "threshold", "--threshold", 256], "threshold: .*less than or equal to 255"),
        (["--dpi", 300, "--lpi", 85], "lpi: only a halftone has it; ask for line_art halftone, or leave it out"),
        (["--dpi", 300, "--angle", 45, "--line-art", "threshold"], "angle_deg: only a halftone has it"),
        (["--dpi", 300, "--line-art", "halftone", "--lpi", 133], "lpi: 133 lines an inch .*; take 5 to 75 lines"),
        (["--dpi", 300, "--line-art", "halftone", "--profile", "gray"], "1-bit pages carry no profile; leave"),
        (["--dpi", 300, "--compression", "group4"], "group4 packs 1-bit pages alone; take deflate"),
        (["--dpi", 300, "--compression", "lzw", "-o", "a.png"], "leave compression out, or write a tiff"),
        (["--dpi", 300, "--profile", "nowhere.icc"], "profile: nowhere.icc: .*put the file there"),
        (["--dpi", 300, "--profile", "pages/street.png"], "profile: .* is no colour profile; name the .icc"),
    ],
)
def test_what_cannot_be_done_names_the_option_and_the_way_out_and_makes_nothing(
    typed, pages, listing, words, said
) -> None:
    before = listing(pages.parent)

    code, out, err = typed("pages/street.png", *words)

    assert (code, out, listing(pages.parent)) == (2, "", before)
    assert err.startswith("error (")
    assert re.search(said, err)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"width_cm": 1e-3}, r"width_cm or height_cm: .*street\.png: 64 x 48 pixels would have 1\.63e\+05 dots"),
        ({"width_cm": 1000}, r"street\.png: .*; take a size that gives 10 to 9600, or ask for dpi"),
        ({"width_cm": 2, "line_art": "halftone"}, r"halftone\.lpi: .*street\.png: 85 lines an inch cannot be drawn"),
        ({"width_cm": 800, "dpi": 9600}, r"street\.png: .*600,000,000"),
    ],
)  # fmt: skip
def test_what_one_picture_cannot_do_is_its_own_failure_and_dry_knows_it(street, words, said) -> None:
    planned, made = (kn.tools.print_files(street, dry=dry, **words).rows[0] for dry in (True, False))

    assert (planned.state, made.state, planned.error) == (FileState.FAILED, FileState.FAILED, made.error)
    assert re.search(said, made.error)
    assert not (street.parent / "print").exists()


def test_a_screen_that_one_picture_is_too_coarse_for_ends_no_other(pages) -> None:
    Image.fromarray(photograph(7, 480, 640)).save(pages / "large.png")

    done = kn.tools.print_files(pages, width_cm=2, line_art="halftone")

    states = {Path(row.source).name: row.state for row in done.rows}
    assert states.pop("large.png") is FileState.DONE
    assert set(states.values()) == {FileState.FAILED}
    assert "street.png: 85 lines an inch cannot be drawn with 81.28 dots an inch; take 2 to 20 lines" in repr(done)


def test_a_picture_too_long_for_its_dots_is_one_clear_error(tmp_path) -> None:
    Image.fromarray(np.zeros((2, 5000), np.uint8)).save(tmp_path / "scroll.png")
    Image.fromarray(np.zeros((5000, 2), np.uint8)).save(tmp_path / "tower.png")

    (long,) = kn.tools.print_files(tmp_path / "scroll.png", dpi=10).rows
    (high,) = kn.tools.print_files(tmp_path / "tower.png", width_cm=2).rows

    assert "dpi: " in long.error
    assert "5000 x 2 pixels would be larger than 1000 cm by it; ask for more dpi" in long.error
    assert "width_cm or height_cm: " in high.error


def test_a_word_that_is_none_is_refused(street) -> None:
    with pytest.raises(RequestInvalid, match="widht_cm: there is no such word; did you mean 'width_cm'"):
        kn.tools.print_files(street, widht_cm=12)


# ---------------------------------------------------------------- the result


def test_a_result_is_a_table_json_and_pictures(pages) -> None:
    done = kn.tools.print_files(pages, width_cm=2, dpi=600, line_art="halftone")

    frame = done.frame()
    assert list(frame.columns) == list(PrintRow.model_fields)
    assert set(frame["bits"]) == {1}
    assert done._repr_html_().count("<img ") == 6
    json.dumps(done.to_json())


def test_once_it_is_to_stop_no_other_file_is_begun(pages) -> None:
    stop = threading.Event()

    done = kn.tools.print_files(pages, dpi=300, workers=1, stop=stop, on_row=lambda _: stop.set())

    assert done.rows[0].state is FileState.DONE
    assert done.rows[-1].state is FileState.LEFT
    assert len(done.frame()) == 3


def test_many_workers_make_the_same_files_as_one(pages, tmp_path, listing) -> None:
    for name, workers in (("a", 1), ("b", 4)):
        kn.tools.print_files(pages, tmp_path / name / "out", dpi=600, width_cm=2, workers=workers)

    assert listing(tmp_path / "a") == listing(tmp_path / "b")


def test_the_help_names_the_folder_and_the_exit_codes(typed) -> None:
    _, out, _ = typed("--help")

    words = " ".join(out.replace("│", " ").split())
    assert "else the folder print beside the input" in words
    assert "Exit codes: 0 all are done; 6 some are" in words
