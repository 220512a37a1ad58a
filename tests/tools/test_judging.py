"""`judge`: the guard's word on files, without a project."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
from PIL import Image

import kroma_nb as kn
from kroma_nb.errors import PathRefused
from kroma_nb.model.quality import GuardSettings, HardReason
from kroma_nb.model.words import ExitCode
from kroma_nb.report import JudgedRow


def test_it_says_what_the_guard_says(pages, broken, tmp_path, listing) -> None:
    settings, before = GuardSettings(enforce_grayscale=True, judge_chroma=True), listing(tmp_path)

    found = kn.tools.judge(pages, settings, workers=3)

    assert found.record.files == kn.qa.guard(pages, settings).files
    assert found.record.summary == kn.qa.guard(pages, settings).summary
    reasons = {one.file: one.hard_fail_reasons for one in found.record.files}
    assert reasons == {
        "broken.png": (HardReason.IMAGE_READ_FAILED,),
        "ink/figure.png": (HardReason.NOT_GRAYSCALE_LIKE,),
        "ink/grey.png": (),
        "street.png": (HardReason.NOT_GRAYSCALE_LIKE,),
    }
    assert (found.ok, found.exit_code) == (False, ExitCode.PARTIAL)
    assert listing(tmp_path) == before


def test_good_pictures_end_well(pages) -> None:
    found = kn.tools.judge(pages)

    assert (found.ok, found.exit_code) == (True, ExitCode.OK)


def test_it_shows_itself_and_leaves_out_links(pages, broken) -> None:
    (pages / "link.png").symlink_to("/etc/passwd")

    found = kn.tools.judge(pages)

    assert "Judged 4 files of " in repr(found)
    assert "image_read_failed" in repr(found)
    assert str(pages / "link.png") in repr(found)
    assert "<table>" in found._repr_html_()
    assert list(found.frame().columns) == list(JudgedRow.model_fields)
    assert found.frame().set_index("file").loc["street.png", "width"] == 64
    assert json.loads(json.dumps(found.to_json()))["summary"]["hard_failures"] == 1


def test_what_nobody_came_to_look_at_is_counted(pages) -> None:
    stop = threading.Event()
    stop.set()

    found = kn.tools.judge(pages, stop=stop)

    assert (found.left, found.record.files, found.exit_code) == (3, (), ExitCode.PARTIAL)
    assert "3 files not looked at" in repr(found)


def test_measures_can_be_remembered(pages, tmp_path) -> None:
    first = kn.tools.judge(pages, cache=tmp_path / "measures")

    assert list((tmp_path / "measures").rglob("*"))
    assert kn.tools.judge(pages, cache=tmp_path / "measures").record == first.record


def test_a_link_is_not_looked_through(pages, tmp_path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "page.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "page.png")

    with pytest.raises(PathRefused):
        kn.tools.judge(tmp_path / "link.png")
