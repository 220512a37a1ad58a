"""`cut_out`, `enlarge` and `color` on files and folders: what they make, and what they leave as it is."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from studio import photograph

import kroma_nb as kn
from kroma_nb.blobs import sha256_file
from kroma_nb.errors import KromaError, PostprocessInvalid, ProviderFailed, RequestInvalid
from kroma_nb.images import load
from kroma_nb.model.quality import HardReason
from kroma_nb.model.run import BackendTry
from kroma_nb.model.tools import FileState, Tool, ToolRow
from kroma_nb.model.words import ExitCode
from kroma_nb.workbench.tools.making import Made, Maker
from kroma_nb.workbench.tools.places import Naming, lay_out
from kroma_nb.workbench.tools.steps import CutOut
from kroma_nb.workbench.tools.working import work

NAMING = Naming("background_removed", "_nobg")


@dataclass(frozen=True)
class Disc:
    """A segmenter that says that a disc is the figure."""

    backend: str = "grabcut"
    version: str = "disc"
    settings: dict[str, Any] = field(default_factory=dict)

    def mask(self, picture: np.ndarray) -> np.ndarray:
        height, width = picture.shape[:2]
        rows, columns = np.ogrid[:height, :width]
        inside = (rows - height / 2) ** 2 + (columns - width / 2) ** 2 < (height / 3) ** 2
        return (inside * 255).astype(np.uint8)


@dataclass(frozen=True)
class Refuses(Disc):
    """One that has no answer."""

    backend: str = "onnx"

    def mask(self, picture: np.ndarray) -> np.ndarray:
        raise ProviderFailed(self.backend, "its model is not there", "model_missing")


@dataclass(frozen=True)
class Breaks:
    """A pass with a bug that shows where there is colour."""

    word: str = "bg_remove"

    def make(self, picture: np.ndarray, tries: list[BackendTry]) -> Made:
        if picture.ndim == 3:
            raise ZeroDivisionError("what?")
        return Made(picture, "grabcut", "1")


@dataclass(frozen=True)
class Tells(Disc):
    """One that sets a flag when it has begun."""

    flag: threading.Event = field(default_factory=threading.Event)

    def mask(self, picture: np.ndarray) -> np.ndarray:
        self.flag.set()
        return super().mask(picture)


@dataclass(frozen=True)
class Waits(Tells):
    """One that takes until a flag is set for every picture but the first."""

    begun: threading.Event = field(default_factory=threading.Event)

    def mask(self, picture: np.ndarray) -> np.ndarray:
        if self.begun.is_set():
            self.flag.wait(30)
        self.begun.set()
        return Disc.mask(self, picture)


def cut(source: Path, target: Path, *segmenters: Disc, **how: Any) -> tuple[ToolRow, ...]:
    return work(lay_out(source, target, NAMING).ways, Maker(CutOut(segmenters)).make, how)


def test_a_folder_is_mirrored_beside_itself_and_one_bad_file_ends_no_other(pages, broken, tmp_path, listing) -> None:
    before = listing(pages)

    done = kn.tools.cut_out(pages)

    made = tmp_path / "background_removed"
    assert set(listing(made)) == {"street_nobg.png", "ink/grey_nobg.png", "ink/figure_nobg.png"}
    assert all(load(path).shape == (48, 64, 4) for path in made.rglob("*.png"))
    states = {Path(row.source).name: row.state for row in done.rows}
    good = dict.fromkeys(("street.png", "grey.png", "figure.png"), FileState.DONE)
    assert states == {**good, "broken.png": FileState.FAILED}
    assert (done.ok, done.exit_code, done.counts[FileState.FAILED]) == (False, ExitCode.PARTIAL, 1)
    assert listing(pages) == before


def test_a_row_says_all_that_is_known_of_a_file(pages) -> None:
    (row,) = kn.tools.enlarge(pages / "street.png", scale=3).rows

    made = pages / "upscaled" / "street_x3.png"
    assert (row.source, row.target) == (str(pages / "street.png"), str(made))
    assert (row.width_before, row.height_before, row.width, row.height) == (64, 48, 192, 144)
    assert (row.sha256_before, row.sha256) == (sha256_file(pages / "street.png"), sha256_file(made))
    assert row.size_bytes == made.stat().st_size
    assert (row.backend, row.error, row.replaced) == ("lanczos", "", None)
    assert row.version
    assert 0 < row.quality <= 1
    text = Image.open(made).text
    assert text["kroma_nb:source"] == row.sha256_before
    assert text["kroma_nb:pass"].startswith("upscale lanczos")


def test_alpha_and_grey_are_kept(pages, tmp_path) -> None:
    assert kn.tools.enlarge(pages).ok
    assert kn.tools.color(pages, profile="cinematic_warm").ok

    shapes = {path.name: load(path).shape for path in tmp_path.rglob("*_*.png")}
    assert (shapes["figure_x2.png"], shapes["figure_cinematic_warm.png"]) == ((96, 128, 4), (48, 64, 4))
    assert shapes["grey_x2.png"] == (96, 128)
    alpha = load(pages / "ink" / "figure.png")[..., 3]
    assert np.array_equal(load(tmp_path / "color_corrected/ink/figure_cinematic_warm.png")[..., 3], alpha)


def test_a_turned_photograph_comes_out_upright_and_deep_channels_are_said(turned, deep, tmp_path) -> None:
    first, second = (kn.tools.color(path, tmp_path / "out", profile="neutral") for path in (turned, deep))

    assert load(tmp_path / "out" / "turned_neutral.png").shape == (64, 48, 3)
    assert (first.rows[0].width_before, first.rows[0].height_before, first.rows[0].notes) == (48, 64, ())
    assert second.rows[0].notes == ("Its 16-bit channels were read as 8-bit.",)
    assert "16-bit" in repr(second)


def test_a_backend_that_gives_nothing_is_followed_by_the_next_and_written_down(pages, tmp_path) -> None:
    (row,) = cut(pages / "street.png", tmp_path / "out", Refuses(), Disc())

    assert (row.state, row.backend, row.version.split()[-1]) == (FileState.DONE, "grabcut", "disc")
    ((backend, code, says),) = ((one.backend, one.error_code, one.says) for one in row.tries)
    assert (backend, code, "its model is not there" in says) == ("onnx", "model_missing", True)
    shown = repr(kn.tools.ToolResult(Tool.BGREMOVE, (row,)))
    assert "as onnx gave nothing: its model is not there" in shown


def test_where_every_backend_gives_nothing_what_stood_there_stays(pages, tmp_path, listing) -> None:
    out = tmp_path / "out"
    cut(pages, out, Disc())
    before = listing(tmp_path)

    rows = cut(pages, out, Refuses(), Refuses(backend="rembg"))

    assert {(row.state, row.error_code, row.width_before) for row in rows} == {
        (FileState.FAILED, "no_backend_left", 64)
    }
    assert [one.backend for one in rows[0].tries] == ["onnx", "rembg"]
    assert kn.tools.ToolResult(Tool.BGREMOVE, rows).exit_code is ExitCode.PROVIDER
    assert listing(tmp_path) == before


def test_a_bug_in_a_pass_is_named_and_ends_no_other_file(pages, tmp_path) -> None:
    rows = work(lay_out(pages, tmp_path / "out", NAMING).ways, Maker(Breaks()).make, {})

    said = sorted((row.state.value, row.error_kind, row.error_code, row.error) for row in rows)
    assert said == [("done", "", "", ""), *[("failed", "unknown", "bug", "ZeroDivisionError: what?")] * 2]


def test_what_stood_there_goes_to_the_archive_beside_the_target(pages, tmp_path) -> None:
    kn.tools.enlarge(pages / "street.png", tmp_path / "print")
    old = (tmp_path / "print" / "street_x2.png").read_bytes()
    Image.fromarray(photograph(9)).save(pages / "street.png")

    (row,) = kn.tools.enlarge(pages / "street.png", tmp_path / "print").rows

    assert Path(row.replaced).parent == tmp_path / "archive" / "replaced"
    assert Path(row.replaced).read_bytes() == old
    (line,) = (tmp_path / "archive" / "archive.jsonl").read_text().splitlines()
    assert json.loads(line)["from"] == "print/street_x2.png"
    assert (tmp_path / "print" / "street_x2.png").read_bytes() != old


def test_a_file_that_fails_leaves_what_stood_at_its_target(pages, broken, tmp_path, listing) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "broken_x2.png").write_bytes(b"an older one")

    done = kn.tools.enlarge(pages, out)

    assert done.exit_code is ExitCode.PARTIAL
    assert (out / "broken_x2.png").read_bytes() == b"an older one"
    assert not (tmp_path / "archive").exists()


def test_files_that_are_not_to_be_replaced_are_not_even_made(pages, tmp_path, listing) -> None:
    kn.tools.enlarge(pages / "street.png", tmp_path / "upscaled")
    before = listing(tmp_path)

    done = kn.tools.enlarge(pages, replace=False)

    after = listing(tmp_path)
    assert {row.error_code for row in done.rows if row.state is FileState.FAILED} == {"in_use"}
    assert after.items() >= before.items()
    assert set(after) - set(before) == {"upscaled/ink/grey_x2.png", "upscaled/ink/figure_x2.png"}


def test_a_name_that_the_disk_does_not_take_fails_alone(pages, tmp_path) -> None:
    (pages / "street.png").rename(pages / f"{'s' * 250}.png")

    done = kn.tools.enlarge(pages)

    assert {row.error_code for row in done.rows if row.error} == {"write_failed"}
    assert done.counts[FileState.DONE] == 2
    assert not list(tmp_path.rglob("*.part"))


def test_a_picture_with_alpha_is_no_jpg_and_all_others_are(pages, tmp_path) -> None:
    done = kn.tools.color(pages, profile="cold_rain", format="jpg")

    (failed,) = (row for row in done.rows if row.state is FileState.FAILED)
    assert Path(failed.source).name == "figure.png"
    assert "write png or webp" in failed.error
    assert {path.name for path in (tmp_path / "color_corrected").rglob("*.jpg")} == {
        "street_cold_rain.jpg",
        "grey_cold_rain.jpg",
    }


def test_dry_says_where_each_file_would_go_and_makes_nothing(pages, broken, tmp_path, listing) -> None:
    kn.tools.cut_out(pages / "street.png", tmp_path / "background_removed")
    before = listing(tmp_path)

    done = kn.tools.cut_out(pages, dry=True)

    assert listing(tmp_path) == before
    assert [row.state for row in done.rows].count(FileState.PLANNED) == 3
    assert (done.rows[0].error_code, done.exit_code) == ("image_read_failed", ExitCode.PARTIAL)
    assert {row.target for row in done.rows} >= {str(tmp_path / "background_removed" / "ink" / "grey_nobg.png")}
    (again,) = (row for row in done.rows if row.source == str(pages / "street.png"))
    assert again.notes == ("What stands at its target would go to the archive.",)


def test_a_picture_that_the_guard_would_not_let_through_is_made_and_said(tmp_path) -> None:
    Image.fromarray(np.full((48, 64, 3), 255, np.uint8)).save(tmp_path / "white.png")

    done = kn.tools.enlarge(tmp_path / "white.png")

    assert done.rows[0].reasons == (HardReason.BLANK,)
    assert (done.rows[0].state, done.exit_code) == (FileState.DONE, ExitCode.PARTIAL)
    assert (tmp_path / "upscaled" / "white_x2.png").exists()


def test_once_it_is_to_stop_no_other_file_is_begun(pages, tmp_path) -> None:
    stop, told = threading.Event(), []

    rows = cut(
        pages, tmp_path / "out", Tells(flag=stop), workers=1, stop=stop, on_begin=told.append, on_row=told.append
    )

    assert told == [3, *rows]
    assert [row.state for row in rows] == [FileState.DONE, FileState.LEFT, FileState.LEFT]
    assert len(list((tmp_path / "out").rglob("*.png"))) == 1
    assert kn.tools.ToolResult(Tool.BGREMOVE, rows).exit_code is ExitCode.PARTIAL
    assert "Cut out 1 of 3 files by grabcut, 2 not begun" in repr(kn.tools.ToolResult(Tool.BGREMOVE, rows))


def test_whoever_interrupts_a_cell_waits_only_for_what_is_under_way(pages, tmp_path) -> None:
    told = threading.Event()

    def interrupt(_: ToolRow) -> None:
        told.set()
        raise KeyboardInterrupt

    for number in range(20):
        Image.fromarray(photograph(number)).save(pages / f"more_{number:02}.png")

    with pytest.raises(KeyboardInterrupt):
        cut(pages, tmp_path / "out", Waits(flag=told), workers=1, on_row=interrupt)

    assert 1 <= len(list((tmp_path / "out").rglob("*.png"))) < 23


def test_a_postprocess_file_gives_what_is_not_named(pages, tmp_path) -> None:
    profiles = {"profiles": {"dusk": {"gamma": 0.8}, "dawn": {"gamma": 1.2}}}
    (tmp_path / "profiles.json").write_text(json.dumps(profiles))
    how = tmp_path / "postprocess.json"
    how.write_text(
        json.dumps(
            {
                "upscale": {"scale": 3, "format": "webp", "tile": 64},
                "color": {"default_profile": "dusk", "settings_file": "profiles.json"},
                "bg_remove": {"backends": ["onnx", "grabcut"], "format": "webp"},
            }
        )
    )
    street = pages / "street.png"

    done = kn.tools.enlarge(street, postprocess=how)
    kn.tools.enlarge(street, scale=2, format="png", postprocess=how)
    kn.tools.enlarge(street, tmp_path / "single.png", postprocess=how)
    coloured = kn.tools.color(street, postprocess=how)
    kn.tools.color(street, profile="dawn", postprocess=how)
    cut_out = kn.tools.cut_out(street, postprocess=how, dry=True)

    assert {path.name for path in (pages / "upscaled").iterdir()} == {"street_x3.webp", "street_x2.png"}
    assert load(tmp_path / "single.png").shape == (144, 192, 3)
    assert {path.name for path in (pages / "color_corrected").iterdir()} == {"street_dusk.png", "street_dawn.png"}
    assert coloured.rows[0].backend == "profile dusk (profiles.json)"
    assert cut_out.rows[0].target.endswith("street_nobg.webp")
    assert done.unused == ("upscale.tile",)
    assert "Read but not used from the postprocess file: upscale.tile." in repr(done)


def test_a_postprocess_file_never_makes_a_tool_pay(pages, tmp_path, listing) -> None:
    how = tmp_path / "postprocess.json"

    for section in ({"backends": ["removebg"]}, {"openai": {"enabled": True}}):
        how.write_text(json.dumps({"bg_remove": section}))
        before = listing(tmp_path)
        with pytest.raises(KromaError, match="costs money, which tools do not spend"):
            kn.tools.cut_out(pages, postprocess=how)
        assert listing(tmp_path) == before


def test_a_jpg_of_a_cut_out_is_refused_where_it_was_asked_for(pages, tmp_path) -> None:
    how = tmp_path / "postprocess.json"
    how.write_text(json.dumps({"bg_remove": {"format": "jpg"}}))

    with pytest.raises(PostprocessInvalid, match=r"postprocess\.json: bg_remove\.format: .*write png or webp"):
        kn.tools.cut_out(pages, postprocess=how)
    with pytest.raises(RequestInvalid, match=r"request: output: .*write png or webp"):
        kn.tools.cut_out(pages / "street.png", tmp_path / "cut.jpg")
    assert kn.tools.cut_out(pages, format="png", postprocess=how).ok


def test_names_of_any_bytes_come_through(tmp_path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for name in (b"\xff.png", "夜\n.png".encode()):
        Image.fromarray(photograph(1)).save(tmp_path / "page.png")
        (tmp_path / "page.png").rename(folder / os.fsdecode(name))

    kn.tools.enlarge(folder)
    done = kn.tools.enlarge(folder)

    assert done.counts[FileState.DONE] == 2
    assert {os.fsencode(path.name) for path in (tmp_path / "upscaled").iterdir()} == {
        b"\xff_x2.png",
        "夜\n_x2.png".encode(),
    }
    json.dumps(done.to_json(), ensure_ascii=False).encode()
    done._repr_html_().encode()
    json.dumps(kn.tools.judge(folder).to_json(), ensure_ascii=False).encode()


def test_many_workers_make_the_same_files_as_one(pages, tmp_path, listing) -> None:
    one = kn.tools.color(pages, tmp_path / "a" / "out", profile="cinematic_warm", workers=1)
    four = kn.tools.color(pages, tmp_path / "b" / "out", profile="cinematic_warm", workers=4)

    assert listing(tmp_path / "a") == listing(tmp_path / "b")
    assert [row.source for row in one.rows] == [row.source for row in four.rows]


def test_a_notebook_shows_what_was_made_beside_its_source(pages, tmp_path) -> None:
    done = kn.tools.ToolResult(Tool.BGREMOVE, cut(pages, tmp_path / "out", Disc()))
    before = done._repr_html_()

    (tmp_path / "out" / "street_nobg.png").unlink()
    (tmp_path / "out" / "ink" / "grey_nobg.png").write_bytes((pages / "street.png").read_bytes())

    assert before.count("<img ") == 6
    # The figure's own alpha, and three that were cut out.
    assert before.count('class="cut"') == 4
    after = done._repr_html_()
    assert (after.count("<img "), "no picture: " in after, "it was changed since" in after) == (4, True, True)
    assert "<img " not in kn.tools.cut_out(pages, dry=True)._repr_html_()


def test_a_result_shows_itself_as_text_and_not_as_markup(tmp_path) -> None:
    Image.fromarray(photograph(1)).save(tmp_path / "<b>page<b>.png")

    done = kn.tools.enlarge(tmp_path / "<b>page<b>.png")

    assert "Enlarged 1 of 1 file by lanczos" in repr(done)
    assert "<b>" not in done._repr_html_()
    assert "&lt;b&gt;page&lt;b&gt;_x2.png" in done._repr_html_()
    assert list(done.frame().columns) == list(ToolRow.model_fields)
    assert done.frame().loc[0, "width"] == 128
    assert done.to_json()["counts"] == {"planned": 0, "done": 1, "failed": 0, "left": 0}
    json.dumps(done.to_json())
