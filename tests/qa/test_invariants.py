"""Invariants: each known failure is caught, what came out well raises no alarm, and words and strictness are right."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from invariant_faults import FAULTS, Fault, enlarged, lined_tiles
from invariant_rates import clean_colors, clean_cutouts, clean_upscales
from invariant_sets import cut_out, ink_page, photograph

from kroma_nb.model.invariants import Invariant, InvariantName, InvariantSettings, Strictness
from kroma_nb.model.postprocess import ColorProfile
from kroma_nb.model.words import PassName
from kroma_nb.passes import color
from kroma_nb.qa import check_color, check_cutout, check_upscale

CAUGHT = {
    "nearest-neighbour alpha": 1,
    "zoomed tiles": 2,
    "black output": 0,
    "patchy flat black": 16,
    "a ring of ground": 3,
}
TRIED_SEEDS = (20_001, 20_003, 20_005, 20_007)


def broken(found: tuple[Invariant, ...]) -> list[InvariantName]:
    return [one.name for one in found if not one.holds]


def fault(name: str) -> Fault:
    return next(one for one in FAULTS if one.name == name)


@pytest.mark.parametrize("seed", TRIED_SEEDS)
@pytest.mark.parametrize(("name", "severity"), CAUGHT.items())
def test_each_known_failure_is_caught(name: str, severity: float, seed: int) -> None:
    known = fault(name)

    assert known.invariant in broken(known.found(seed, severity))


def test_two_hundred_clean_outputs_raise_no_alarm() -> None:
    clean = [
        *islice(clean_upscales(1, 10, rows=160), 80),
        *islice(clean_cutouts(1, 15), 60),
        *islice(clean_colors(1, 10), 60),
    ]

    assert len(clean) == 200
    assert [one.says for found in clean for one in found if not one.holds] == []


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_picture_of_another_size_is_judged_no_further(scale: int) -> None:
    picture = photograph(1)[:64, :48]
    result = picture.repeat(scale, axis=0).repeat(scale, axis=1)[:-1]

    found = check_upscale(picture, result, scale)

    assert broken(found) == [InvariantName.EXACT_SIZE]
    assert {one.name for one in found} == {InvariantName.EXACT_SIZE, InvariantName.NOT_BLACK}


def test_a_tile_size_that_is_known_is_looked_for_where_it_makes_but_two_lines() -> None:
    page = ink_page(3)
    result = lined_tiles(page, 32, 200)

    assert InvariantName.NO_SEAMS in broken(check_upscale(page, result, 2, tile_px=200))
    assert InvariantName.NO_SEAMS not in broken(check_upscale(page, result, 2, tile_px=90))


def test_panels_on_a_regular_grid_are_no_seams() -> None:
    page = np.full((384, 256), 255, np.uint8)
    for at in range(64, 384, 64):
        page[at - 3 : at + 3] = 0
        page[:, at - 3 : at + 3] = 0

    assert broken(check_upscale(page, enlarged(page), 2)) == []


def test_what_is_hidden_under_transparent_pixels_changes_no_verdict() -> None:
    cut = cut_out(5)
    result = enlarged(cut)
    hidden = result.copy()
    hidden[hidden[..., 3] == 0, :3] = (0, 255, 0)

    assert broken(check_upscale(cut, hidden, 2)) == broken(check_upscale(cut, result, 2)) == []


def test_a_cut_out_that_shows_nothing_is_judged_by_nothing_hidden() -> None:
    bare = np.dstack([photograph(11), np.zeros((384, 256), np.uint8)])
    result = np.zeros((768, 512, 4), np.uint8)

    assert broken(check_upscale(bare, result, 2)) == []


def test_a_grey_page_may_come_back_in_three_channels() -> None:
    page = ink_page(7)

    assert broken(check_upscale(page, enlarged(np.repeat(page[..., None], 3, axis=2)), 2)) == []


def test_a_colour_pass_that_drops_alpha_is_caught_and_one_that_keeps_it_is_not() -> None:
    cut, profile = cut_out(3), ColorProfile(contrast=1.2, red_multiplier=1.1)
    result = color(cut, profile)

    assert broken(check_color(cut, result, profile)) == []
    assert InvariantName.ALPHA_KEPT in broken(check_color(cut, result[..., :3], profile))


def test_a_profile_that_darkens_everything_makes_no_black_output() -> None:
    picture = photograph(9)
    dark = ColorProfile(brightness=0.05)

    assert broken(check_color(picture, color(picture, dark), dark)) == []
    assert InvariantName.NOT_BLACK in broken(check_color(picture, color(picture, dark), ColorProfile()))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3), (7, 5), (33, 31)])
@pytest.mark.parametrize("channels", [0, 3, 4])
def test_pictures_of_any_size_can_be_checked(size: tuple[int, int], channels: int) -> None:
    shape = (*size, channels) if channels else size
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    doubled = picture.repeat(2, axis=0).repeat(2, axis=1)
    cut = np.dstack([np.atleast_3d(picture)[..., [0, 0, 0]], np.full(size, 200, np.uint8)])

    assert InvariantName.EXACT_SIZE not in broken(check_upscale(picture, doubled, 2))
    assert InvariantName.EXACT_SIZE not in broken(check_cutout(picture, cut))
    assert InvariantName.PALETTE_KEPT not in broken(check_color(picture, picture, ColorProfile()))


@pytest.mark.parametrize(("scale", "tile_px"), [(1, 0), (0, 0), (2, -1)])
def test_a_scale_that_enlarges_nothing_is_refused(scale: int, tile_px: int) -> None:
    page = ink_page(1)

    with pytest.raises(ValueError, match="a scale is 2 or more"):
        check_upscale(page, page, scale, tile_px=tile_px)


def test_hard_by_default_is_what_makes_a_picture_unusable() -> None:
    settings = InvariantSettings()

    hard = {name for name in InvariantName if settings.strictness(name) is Strictness.HARD}

    assert hard == {
        InvariantName.EXACT_SIZE,
        InvariantName.NOT_BLACK,
        InvariantName.ALPHA_KEPT,
        InvariantName.GREY_KEPT,
    }
    assert {name.value for name in InvariantName} == set(InvariantSettings.model_fields)


def test_an_invariant_that_is_off_is_neither_hard_nor_soft() -> None:
    settings = InvariantSettings.model_validate_json('{"no_seams": "off"}')
    seam = Invariant(name=InvariantName.NO_SEAMS, pass_name=PassName.UPSCALE, value=9.0, limit=1.2, holds=False)

    assert [settings.broken([seam], strictness) for strictness in (Strictness.HARD, Strictness.SOFT)] == [(), ()]
    assert InvariantSettings().broken([seam], Strictness.SOFT) == (seam,)


@pytest.mark.parametrize("pass_name", [PassName.BG_REMOVE, PassName.UPSCALE, PassName.COLOR])
@pytest.mark.parametrize("name", InvariantName)
def test_every_invariant_says_what_it_measured(name: InvariantName, pass_name: PassName) -> None:
    said = Invariant(name=name, pass_name=pass_name, value=0.5, limit=0.25, holds=False).says

    assert said.startswith(f"{pass_name}: ")
    assert "(limit " in said
