"""Tools for single files and folders, without a project: `bgremove`, `upscale`, `color`, `qa`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.options import AsJson, Options, named_path, takes
from kroma_nb.cli.stopping import stop_flag

if TYPE_CHECKING:
    from collections.abc import Callable

    from kroma_nb.workbench.tools import Judgement, ToolResult

Input = Annotated[Path, typer.Argument(parser=named_path, help="A picture, or a folder of pictures.")]
_JPG = "png or webp, or jpg for pictures without transparency; else as the output's name ends, else png."
Jpg = Annotated[str | None, typer.Option(help=_JPG)]
_REPLACE = "Whether a file that stands there goes to archive/replaced beside the output, or is a failure."
_POSTPROCESS = "A postprocess file, for what is not named here."
Postprocess = Annotated[Path | None, typer.Option(parser=named_path, help=_POSTPROCESS)]
Replace = Annotated[bool, typer.Option("--replace/--no-replace", help=_REPLACE)]
_HOME = "The workspace whose config/backends.toml names models and programs; else KROMA_HOME, else the current folder."
Models = Annotated[Path | None, typer.Option("--home", parser=named_path, help=_HOME)]
Dry = Annotated[bool, typer.Option("--dry", help="Only list the files, and where each would go.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Files worked on at once; by default one a processor.")]


def output(folder: str) -> Any:
    """Declare where results go."""
    said = f"A folder, or for one picture the name of a file; else the folder {folder} beside the input."
    return typer.Option("--output", "-o", help=said, show_default=False)


@dataclass(frozen=True)
class CutOutOptions(Options):
    """What `bgremove` can be asked for."""

    output: Annotated[str | None, output("background_removed")] = None
    backend: Annotated[
        list[str] | None,
        typer.Option(help="Who tells figure from ground, by default grabcut; given again, asked in that order."),
    ] = None
    format: Annotated[str | None, typer.Option(help="png or webp; else as the output's name ends, else png.")] = None
    postprocess: Postprocess = None
    replace: Replace = True
    dry: Dry = False
    workers: Workers = None
    home: Models = None


@dataclass(frozen=True)
class EnlargeOptions(Options):
    """What `upscale` can be asked for."""

    output: Annotated[str | None, output("upscaled")] = None
    scale: Annotated[int | None, typer.Option(help="How many times as wide and high: 2, 3 or 4; by default 2.")] = None
    backend: Annotated[str | None, typer.Option(help="Who enlarges; by default lanczos.")] = None
    format: Jpg = None
    postprocess: Postprocess = None
    replace: Replace = True
    dry: Dry = False
    workers: Workers = None
    home: Models = None


@dataclass(frozen=True)
class ColorOptions(Options):
    """What `color` can be asked for."""

    output: Annotated[str | None, output("color_corrected")] = None
    profile: Annotated[str | None, typer.Option(help="Which colour profile; else the default of --profiles.")] = None
    profiles: Annotated[
        Path | None, typer.Option(parser=named_path, help="A file of colour profiles; else the built-in ones.")
    ] = None
    format: Jpg = None
    postprocess: Postprocess = None
    replace: Replace = True
    dry: Dry = False
    workers: Workers = None


@dataclass(frozen=True)
class JudgeOptions(Options):
    """What `qa` can be asked for."""

    max_chroma_delta: Annotated[
        float | None, typer.Option(help="Up to here, in levels, a picture counts as grey; 2 by default.")
    ] = None
    enforce_grayscale: Annotated[bool, typer.Option("--enforce-grayscale", help="Colour is a hard reason.")] = False
    fail_on_chroma_exceed: Annotated[
        bool, typer.Option("--fail-on-chroma-exceed", help="More colour than that is a hard reason.")
    ] = False
    cache: Annotated[
        Path | None, typer.Option(parser=named_path, help="A folder that remembers what was measured.")
    ] = None
    workers: Workers = None

    def settings(self) -> dict[str, Any]:
        """Give what the guard is told; colour is judged where a word is said of it."""
        given = {
            "max_chroma_delta": self.max_chroma_delta,
            "enforce_grayscale": self.enforce_grayscale or None,
            "fail_on_chroma_exceed": self.fail_on_chroma_exceed or None,
        }
        named = {name: value for name, value in given.items() if value is not None}
        return named | {"judge_chroma": bool(named)}


@takes(CutOutOptions)
def bgremove(options: CutOutOptions, input: Input, as_json: AsJson = False) -> None:  # noqa: A002
    """Cut figures out of pictures, and draw and pay nothing. Ctrl-C stops in good order.

    Exit codes: 0 all are done; 6 some are, or the guard has a reason not to use one; if none is, that of the errors.
    """
    from kroma_nb.workbench.tools import cut_out

    words: dict[str, Any] = {"backends": options.backend, **_making(options)}
    work("bgremove", lambda how: cut_out(input, options.output, **words, **how), as_json=as_json)


@takes(EnlargeOptions)
def upscale(options: EnlargeOptions, input: Input, as_json: AsJson = False) -> None:  # noqa: A002
    """Enlarge pictures, and draw nothing. Ctrl-C stops in good order.

    Exit codes: 0 all are done; 6 some are, or the guard has a reason not to use one; if none is, that of the errors.
    """
    from kroma_nb.workbench.tools import enlarge

    words: dict[str, Any] = {"scale": options.scale, "backend": options.backend, **_making(options)}
    work("upscale", lambda how: enlarge(input, options.output, **words, **how), as_json=as_json)


@takes(ColorOptions)
def color(options: ColorOptions, input: Input, as_json: AsJson = False) -> None:  # noqa: A002
    """Apply a colour profile to pictures, and draw nothing. Ctrl-C stops in good order.

    Exit codes: 0 all are done; 6 some are, or the guard has a reason not to use one; if none is, that of the errors.
    """
    from kroma_nb.workbench import tools

    words: dict[str, Any] = {"profile": options.profile, "profiles": options.profiles, **_making(options)}
    work("color", lambda how: tools.color(input, options.output, **words, **how), as_json=as_json)


@takes(JudgeOptions)
def qa(options: JudgeOptions, input: Input, as_json: AsJson = False) -> None:  # noqa: A002
    """Let the guard look at pictures, and write nothing. Ctrl-C stops in good order.

    Exit codes: 0 no picture has a reason not to be used; 6 some have one, or were not looked at.
    """
    from kroma_nb.errors import RequestInvalid
    from kroma_nb.model.parsing import parse_value
    from kroma_nb.model.quality import GuardSettings
    from kroma_nb.workbench.tools import judge

    settings = parse_value(GuardSettings, options.settings(), file="request", error=RequestInvalid)
    words: dict[str, Any] = {"cache": options.cache, "workers": options.workers}
    work("qa", lambda how: judge(input, settings, **words, **how), as_json=as_json)


def _making(options: CutOutOptions | EnlargeOptions | ColorOptions) -> dict[str, Any]:
    names = ("format", "postprocess", "replace", "dry", "workers")
    return {name: getattr(options, name) for name in names} | {"home": getattr(options, "home", None)}


def work(title: str, act: Callable[[dict[str, Any]], ToolResult | Judgement], *, as_json: bool) -> None:
    """Do it with a bar, show what was done, and end with its exit code."""
    with stop_flag() as stop, screen.files_progress(title, shown=not as_json) as (begin, advance):
        done = act({"stop": stop, "on_begin": begin, "on_row": advance})
    if as_json:
        screen.show_json(done.to_json())
    else:
        screen.show(done.view)
    if done.exit_code:
        raise typer.Exit(int(done.exit_code))
