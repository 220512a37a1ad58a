"""How a picture will lie on paper: how large, how fine, and what will be seen of that."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kroma_nb.errors import PictureTooLarge, RequestInvalid
from kroma_nb.model.printing import (
    LARGEST_CM,
    LEAST_DPI,
    MOST_DPI,
    LineArt,
    PrintSettings,
    PrintSize,
    dpi_for,
    size_at,
    too_coarse,
    unfilled,
)
from kroma_nb.passes.screening import refuse_cell

MAX_PRINT_PIXELS = 600_000_000
"""How many pixels a print may have: A2 at 1200 dots an inch."""


@dataclass(frozen=True)
class OnPaper:
    """How a picture will lie on paper.

    Attributes
    ----------
    size_px : (width, height), pixels
        Of the print.
    size : PrintSize
    dpi : float, dots per inch
        What the file says.
    source_dpi : float, dots per inch
        What the picture's own pixels give at this size.
    warnings : tuple of str
        Whole sentences.
    """

    size_px: tuple[int, int]
    size: PrintSize
    dpi: float
    source_dpi: float
    warnings: tuple[str, ...]


def lay_on_paper(size_px: tuple[int, int], settings: PrintSettings, *, name: str) -> OnPaper:
    """Say how a picture will lie on paper.

    Parameters
    ----------
    size_px : (width, height), pixels
        Of the picture.
    settings : PrintSettings
    name : str
        What errors call the print.

    Raises
    ------
    PictureTooLarge
        If the print would have too many pixels.
    RequestInvalid
        If it would be larger than 1000 cm, have less than 10 or more than 9600 dots an inch, or its dots cannot draw
        the screen.

    Examples
    --------
    >>> found = lay_on_paper((1024, 1536), PrintSettings(width_cm=17, dpi=600), name="page")
    >>> found.size_px, str(found.size), round(found.source_dpi)
    ((4016, 6024), '17 x 25.5 cm', 153)
    """
    layout = _sized(size_px, settings, name)
    width, height = layout.size_px
    if width * height > MAX_PRINT_PIXELS:
        raise PictureTooLarge(name, width, height, MAX_PRINT_PIXELS)
    refuse_screen(settings, layout.dpi, f"{name}: ")
    lines = too_coarse(layout.dpi, layout.size, lines=True) if settings.line_art is not LineArt.NONE else ()
    return replace(layout, warnings=(*layout.warnings, *too_coarse(layout.source_dpi, layout.size), *lines))


def refuse_screen(settings: PrintSettings, dpi: float, where: str = "") -> None:
    """Refuse a halftone that so many dots an inch cannot draw.

    Raises
    ------
    RequestInvalid
        With the lines an inch that they can draw.
    """
    if settings.line_art is not LineArt.HALFTONE:
        return
    try:
        refuse_cell(settings.halftone, dpi)
    except ValueError as cause:
        problem, _, way_out = str(cause).partition("; ")
        raise RequestInvalid("request", "halftone.lpi", f"{where}{problem}", way_out) from None


def _sized(size_px: tuple[int, int], settings: PrintSettings, name: str) -> OnPaper:
    """Bring pixels and paper together; what one side does not say follows from the picture, and may be too much."""
    given = "dpi" if settings.width_cm is None and settings.height_cm is None else "width_cm or height_cm"
    try:
        layout = _fitted(size_px, settings)
    except ValueError:
        problem = f"{name}: {size_px[0]} x {size_px[1]} pixels would be larger than {LARGEST_CM} cm by it"
        raise RequestInvalid("request", given, problem, "ask for more dpi, or for a smaller size") from None
    if not LEAST_DPI <= layout.dpi <= MOST_DPI:
        problem = f"{name}: {size_px[0]} x {size_px[1]} pixels would have {layout.dpi:.3g} dots an inch by it"
        raise RequestInvalid(
            "request", given, problem, f"take a size that gives {LEAST_DPI} to {MOST_DPI}, or ask for dpi"
        )
    return layout


def _fitted(size_px: tuple[int, int], settings: PrintSettings) -> OnPaper:
    asked = settings.size_of(size_px)
    if asked is None:
        assert settings.dpi is not None
        return OnPaper(size_px, size_at(size_px, settings.dpi), settings.dpi, settings.dpi, ())
    found = dpi_for(size_px, asked)
    dpi = settings.dpi or found.dpi
    width, height = (max(1, round(side * dpi / found.dpi)) for side in size_px)
    return OnPaper((width, height), size_at(size_px, found.dpi), dpi, found.dpi, tuple(unfilled(size_px, found)))
