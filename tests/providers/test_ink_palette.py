"""Paper and ink come from the references and always read."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kroma_nb.model.brief import Palette
from kroma_nb.providers.ink import InkPainter
from kroma_nb.providers.ink.palette import LEAST_CONTRAST, contrast_ratio, with_contrast

STYLE = Path(__file__).parents[2] / "data" / "demo" / "style" / "ink_on_warm_paper.png"
channel = st.integers(0, 255)
colour = st.tuples(channel, channel, channel)


def test_the_contrast_of_known_pairs_is_that_of_the_guidelines() -> None:
    # WCAG 2.2, "relative luminance": black on white is 21:1; #767676 on white is the well-known 4.54:1.
    assert contrast_ratio((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert contrast_ratio((255, 255, 255), (118, 118, 118)) == pytest.approx(4.54, abs=0.01)


def test_no_references_give_no_palette() -> None:
    assert InkPainter().study([]) is None


def test_the_demo_sheet_gives_its_warm_paper_and_blue_black_ink() -> None:
    sheet = np.ascontiguousarray(cv2.imread(str(STYLE), cv2.IMREAD_COLOR)[:, :, ::-1])

    palette = InkPainter().study([sheet])

    assert np.abs(np.subtract(palette.paper, (246, 238, 222))).max() <= 6
    assert np.abs(np.subtract(palette.ink, (23, 25, 36))).max() <= 10


@given(paper=colour, ink=colour)
def test_any_pair_of_colours_is_brought_to_seven_to_one(paper, ink) -> None:
    palette = with_contrast(Palette(paper=paper, ink=ink))

    assert contrast_ratio(palette.paper, palette.ink) >= LEAST_CONTRAST


def test_a_reference_in_one_grey_still_gives_a_palette_that_reads() -> None:
    palette = InkPainter().study([np.full((20, 20, 3), 140, np.uint8)])

    assert contrast_ratio(palette.paper, palette.ink) >= LEAST_CONTRAST


def test_a_page_is_painted_in_paper_and_ink(photograph, brief) -> None:
    palette = Palette(paper=(246, 238, 222), ink=(23, 25, 36))

    page = InkPainter().paint(photograph("room"), brief(palette=palette)).picture

    assert page.shape == (384, 256, 3)
    assert tuple(page.reshape(-1, 3).max(axis=0)) == palette.paper
    assert tuple(page.reshape(-1, 3).min(axis=0)) == palette.ink


def test_grayscale_is_black_on_white_whatever_the_palette(photograph, brief) -> None:
    palette = Palette(paper=(246, 238, 222), ink=(23, 25, 36))

    page = InkPainter().paint(photograph("room"), brief(palette=palette, grayscale=True)).picture

    assert page.shape == (384, 256)
    assert (page.min(), page.max()) == (0, 255)


def test_a_weak_palette_is_strengthened_before_it_is_used(photograph, brief) -> None:
    page = (
        InkPainter()
        .paint(photograph("room"), brief(palette=Palette(paper=(180, 170, 160), ink=(110, 110, 130))))
        .picture
    )

    paper, ink = (tuple(int(c) for c in end) for end in (page.max(axis=(0, 1)), page.min(axis=(0, 1))))
    assert contrast_ratio(paper, ink) >= LEAST_CONTRAST
