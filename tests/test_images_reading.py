"""Pictures come in upright, in sRGB, with their alpha, whole or not at all."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from kroma_nb.errors import FileMissing, PictureTooLarge, PictureUnreadable
from kroma_nb.images import MediaType, PixelMode, load, probe, probe_whole, thumbnail

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif"}


def scene(height: int = 24, width: int = 40, channels: int = 3) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [rows * 9, columns * 6, (rows + columns) * 4, 255 - rows * 8]
    return np.stack(planes[:channels], axis=-1).clip(0, 255).astype(np.uint8)


def file_of(image: Image.Image | np.ndarray, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def png(width: int, height: int, color_type: int, depth: int, raw: bytes, *, before: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + before + body


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


@pytest.mark.parametrize("kind", SUFFIXES)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_format_reads_as_pillow_reads_it(kind: str, mode: str) -> None:
    data = file_of(Image.fromarray(scene()).convert(mode), kind)

    result = load(data)

    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB" if kind == "WEBP" else mode)).astype(int)
    assert result.shape == expected.shape
    assert np.abs(result - expected).max() <= (1 if kind == "JPEG" else 0)
    assert result.flags.c_contiguous
    assert result.flags.writeable


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_and_the_colour_under_it_are_kept(kind: str) -> None:
    image = scene(channels=4)
    image[3:9, 3:9, 3] = 0

    result = load(file_of(image, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {})))

    np.testing.assert_array_equal(result, image)


def test_the_content_tells_the_format_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "scene.jpg"
    path.write_bytes(file_of(scene(), "PNG"))

    np.testing.assert_array_equal(load(path), scene())
    assert probe(path).media_type is MediaType.PNG


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_all_eight_orientations_are_turned_upright(kind: str, orientation: int) -> None:
    data = file_of(scene(), kind, exif=exif(orientation), **({"lossless": True} if kind == "WEBP" else {}))

    result, info = load(data), probe(data)

    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")).astype(int)
    assert result.shape == expected.shape
    assert np.abs(result - expected).max() <= 1
    assert (info.height, info.width, info.orientation) == (*expected.shape[:2], orientation)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sixteen_bit_tiffs_are_turned_upright_too(orientation: int) -> None:
    levels = scene()[..., 1].astype(np.uint16) * 257
    data = file_of(Image.fromarray(levels), "TIFF", exif=exif(orientation))

    result = load(data)

    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(file_of(scene()[..., 1], "PNG", exif=exif(orientation)))))
    np.testing.assert_array_equal(result, np.asarray(expected))


def test_an_orientation_behind_the_pixels_counts_too() -> None:
    data = file_of(scene(), "PNG", exif=exif(6))
    start = data.index(b"eXIf") - 4
    (length,) = struct.unpack(">I", data[start : start + 4])
    chunk = data[start : start + 12 + length]
    moved = data.replace(chunk, b"").replace(data[-12:], chunk + data[-12:])

    assert load(moved).shape == (40, 24, 3)
    assert probe(moved).width == 24


@pytest.mark.parametrize("block", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"])
def test_damaged_metadata_makes_no_picture_unreadable(block: bytes) -> None:
    data = file_of(scene(), "WEBP", lossless=True, exif=block)

    np.testing.assert_array_equal(load(data), scene())


def test_a_grey_picture_has_one_channel_unless_three_are_asked_for() -> None:
    data = file_of(scene()[..., 0], "PNG")

    assert load(data).shape == (24, 40)
    np.testing.assert_array_equal(load(data, always_rgb=True), np.repeat(scene()[..., :1], 3, axis=2))


def test_a_bilevel_picture_is_black_and_white() -> None:
    image = Image.fromarray(scene()[..., 0]).convert("1")

    for kind in ("PNG", "TIFF", "BMP"):
        np.testing.assert_array_equal(load(file_of(image, kind)), np.asarray(image.convert("L")))


def test_a_palette_with_transparency_gets_alpha() -> None:
    image = Image.fromarray((scene()[..., 0] // 64).astype(np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])

    opaque = load(file_of(image, "PNG"))
    clear = load(file_of(image, "PNG", transparency=bytes([0, 128])))

    np.testing.assert_array_equal(opaque, np.asarray(image.convert("RGB")))
    np.testing.assert_array_equal(clear[..., :3], opaque)
    assert sorted(np.unique(clear[..., 3])) == [0, 128, 255]


def test_grey_with_alpha_has_four_channels() -> None:
    image = np.stack([scene()[..., 0], scene()[..., 1]], axis=-1)

    result = load(file_of(Image.fromarray(image, "LA"), "PNG"))

    np.testing.assert_array_equal(result, image[..., [0, 0, 0, 1]])


def test_a_colour_that_a_png_names_as_transparent_gets_alpha() -> None:
    result = load(file_of(scene(), "PNG", transparency=tuple(int(level) for level in scene()[5, 7])))

    assert result.shape == (24, 40, 4)
    assert result[5, 7, 3] == 0
    assert (result[..., 3] == 0).sum() == (scene() == scene()[5, 7]).all(axis=2).sum()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_are_scaled_and_rounded(suffix: str, channels: int) -> None:
    levels = np.random.default_rng(5).integers(0, 65536, (20, 30, channels)).astype(np.uint16)
    levels[0, :4, 0] = [0, 65535, 256, 128]
    stored = levels[..., [2, 1, 0, 3][:channels]] if channels > 1 else levels[..., 0]
    data = cv2.imencode(suffix, stored)[1].tobytes()

    result = load(data)

    expected = np.floor(levels / 257 + 0.5).astype(np.uint8)
    np.testing.assert_array_equal(result, expected if channels > 1 else expected[..., 0])
    assert probe(data).bit_depth == 16


def test_grey_of_four_bits_is_scaled() -> None:
    result = load(png(2, 1, 0, 4, b"\0\x0f"))

    assert result.tolist() == [[0, 255]]


def test_of_an_animation_the_first_picture_is_read() -> None:
    frames = [Image.fromarray(scene()), Image.fromarray(255 - scene())]

    for kind in ("PNG", "WEBP", "TIFF"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = file_of(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert probe(data).is_animated
        np.testing.assert_array_equal(load(data)[..., :3], scene())


@pytest.mark.parametrize("kind", SUFFIXES)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.99])
def test_a_file_that_was_cut_off_is_unreadable(kind: str, part: float) -> None:
    image = np.random.default_rng(8).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    data = file_of(image, kind)

    with pytest.raises(PictureUnreadable) as caught:
        load(data[: int(len(data) * part)], name="pier.jpg")

    assert caught.value.path == "pier.jpg"


def test_a_jpeg_whose_thumbnail_is_whole_is_still_cut_off() -> None:
    noise = np.random.default_rng(8).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    data = file_of(noise, "JPEG", exif=exif(1) + file_of(scene(), "JPEG"))

    with pytest.raises(PictureUnreadable, match="cut off"):
        load(data[:-200])


def test_bytes_behind_the_end_do_no_harm() -> None:
    for kind in ("PNG", "JPEG"):
        assert load(file_of(scene(), kind) + b"appended by a phone").shape == (24, 40, 3)


def test_sixteen_bit_tiffs_that_were_cut_off_are_unreadable() -> None:
    levels = np.random.default_rng(5).integers(0, 65536, (60, 80)).astype(np.uint16)
    data = file_of(Image.fromarray(levels), "TIFF")

    with pytest.raises(PictureUnreadable):
        load(data[:-1000])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"Once upon a time there was a harbour.", "no known picture format"),
        (b"\x89PNG\r\n\x1a\n", "header"),
        (b"\xff\xd8\xff\xd9", "header"),
        (b"RIFF\x04\0\0\0WEBP", "header"),
        (b"II*\0\x08\0\0\0", "header"),
        (b"BM", "header"),
        (png(0, 4, 2, 8, b""), "no pixels"),
        (png(4, 4, 2, 8, b"\0" * 13), "pixels"),
        (png(4, 4, 5, 8, b"\0" * 13), "header"),
    ],
)
def test_what_is_no_picture_is_unreadable_and_says_why(data: bytes, says: str) -> None:
    with pytest.raises(PictureUnreadable) as caught:
        load(data)

    assert says in str(caught.value)


def test_a_gif_is_refused_with_a_way_out() -> None:
    with pytest.raises(PictureUnreadable, match=r"GIF.*PNG, JPEG, WebP, BMP and TIFF"):
        load(file_of(Image.fromarray(scene()), "GIF"))


def test_what_is_no_file_is_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.png", tmp_path):
        with pytest.raises(FileMissing):
            load(path)


def test_too_many_pixels_are_refused_before_any_is_decoded() -> None:
    bomb = png(60_000, 60_000, 0, 8, b"")

    with pytest.raises(PictureTooLarge) as caught:
        load(bomb, name="bomb.png")

    assert (caught.value.width, caught.value.height, caught.value.limit_px) == (60_000, 60_000, 100_000_000)
    assert probe(bomb).width == 60_000


def test_the_limit_can_be_raised_beyond_pillows_own() -> None:
    data = file_of(Image.new("1", (14_000, 13_000)), "PNG")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(data, max_pixels=200_000_000).shape == (13_000, 14_000)


def test_pixels_that_outgrow_the_header_do_no_harm() -> None:
    result = load(png(4, 4, 0, 8, b"\0" * 50_000_000))

    assert result.shape == (4, 4)


def test_a_text_chunk_that_inflates_without_end_raises_no_foreign_error() -> None:
    text = b"Comment\0\0" + zlib.compress(b"a" * 80_000_000)
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))

    for color_type, raw in ((0, b"\0" * 20), (4, b"\0" * 36)):
        try:
            assert load(png(4, 4, color_type, 8, raw, before=chunk)).shape[:2] == (4, 4)
        except PictureUnreadable as error:
            assert "cannot be decoded" in str(error)  # noqa: PT017


@pytest.mark.parametrize("kind", SUFFIXES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_damaged_files_raise_nothing_but_our_own_errors(kind: str, draw: st.DataObject) -> None:
    data = bytearray(file_of(scene(12, 10), kind, exif=exif(3)) if kind != "BMP" else file_of(scene(12, 10), kind))
    for _ in range(draw.draw(st.integers(0, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    cut = bytes(data[: draw.draw(st.integers(0, len(data)))])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for read in (load, probe, lambda source: thumbnail(source, 8)):
            with contextlib.suppress(PictureUnreadable, PictureTooLarge):
                read(cut)


def test_probing_says_what_is_stored() -> None:
    kinds = {
        PixelMode.PALETTE: file_of(Image.fromarray(scene()).convert("P"), "PNG"),
        PixelMode.CMYK: file_of(Image.fromarray(scene()).convert("CMYK"), "JPEG"),
        PixelMode.RGBA: file_of(scene(channels=4), "WEBP", lossless=True),
        PixelMode.BILEVEL: file_of(Image.fromarray(scene()).convert("1"), "TIFF"),
        PixelMode.GRAY: file_of(scene()[..., 0], "JPEG"),
    }

    found = {mode: probe(data) for mode, data in kinds.items()}

    assert all(info.mode is mode for mode, info in found.items())
    assert {(info.width, info.height) for info in found.values()} == {(40, 24)}
    assert [mode for mode, info in found.items() if info.has_alpha] == [PixelMode.RGBA]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_whole_file_has_the_size_that_is_seen(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = file_of(scene(24, 40), "JPEG", exif=exif)

    info = probe_whole(data)

    assert info == probe(data)
    assert (info.height, info.width) == load(data).shape[:2]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_whole_file_is_told_from_one_that_was_cut_off(kind: str) -> None:
    data = file_of(scene(), kind)

    assert probe_whole(data) == probe(data)
    for part in (0.5, 0.8, 0.95):
        with pytest.raises(PictureUnreadable, match=r"cut off|ends too early"):
            probe_whole(data[: int(part * len(data))])


def test_a_flipped_bit_in_a_png_is_found_without_decoding() -> None:
    data = bytearray(file_of(scene(), "PNG"))
    data[data.index(b"IDAT") + 20] ^= 1

    with pytest.raises(PictureUnreadable, match="cut off or damaged"):
        probe_whole(bytes(data))


def test_probing_reads_only_the_header() -> None:
    data = file_of(np.random.default_rng(1).integers(0, 256, (900, 900, 3)).astype(np.uint8), "JPEG")

    assert probe(data[:700]).width == 900
