"""What a print is asked for, and what came of it: sizes on paper, dots an inch, screens, profiles."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from kroma_nb.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

CM_PER_INCH = 2.54
TONE_DPI = 300.0
"""Below this, pixels show in tones at reading distance; prepress asks for twice the screen's lines, 2 x 150."""
LINE_DPI = 600.0
"""Below this, the steps of 1-bit contours show; offices print line art at 600, presses at 1200."""
_EMPTY_CM = 0.1
"""An empty strip that is narrower is cut away with the paper's edge."""

# TOML and JSON write 21 where they mean 21.0.
Number = Annotated[float, Field(strict=False)]
LARGEST_CM = 1000
LEAST_DPI, MOST_DPI = 10, 9600
Centimetres = Annotated[Number, Field(gt=0, le=LARGEST_CM)]
Dpi = Annotated[Number, Field(ge=LEAST_DPI, le=MOST_DPI)]


class PrintFormat(StrEnum):
    """The file formats that a print is written in."""

    PNG = "png"
    TIFF = "tiff"


class LineArt(StrEnum):
    """How a page becomes 1-bit: not at all, by one threshold, or by a screen of dots."""

    NONE = "none"
    THRESHOLD = "threshold"
    HALFTONE = "halftone"


class Compression(StrEnum):
    """How a TIFF is packed, always without loss; ``auto`` is ``group4`` for 1-bit pages and ``deflate`` for others."""

    AUTO = "auto"
    NONE = "none"
    DEFLATE = "deflate"
    LZW = "lzw"
    GROUP4 = "group4"


class Dot(StrEnum):
    """The shape of a screen's dots.

    ``round`` grows to a checkerboard at half coverage and leaves round holes in the darks, ``ellipse`` joins into
    chains along its rows before, ``line`` is a screen of swelling lines.
    """

    ROUND = "round"
    ELLIPSE = "ellipse"
    LINE = "line"


class Intent(StrEnum):
    """What gives way where a profile cannot hold a colour (ICC.1:2022, section 6.2)."""

    PERCEPTUAL = "perceptual"
    RELATIVE = "relative"
    SATURATION = "saturation"
    ABSOLUTE = "absolute"


class PrintSize(Value):
    """A size on paper.

    Attributes
    ----------
    width_cm, height_cm : float, centimetres

    Examples
    --------
    >>> PrintSize.inches(6, 9).height_cm
    22.86
    """

    width_cm: Centimetres
    height_cm: Centimetres

    @classmethod
    def inches(cls, width_in: float, height_in: float) -> PrintSize:
        """Give a size that is known in inches."""
        return cls(width_cm=width_in * CM_PER_INCH, height_cm=height_in * CM_PER_INCH)

    @property
    def width_in(self) -> float:
        """Its width in inches."""
        return self.width_cm / CM_PER_INCH

    @property
    def height_in(self) -> float:
        """Its height in inches."""
        return self.height_cm / CM_PER_INCH

    def __str__(self) -> str:
        return f"{_short(self.width_cm)} x {_short(self.height_cm)} cm"


class Halftone(Value):
    """A screen of clustered dots.

    Attributes
    ----------
    lpi : float, lines per inch
        85 for newsprint, 133 to 175 for coated paper.
    angle_deg : float, degrees
        How far the rows of dots are turned, counter-clockwise; black has 45 by custom, where the eye sees it least.
    dot : Dot
    dot_gain : float, 0 to 0.4
        How much darker dots that cover half of the paper print than they lie in the file, by spreading ink and by light
        in the paper: about 0.15 on coated paper, 0.25 on newsprint; ask your printer. Dots are made so much smaller.
        0 takes a press that prints what the file says.
    """

    lpi: Annotated[Number, Field(ge=10, le=400)] = 85.0
    angle_deg: Annotated[Number, Field(ge=-180, le=180)] = 45.0
    dot: Dot = Dot.ROUND
    dot_gain: Annotated[Number, Field(ge=0, le=0.4)] = 0.0


class PrintSettings(Value):
    """How a picture is printed.

    With `dpi` alone every pixel is kept and the file says how large it is; with a size alone every pixel is kept, and
    the file says the dots an inch that this gives; with both, the picture is brought to that many pixels. One side of
    a size is enough: the other follows. A picture of another aspect is fitted inside, never stretched or cut.

    Attributes
    ----------
    dpi : float or None, dots per inch
    width_cm, height_cm : float or None, centimetres
    format : PrintFormat
    line_art : LineArt
    threshold : int or None
        Of `LineArt.THRESHOLD`: levels below it are ink; None finds it by Otsu's method.
    halftone : Halftone
        Of `LineArt.HALFTONE`.
    compression : Compression
        Of a TIFF.
    profile : str
        ``srgb``, ``gray``, or the path of an ICC profile that pixels are converted to. 1-bit pages carry none.
    intent : Intent
    black_point_compensation : bool
        Of the conversion to a profile of one's own.
    """

    dpi: Dpi | None = None
    width_cm: Centimetres | None = None
    height_cm: Centimetres | None = None
    format: PrintFormat = PrintFormat.TIFF
    line_art: LineArt = LineArt.NONE
    threshold: Annotated[int, Field(ge=1, le=255)] | None = None
    halftone: Halftone = Halftone()
    compression: Compression = Compression.AUTO
    profile: Annotated[str, Field(min_length=1)] = "srgb"
    intent: Intent = Intent.RELATIVE
    black_point_compensation: bool = True

    @model_validator(mode="after")
    def _can_be_done(self) -> PrintSettings:
        if self.dpi is None and self.width_cm is None and self.height_cm is None:
            raise ValueError("neither a size nor dots an inch are given; give dpi, width_cm or height_cm")
        if self.compression is Compression.GROUP4 and self.line_art is LineArt.NONE:
            raise ValueError("group4 packs 1-bit pages alone; take deflate, or make line art")
        packed = self.compression not in {Compression.AUTO, Compression.DEFLATE}
        if packed and self.format is PrintFormat.PNG:
            raise ValueError("a PNG is always packed by deflate; leave compression out, or write a tiff")
        # What would do nothing is a mistake of whoever asked for it.
        if self.threshold is not None and self.line_art is not LineArt.THRESHOLD:
            raise ValueError("threshold belongs to line_art threshold; ask for that, or leave threshold out")
        if self.halftone != Halftone() and self.line_art is not LineArt.HALFTONE:
            raise ValueError("halftone belongs to line_art halftone; ask for that, or leave the screen out")
        if self.profile != "srgb" and self.line_art is not LineArt.NONE:
            raise ValueError("1-bit pages carry no profile; leave profile out, or make no line art")
        return self

    def size_of(self, size_px: tuple[int, int]) -> PrintSize | None:
        """Give the size that is asked for, the side that was left out after a picture's aspect; None for none."""
        (width, height), across, down = size_px, self.width_cm, self.height_cm
        if across is None and down is None:
            return None
        if across is None:
            assert down is not None
            across = down * width / height
        return PrintSize(width_cm=across, height_cm=across * height / width if down is None else down)


