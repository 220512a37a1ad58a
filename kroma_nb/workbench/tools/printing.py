"""`print_files`: pictures into files that go to a printer."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from kroma_nb.errors import RequestInvalid
from kroma_nb.errors.root import shown
from kroma_nb.images.print_files import own_text
from kroma_nb.model.parsing import parse_value
from kroma_nb.model.printing import LineArt, PrintFormat, PrintSettings
from kroma_nb.model.tools import PrintRow, Tool, ToolRow
from kroma_nb.passes.paper import lay_on_paper
from kroma_nb.passes.printing import bits_of, check_print, make_print
from kroma_nb.workbench.tools.places import Naming, lay_out
from kroma_nb.workbench.tools.putting import Content, FileMaker
from kroma_nb.workbench.tools.results import ToolResult
from kroma_nb.workbench.tools.words import Writing, checked
from kroma_nb.workbench.tools.working import work

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from kroma_nb.images import PictureInfo
    from kroma_nb.model.printing import Compression, Dot, Intent, PrintReport
    from kroma_nb.model.run import BackendTry
    from kroma_nb.passes.paper import OnPaper
    from kroma_nb.workbench.tools.places import Way
    from kroma_nb.workbench.tools.putting import Source

Named = str | os.PathLike[str]

FOLDER = "print"
"""Where prints go beside their source, unless a target is named."""
_SUFFIXES = {".tif": PrintFormat.TIFF, ".png": PrintFormat.PNG, ".tiff": PrintFormat.TIFF}
_SCREEN = ("lpi", "angle_deg", "dot", "dot_gain")
_OWN = ("dpi", "width_cm", "height_cm", "format", "line_art", "threshold", "compression", "profile", "intent")


class Printing(Writing, total=False):
    """How files are printed: the words of `PrintSettings` and of its `Halftone`; they come before those settings.

    Attributes
    ----------
    width_cm, height_cm : float, centimetres
    dpi : float, dots per inch
    format : str
        ``tiff`` or ``png``; by default as the target's suffix says, else ``tiff``.
    line_art : str
        ``none``, ``threshold`` or ``halftone``.
    threshold : int, 1 to 255
    lpi : float, lines per inch
    angle_deg : float, degrees
    dot : str
        ``round``, ``ellipse`` or ``line``.
    dot_gain : float, 0 to 0.4
    profile : str or path
        ``srgb``, ``gray``, or an ICC profile.
    intent : str
    compression : str
    """

    width_cm: float | None
    height_cm: float | None
    dpi: float | None
    format: PrintFormat | str | None
    line_art: LineArt | str | None
    threshold: int | None
    lpi: float | None
    angle_deg: float | None
    dot: Dot | str | None
    dot_gain: float | None
    profile: Named | None
    intent: Intent | str | None
    compression: Compression | str | None


def print_files(
    source: Named,
    target: Named | None = None,
    settings: PrintSettings | None = None,
    **how: Unpack[Printing],
) -> ToolResult:
    """Make a print file of a picture, or of all pictures in a folder.

    Parameters
    ----------
    source, target : path
        As of `cut_out`; the folder beside the source is `print`.
    settings : PrintSettings or None
        How they are printed; what is named in ``how`` comes first.
    **how
        `Printing`: the words of `PrintSettings` one by one, at least ``width_cm``, ``height_cm`` or ``dpi``; and
        ``replace``, ``dry``, ``workers``, ``stop``, ``on_begin``, ``on_row``.

    Returns
    -------
    ToolResult
        Of `PrintRow`; with ``dry`` it says what each picture's size on paper would give.

    Raises
    ------
    RequestInvalid
        If a word is wrong or would do nothing, or two files would end in one; nothing is made then.
    FileMissing, PathRefused
        If there is no picture or no such profile, or a link is where none may be.

    Examples
    --------
    >>> print_files("page.png", width_cm=17, lpi=85)
    Traceback (most recent call last):
    kroma_nb...RequestInvalid: request: lpi: only a halftone has it; ask for line_art halftone, or leave it out.
    """
    checked(how, Printing)
    words = {name: word for name, word in how.items() if word is not None}
    asked = _asked(settings, words)
    naming = Naming(FOLDER, "_print", asked.format, "format" in asked.model_fields_set, _SUFFIXES)
    layout = lay_out(source, target, naming)
    # A single file's name says its format, which all the rest has to go with.
    asked = _asked(asked, {"format": layout.ways[0].format})
    check_print(asked)
    printer = Printer(asked, replaces=how.get("replace", True))
    rows = work(layout.ways, printer.plan if how.get("dry") else printer.make, how)
    return ToolResult(Tool.PRINT, tuple(map(_print_row, rows)), layout.left_out)


@dataclass(frozen=True)
class Printer(FileMaker):
    """Makes print files.

    Attributes
    ----------
    settings : PrintSettings
    """

    row: ClassVar[type[ToolRow]] = PrintRow
    settings: PrintSettings
    word: str = "print"

    def foreseen(self, way: Way, info: PictureInfo) -> dict[str, Any]:
        """Say how large it will be, and how fine."""
        found = lay_on_paper((info.width, info.height), self.settings, name=shown(way.source))
        width, height = found.size_px
        return {
            "width": width,
            "height": height,
            "bits": bits_of(self.settings),
            **_on_paper(found),
        }

    def content(self, way: Way, source: Source, _tries: list[BackendTry]) -> Content:
        """Make it; what kroma_nb has written into the source of how it came to be goes along."""
        text = own_text(source.data) | {"Software": "kroma_nb", "kroma_nb:printed_from": source.sha256}
        made = make_print(source.picture, self.settings, text=text, name=shown(way.source))
        found = made.report
        same = ("bits", "mode", "profile", "compression", "threshold")
        known = {name: getattr(found, name) for name in same}
        known |= {"width": found.width_px, "height": found.height_px, **_on_paper(found)}
        return Content(made.data, known)


def _asked(settings: PrintSettings | None, words: Mapping[str, Any]) -> PrintSettings:
    """Give settings with what was named in their place."""
    stands = {} if settings is None else settings.model_dump(mode="json", exclude_unset=True)
    named = {name: words[name] for name in _OWN if name in words}
    if "profile" in named:
        named["profile"] = os.fspath(named["profile"])
    screen = {name: words[name] for name in _SCREEN if name in words}
    if screen:
        if named.get("line_art", stands.get("line_art")) != LineArt.HALFTONE:
            problem, way_out = "only a halftone has it", "ask for line_art halftone, or leave it out"
            raise RequestInvalid("request", next(iter(screen)), problem, way_out)
        named["halftone"] = stands.get("halftone", {}) | screen
    return parse_value(PrintSettings, stands | named, file="request", error=RequestInvalid)


def _on_paper(found: OnPaper | PrintReport) -> dict[str, Any]:
    return {
        "width_cm": found.size.width_cm,
        "height_cm": found.size.height_cm,
        "dpi": found.dpi,
        "source_dpi": found.source_dpi,
        "cautions": found.warnings,
    }


def _print_row(row: ToolRow) -> PrintRow:
    """Give a file that was not made, too, the columns of a print."""
    return row if isinstance(row, PrintRow) else PrintRow.model_validate(dict(row))
