"""One-bit pages: smooth contours, screens whose tone is the picture's, and no seams between their tiles."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from kroma_nb.images.luminance import as_gray, light_of_levels
from kroma_nb.model.printing import Dot, Halftone
from kroma_nb.passes.screening import coverage_of, halftone, line_art, otsu, tile_of

SCREENS = [(600, 85, 45, Dot.ROUND), (1200, 133, 15, Dot.ROUND), (600, 100, 0, Dot.ELLIPSE), (300, 60, 75, Dot.LINE)]


def disc(side: int, radius: float, row: float, column: float) -> np.ndarray:
    """Draw a black disc, each pixel the mean of 8 x 8 samples."""
    at = (np.arange(side * 8) + 0.5) / 8
    inside = (at[:, None] - row) ** 2 + (at[None] - column) ** 2 < radius**2
    return (255 * (1 - inside.reshape(side, 8, side, 8).mean(axis=(1, 3)))).round().astype(np.uint8)


def light(level: int) -> float:
    value = level / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def screen_of(lpi: float, angle: float, dot: Dot, gain: float = 0.0) -> Halftone:
    return Halftone(lpi=lpi, angle_deg=angle, dot=dot, dot_gain=gain)


# ---------------------------------------------------------------- grey


def test_grey_has_the_light_of_the_colour_and_equal_channels_keep_their_level() -> None:
    rng = np.random.default_rng(5)
    colors = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    lights = np.array([light(level) for level in range(256)])

    found = lights[as_gray(colors)]

    meant = lights[colors] @ [0.2126, 0.7152, 0.0722]
    half_a_level = np.abs(np.diff(lights)).max() / 2
    assert np.abs(found - meant).max() <= half_a_level * 1.02
    greys = np.repeat(rng.integers(0, 256, (9, 9, 1), dtype=np.uint8), 3, axis=2)
    assert (as_gray(greys) == greys[..., 0]).all()
    assert light_of_levels() == pytest.approx(lights)


# ---------------------------------------------------------------- line art


def test_otsu_parts_levels_as_scikit_image_does() -> None:
    rng = np.random.default_rng(1)
    page = np.where(rng.random((80, 60)) < 0.3, rng.normal(40, 15, (80, 60)), rng.normal(220, 12, (80, 60)))
    page = page.clip(0, 255).astype(np.uint8)

    assert otsu(page) == int(threshold_otsu(page)) + 1
    assert line_art(page).mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(("level", "inked"), [(0, True), (100, True), (200, False), (255, False)])
def test_a_page_of_one_level_is_all_ink_or_all_paper(level: int, inked: bool) -> None:
    assert (line_art(np.full((4, 4), level, np.uint8)) == inked).all()


def test_what_is_transparent_is_paper() -> None:
    page = np.zeros((4, 4, 4), np.uint8)
    page[:2, :, 3] = 255

    assert line_art(page, 128).tolist() == [[True] * 4] * 2 + [[False] * 4] * 2


def test_contours_are_smooth_because_the_threshold_comes_after_enlarging() -> None:
    times = 6
    small, truth = disc(48, 17.3, 24.21, 23.63), disc(48 * times, 17.3 * times, 24.21 * times, 23.63 * times) < 128

    ours = line_art(small, 128, size=(48 * times, 48 * times))
    before = np.kron(line_art(small, 128), np.ones((times, times), bool))

    around = 2 * np.pi * 17.3 * times
    # Mean distance between the contours, in dots of the print.
    assert (ours ^ truth).sum() / around < 0.35
    assert (before ^ truth).sum() / around > 1.0


# ---------------------------------------------------------------- halftone


@pytest.mark.parametrize(("dpi", "lpi", "angle", "dot"), SCREENS)
def test_the_share_of_ink_is_what_the_level_asks_for_at_every_level(dpi, lpi, angle, dot) -> None:
    tile, coverage = tile_of(screen_of(lpi, angle, dot), dpi), coverage_of(0.0)

    for level in range(256):
        assert abs((coverage[level] > tile).mean() - (1 - light(level))) <= 1 / 4000


@pytest.mark.parametrize(("dpi", "lpi", "angle", "dot"), SCREENS)
def test_a_page_that_is_no_whole_number_of_tiles_has_its_tone_too(dpi, lpi, angle, dot) -> None:
    screen = screen_of(lpi, angle, dot)

    for level in (0, 1, 20, 90, 128, 188, 230, 254, 255):
        ink = halftone(np.full((500, 700), level, np.uint8), screen, dpi=dpi)
        assert ink.mean() == pytest.approx(1 - light(level), abs=0.004)


def test_a_ramp_keeps_its_tone_along_its_length() -> None:
    levels = np.linspace(0, 255, 1800).round().astype(np.uint8)
    ink = halftone(np.repeat(levels[None], 400, axis=0), Halftone(lpi=85), dpi=600)

    # Windows of about seven screen cells.
    shares, meant = (
        values.reshape(36, 50).mean(axis=1) for values in (ink.mean(axis=0), 1 - light_of_levels()[levels])
    )
    assert np.abs(shares - meant).max() < 0.012


def test_dots_that_print_darker_are_made_smaller_by_what_the_press_gains() -> None:
    for gain in (0.0, 0.15, 0.28, 0.4):
        coverage = coverage_of(gain) / 65535
        exponent = -np.log2(0.5 - gain)

        # Yule and Nielsen: the light that comes back from dots over a share of the paper.
        assert (1 - coverage) ** exponent == pytest.approx(light_of_levels(), abs=2e-4)
        assert 1 - 0.5**exponent == pytest.approx(0.5 + gain)
    assert (np.diff(coverage_of(0.3).astype(int)) < 0).all()


@pytest.mark.parametrize(("dpi", "lpi", "angle"), [(600, 85, 45), (1200, 133, 15), (600, 100, 0), (1200, 150, 75)])
def test_lines_run_at_the_frequency_and_the_angle_that_were_asked_for(dpi, lpi, angle) -> None:
    ink = halftone(np.full((1024, 1024), 188, np.uint8), screen_of(lpi, angle, Dot.LINE), dpi=dpi)

    window = np.hanning(1024)[:, None] * np.hanning(1024)[None]
    power = np.abs(np.fft.rfft2((ink - ink.mean()) * window))
    row, column = np.unravel_index(power.argmax(), power.shape)
    up = -(row if row < 512 else row - 1024) / 1024
    assert np.hypot(column / 1024, up) * dpi == pytest.approx(lpi, rel=0.01)
    # Lines run across their wave.
    assert (np.degrees(np.arctan2(up, column / 1024)) - angle) % 180 == pytest.approx(90, abs=0.6)


@pytest.mark.parametrize("dot", list(Dot))
@pytest.mark.parametrize(("dpi", "lpi", "angle"), [(600, 85, 45), (1200, 133, 15), (600, 100, 0)])
def test_no_wave_longer_than_two_of_the_screens_shows_in_a_flat_tone(dpi, lpi, angle, dot) -> None:
    screen = screen_of(lpi, angle, dot)
    side = 2 * len(tile_of(screen, dpi))
    along = np.fft.fftfreq(side)
    long = np.hypot(along[:, None], along[None]) < lpi / dpi / 2

    for level in (60, 128, 188, 230):
        ink = halftone(np.full((side, side), level, np.uint8), screen, dpi=dpi)
        # The strongest wave's height, as a share of the paper; the screen's own is 0.05 to 0.3.
        assert 2 * np.abs(np.fft.fft2(ink - ink.mean()))[long].max() / ink.size < 0.022


@pytest.mark.parametrize("dot", [Dot.ROUND, Dot.LINE])
@pytest.mark.parametrize(("dpi", "lpi", "angle"), [(600, 85, 45), (1200, 133, 15)])
def test_dots_go_on_over_the_borders_of_tiles(dpi, lpi, angle, dot) -> None:
    screen = screen_of(lpi, angle, dot)
    side, cell = len(tile_of(screen, dpi)), round(dpi / lpi)
    half = int(np.argmin(np.abs(light_of_levels() - 0.5)))
    waves = [round(side * lpi / dpi * part(np.radians(angle))) for part in (np.cos, np.sin)]

    def strays(ink: np.ndarray) -> float:
        """Compare the dots around a border with one screen that goes on over the whole page."""
        rows, columns = np.mgrid[: len(ink), : len(ink)]
        first = 2 * np.pi * (waves[0] * columns - waves[1] * rows + 0.5) / side
        second = 2 * np.pi * (waves[0] * rows + waves[1] * columns + 0.5) / side
        ideal = (dot is Dot.ROUND) * np.cos(first) + np.cos(second) > 0
        return float((ink ^ ideal)[side - cell : side + cell].mean())

    page = halftone(np.full((2 * side, 2 * side), half, np.uint8), screen, dpi=dpi)
    # Tiles that the screen's waves do not fit: what this test is there to see.
    misfit = np.tile(page[: side - cell // 2, : side - cell // 2], (3, 3))[: 2 * side, : 2 * side]

    assert strays(page) < 0.06
    assert strays(misfit) > 0.2


def test_solid_black_stays_solid_and_paper_stays_clean() -> None:
    page = np.repeat(np.array([0, 255], np.uint8), 300)[None].repeat(300, axis=0)

    ink = halftone(page, Halftone(), dpi=600)

    assert ink[:, :300].all()
    assert not ink[:, 300:].any()


@pytest.mark.parametrize(("lpi", "dpi"), [(85, 300), (10, 700)])
def test_a_screen_that_is_too_fine_or_too_coarse_for_its_dots_is_refused(lpi: float, dpi: float) -> None:
    with pytest.raises(ValueError, match=r"take 5 to 75 lines|take 11 to 175 lines"):
        halftone(np.zeros((8, 8), np.uint8), Halftone(lpi=lpi), dpi=dpi)
