"""The contact sheet: every candidate at its place, the winner framed, names that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kroma_nb import images
from kroma_nb.model.brief import Size
from kroma_nb.model.quality import Rank
from kroma_nb.model.words import CandidateStatus, RunStatus
from kroma_nb.report import contact_sheet
from kroma_nb.report.drawing import ACCENT, BAD
from kroma_nb.report.lettering import cut, font_for, fonts, label, plain

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont

    from .conftest import Story


def pixels_of(sheet: NDArray[np.uint8], color: tuple[int, int, int]) -> NDArray[np.bool_]:
    return (sheet == np.array(color)).all(axis=2)


def flat(level: int) -> bytes:
    return images.encode_png(np.full((180, 120), level, np.uint8))


def test_source_and_candidates_stand_in_order_and_the_winner_alone_is_framed(story: Story) -> None:
    scene = story.source("a.jpg")
    second = story.finished("2.png", 2, flat(150), rank=Rank(hard_failures=0, soft_warnings=0, position=1))
    first = story.finished("1.png", 1, flat(90), rank=Rank(hard_failures=0, soft_warnings=0, position=2))
    log = story.run((scene,), (story.job(scene, (first, second)),))

    sheet = images.load(contact_sheet(log, story.pictures), always_rgb=True)

    columns = [np.flatnonzero(pixels_of(sheet, (level,) * 3).sum(axis=0) > 100) for level in (90, 150)]
    frame = np.flatnonzero(pixels_of(sheet, ACCENT).sum(axis=0) > 100)
    assert columns[0].max() < frame.min() < columns[1].min()
    assert columns[1].max() < frame.max() < sheet.shape[1]


def test_a_missing_picture_leaves_a_gap_and_a_failed_one_a_red_edge(story: Story) -> None:
    scene = story.source("a.jpg")
    gone = story.drawn("gone.png", 1)
    log = story.run((scene,), (story.job(scene, (gone, story.failed(2, CandidateStatus.IN_DOUBT))),))
    del story.files["gone.png"]

    sheet = images.load(contact_sheet(log, story.pictures), always_rgb=True)

    assert pixels_of(sheet, BAD).any()


def test_a_chain_has_the_candidates_of_every_stage_in_one_row(story: Story) -> None:
    logs = story.chain()

    one, three = (images.load(contact_sheet(entry, story.pictures)) for entry in (logs[0], logs))

    assert three.shape[1] > 1.5 * one.shape[1]
    assert three.shape[0] < 1.5 * one.shape[0]


@pytest.mark.parametrize(("jobs", "candidates"), [(1, 30), (60, 4), (0, 0)])
def test_any_number_of_pictures_gives_a_sheet_of_bounded_size(story: Story, jobs: int, candidates: int) -> None:
    scene, picture = story.source("a.jpg"), flat(200)
    made = tuple(
        story.job(scene, tuple(story.finished(f"{n}.png", n, picture) for n in range(1, candidates + 1)), id=f"j{job}")
        for job in range(jobs)
    )
    log = story.run((scene,), made, status=RunStatus.OK)

    sheet = images.load(contact_sheet(log, story.pictures))

    assert sheet.shape[0] * sheet.shape[1] < 40_000_000
    assert sheet.shape[1] < 5000


@pytest.mark.parametrize("size", [Size(width=3000, height=100), Size(width=100, height=3000)])
def test_panoramas_and_towers_keep_room_for_their_labels(story: Story, size: Size) -> None:
    story.size = size

    sheet = images.load(contact_sheet(story.simple(candidates=2), story.pictures))

    assert min(sheet.shape[:2]) > 300


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec=None)))
def test_any_name_gives_a_sheet(story: Story, name: str) -> None:
    log = story.simple(name, candidates=1, project=name)

    assert contact_sheet(log, story.pictures).startswith(b"\x89PNG")


def test_cyrillic_and_greek_names_are_written_as_they_are() -> None:
    for name in ("Котельная — дозор", "Λιμάνι τη νύχτα", "Größe & Co"):
        assert label(name, "job-1", 20)[0] == name


def test_a_script_that_no_font_can_write_is_replaced_by_the_jobs_id() -> None:
    klingon_like = "\U00012000\U00012001"

    assert label(klingon_like, "job-1", 20)[0] == "job-1"


def test_a_sign_that_the_font_lacks_is_left_out_of_a_name_that_it_can_write() -> None:
    assert label("Harbour \U0001fae0", "job-1", 20)[0] == "Harbour"


def test_a_name_of_control_characters_only_is_replaced_by_the_jobs_id() -> None:
    assert label("\x00\x1b\n", "job-1", 20)[0] == "job-1"
    assert plain("two\nlines\there") == "two lines here"


def test_a_text_is_cut_to_its_width_with_an_ellipsis() -> None:
    from PIL import Image, ImageDraw

    pen, font = ImageDraw.Draw(Image.new("L", (1, 1))), font_for("x", 15)
    assert font is not None

    shortened = cut(pen, "a long name that does not fit " * 200, font, 100)

    assert shortened.endswith("…")
    assert 60 < pen.textlength(shortened, font=font) <= 100
    assert cut(pen, "fits", font, 100) == "fits"


def test_the_first_font_is_dejavu_and_finding_it_imports_no_plotting() -> None:
    import subprocess
    import sys

    first: FreeTypeFont = fonts(15)[0]
    script = "import sys, kroma_nb.report.lettering as l; l.fonts(15); sys.exit('matplotlib' in sys.modules)"

    assert first.getname()[0] == "DejaVu Sans"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
