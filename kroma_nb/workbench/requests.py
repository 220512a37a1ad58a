"""From the words that a notebook cell writes to the request that planning takes."""

from __future__ import annotations

import functools
import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from kroma_nb.errors import RequestInvalid
from kroma_nb.model.money import Money
from kroma_nb.model.parsing import did_you_mean, parse_value
from kroma_nb.model.plan import PlanRequest, PostprocessRequest
from kroma_nb.model.value import Value
from kroma_nb.model.words import Stage, TimeOfDay, Weather

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


class PlanWords(Value):
    """What `Project.plan` can be asked for; relative paths start from `root`, by default the current folder.

    Attributes
    ----------
    input : str or None
        A picture or a folder of pictures.
    manifest, jobs_file : str or None
        A planning manifest; ready-made jobs in place of scenes.
    scenes, styles : tuple of str
        Pictures of scenes, and style references; they take the place of the manifest's.
    only : tuple of str
        Keep these scenes or jobs, and no others.
    follow : str or None
        Keep hand and light of this run's winners; ``latest`` is the newest of an earlier stage.
    finish : str or None
        Take this run's winners through the passes after drawing, and draw nothing.
    postprocess : str or None
        A postprocess file.
    max_cost, max_price : str or number, US dollars, or None
        What the whole run, and what one paid picture, may cost at most.
    """

    root: str | None = None
    input: str | None = None
    manifest: str | None = None
    jobs_file: str | None = None
    scenes: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    stage: Stage = Stage.STYLE
    time: TimeOfDay = TimeOfDay.DAY
    weather: Weather = Weather.CLEAR
    candidates: int | None = None
    follow: str | None = None
    finish: str | None = None
    provider: str | None = None
    postprocess: str | None = None
    upscale: bool | None = None
    color: bool | None = None
    color_profile: str | None = None
    bg_remove: bool | None = None
    allow_large_batch: bool = False
    max_cost: str | float | None = None
    max_price: str | float | None = None

    def request(self, project: str) -> PlanRequest:
        """Give the request as planning takes it; whom it follows is not in it."""
        return PlanRequest(
            project=project,
            root=Path(self.root or ".").absolute(),
            manifest_path=_path(self.manifest),
            jobs_file=_path(self.jobs_file),
            input=_path(self.input),
            scene_refs=self.scenes,
            style_refs=self.styles,
            only=self.only,
            stage=self.stage,
            time=self.time,
            weather=self.weather,
            candidates=self.candidates,
            allow_large_batch=self.allow_large_batch,
            max_cost=money(self.max_cost, "max_cost"),
            max_price=money(self.max_price, "max_price"),
            provider=self.provider,
            postprocess=PostprocessRequest(
                config_path=_path(self.postprocess),
                upscale=self.upscale,
                color=True if self.color is None and self.color_profile else self.color,
                color_profile=self.color_profile,
                bg_remove=self.bg_remove,
            ),
        )


def money(amount: Money | str | float | None, field: str) -> Money | None:
    """Read an amount that somebody has given.

    Raises
    ------
    RequestInvalid
        If it is none.
    """
    if amount is None:
        return None
    try:
        return Money.of(amount)
    except ValueError as cause:
        problem, _, way_out = str(cause).partition("; ")
        raise RequestInvalid("request", field, problem, way_out) from None


def plan_words(given: dict[str, object]) -> PlanWords:
    """Check the words of a call.

    Raises
    ------
    RequestInvalid
        With the word, what it is and what would be right.
    """
    known = PlanWords.model_fields
    for word in given:
        if word not in known:
            raise RequestInvalid("request", word, "there is no such word", did_you_mean(word, known))
    return parse_value(PlanWords, _as_json(given), file="request", error=RequestInvalid)


def refuse_limit(limit: int | None) -> None:
    """Refuse a number of rows that is none.

    Raises
    ------
    RequestInvalid
        If it is less than 1, or more than a database can count.
    """
    if limit is not None and not 1 <= limit < 2**31:
        raise RequestInvalid("request", "limit", f"{limit} is no number of rows", "give 1 or more")


def _as_json(given: dict[str, object]) -> Any:
    """Give paths and handles of runs as the words that stand for them."""

    def spelled(value: object) -> str:
        if isinstance(value, Path):
            return str(value)
        if isinstance(value, Money):
            return str(value)
        run_id = getattr(value, "run_id", None)
        if isinstance(run_id, str):
            return run_id
        raise TypeError

    try:
        return json.loads(json.dumps(given, default=spelled))
    except (TypeError, ValueError) as cause:
        raise RequestInvalid(
            "request", "", "it holds a value that is no text, number or list", "write it out"
        ) from cause


def _path(text: str | None) -> Path | None:
    return Path(text) if text is not None else None


def takes_plan_words(method: Callable[P, R]) -> Callable[P, R]:
    """Show a method's ``**words`` as the keywords of `PlanWords`, so that a notebook completes and explains them."""
    own = [p for p in inspect.signature(method).parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    words = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.annotation)
        for name, field in PlanWords.model_fields.items()
    ]

    @functools.wraps(method)
    def with_words(*args: P.args, **kwargs: P.kwargs) -> R:
        return method(*args, **kwargs)

    with_words.__signature__ = inspect.Signature([*own, *words])  # type: ignore[attr-defined]
    return with_words
