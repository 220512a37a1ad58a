"""Every field of a plan: a change of it is listed as what differs between two runs, or there is a reason why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import pytest
from studio import write_scenes

from kroma_nb import run
from kroma_nb.model.brief import Seeds
from kroma_nb.model.diff import RunDiff
from kroma_nb.model.money import ModelCard, Money, ProviderCalls
from kroma_nb.model.offer import FreeSizes, ListPrice, Offer, TokenRates
from kroma_nb.model.plan import Followed, Given, Plan, PlanRequest
from kroma_nb.model.postprocess import ColorPlan, ColorProfile, CutoutBackend, CutoutPlan, PostprocessPlan, UpscalePlan
from kroma_nb.model.run import Player, RunStarted
from kroma_nb.model.value import Value
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.planning import plan
from kroma_nb.report import compare_runs
from kroma_nb.run.environment import environment

LAYOUT = "a run of another layout is not read at all"
CONTENT = "it follows from the picture's content, and that is listed"
PICTURE = "the picture that is followed is known by its content, and that is listed"
WHY_NOT = {
    "schema_": LAYOUT,
    "project": "the heading names both runs' projects",
    "forecast": "what was foreseen follows from the jobs, the prices and what was bought before",
    "notes": "they are words about the rest of the plan",
    "card.offer": "what a model takes is the catalog's, and not kept with a plan",
    "postprocess.color.settings": "which file the values come from does not count; the values are listed",
    "jobs.id": "jobs are the same by their scene",
    "jobs.scene.ref": "files are the same by their content",
    "jobs.references.ref": "files are the same by their content",
    **{f"jobs.{of}.{name}": CONTENT for of in ("scene", "references") for name in ("size_bytes", "media_type")},
    **{f"jobs.{of}.{name}": CONTENT for of in ("scene", "references") for name in ("width", "height")},
    **{f"jobs.{of}.source": "where a file lay is not kept" for of in ("scene", "references")},
    **{f"jobs.follows.{name}": PICTURE for name in ("scene_sha256", "stage", "run_id", "job_id", "candidate")},
    "jobs.follows.seeds": "a candidate keeps them, and its own are listed",
    "jobs.candidates.index": "candidates are numbered from one; how many there are is listed",
    "jobs.given": "what is finished is the picture that is followed, and that is listed",
    "jobs.seed": "the candidates' seeds come from it, and those are listed",
}
OFFER = Offer(
    quality="low",
    qualities=("low", "high"),
    fidelity="low",
    fidelities=("low",),
    backgrounds=("opaque",),
    sizes=("1024x1024",),
    free=FreeSizes(longest_px=3840, most_px=8_294_400),
    media_types=("image/png",),
    most_pictures=16,
    prices=(ListPrice(quality="low", size="1024x1024", micro_usd=5_000),),
    tokens=TokenRates(text_in=1, image_in=2, image_out=3),
    retired=date(2026, 12, 1),
    replaced_by=("n",),
)
LISTED_AS = {
    "jobs.scene.sha256": "scene",
    "jobs.references.sha256": "style.sheet.png",
    "jobs.size.width": "size",
    "jobs.size.height": "size",
    "jobs.follows.sha256": "follows",
    "jobs.mode": "job",
}
"""Under which name, where it is not the field's own."""
OWN_NAME = re.compile(r"^(generation|postprocess|guard|card|jobs)\.(candidates\.)?")


def _values_in(annotation: Any) -> list[type[Value]]:
    if isinstance(annotation, type) and issubclass(annotation, Value) and annotation is not Money:
        return [annotation]
    return [found for inner in get_args(annotation) for found in _values_in(inner)]


def leaves(kind: type[Value], below: str = "") -> Iterator[str]:
    """Name every field that holds no further fields, with the fields that it lies in."""
    for name, field in kind.model_fields.items():
        inner = _values_in(field.annotation)
        if not inner:
            yield below + name
        for value in inner:
            yield from leaves(value, f"{below}{name}.")


def reason(path: str) -> str:
    return next((why for place, why in WHY_NOT.items() if f"{path}.".startswith(f"{place}.")), "")


OTHERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (bool, lambda told: not told),
    (Enum, lambda told: next(one for one in type(told) if one is not told)),
    (int, lambda told: told + 1),
    (float, lambda told: told + 1),
    (str, lambda told: told[::-1] if re.fullmatch(r"[0-9a-f]{64}", told) else f"{told}x"),
    (Money, lambda told: told + Money.of("0.01")),
    (date, lambda told: told + timedelta(days=1)),
    (Path, lambda told: told / "elsewhere"),
    (tuple, lambda told: told[::-1] if len(told) > 1 else (*told, *told)),
)
"""Another value of the same kind."""


def changed(value: Any, path: list[str]) -> Any:
    """Copy a value with one field in it changed; of several values, the first."""
    if isinstance(value, tuple) and path:
        return (changed(value[0], path), *value[1:])
    if not path:
        other = next(other for kind, other in OTHERS if isinstance(value, kind))(value)
        assert other != value
        return other
    return value.model_copy(update={path[0]: changed(getattr(value, path[0]), path[1:])})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan in which every field has a value."""
    scenes = write_scenes(tmp_path_factory.mktemp("fields") / "scenes", 1)
    planned = plan(
        PlanRequest(
            project="noir",
            root=scenes,
            manifest_path=scenes / "manifest.json",
            max_cost=Money.of(3),
            max_price=Money.of("0.90"),
        )
    )
    (job,) = planned.jobs
    seeds = Seeds(style=1, time=2, weather=3)
    names = {"scene_sha256": "0a" * 32, "run_id": "r", "job_id": "j", "candidate": 1, "sha256": "0b" * 32}
    lit = {"time": TimeOfDay.NIGHT, "weather": Weather.RAIN}
    told = {"mode": Stage.WEATHER, "ground_line": 0.8, "follows": Followed(stage=Stage.TIME, seeds=seeds, **names)}
    page = job.scene.model_copy(update={"sha256": "0b" * 32})
    told |= {"given": Given(file=page, backend="ink noir-1", version="1", notes=("a note",))}
    job = job.model_copy(update={**lit, **told, "seed": 7})
    least, most = Money.of("0.02"), Money.of("0.04")
    card = ModelCard(provider="p", model="m", paid=True, price_per_picture=most, least_per_picture=least, offer=OFFER)
    cutout = CutoutPlan(backends=(CutoutBackend.REMBG, CutoutBackend.REMOVEBG))
    color = ColorPlan(profile="dusk", settings="profiles.json", values=ColorProfile())
    calls = (ProviderCalls(provider="p", model="m", calls=2, upper_price=most),)
    foreseen = {"calls": calls, "size_bytes": 1, "seconds": 1.0}
    update = {
        **lit,
        "stage": Stage.WEATHER,
        "jobs": (job,),
        "card": card,
        "notes": ("a note",),
        "postprocess": PostprocessPlan(bg_remove=cutout, upscale=UpscalePlan(), color=color),
        "forecast": planned.forecast.model_copy(update=foreseen),
    }
    return planned.model_copy(update=update)


@dataclass(frozen=True)
class Begun:
    """What a run that has just begun knows of its plan, and nothing of what came out."""

    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def diff(self, before: Plan, after: Plan) -> RunDiff:
        started = RunStarted(
            at=self.at,
            run_id="r",
            project="noir",
            plan_sha256="0" * 64,
            jobs=1,
            pictures=2,
            environment=environment(),
            player=Player(pid=1, host="here"),
        )
        logs = [run.fold(one, [started], played=True) for one in (before, after)]
        return compare_runs(*logs, plans=(before, after))


@pytest.mark.parametrize("path", [path for path in leaves(Plan) if not reason(path)])
def test_a_change_of_any_field_of_a_plan_is_listed_alone(whole: Plan, path: str) -> None:
    diff = Begun().diff(whole, changed(whole, path.split(".")))

    assert {change.where.field for change in diff.changes} == {LISTED_AS.get(path, OWN_NAME.sub("", path))}
    assert diff.unknown == ()


@pytest.mark.parametrize("path", [path for path in leaves(Plan) if reason(path) and reason(path) != LAYOUT])
def test_a_field_that_is_no_change_has_a_reason(whole: Plan, path: str) -> None:
    assert Begun().diff(whole, changed(whole, path.split("."))).is_empty


def test_every_reason_is_one_of_a_field_that_there_is() -> None:
    for place in (*WHY_NOT, *LISTED_AS):
        assert any(f"{path}.".startswith(f"{place}.") for path in leaves(Plan)), place
