"""Print files, read back by other readers than the one that wrote them: tags, dots an inch, profiles, pixels."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms
from pydantic import ValidationError

from kroma_nb import images
from kroma_nb.errors import FileMissing, PictureTooLarge, RequestInvalid, WriteFailed
from kroma_nb.images.luminance import as_gray, light_of_levels
from kroma_nb.images.output_profiles import output_profile
from kroma_nb.model.printing import (
    Compression,
    Halftone,
    Intent,
    LineArt,
    PrintFormat,
    PrintSettings,
    PrintSize,
    dpi_for,
)
from kroma_nb.passes.printing import check_print, print_picture, write_print

TIFF, PNG = PrintFormat.TIFF, PrintFormat.PNG
TYPES = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 7: "B"}


def photograph(height: int = 90, width: int = 60, channels: int = 3) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(rows / (5 + k)) * np.cos(columns / (9 - k)) for k in range(max(channels, 1))]
    picture = np.stack(waves, axis=-1).clip(0, 255).astype(np.uint8)
    return picture if channels else picture[..., 0]


def figure() -> np.ndarray:
    picture = photograph(channels=4)
    picture[..., 3] = np.linspace(0, 255, 60).astype(np.uint8)
    return picture


def tags_of(path: Path) -> dict[int, tuple | bytes]:
    """Read the tags of a TIFF as its specification lays them out."""
    data = path.read_bytes()
    order = {b"II*\0": "<", b"MM\0*": ">"}[data[:4]]
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    found: dict[int, tuple | bytes] = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", data, entry)
        size = length * struct.calcsize(f"{order}{TYPES[kind]}")
        (far,) = struct.unpack_from(f"{order}I", data, entry + 8)
        start = entry + 8 if size <= 4 else far
        raw = data[start : start + size]
        found[tag] = raw if kind in {2, 7} else struct.unpack(order + TYPES[kind] * length, raw)
    assert list(found) == sorted(found)
    return found


def chunks_of(path: Path) -> dict[bytes, bytes]:
    data, at, found = path.read_bytes(), 8, {}
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        found[kind] = found.get(kind, b"") + data[at + 8 : at + 8 + length]
        assert zlib.crc32(data[at + 4 : at + 8 + length]) == struct.unpack_from(">I", data, at + 8 + length)[0]
        at += 12 + length
    return found


def by_opencv(path: Path) -> np.ndarray:
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if found.ndim == 2:
        return found
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB if found.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def close_to(seen: np.ndarray, picture: np.ndarray) -> bool:
    """Compare with what OpenCV gives of a TIFF: it multiplies colours by their alpha."""
    if picture.ndim == 3 and picture.shape[2] == 4:
        picture = np.dstack([picture[..., :3] * (picture[..., 3:] / 255), picture[..., 3]])
        return bool(np.abs(seen - picture).max() <= 1)
    return bool((seen == picture).all())


def table(inputs: int, outputs: int, grid: np.ndarray) -> bytes:
    """Write a table of colours as a profile's tag (ICC.1:2022, section 10.10, lut16Type)."""
    side = grid.shape[0]
    head = b"mft2" + bytes(4) + bytes([inputs, outputs, side, 0])
    head += struct.pack(">9i", *(65536 * np.eye(3, dtype=int)).ravel()) + struct.pack(">HH", 2, 2)
    straight = struct.pack(">HH", 0, 65535)
    return head + straight * inputs + np.rint(grid.reshape(-1, outputs)).astype(">u2").tobytes() + straight * outputs


def black_ink_profile() -> bytes:
    """Write the profile of a press that has four inks and prints with the black one alone: K is 1 - L*."""
    white, step = 65280, np.linspace(0, 1, 9)
    to_inks = np.zeros((9, 9, 9, 4))
    to_inks[..., 3] = 65535 * (1 - np.minimum(step * 65535 / white, 1))[:, None, None]
    to_lab = np.full((3, 3, 3, 3, 3), 32768.0)
    to_lab[..., 0] = white * (1 - np.linspace(0, 1, 3))
    tags = {b"A2B0": table(4, 3, to_lab), b"B2A0": table(3, 4, to_inks)}
    tags[b"wtpt"] = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    words = b"Black ink\0"
    tags[b"desc"] = b"desc" + struct.pack(">II", 0, len(words)) + words + bytes(78)
    tags[b"cprt"] = b"text" + bytes(4) + b"none\0"
    listed, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        listed += name + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I", at + len(body)) + bytes(4) + struct.pack(">I", 0x02400000) + b"prtrCMYKLab "
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    return head + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + listed + body


