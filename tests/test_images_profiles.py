"""Colour profiles, CMYK and grey come out as sRGB."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from kroma_nb.images import load, probe


def scene(height: int = 24, width: int = 40, channels: int = 3) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [rows * 9, columns * 6, (rows + columns) * 4, 255 - rows * 8]
    return np.stack(planes[:channels], axis=-1).clip(0, 255).astype(np.uint8)


def file_of(image: Image.Image | np.ndarray, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def wide_gamut() -> bytes:
    """A profile whose red is the sRGB's green: whoever ignores it is caught at once."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, green = profile.index(b"rXYZ", 128), profile.index(b"gXYZ", 128)
    data = bytearray(profile)
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


def linear_gray() -> bytes:
    """A profile of grey levels that are proportional to light: header, white point, tone curve (ICC.1:2001-04)."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    curve = b"curv\0\0\0\0" + struct.pack(">I", 0)
    tags = struct.pack(">I4sII4sII", 2, b"wtpt", 156, 20, b"kTRC", 176, 12)
    header = struct.pack(">I4sI4s4s4s", 188, b"none", 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    header += (
        struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    )
    return header.ljust(128, b"\0") + tags + white + curve


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_colour_profile_is_followed(kind: str) -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200

    result = load(file_of(red, kind, icc_profile=wide_gamut(), **({"lossless": True} if kind == "WEBP" else {})))

    assert np.abs(result.astype(int) - [0, 200, 0]).max() <= 3


def test_the_profile_of_srgb_itself_changes_no_level() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = file_of(scene(), "PNG", icc_profile=profile)

    np.testing.assert_array_equal(load(data), scene())
    assert probe(data).has_icc


def test_alpha_passes_by_the_colour_profile() -> None:
    image = scene(channels=4)

    result = load(file_of(image, "PNG", icc_profile=wide_gamut()))

    np.testing.assert_array_equal(result[..., 3], image[..., 3])
    assert (result[..., :3] != image[..., :3]).any()


@pytest.mark.parametrize("profile", [b"no profile at all", b""])
def test_a_damaged_profile_is_passed_over(profile: bytes) -> None:
    np.testing.assert_array_equal(load(file_of(scene(), "PNG", icc_profile=profile)), scene())


def test_a_grey_profile_is_followed_and_the_picture_stays_grey() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(8, 32)

    result = load(file_of(ramp, "PNG", icc_profile=linear_gray()))

    light = ramp / 255
    curve = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    assert result.shape == ramp.shape
    assert np.abs(result - curve * 255).max() <= 1.5


def test_a_profile_made_for_other_channels_is_passed_over() -> None:
    data = file_of(scene()[..., 0], "PNG", icc_profile=wide_gamut())

    np.testing.assert_array_equal(load(data), scene()[..., 0])


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb_with_its_darkness_the_right_way_round(kind: str) -> None:
    image = Image.fromarray(scene()).convert("CMYK")

    result = load(file_of(image, kind, **({"quality": 100, "subsampling": 0} if kind == "JPEG" else {})))

    assert np.abs(result.astype(int) - scene()).mean() < 3


def test_a_cmyk_profile_that_cannot_be_used_leaves_the_plain_formula() -> None:
    data = file_of(Image.fromarray(scene()).convert("CMYK"), "TIFF", icc_profile=wide_gamut())

    np.testing.assert_array_equal(load(data), load(file_of(Image.fromarray(scene()).convert("CMYK"), "TIFF")))
