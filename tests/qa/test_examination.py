"""What the guard says of one picture in memory."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from kroma_nb.model.brief import Size
from kroma_nb.model.quality import FileReport, GuardSettings, HardReason, SoftWarning
from kroma_nb.qa import chroma_delta, examine

COLOURED = SoftWarning.CHROMA_EXCEEDS_THRESHOLD
TOO_COLOURED = HardReason.CHROMA_EXCEEDS_THRESHOLD
NOT_GREY = HardReason.NOT_GRAYSCALE_LIKE


def page(tint: tuple[int, int, int] = (0, 0, 0)) -> np.ndarray:
    """An inked page, its paper darkened by a tint."""
    drawing = np.full((240, 160, 3), 255, np.uint8) - np.array(tint, np.uint8)
    for step in range(20, 220, 20):
        cv2.line(drawing, (20, step), (140, 240 - step), (0, 0, 0), 3, cv2.LINE_AA)
    cv2.circle(drawing, (80, 120), 30, (0, 0, 0), -1, cv2.LINE_AA)
    return drawing


def report(picture: np.ndarray, **settings: object) -> FileReport:
    return examine(picture, GuardSettings.model_validate(settings), name="p.png")


def test_a_clean_page_has_no_reasons_and_a_high_score() -> None:
    found = report(page())

    assert (found.file, found.hard_fail_reasons, found.soft_warnings) == ("p.png", (), ())
    assert found.grayscale_like
    assert found.quality > 0.9


@pytest.mark.parametrize(
    ("settings", "hard", "soft"),
    [
        ({}, (), ()),
        ({"judge_chroma": True}, (), (COLOURED,)),
        ({"judge_chroma": True, "fail_on_chroma_exceed": True}, (TOO_COLOURED,), ()),
        ({"judge_chroma": True, "enforce_grayscale": True}, (NOT_GREY,), (COLOURED,)),
        (
            {"judge_chroma": True, "enforce_grayscale": True, "fail_on_chroma_exceed": True},
            (NOT_GREY, TOO_COLOURED),
            (),
        ),
        ({"judge_chroma": True, "max_chroma_delta": 255.0, "enforce_grayscale": True}, (), ()),
    ],
)
def test_colour_is_judged_only_as_the_settings_ask(
    settings: dict[str, object], hard: tuple[HardReason, ...], soft: tuple[SoftWarning, ...]
) -> None:
    found = report(page(tint=(0, 20, 60)), **settings)

    assert (found.hard_fail_reasons, found.soft_warnings) == (hard, soft)


def test_colour_is_measured_even_where_it_is_not_judged() -> None:
    found = report(page(tint=(0, 20, 60)))

    assert found.chroma_delta is not None
    assert found.chroma_delta > 2
    assert not found.grayscale_like


def test_colour_is_rounded_in_the_report_and_judged_unrounded() -> None:
    picture = page()
    picture[0, 0] = (255, 255, 254)
    exact = chroma_delta(picture)
    assert round(exact, 4) != exact

    just_below = report(picture, judge_chroma=True, max_chroma_delta=exact * (1 - 1e-12))
    just_there = report(picture, judge_chroma=True, max_chroma_delta=exact)

    assert just_below.chroma_delta == just_there.chroma_delta == round(exact, 4)
    assert (just_below.soft_warnings, just_there.soft_warnings) == ((COLOURED,), ())
    assert (just_below.grayscale_like, just_there.grayscale_like) == (False, True)


def test_a_blank_picture_fails_with_no_other_complaint() -> None:
    found = report(np.full((300, 200, 3), 250, np.uint8))

    assert (found.hard_fail_reasons, found.soft_warnings, found.quality) == ((HardReason.BLANK,), (), 0.0)


def test_another_size_than_asked_for_fails() -> None:
    wrong = examine(page(), GuardSettings(), name="p", expect_size=Size(width=240, height=160))
    right = examine(page(), GuardSettings(), name="p", expect_size=Size(width=160, height=240))

    assert (wrong.hard_fail_reasons, right.hard_fail_reasons) == ((HardReason.WRONG_SIZE,), ())


def test_a_blurred_page_is_warned_about_and_scores_lower() -> None:
    found = report(cv2.GaussianBlur(page(), (0, 0), 5))

    assert found.soft_warnings == (SoftWarning.SOFT_FOCUS,)
    assert found.quality < report(page()).quality / 2


def test_a_report_survives_its_own_json() -> None:
    found = report(page(tint=(1, 2, 3)), judge_chroma=True)

    assert FileReport.model_validate_json(found.model_dump_json()) == found


def test_the_same_picture_gives_the_same_report_whatever_its_memory_looks_like() -> None:
    wide = np.zeros((240, 320, 3), np.uint8)
    wide[:, ::2] = page()

    assert report(wide[:, ::2]) == report(page())


def test_an_array_that_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="a picture is a uint8 array"):
        report(np.zeros((4, 4, 3), np.float32))