def wide_profile() -> bytes:
    """Write a matrix profile with the primaries of Adobe RGB (1998) and its gamma of 2.2, adapted to D50."""
    primaries = {b"rXYZ": (0.60974, 0.31111, 0.01947), b"gXYZ": (0.20528, 0.62567, 0.06087)}
    primaries |= {b"bXYZ": (0.14919, 0.06322, 0.74457), b"wtpt": (0.9642, 1.0, 0.8249)}
    tags = {
        name: b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * v) for v in xyz))
        for name, xyz in primaries.items()
    }
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        tags[name] = b"curv" + struct.pack(">IIH", 0, 1, round(2.19921875 * 256))
    words = b"Wide\0"
    tags[b"desc"] = b"desc" + struct.pack(">II", 0, len(words)) + words + bytes(78)
    tags[b"cprt"] = b"text" + bytes(4) + b"none\0"
    listed, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        listed += name + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I", at + len(body)) + bytes(4) + struct.pack(">I", 0x02400000) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    return head + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + listed + body


# ---------------------------------------------------------------- sizes


def test_a_size_says_how_many_dots_an_inch_it_gives_on_both_sides() -> None:
    found = dpi_for((2480, 3508), PrintSize(width_cm=21, height_cm=29.7))

    assert found.x_dpi == pytest.approx(2480 * 2.54 / 21)
    assert found.y_dpi == pytest.approx(3508 * 2.54 / 29.7)
    assert found.warnings == ()


def test_inches_and_centimetres_are_one_size() -> None:
    size = PrintSize.inches(8.27, 11.69)

    assert (size.width_in, size.height_in) == pytest.approx((8.27, 11.69))
    assert dpi_for((827, 1169), size).dpi == pytest.approx(100)


def test_another_aspect_is_said_in_centimetres_and_fitted_inside() -> None:
    found = dpi_for((1000, 1500), PrintSize(width_cm=8, height_cm=8))

    assert found.dpi == found.y_dpi > found.x_dpi
    assert "a strip of 2.7 cm stays empty at its side" in found.warnings[0]
    assert "fills 5.3 x 8 cm" in found.warnings[0]