class Resolution(Value):
    """What so many pixels give on so much paper.

    Attributes
    ----------
    size : PrintSize
        What was asked for.
    x_dpi, y_dpi : float, dots per inch
        Along the width and along the height.
    dpi : float, dots per inch
        At which the whole picture fits inside: the larger of both.
    warnings : tuple of str
        Whole sentences.
    """

    size: PrintSize
    x_dpi: float
    y_dpi: float
    dpi: float
    warnings: tuple[str, ...] = ()


class PrintReport(Value):
    """What came of a print.

    Attributes
    ----------
    width_px, height_px : int, pixels
        Of the file.
    size : PrintSize
        On paper.
    dpi : float, dots per inch
        What the file says.
    source_dpi : float, dots per inch
        What the picture's own pixels give at this size.
    bits : int
        Bits a channel: 1 or 8.
    mode : str
        ``bilevel``, ``gray``, ``gray_alpha``, ``rgb``, ``rgba`` or ``cmyk``.
    profile : str
        The name of the embedded profile; empty where there is none.
    threshold : int or None
        Where line art was made by one: the threshold that was used.
    compression : str
    size_bytes : int
        Of the file.
    warnings : tuple of str
        Whole sentences.
    """

    width_px: int
    height_px: int
    size: PrintSize
    dpi: float
    source_dpi: float
    bits: int
    mode: str
    profile: str
    threshold: int | None
    compression: str
    size_bytes: int
    warnings: tuple[str, ...] = ()


def dpi_for(size_px: tuple[int, int], size: PrintSize, *, lines: bool = False) -> Resolution:
    """Say how many dots an inch a picture has at a size on paper.

    Parameters
    ----------
    size_px : (width, height), pixels
        At least 1 each.
    size : PrintSize
    lines : bool
        Whether it is 1-bit line art, which needs 600 where tones need 300.

    Returns
    -------
    Resolution

    Raises
    ------
    ValueError
        If a side has no pixel.

    Examples
    --------
    >>> found = dpi_for((1024, 1536), PrintSize(width_cm=10, height_cm=15))
    >>> round(found.dpi)
    260
    >>> found.warnings
    ('At 10 x 15 cm the picture has 260 dots an inch; tones want 300: print it smaller, or upscale it first.',)
    """
    width, height = size_px
    if min(size_px) < 1:
        raise ValueError(f"a picture is at least one pixel wide and high, not {width}x{height}")
    x_dpi, y_dpi = width / size.width_in, height / size.height_in
    dpi = max(x_dpi, y_dpi)
    found = Resolution(size=size, x_dpi=x_dpi, y_dpi=y_dpi, dpi=dpi)
    warnings = (*unfilled(size_px, found), *too_coarse(dpi, size, lines=lines))
    return found.model_copy(update={"warnings": warnings})


def size_at(size_px: tuple[int, int], dpi: float) -> PrintSize:
    """Give the size on paper that pixels have at so many dots an inch."""
    return PrintSize.inches(size_px[0] / dpi, size_px[1] / dpi)


def too_coarse(dpi: float, size: PrintSize, *, lines: bool = False) -> Iterator[str]:
    """Say it where there are too few dots an inch."""
    wanted = LINE_DPI if lines else TONE_DPI
    # Whole pixels and pixels per metre round a little below.
    if dpi < wanted - 0.5:
        kind, way_out = ("1-bit lines want", "ask for more dpi") if lines else ("tones want", "upscale it first")
        had = f"At {size} the picture has {dpi:.0f} dots an inch"
        yield f"{had}; {kind} {wanted:.0f}: print it smaller, or {way_out}."


def unfilled(size_px: tuple[int, int], found: Resolution) -> Iterator[str]:
    """Say it where a picture's aspect leaves a strip of the paper empty."""
    size, fits = found.size, size_at(size_px, found.dpi)
    across, down = size.width_cm - fits.width_cm, size.height_cm - fits.height_cm
    if max(across, down) > _EMPTY_CM:
        side, empty = ("side", across) if across > down else ("top or bottom", down)
        strip = f"a strip of {_short(empty)} cm stays empty at its {side}"
        yield f"On {size} the picture fills {fits}: {strip}; crop the picture, or print it at that size."


def _short(length_cm: float) -> str:
    return f"{length_cm:.1f}".removesuffix(".0")
