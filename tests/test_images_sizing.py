"""Pictures grow and shrink by rule, and thumbnails are small, upright and quick."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kroma_nb.errors import PictureTooLarge, PictureUnreadable
from kroma_nb.images import as_rgb, encode_png, fit, is_gray, load, resize, thumbnail

sides = st.integers(1, 20_000)


def gradient(height: int = 90, width: int = 120) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 255 // height, columns * 255 // width, np.full_like(rows, 90)], axis=-1).astype(np.uint8)


@given(sides, sides, sides)
def test_fitting_keeps_the_aspect_and_at_least_one_pixel(width: int, height: int, long_side: int) -> None:
    fitted = fit((width, height), long_side)

    assert max(fitted) == long_side
    assert min(fitted) >= 1
    scale = long_side / max(width, height)
    assert all(abs(new - max(1, old * scale)) <= 0.5 + 1e-6 for new, old in zip(fitted, (width, height), strict=True))


@pytest.mark.parametrize("numbers", [((0, 4), 4), ((4, 4), 0), ((4, -1), 4)])
def test_sizes_below_one_pixel_are_refused(numbers: tuple[tuple[int, int], int]) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        fit(*numbers)


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3), (40, 60, 4)])
@pytest.mark.parametrize("size", [(30, 20), (120, 80), (1, 1), (60, 40), (90, 20)])
def test_resizing_gives_the_size_and_keeps_the_channels(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    picture = np.full(shape, 77, np.uint8)

    result = resize(picture, size)

    assert result.shape == (size[1], size[0], *shape[2:])
    assert (result == 77).all()


def test_shrinking_averages_areas() -> None:
    picture = np.array([[0, 100, 200, 200], [100, 200, 200, 200]], np.uint8)

    assert resize(picture, (2, 1)).tolist() == [[100, 200]]


def test_hidden_colour_does_not_bleed_into_visible_pixels() -> None:
    figure = np.zeros((8, 8, 4), np.uint8)
    figure[:, :5] = (200, 50, 50, 255)
    figure[:, 5:] = (0, 255, 0, 0)

    for size in ((4, 4), (16, 16), (3, 8)):
        result = resize(figure, size)
        seen = result[..., 3] > 8
        assert np.abs(result[seen][:, :3].astype(int) - [200, 50, 50]).max() <= 4


def test_resizing_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        resize(gradient(), (0, 5))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("long_side", [16, 64, 300])
def test_a_thumbnail_looks_like_its_picture(kind: str, long_side: int) -> None:
    file = io.BytesIO()
    Image.fromarray(gradient(900, 1200)).save(file, kind)

    small = thumbnail(file.getvalue(), long_side)

    image = Image.open(io.BytesIO(small))
    assert image.format == "WEBP"
    assert image.size == (long_side, round(long_side * 0.75))
    expected = resize(gradient(900, 1200), image.size).astype(int)
    assert np.abs(np.asarray(image.convert("RGB")) - expected).mean() < 4


def test_a_picture_that_is_small_already_keeps_its_size() -> None:
    small = thumbnail(encode_png(gradient()), 500)

    assert load(small).shape == (90, 120, 3)


def test_a_thumbnail_is_upright_and_keeps_transparency() -> None:
    block = Image.Exif()
    block[0x0112] = 6
    figure = np.dstack([gradient(), np.zeros((90, 120), np.uint8)])
    turned, clear = io.BytesIO(), io.BytesIO()
    Image.fromarray(gradient()).save(turned, "JPEG", exif=block)
    Image.fromarray(figure).save(clear, "PNG")

    assert load(thumbnail(turned.getvalue(), 60)).shape == (60, 45, 3)
    assert (load(thumbnail(clear.getvalue(), 60))[..., 3] == 0).all()


def test_thumbnails_of_what_is_too_large_or_broken_are_refused() -> None:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (400, 400, 3)).astype(np.uint8)).save(file, "JPEG")

    with pytest.raises(PictureTooLarge):
        thumbnail(file.getvalue(), 20, max_pixels=1000)
    with pytest.raises(PictureUnreadable):
        thumbnail(file.getvalue()[:9000], 20)


def test_laying_over_a_ground_mixes_by_alpha() -> None:
    figure = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)

    assert as_rgb(figure, ground=(0, 0, 255)).tolist() == [[[200, 100, 0], [0, 0, 255], [40, 20, 204]]]
    np.testing.assert_array_equal(as_rgb(figure[..., 0]), np.repeat(figure[..., :1], 3, axis=2))


def test_grey_is_told_by_every_pixel() -> None:
    page = np.repeat(gradient()[..., :1], 3, axis=2)
    spoiled = page.copy()
    spoiled[50, 60, 2] += 1

    assert is_gray(page)
    assert is_gray(np.dstack([page, gradient()[..., 1]]))
    assert not is_gray(spoiled)