@pytest.mark.parametrize(("width", "lines", "warned"), [(1181, False, False), (1170, False, True), (1181, True, True)])
def test_too_few_dots_are_said_below_300_for_tones_and_600_for_lines(width: int, lines: bool, warned: bool) -> None:
    warnings = dpi_for((width, width), PrintSize(width_cm=10, height_cm=10), lines=lines).warnings

    assert bool(warnings) == warned
    assert all(("600" in said) == lines for said in warnings)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "give dpi, width_cm or height_cm"),
        ({"dpi": 0}, "greater than or equal to 10"),
        ({"width_cm": -1}, "greater than 0"),
        ({"dpi": 300, "compression": Compression.GROUP4}, "packs 1-bit pages alone"),
        ({"dpi": 300, "format": PNG, "compression": Compression.LZW}, "write a tiff"),
        ({"dpi": 300, "paper": "A4"}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(wrong: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        PrintSettings(**wrong)


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("compression", [Compression.NONE, Compression.DEFLATE, Compression.LZW, Compression.AUTO])
@pytest.mark.parametrize("picture", [photograph(channels=0), photograph(), figure()], ids=["gray", "rgb", "rgba"])
def test_a_tone_tiff_gives_back_its_pixels_to_two_readers_and_says_its_size(tmp_path, picture, compression) -> None:
    path = tmp_path / "page.tif"

    report = write_print(picture, path, PrintSettings(dpi=254, compression=compression))

    tags, channels = tags_of(path), 1 if picture.ndim == 2 else picture.shape[2]
    assert (tags[256], tags[257], tags.get(277, (1,))) == ((60,), (90,), (channels,))
    assert tags[258] == (8,) * channels
    assert tags[259] == ({"none": 1, "lzw": 5}.get(compression.value, 8),)
    assert (tags[282], tags[283], tags[296]) == ((254, 1), (254, 1), (2,))
    assert tags[262] == (1 if channels == 1 else 2,)
    assert tags.get(338) == ((2,) if channels == 4 else None)
    with Image.open(path) as image:
        assert (np.asarray(image) == picture).all()
        assert ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert close_to(by_opencv(path), picture)
    assert (images.load(path) == picture).all()
    assert (report.bits, report.mode) == (8, {1: "gray", 3: "rgb", 4: "rgba"}[channels])
    assert str(report.size) == "0.6 x 0.9 cm"
    assert report.size_bytes == path.stat().st_size


@pytest.mark.parametrize("picture", [photograph(channels=0), photograph(), figure()], ids=["gray", "rgb", "rgba"])
def test_a_tone_png_gives_back_its_pixels_to_two_readers_and_says_its_size(tmp_path, picture) -> None:
    path = tmp_path / "page.png"

    write_print(picture, path, PrintSettings(dpi=300, format=PNG))

    chunks = chunks_of(path)
    assert struct.unpack(">IIB", chunks[b"pHYs"]) == (11811, 11811, 1)
    assert b"sRGB" not in chunks
    icc = zlib.decompress(chunks[b"iCCP"].partition(b"\0")[2][1:])
    assert icc[16:20] == (b"GRAY" if picture.ndim == 2 else b"RGB ")
    with Image.open(path) as image:
        assert (np.asarray(image) == picture).all()
    assert (by_opencv(path) == picture).all()
    assert (images.load(path) == picture).all()


@pytest.mark.parametrize("kind", [PNG, TIFF])
@pytest.mark.parametrize("width", [1, 7, 8, 61])
def test_a_1_bit_page_is_one_bit_in_its_file_and_ink_is_black_to_two_readers(tmp_path, kind, width) -> None:
    picture = np.random.default_rng(width).integers(0, 256, (33, width), dtype=np.uint8)
    path = tmp_path / f"page.{kind}"

    report = write_print(picture, path, PrintSettings(dpi=1200, format=kind, line_art=LineArt.THRESHOLD, threshold=100))

    black = np.where(picture < 100, 0, 255)
    with Image.open(path) as image:
        assert image.mode == "1"
        assert image.info["dpi"] == pytest.approx((1200, 1200), abs=0.02)
        assert (np.asarray(image.convert("L")) == black).all()
    assert (by_opencv(path) == black).all()
    assert (report.bits, report.mode, report.profile, report.threshold) == (1, "bilevel", "", 100)
    if kind is TIFF:
        tags = tags_of(path)
        # Group 4, white is zero, 1200 dots an inch.
        assert (tags[259], tags[262], tags[258], tags[282]) == ((4,), (0,), (1,), (1200, 1))
        assert 34675 not in tags
    else:
        assert chunks_of(path)[b"IHDR"][8:10] == bytes([1, 0])


@pytest.mark.parametrize("compression", [Compression.NONE, Compression.DEFLATE, Compression.LZW])
def test_1_bit_tiffs_can_be_packed_in_other_ways_too(tmp_path, compression) -> None:
    path, picture = tmp_path / "page.tif", photograph(channels=0)

    write_print(
        picture, path, PrintSettings(dpi=600, line_art=LineArt.THRESHOLD, threshold=128, compression=compression)
    )

    assert (by_opencv(path) == np.where(picture < 128, 0, 255)).all()


def test_group_4_keeps_a_drawn_page_small(tmp_path) -> None:
    page = np.full((600, 400), 255, np.uint8)
    for radius in range(20, 190, 30):
        cv2.circle(page, (200, 300), radius, 0, 2, cv2.LINE_AA)
    ways = {
        way: PrintSettings(dpi=600, line_art=LineArt.THRESHOLD, compression=way)
        for way in (Compression.GROUP4, Compression.NONE)
    }

    sizes = {way: write_print(page, tmp_path / f"{way}.tif", asked).size_bytes for way, asked in ways.items()}

    assert sizes["group4"] < sizes["none"] / 4


def test_a_size_and_dots_together_bring_the_picture_to_so_many_pixels(tmp_path) -> None:
    picture = photograph(300, 200)

    report = write_print(picture, tmp_path / "a.tif", PrintSettings(dpi=600, height_cm=2.54, line_art=LineArt.HALFTONE))

    assert (report.width_px, report.height_px, report.dpi, report.source_dpi) == (400, 600, 600, 300)
    assert (report.size.width_cm, report.size.height_cm) == pytest.approx((2.54 * 2 / 3, 2.54))
    assert report.warnings == ()
    ink = by_opencv(tmp_path / "a.tif") == 0
    assert ink.mean() == pytest.approx(1 - light_of_levels()[images.resize(picture, (400, 600))].mean(), abs=0.05)


def test_what_is_missing_for_a_good_print_is_said(tmp_path) -> None:
    asked = PrintSettings(dpi=400, width_cm=5, height_cm=5, line_art=LineArt.THRESHOLD)

    report = write_print(figure(), tmp_path / "a.tif", asked)

    aspect, coarse, lines, alpha = report.warnings
    assert "1.7 cm stays empty" in aspect
    assert "46 dots an inch; tones want 300" in coarse
    assert "400 dots an inch; 1-bit lines want 600" in lines
    assert "no transparency" in alpha


@pytest.mark.parametrize("kind", [PNG, TIFF])
@pytest.mark.parametrize("line_art", list(LineArt))
def test_the_same_print_has_the_same_bytes(tmp_path, kind, line_art) -> None:
    asked = PrintSettings(dpi=600, format=kind, line_art=line_art)
    paths = [tmp_path / f"{name}.{kind}" for name in "ab"]

    for path in paths:
        write_print(photograph(), path, asked)

    assert paths[0].read_bytes() == paths[1].read_bytes()


# ---------------------------------------------------------------- profiles


def test_the_grey_profile_means_the_same_by_a_level_as_srgb_does() -> None:
    gray, srgb = (io.BytesIO(output_profile(name).icc) for name in ("gray", "srgb"))
    way = ImageCms.buildTransform(
        gray, srgb, "L", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.NOOPTIMIZE
    )

    found = np.asarray(way.apply(Image.fromarray(np.arange(256, dtype=np.uint8)[None])))

    assert (found[0] == np.arange(256)[:, None]).all()


def test_a_colour_page_can_be_printed_in_grey_of_the_same_light(tmp_path) -> None:
    report = write_print(photograph(), tmp_path / "a.tif", PrintSettings(dpi=300, profile="gray"))

    lights = light_of_levels()
    found = lights[by_opencv(tmp_path / "a.tif")]
    assert report.mode == "gray"
    assert np.abs(found - lights[photograph()] @ [0.2126, 0.7152, 0.0722]).max() < 0.005


@pytest.mark.parametrize("kind", [PNG, TIFF])
@pytest.mark.parametrize("own", [False, True])
def test_a_figure_in_grey_keeps_its_transparency(tmp_path, kind, own) -> None:
    # A file may be called as a word of ours is.
    (tmp_path / "gray").write_bytes(output_profile("gray").icc)
    path, picture = tmp_path / f"a.{kind}", figure()
    asked = PrintSettings(dpi=300, format=kind, profile=str(tmp_path / "gray") if own else "gray")

    report = write_print(picture, path, asked)

    with Image.open(path) as image:
        assert image.mode == "LA"
        found = np.asarray(image)
    assert (report.mode, report.warnings) == ("gray_alpha", ())
    if own:
        # A profile's light is seen under D50: the row of Y of sRGB's matrix, adapted by Bradford's.
        light = light_of_levels()[picture[..., :3]] @ [0.2225045, 0.7168786, 0.0606169]
        assert np.abs(light_of_levels()[found[..., 0]] - light).max() < 0.006
    else:
        assert (found[..., 0] == as_gray(picture[..., :3])).all()
    assert (found[..., 1] == picture[..., 3]).all()
    assert images.load(path).shape == (90, 60, 4)


@pytest.mark.parametrize("kind", [PNG, TIFF])
def test_pixels_are_converted_to_a_profile_of_ones_own(tmp_path, kind) -> None:
    (tmp_path / "wide.icc").write_bytes(wide_profile())
    path, picture = tmp_path / f"a.{kind}", figure()

    report = write_print(picture, path, PrintSettings(dpi=300, format=kind, profile=str(tmp_path / "wide.icc")))

    # Through XYZ by the matrices of both spaces, in float64.
    to_xyz = np.array(
        [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
    )
    from_xyz = np.linalg.inv(
        np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
    )
    meant = 255 * (light_of_levels()[picture[..., :3]] @ (from_xyz @ to_xyz).T).clip(0, 1) ** (1 / 2.19921875)
    with Image.open(path) as image:
        found = np.asarray(image)
    assert close_to(by_opencv(path), found) or kind is PNG
    assert report.profile == "wide.icc"
    assert np.abs(found[..., :3] - meant).max() <= 2
    assert np.abs(found[..., :3].astype(int) - picture[..., :3]).max() > 10
    assert (found[..., 3] == picture[..., 3]).all()
    # Our own reader follows the profile back.
    assert np.abs(images.load(path)[..., :3].astype(int) - picture[..., :3]).max() <= 4


def test_inks_go_into_a_tiff_and_come_back_as_the_greys_they_are(tmp_path) -> None:
    (tmp_path / "black.icc").write_bytes(black_ink_profile())
    path = tmp_path / "a.tif"
    ramp = np.arange(256, dtype=np.uint8)[None].repeat(8, axis=0)
    asked = PrintSettings(dpi=300, profile=str(tmp_path / "black.icc"), black_point_compensation=False)

    report = write_print(ramp, path, asked)

    tags = tags_of(path)
    assert (tags[262], tags[277], tags[258]) == ((5,), (4,), (8, 8, 8, 8))
    with Image.open(path) as image:
        inks = np.asarray(image)
        assert image.mode == "CMYK"
        assert image.info["icc_profile"] == black_ink_profile()
    light = light_of_levels()
    lightness = np.where(light > 216 / 24389, 116 * np.cbrt(light) - 16, light * 24389 / 27)  # CIE 15:2018, 8.2.1
    assert (inks[..., :3] == 0).all()
    assert np.abs(inks[0, :, 3] - 255 * (1 - lightness / 100)).max() <= 1.5
    assert np.abs(images.load(path)[0, :, 1].astype(int) - ramp[0]).max() <= 4
    assert report.mode == "cmyk"


def test_a_figure_printed_by_inks_lies_over_white_and_that_is_said(tmp_path) -> None:
    (tmp_path / "black.icc").write_bytes(black_ink_profile())
    hidden = np.zeros((8, 8, 4), np.uint8)

    report = write_print(hidden, tmp_path / "a.tif", PrintSettings(dpi=300, profile=str(tmp_path / "black.icc")))

    with Image.open(tmp_path / "a.tif") as image:
        assert np.asarray(image).max() <= 1
    assert report.warnings == ("A cmyk page has no transparency: the picture lies over white.",)


def test_intents_and_black_point_are_what_the_colour_engine_is_told(tmp_path) -> None:
    (tmp_path / "black.icc").write_bytes(black_ink_profile())
    profile, picture = str(tmp_path / "black.icc"), np.full((4, 4, 3), 200, np.uint8)

    for intent in Intent:
        write_print(picture, tmp_path / f"{intent}.tif", PrintSettings(dpi=300, profile=profile, intent=intent))
        way = ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), profile, "RGB", "CMYK", list(Intent).index(intent),
            ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.HIGHRESPRECALC,
        )  # fmt: skip
        with Image.open(tmp_path / f"{intent}.tif") as image:
            assert (np.asarray(image) == np.asarray(way.apply(Image.fromarray(picture)))).all()


def test_a_png_refuses_inks_and_names_the_way_out(tmp_path) -> None:
    (tmp_path / "black.icc").write_bytes(black_ink_profile())
    asked = PrintSettings(dpi=300, format=PNG, profile=str(tmp_path / "black.icc"))

    with pytest.raises(RequestInvalid, match=r"black\.icc is for CMYK, which a PNG cannot hold; write a tiff"):
        write_print(photograph(), tmp_path / "a.png", asked)
    with pytest.raises(RequestInvalid, match="write a tiff, or take an RGB or grey profile"):
        check_print(asked)
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no profile", "is no colour profile"),
        (black_ink_profile()[:16] + b"6CLR" + black_ink_profile()[20:], "is for 6CLR"),
        (wide_profile()[:140] + bytes(200), "damaged|no way from colours"),
    ],
)
def test_a_file_that_is_no_output_profile_is_refused(tmp_path, content: bytes, said: str) -> None:
    (tmp_path / "x.icc").write_bytes(content)

    with pytest.raises(RequestInvalid, match=said):
        write_print(photograph(), tmp_path / "a.tif", PrintSettings(dpi=300, profile=str(tmp_path / "x.icc")))
    with pytest.raises(FileMissing, match=r"y\.icc"):
        write_print(photograph(), tmp_path / "a.tif", PrintSettings(dpi=300, profile=str(tmp_path / "y.icc")))


