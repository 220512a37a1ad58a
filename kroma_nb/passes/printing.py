"""From a picture to a file that goes to a printer, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kroma_nb.blobs.writing import create_atomic
from kroma_nb.errors import PictureTooLarge, RequestInvalid
from kroma_nb.images import MAX_PIXELS, PixelMode, checked, load, resize
from kroma_nb.images.output_profiles import Sheet, into, output_profile
from kroma_nb.images.print_files import encode_print_png, encode_print_tiff, own_text
from kroma_nb.model.printing import (
    Compression,
    LineArt,
    PrintFormat,
    PrintReport,
    PrintSettings,
    PrintSize,
    dpi_for,
    size_at,
    too_coarse,
    unfilled,
)
from kroma_nb.passes.screening import halftone, line_art, otsu

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kroma_nb.images import Picture

MAX_PRINT_PIXELS = 600_000_000
"""How many pixels a print may have: A2 at 1200 dots an inch."""
_NO_TEXT: Mapping[str, str] = {}
_SUFFIXES = {PrintFormat.PNG: {".png"}, PrintFormat.TIFF: {".tif", ".tiff"}}


@dataclass(frozen=True)
class _Layout:
    """How a picture lies on paper."""

    size_px: tuple[int, int]
    size: PrintSize
    dpi: float
    source_dpi: float
    warnings: tuple[str, ...]


def print_picture(source: Path, path: Path, settings: PrintSettings) -> PrintReport:
    """Make a print of a picture's file.

    What kroma_nb has written into the picture of how it came to be goes along; nothing else of its metadata does.

    Parameters
    ----------
    source : Path
        A picture in any format that `kroma_nb.images.load` reads.
    path : Path
        A new file, ``.png`` or ``.tif`` as the settings say.
    settings : PrintSettings

    Returns
    -------
    PrintReport

    Raises
    ------
    FileMissing, PictureUnreadable, PictureTooLarge
        If the source cannot be read, or the print would have too many pixels.
    RequestInvalid
        If the file is already there, its name is of another format, or the settings cannot be met.
    WriteFailed
        If the disk is full or the folder cannot be written; nothing is left behind.
    """
    _refuse(path, settings)
    return write_print(load(source, max_pixels=MAX_PIXELS), path, settings, text=own_text(source))


def write_print(
    picture: Picture, path: Path, settings: PrintSettings, *, text: Mapping[str, str] = _NO_TEXT
) -> PrintReport:
    """Make a print of a picture.

    Parameters
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255, straight alpha.
    path : Path
        A new file, ``.png`` or ``.tif`` as the settings say.
    settings : PrintSettings
    text : mapping of str to str
        What the file says of how it came to be.

    Returns
    -------
    PrintReport

    Raises
    ------
    ValueError
        If the array is no picture.
    RequestInvalid
        If the file is already there, its name is of another format, or the settings cannot be met.
    PictureTooLarge
        If the print would have too many pixels.
    WriteFailed
        If the disk is full or the folder cannot be written; nothing is left behind.
    """
    _refuse(path, settings)
    whole = checked(picture)
    layout = _laid_out((whole.shape[1], whole.shape[0]), settings, path)
    threshold = _threshold(whole, settings)
    sheet = _sheet(whole, settings, layout, threshold)
    compression = _compression(settings)
    if settings.format is PrintFormat.PNG:
        data = encode_print_png(sheet, dpi=layout.dpi, text=text)
    else:
        data = encode_print_tiff(sheet, compression, dpi=layout.dpi, text=text)
    if not create_atomic(path, data):
        raise _taken(path)
    return PrintReport(
        width_px=layout.size_px[0],
        height_px=layout.size_px[1],
        size=layout.size,
        dpi=layout.dpi,
        source_dpi=layout.source_dpi,
        bits=1 if sheet.mode is PixelMode.BILEVEL else 8,
        mode=sheet.mode.value,
        profile=sheet.profile.name if sheet.profile else "",
        threshold=threshold,
        compression=compression.value,
        size_bytes=len(data),
        warnings=(*layout.warnings, *_lost(whole, sheet)),
    )


def _refuse(path: Path, settings: PrintSettings) -> None:
    """Refuse before anything is computed."""
    if path.suffix.lower() not in _SUFFIXES[settings.format]:
        right = " or ".join(sorted(_SUFFIXES[settings.format]))
        problem = f"{path.name} is no name for a {settings.format}"
        raise RequestInvalid("request", "path", problem, f"let it end in {right}, or ask for another format")
    if path.exists() or path.is_symlink():
        raise _taken(path)


def _taken(path: Path) -> RequestInvalid:
    return RequestInvalid("request", "path", f"{path} is already there and stays as it is", "name a new file")


def _laid_out(size_px: tuple[int, int], settings: PrintSettings, path: Path) -> _Layout:
    lines, asked = settings.line_art is not LineArt.NONE, settings.size_of(size_px)
    if asked is None:
        assert settings.dpi is not None
        size = size_at(size_px, settings.dpi)
        layout = _Layout(size_px, size, settings.dpi, settings.dpi, ())
    else:
        found = dpi_for(size_px, asked)
        size, dpi = size_at(size_px, found.dpi), settings.dpi or found.dpi
        width, height = (max(1, round(side * dpi / found.dpi)) for side in size_px)
        layout = _Layout((width, height), size, dpi, found.dpi, tuple(unfilled(size_px, found)))
    width, height = layout.size_px
    if width * height > MAX_PRINT_PIXELS:
        raise PictureTooLarge(str(path), width, height, MAX_PRINT_PIXELS)
    coarse = [*too_coarse(layout.source_dpi, size), *(too_coarse(layout.dpi, size, lines=True) if lines else ())]
    return replace(layout, warnings=(*layout.warnings, *coarse))


def _threshold(picture: Picture, settings: PrintSettings) -> int | None:
    if settings.line_art is not LineArt.THRESHOLD:
        return None
    return otsu(picture) if settings.threshold is None else settings.threshold


def _sheet(picture: Picture, settings: PrintSettings, layout: _Layout, threshold: int | None) -> Sheet:
    if settings.line_art is LineArt.THRESHOLD:
        return Sheet(line_art(picture, threshold, size=layout.size_px), PixelMode.BILEVEL)
    sized = resize(picture, layout.size_px)
    if settings.line_art is LineArt.HALFTONE:
        try:
            return Sheet(halftone(sized, settings.halftone, dpi=layout.dpi), PixelMode.BILEVEL)
        except ValueError as cause:
            problem, _, way_out = str(cause).partition("; ")
            raise RequestInvalid("request", "halftone.lpi", problem, way_out) from None
    compensate = settings.black_point_compensation
    profile = output_profile(settings.profile)
    return into(sized, profile, intent=settings.intent, black_point_compensation=compensate)


def _compression(settings: PrintSettings) -> Compression:
    if settings.compression is not Compression.AUTO:
        return settings.compression
    lines = settings.line_art is not LineArt.NONE and settings.format is PrintFormat.TIFF
    return Compression.GROUP4 if lines else Compression.DEFLATE


def _lost(picture: Picture, sheet: Sheet) -> tuple[str, ...]:
    had = picture.ndim == 3 and picture.shape[2] == 4 and int(picture[..., 3].min()) < 255
    if not had or sheet.mode in {PixelMode.RGBA, PixelMode.GRAY_ALPHA}:
        return ()
    return (f"A {sheet.mode.value} page has no transparency: the picture lies over white.",)
