"""The color pass against a plain float64 version and against Pillow."""

from __future__ import annotations

import tomllib
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageEnhance, ImageOps

from kroma_nb.model.postprocess import ColorProfile
from kroma_nb.passes import color

SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
LUMA = np.array([0.299, 0.587, 0.114])

shapes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([3, 4]))
pictures = shapes.flatmap(lambda shape: arrays(np.uint8, shape))
factors = st.floats(0, 3, allow_nan=False).map(lambda value: round(value, 2))
profiles = st.builds(
    ColorProfile,
    brightness=factors,
    contrast=factors,
    saturation=factors,
    sharpness=factors,
    gamma=st.floats(0.3, 3).map(lambda value: round(value, 2)),
    autocontrast_cutoff=st.sampled_from([0.0, 0.5, 5.0, 30.0]),
    red_multiplier=factors,
    green_multiplier=factors,
    blue_multiplier=factors,
)


def photograph(height: int = 60, width: int = 80, seed: int = 3) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [np.sin(rows / period) * np.cos(columns / (period + 2)) for period in (5, 7, 11)]
    noise = np.random.default_rng(seed).normal(0, 6, (height, width, 3))
    return (np.stack(waves, axis=-1) * 75 + 120 + noise).clip(0, 255).astype(np.uint8)


def stretched(levels: np.ndarray, seen: np.ndarray, cutoff: float) -> np.ndarray:
    result = levels.copy()
    for channel in range(3):
        values = np.sort(levels[seen][:, channel])
        cut = int(values.size * cutoff // 100)
        if values.size and values[cut] < values[-1 - cut]:
            low, high = values[cut], values[-1 - cut]
            result[..., channel] = ((levels[..., channel] - low) * 255 / (high - low)).clip(0, 255)
    return result


def smoothed(levels: np.ndarray, seen: np.ndarray) -> np.ndarray:
    height, width = seen.shape
    values = np.pad(levels, ((1, 1), (1, 1), (0, 0)), "edge")
    shown = np.pad(seen.astype(float), 1, "edge")[..., None]
    total, weight = np.zeros_like(levels), np.zeros((height, width, 1))
    for row in range(3):
        for column in range(3):
            part = slice(row, row + height), slice(column, column + width)
            total += SMOOTH[row, column] * values[part] * shown[part]
            weight += SMOOTH[row, column] * shown[part]
    return total / np.maximum(weight, 1 / 13)


def plain(image: np.ndarray, profile: ColorProfile) -> np.ndarray:
    """All nine steps in float64, before rounding."""
    levels = image[..., :3].astype(float)
    seen = image[..., 3] > 0 if image.shape[2] == 4 else np.ones(image.shape[:2], bool)
    if profile.autocontrast_cutoff:
        levels = stretched(levels, seen, profile.autocontrast_cutoff)
    levels = levels * profile.brightness
    pivot = (levels[seen] @ LUMA).mean() if seen.any() else 0.0
    levels = pivot + (levels - pivot) * profile.contrast
    luma = (levels @ LUMA)[..., None]
    levels = luma + (levels - luma) * profile.saturation
    smooth = smoothed(levels, seen)
    levels = smooth + (levels - smooth) * profile.sharpness
    if profile.gamma != 1:
        levels = 255 * (np.maximum(levels, 0) / 255) ** (1 / profile.gamma)
    return levels * [profile.red_multiplier, profile.green_multiplier, profile.blue_multiplier]


@settings(max_examples=150, deadline=None)
@given(pictures, profiles)
def test_every_profile_is_within_one_level_of_plain_float64(image: np.ndarray, profile: ColorProfile) -> None:
    seen = image[..., 3] > 0 if image.shape[2] == 4 else np.ones(image.shape[:2], bool)
    # A gamma above 1 rises without bound at black: a hair before it is more than a level after it.
    slack = 0.51 if profile.gamma <= 1 else 1.5

    result = color(image, profile)

    expected = plain(image, profile).clip(0, 255)
    steep = (expected < 24) & (profile.gamma > 1)
    assert (np.abs(result[..., :3] - expected) <= slack)[seen[..., None] & ~steep].all()


def test_a_photograph_is_rounded_once_and_half_up() -> None:
    image = photograph()
    profile = ColorProfile(brightness=0.97, contrast=1.1, saturation=0.9, sharpness=1.4, red_multiplier=1.05)

    result = color(image, profile)

    expected = np.floor(plain(image, profile).clip(0, 255) + 0.5)
    assert (result == expected).mean() > 0.999


def test_the_check_value_of_the_format_holds() -> None:
    profile = ColorProfile(red_multiplier=1.2, blue_multiplier=0.8)

    result = color(np.array([[[100, 90, 80]]], np.uint8), profile)

    assert result.tolist() == [[[120, 90, 64]]]


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 3), (7, 5, 4)])
def test_a_neutral_profile_gives_an_exact_copy(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)

    result = color(image, ColorProfile())

    np.testing.assert_array_equal(result, image)
    assert not np.shares_memory(result, image)