# ---------------------------------------------------------------- paths


def test_a_pictures_file_is_printed_and_our_own_words_go_along_and_nobody_elses(tmp_path) -> None:
    text = {"Software": "kroma_nb", "kroma_nb:scene": "ab12", "Author": "SECRET"}
    (tmp_path / "ours.png").write_bytes(images.encode_png(photograph(), text=text))
    (tmp_path / "theirs.png").write_bytes(images.encode_png(photograph(), text={"kroma_nb:x": "SECRET"}))
    Image.fromarray(photograph()).save(tmp_path / "photo.jpg", comment=b"SECRET", exif=b"Exif\0\0SECRET")

    for name in ("ours.png", "theirs.png", "photo.jpg"):
        for kind in (PNG, TIFF):
            print_picture(tmp_path / name, tmp_path / f"{name}.{kind}", PrintSettings(dpi=300, format=kind))
            assert b"SECRET" not in (tmp_path / f"{name}.{kind}").read_bytes()

    words = tags_of(tmp_path / "ours.png.tiff")[270]
    assert json.loads(words.rstrip(b"\0")) == {"Software": "kroma_nb", "kroma_nb:scene": "ab12"}
    assert tags_of(tmp_path / "theirs.png.tiff")[305] == b"kroma_nb\0"
    with Image.open(tmp_path / "ours.png.png") as image:
        image.load()
        assert image.text == {"Software": "kroma_nb", "kroma_nb:scene": "ab12"}


