"""Previews: small enough for a page, equal in size, and a gap where there is nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kroma_nb import images
from kroma_nb.report.elements import el
from kroma_nb.report.previews import Gap, Preview, Previews, link_from

if TYPE_CHECKING:
    from numpy.typing import NDArray


def preview_of(picture: NDArray[np.uint8], *, count: int) -> Preview:
    data = images.encode_png(picture)
    shown = Previews(lambda _: data, count).of("a.png", "")
    assert isinstance(shown, Preview)
    return shown


def noise(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (height, width), np.uint8)


@pytest.mark.parametrize("count", [1, 4, 31, 250, 5000])
def test_pages_of_any_length_stay_bounded_even_where_all_pictures_are_noise(count: int) -> None:
    page = Previews(lambda _: b"", count)

    shown = preview_of(noise(500, 700), count=count)

    assert len(shown.data) <= 1.2 * page.allowance_bytes
    assert count * page.allowance_bytes <= max(12_000_000, count * 12_000)


def test_thirty_candidates_and_their_sources_stay_under_six_megabytes() -> None:
    page = Previews(lambda _: b"", 40)

    thumbs = 20 * 20_000
    assert (40 * page.allowance_bytes + thumbs) * 4 / 3 < 6_200_000


def test_busy_and_flat_pictures_of_one_size_are_shown_at_one_size() -> None:
    flat, busy = np.full((700, 500), 240, np.uint8), noise(500, 700)

    shown = [preview_of(picture, count=200) for picture in (flat, busy)]

    assert shown[0].size == shown[1].size
    assert shown[0].full_size == (500, 700)


def test_a_picture_that_fits_is_not_made_smaller_and_never_larger() -> None:
    assert preview_of(noise(64, 48), count=30).size == (64, 48)


def test_a_strip_one_pixel_high_has_a_preview() -> None:
    assert preview_of(np.zeros((1, 9000), np.uint8), count=1).size == (4096, 1)


def test_only_a_picture_with_transparent_parts_is_a_cutout() -> None:
    opaque = np.full((8, 8, 4), 255, np.uint8)
    holed = opaque.copy()
    holed[0, 0, 3] = 0

    assert not preview_of(opaque, count=1).cutout
    assert preview_of(holed, count=1).cutout


def test_a_mapping_can_give_the_pictures() -> None:
    files: dict[str, bytes] = {}

    assert Previews(files.__getitem__, 1).of("lost.png", "") == Gap("lost.png", "the file is not there")


@given(st.text(st.characters(codec=None), max_size=40), st.text(max_size=20))
def test_a_link_to_any_path_is_relative_and_stays_in_the_project(path: str, place: str) -> None:
    link = link_from(place, path)

    el("a", "file", href=link)
    assert ".." not in link.removeprefix("../" * link.count("../")).split("/")
    assert link.count("../") <= place.count("/")
