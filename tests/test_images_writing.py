"""Pictures go out exactly, small, the same each time, and with nothing of their source's metadata."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from kroma_nb.blobs import write_atomic
from kroma_nb.errors import WriteFailed
from kroma_nb.images import encode, encode_png, load, save, thumbnail
from kroma_nb.model.postprocess import PictureFormat

sides = st.integers(1, 40)
noise = st.tuples(sides, sides, st.sampled_from([3, 4])).flatmap(lambda shape: arrays(np.uint8, shape))
gray_noise = st.tuples(sides, sides).flatmap(lambda shape: arrays(np.uint8, shape))


@st.composite
def drawings(draw: st.DrawFn) -> np.ndarray:
    """Pages of few colours in blocks, so that palettes of every bit depth come up."""
    colors = draw(arrays(np.uint8, (draw(st.sampled_from([1, 2, 3, 4, 5, 16, 17, 200, 256, 300])), 3)))
    shape = (draw(sides), draw(sides))
    ranks = np.random.default_rng(draw(st.integers(0, 99))).integers(0, len(colors), shape)
    return colors[ranks].repeat(draw(st.integers(1, 9)), axis=1)


def opened(data: bytes) -> Any:
    return Image.open(io.BytesIO(data))


def photograph(height: int = 200, width: int = 240) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(rows / 17) * 90, np.cos(columns / 23) * 90, np.sin((rows + columns) / 31) * 90], axis=-1)
    return (waves + 128 + np.random.default_rng(4).normal(0, 3, waves.shape)).clip(0, 255).astype(np.uint8)


@settings(max_examples=120, deadline=None)
@given(st.one_of(noise, drawings()))
def test_every_coloured_picture_comes_back_exactly(picture: np.ndarray) -> None:
    data = encode_png(picture)

    np.testing.assert_array_equal(load(data, always_rgb=True), picture)
    np.testing.assert_array_equal(np.asarray(opened(data).convert("RGBA" if picture.shape[2] == 4 else "RGB")), picture)


@settings(max_examples=80, deadline=None)
@given(st.one_of(gray_noise, drawings().map(lambda page: np.ascontiguousarray(page[..., 0]))))
def test_every_grey_picture_comes_back_exactly_and_in_one_channel(picture: np.ndarray) -> None:
    np.testing.assert_array_equal(load(encode_png(picture)), picture)


@settings(max_examples=40, deadline=None)
@given(gray_noise, st.integers(0, 255))
def test_grey_with_alpha_comes_back_exactly_in_four_channels(picture: np.ndarray, alpha: int) -> None:
    figure = np.dstack([picture, picture, picture, np.full_like(picture, alpha)])

    np.testing.assert_array_equal(load(encode_png(figure)), figure)


def test_the_kind_of_png_follows_the_content() -> None:
    photo = photograph()
    gray = np.repeat(photo[..., :1], 3, axis=2)
    tones = np.array([[250, 240, 220], [120, 110, 100], [20, 20, 30]], np.uint8)[photo[..., 0] // 86]
    flat_figure = np.dstack([np.repeat((photo[..., :1] // 128) * 255, 3, axis=2), (photo[..., 1] // 128) * 255])

    modes = [opened(encode_png(picture)).mode for picture in (photo, gray, tones, flat_figure)]

    assert modes == ["RGB", "L", "P", "LA"]


def test_pages_of_few_colours_share_bytes() -> None:
    for count, depth in ((2, 1), (4, 2), (16, 4), (17, 8)):
        page = np.arange(count, dtype=np.uint8)[np.random.default_rng(1).integers(0, count, (64, 64))] * 15

        assert encode_png(page)[24] == depth


@pytest.mark.parametrize("step", [1, 2])
def test_the_same_pixels_give_the_same_bytes(step: int) -> None:
    picture = photograph()[::step]

    assert encode_png(picture) == encode_png(picture.copy()) == encode_png(np.asfortranarray(picture))


def test_text_is_kept_in_every_script() -> None:
    text = {"Prompt": "Rain over the pier, café", "Title": "港の夜 🌊", "kroma:seed": "12"}

    for picture in (photograph(), photograph() // 100 * 100, photograph()[..., 0] // 128 * 255):
        image = opened(encode_png(picture, text=text))
        image.load()
        assert image.text == text


@pytest.mark.parametrize("keyword", ["", "a" * 80, " led", "two  spaces", "línea\n", "標題"])
def test_a_keyword_that_a_png_cannot_hold_is_refused(keyword: str) -> None:
    with pytest.raises(ValueError, match="keyword"):
        encode_png(photograph(), text={keyword: "x"})


def test_a_zero_byte_in_a_text_is_refused() -> None:
    with pytest.raises(ValueError, match="zero byte"):
        encode_png(photograph(), text={"Prompt": "rain\0"})


def test_a_png_says_that_it_is_srgb_and_how_many_dots_an_inch_it_has() -> None:
    data = encode_png(photograph(), dpi=300)

    assert opened(data).info["srgb"] == 0
    assert opened(data).info["dpi"] == pytest.approx((300, 300), abs=0.02)
    assert data.index(b"sRGB") < data.index(b"IDAT")
    for wrong in (0, -1, 1e12):
        with pytest.raises(ValueError, match="dots per inch"):
            encode_png(photograph(), dpi=wrong)


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("target", list(PictureFormat))
def test_no_place_and_no_owner_of_the_source_leave_with_a_picture(source: str, target: PictureFormat) -> None:
    block = Image.Exif()
    block[0x010F] = "SECRETCAMERA"
    block.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0), 27: b"SECRETPLACE"})
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>SECRETPLACE</x:xmpmeta>"
    file = io.BytesIO()
    Image.fromarray(photograph()).save(file, source, exif=block.tobytes(), **({"xmp": xmp} if source != "TIFF" else {}))
    assert file.getvalue().count(b"SECRET") >= 2
    assert Image.open(file).getexif().get_ifd(0x8825)[2] == (48.0, 51.0, 30.0)

    written = [encode(load(file.getvalue()), format=target), thumbnail(file.getvalue(), 64)]

    for data in written:
        assert b"SECRET" not in data
        assert not opened(data).getexif()
        assert not {"exif", "xmp", "XML:com.adobe.xmp"} & set(opened(data).info)


def test_jpeg_and_webp_are_close_and_keep_their_channels() -> None:
    photo = photograph()
    figure = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])

    jpeg, webp = (load(encode(photo, format=kind)) for kind in (PictureFormat.JPG, PictureFormat.WEBP))

    assert np.abs(jpeg.astype(int) - photo).mean() < 4
    assert np.abs(webp.astype(int) - photo).mean() < 4
    assert load(encode(figure, format=PictureFormat.WEBP)).shape[2] in {3, 4}
    assert load(encode(photo[..., 0], format=PictureFormat.JPG)).ndim == 2


def test_a_jpeg_shows_what_is_transparent_as_white() -> None:
    figure = np.zeros((16, 16, 4), np.uint8)

    assert (load(encode(figure, format=PictureFormat.JPG)) >= 254).all()


def test_a_side_that_a_format_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="16383"):
        encode(np.zeros((1, 16_384), np.uint8), format=PictureFormat.WEBP)


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 2), np.uint8), np.zeros((0, 3), np.uint8), np.zeros((2, 2))])
def test_what_is_no_picture_is_refused(wrong: np.ndarray) -> None:
    for kind in PictureFormat:
        with pytest.raises(ValueError, match="a picture is a uint8 array"):
            encode(wrong, format=kind)


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.JPG", b"\xff\xd8"), ("a.jpeg", b"\xff\xd8"), ("a.webp", b"RIFF")]
)
def test_saving_takes_the_format_from_the_suffix(tmp_path: Path, name: str, start: bytes) -> None:
    save(photograph(), tmp_path / "new" / name, write=write_atomic)

    assert (tmp_path / "new" / name).read_bytes().startswith(start)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]


def test_saving_under_a_suffix_without_a_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.gif"):
        save(photograph(), tmp_path / "a.gif", write=write_atomic)

    assert list(tmp_path.iterdir()) == []


def test_a_save_that_fails_is_a_write_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(WriteFailed):
        save(photograph(), tmp_path / "file" / "a.png", write=write_atomic)