def test_a_file_that_is_there_is_never_written_over(tmp_path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"mine")
    (tmp_path / "dangling.tif").symlink_to(tmp_path / "nowhere.tif")

    for taken in (path, tmp_path / "dangling.tif"):
        with pytest.raises(RequestInvalid, match="already there and stays as it is; name a new file"):
            write_print(photograph(), taken, PrintSettings(dpi=300))
    assert path.read_bytes() == b"mine"
    assert not (tmp_path / "nowhere.tif").exists()


@pytest.mark.parametrize(("name", "kind"), [("a.png", TIFF), ("a.tif", PNG), ("a", TIFF), ("a.jpg", PNG)])
def test_a_name_of_another_format_is_refused_before_anything_is_read(tmp_path, name: str, kind: PrintFormat) -> None:
    with pytest.raises(RequestInvalid, match="is no name for a"):
        print_picture(tmp_path / "missing.png", tmp_path / name, PrintSettings(dpi=300, format=kind))
    with pytest.raises(FileMissing, match="missing"):
        print_picture(tmp_path / "missing.png", tmp_path / f"a.{kind}", PrintSettings(dpi=300, format=kind))


def test_a_print_of_too_many_pixels_and_a_screen_that_is_too_fine_are_refused(tmp_path) -> None:
    with pytest.raises(PictureTooLarge, match="600,000,000"):
        write_print(photograph(), tmp_path / "a.tif", PrintSettings(dpi=9600, width_cm=100))
    fine = PrintSettings(dpi=300, line_art=LineArt.HALFTONE, halftone=Halftone(lpi=100))
    with pytest.raises(
        RequestInvalid, match=r"halftone\.lpi: .*a\.tif: 100 lines an inch cannot .*; take 5 to 75 lines"
    ):
        write_print(photograph(), tmp_path / "a.tif", fine)
    assert list(tmp_path.iterdir()) == []


def test_settings_that_went_through_a_file_are_the_same_and_may_be_used() -> None:
    for asked in (PrintSettings(dpi=300), PrintSettings(dpi=300, line_art=LineArt.THRESHOLD)):
        assert PrintSettings.model_validate_json(asked.model_dump_json()) == asked


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from kroma_nb.model.printing import PrintSettings
from kroma_nb.passes.printing import write_print

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))
picture = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
write_print(picture, Path(sys.argv[1]), PrintSettings(dpi=300))
"""


def test_a_disk_that_is_full_leaves_nothing_half_written(tmp_path) -> None:
    command = [sys.executable, "-c", FULL, str(tmp_path / "a.tif")]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert "WriteFailed" in ended.stderr.splitlines()[-1]
    assert "a.tif could not be written" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(WriteFailed, match=r"file/a\.tif"):
        write_print(photograph(), tmp_path / "file" / "a.tif", PrintSettings(dpi=300))
