"""Options of commands, declared once as values."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from kroma_nb.model.words import Stage, TimeOfDay, Weather

if TYPE_CHECKING:
    from collections.abc import Callable

    from kroma_nb.settings import Settings
    from kroma_nb.workbench import Project


def named_path(text: str) -> Path:
    """Read a path; an empty one is a mistake."""
    if not text.strip():
        raise typer.BadParameter("an empty name is no path; name a file or folder, or leave the option out")
    return Path(text)


HOME_HELP = "The workspace's folder; else KROMA_HOME, else the current folder."
Home = Annotated[Path | None, typer.Option("--home", help=HOME_HELP, parser=named_path)]
Slug = Annotated[str | None, typer.Option("--project", "-p", help="The project; may be left out if there is only one.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Candidates made at once; by default one a processor.")]
ConfirmSpend = Annotated[
    bool, typer.Option("--confirm-spend", help="Agree to what it may cost; without it a terminal is asked.")
]
MaxCost = Annotated[
    str | None,
    typer.Option(metavar="USD", help="Spend at most so much, in US dollars: on the run, or on what is left of it."),
]


@dataclass(frozen=True)
class Options:
    """Options of a command, declared once as a value."""


@dataclass(frozen=True)
class PlanOptions(Options):
    """What `plan` and `run` can be asked for."""

    input: Annotated[Path | None, typer.Option(parser=named_path, help="A picture or a folder of pictures.")] = None
    manifest: Annotated[Path | None, typer.Option(parser=named_path, help="A planning manifest.")] = None
    jobs_file: Annotated[
        Path | None, typer.Option(parser=named_path, help="Ready-made jobs; takes the place of scenes.")
    ] = None
    scene: Annotated[list[str] | None, typer.Option(help="A scene's picture; may be given again.")] = None
    style: Annotated[list[str] | None, typer.Option(help="A style reference; may be given again.")] = None
    only: Annotated[list[str] | None, typer.Option(help="Keep this scene or job only; may be given again.")] = None
    stage: Annotated[Stage, typer.Option(help="Which step of the journey to make.")] = Stage.STYLE
    time: Annotated[TimeOfDay, typer.Option(help="For the stages time and weather.")] = TimeOfDay.DAY
    weather: Annotated[Weather, typer.Option(help="For the stage weather.")] = Weather.CLEAR
    candidates: Annotated[int | None, typer.Option(help="Attempts a scene.")] = None
    follow: Annotated[
        str | None,
        typer.Option(help="Keep hand and light of this run's winners; `latest` is the newest of an earlier stage."),
    ] = None
    provider: Annotated[str | None, typer.Option(help="The engine.")] = None
    color: Annotated[bool | None, typer.Option("--color/--no-color", help="The colour pass.")] = None
    color_profile: Annotated[str | None, typer.Option(help="Which colour profile.")] = None
    upscale: Annotated[bool | None, typer.Option("--upscale/--no-upscale", help="Enlarging.")] = None
    bg_remove: Annotated[bool | None, typer.Option("--bg-remove/--no-bg-remove", help="Cutting figures out.")] = None
    postprocess: Annotated[Path | None, typer.Option(parser=named_path, help="A postprocess file.")] = None
    app_settings: Annotated[
        Path | None, typer.Option(parser=named_path, help="Settings of the workspace, instead of its own.")
    ] = None
    project_settings: Annotated[
        Path | None, typer.Option(parser=named_path, help="Settings of the project, instead of its own.")
    ] = None
    allow_large_batch: Annotated[bool, typer.Option(help="Plan more paid pictures than safe_batch_limit.")] = False
    max_cost: MaxCost = None
    max_price: Annotated[
        str | None, typer.Option(metavar="USD", help="A paid picture may cost so much; needed where no price is known.")
    ] = None

    def settings(self, project: Project) -> Settings:
        """Load the layers of settings; paths that are named here start from the current folder."""
        here = Path.cwd()
        return project.settings(
            app_path=here / self.app_settings if self.app_settings else None,
            project_path=here / self.project_settings if self.project_settings else None,
        )

    def words(self) -> dict[str, Any]:
        """Turn the options into what `Project.plan` takes; relative paths start from the current folder."""
        own = {"scene", "style", "app_settings", "project_settings"}
        same = {f.name: getattr(self, f.name) for f in fields(PlanOptions) if f.name not in own}
        given = same | {"scenes": self.scene or [], "styles": self.style or [], "only": self.only or []}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class RunOptions(PlanOptions):
    """What `run` can be asked for beside its plan."""

    confirm_spend: ConfirmSpend = False
    workers: Workers = None


def takes(kind: type[Options]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command every field of a dataclass as an option; it receives them as its first argument."""

    def taking(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(kind, include_extras=True)
        own = inspect.signature(command, eval_str=True)
        keyword = inspect.Parameter.KEYWORD_ONLY
        options = [
            inspect.Parameter(f.name, keyword, default=f.default, annotation=hints[f.name]) for f in fields(kind)
        ]
        others = [parameter.replace(kind=keyword) for parameter in list(own.parameters.values())[1:]]

        @functools.wraps(command)
        def with_options(**given: Any) -> None:
            chosen = {option.name: given.pop(option.name) for option in options}
            command(kind(**chosen), **given)

        with_options.__signature__ = inspect.Signature([*options, *others])  # type: ignore[attr-defined]
        with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in (*options, *others)}
        return with_options

    return taking
