"""`print`: pictures into files that go to a printer."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any

import typer

from kroma_nb.cli.options import AsJson, Options, takes
from kroma_nb.cli.tools import Input, Replace, Workers, output, work


@dataclass(frozen=True)
class PrintOptions(Options):
    """What `print` can be asked for."""

    output: Annotated[str | None, output("print")] = None
    width_cm: Annotated[float | None, typer.Option(help="So wide on paper; the height follows, unless given.")] = None
    height_cm: Annotated[float | None, typer.Option(help="So high on paper; the width follows, unless given.")] = None
    dpi: Annotated[
        float | None,
        typer.Option(help="Dots an inch. Alone it keeps every pixel; with a size the picture is brought to as many."),
    ] = None
    format: Annotated[str | None, typer.Option(help="tiff or png; else as the output's name ends, else tiff.")] = None
    line_art: Annotated[
        str | None, typer.Option(help="Make 1-bit pages: by a threshold, or by a halftone; by default none.")
    ] = None
    threshold: Annotated[
        int | None, typer.Option(help="Of line art: levels below it are ink, 1 to 255; else found by Otsu's method.")
    ] = None
    lpi: Annotated[float | None, typer.Option(help="Of a halftone: lines an inch, by default 85.")] = None
    angle: Annotated[float | None, typer.Option(help="Of a halftone: degrees, by default 45.")] = None
    dot: Annotated[str | None, typer.Option(help="Of a halftone: round, ellipse or line; by default round.")] = None
    dot_gain: Annotated[
        float | None, typer.Option(help="Of a halftone: how much darker a half prints, 0 to 0.4; by default 0.")
    ] = None
    profile: Annotated[
        str | None, typer.Option(help="srgb, gray, or an ICC profile's file to convert to; by default srgb.")
    ] = None
    intent: Annotated[
        str | None, typer.Option(help="perceptual, relative, saturation or absolute; by default relative.")
    ] = None
    compression: Annotated[
        str | None, typer.Option(help="Of a tiff: none, deflate, lzw, or group4 for 1-bit pages; by default as fits.")
    ] = None
    replace: Replace = True
    dry: Annotated[
        bool, typer.Option("--dry", help="Only say where each file would go, how large on paper, and at which DPI.")
    ] = False
    workers: Workers = None

    def words(self) -> dict[str, Any]:
        """Give what `print_files` takes."""
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in {"output", "angle"}}
        return given | {"angle_deg": self.angle}


@takes(PrintOptions)
def print_(options: PrintOptions, input: Input, as_json: AsJson = False) -> None:  # noqa: A002
    """Make print files of pictures: TIFF or PNG with dots an inch and a profile, or 1-bit. Ctrl-C stops in good order.

    Give a size, --dpi, or both. What will be seen on paper is said in words and is no failure.

    Exit codes: 0 all are done; 6 some are; if none is, that of the errors.
    """
    from kroma_nb.workbench.tools import print_files

    words = options.words()
    work("print", lambda how: print_files(input, options.output, **words, **how), as_json=as_json)