@pytest.mark.parametrize("moved", list(ColorProfile.model_fields))
def test_each_parameter_moves_a_photograph_when_it_leaves_neutral(moved: str) -> None:
    image = photograph()

    result = color(image, ColorProfile(**{moved: 2.0}))

    assert (result != image).mean() > 0.2


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.3, 2.0])
@pytest.mark.parametrize(
    ("field", "pillow"),
    [
        ("brightness", ImageEnhance.Brightness),
        ("contrast", ImageEnhance.Contrast),
        ("saturation", ImageEnhance.Color),
        ("sharpness", ImageEnhance.Sharpness),
    ],
)
def test_single_parameters_are_within_one_level_of_pillow(field: str, pillow: type, factor: float) -> None:
    image = photograph()

    result = color(image, ColorProfile(**{field: factor}))

    expected = np.asarray(pillow(Image.fromarray(image)).enhance(factor)).astype(int)
    inside = (slice(1, -1), slice(1, -1)) if field == "sharpness" else (slice(None), slice(None))
    # Pillow rounds luma and its smoothed picture first, and blends with that.
    limit = 1 if factor <= 1 else 2
    assert np.abs(result[inside] - expected[inside]).max() <= limit
    assert (np.abs(result[inside] - expected[inside]) <= 1).mean() > 0.99


@pytest.mark.parametrize("cutoff", [0.5, 2.0, 10.0, 40.0])
def test_autocontrast_cuts_a_percentage_off_each_end_as_pillow_does(cutoff: float) -> None:
    image = photograph()

    result = color(image, ColorProfile(autocontrast_cutoff=cutoff))

    expected = np.asarray(ImageOps.autocontrast(Image.fromarray(image), cutoff)).astype(int)
    assert np.abs(result - expected).max() <= 1


def test_autocontrast_leaves_a_flat_channel_alone() -> None:
    image = photograph()
    image[..., 1] = 90

    result = color(image, ColorProfile(autocontrast_cutoff=1.0))

    assert (result[..., 1] == 90).all()


def test_sharpness_below_one_smooths_and_above_one_sharpens() -> None:
    image = photograph()

    softer, sharper = color(image, ColorProfile(sharpness=0.5)), color(image, ColorProfile(sharpness=2.0))

    steps = [np.abs(np.diff(version.astype(int), axis=1)).mean() for version in (softer, image, sharper)]
    assert steps == sorted(steps)
    assert steps[0] < 0.9 * steps[1] < 0.8 * steps[2]


def test_strips_leave_no_seams() -> None:
    tall = photograph(height=2000, width=64)

    result = color(tall, ColorProfile(sharpness=2.5, gamma=0.8))

    upper, lower = (color(part, ColorProfile(sharpness=2.5, gamma=0.8)) for part in (tall[:1011], tall[989:]))
    np.testing.assert_array_equal(result, np.concatenate([upper[:1000], lower[11:]]))


def test_alpha_is_kept_bit_for_bit() -> None:
    image = np.random.default_rng(2).integers(0, 256, (20, 30, 4)).astype(np.uint8)

    result = color(image, ColorProfile(contrast=1.3, sharpness=2.0, blue_multiplier=0.5))

    np.testing.assert_array_equal(result[..., 3], image[..., 3])


@settings(max_examples=60, deadline=None)
@given(pictures.filter(lambda image: image.shape[2] == 4), profiles, st.integers(0, 255))
def test_colour_hidden_under_alpha_zero_has_no_influence(image: np.ndarray, profile: ColorProfile, other: int) -> None:
    image[::2, :, 3] = 0
    seen = image[..., 3] > 0
    repainted = image.copy()
    repainted[~seen, :3] = other

    result, second = color(image, profile), color(repainted, profile)

    np.testing.assert_array_equal(result[seen], second[seen])


@settings(max_examples=60, deadline=None)
@given(arrays(np.uint8, (6, 7)), profiles)
def test_grey_stays_grey_in_one_channel_or_three(image: np.ndarray, profile: ColorProfile) -> None:
    even = profile.model_copy(update={"red_multiplier": 1.1, "green_multiplier": 1.1, "blue_multiplier": 1.1})

    one, three = color(image, even), color(np.repeat(image[..., None], 3, axis=2), even)

    assert one.shape == image.shape
    np.testing.assert_array_equal(three, np.repeat(one[..., None], 3, axis=2))


def test_a_tint_turns_a_grey_picture_into_three_channels() -> None:
    result = color(np.full((2, 3), 100, np.uint8), ColorProfile(red_multiplier=1.5))

    assert result.shape == (2, 3, 3)
    assert result[0, 0].tolist() == [150, 100, 100]


def test_the_extremes_of_all_parameters_stay_in_range() -> None:
    image = photograph()
    most = dict.fromkeys(ColorProfile.model_fields, 8.0) | {"autocontrast_cutoff": 49.0}
    least = dict.fromkeys(ColorProfile.model_fields, 0.0) | {"gamma": 0.01}

    brightest = color(image, ColorProfile(**most))
    darkest = color(image, ColorProfile(**least))
    glaring = color(image, ColorProfile(**most | {"gamma": 0.05}))

    assert brightest.max() == glaring.max() == 255
    assert (darkest == 0).all()


def test_a_view_with_strides_is_read_as_it_looks() -> None:
    image = photograph()
    profile = ColorProfile(contrast=1.2, saturation=1.5, sharpness=1.5)

    result = color(image[::-1, ::-1], profile)

    np.testing.assert_array_equal(result, color(image[::-1, ::-1].copy(), profile))


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="float64"):
        color(np.zeros((2, 2, 3)), ColorProfile())


def test_the_built_in_profiles_are_valid_and_complete() -> None:
    text = resources.files("kroma_nb").joinpath("data/color_profiles.toml").read_text(encoding="utf-8")

    profiles = tomllib.loads(text)["profiles"]

    assert sorted(profiles) == ["cinematic_warm", "cold_rain", "neutral"]
    for values in profiles.values():
        assert ColorProfile(**values).model_dump() == values
