"""What two runs were told and made with as a whole: parameters, passes, guard, engine, environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.diff import Section, Unknown
from kroma_nb.model.words import PassName
from kroma_nb.report.diff.found import OPEN, compared, facts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.model.money import Money
    from kroma_nb.model.postprocess import ColorPlan, CutoutPlan, PostprocessPlan, UpscalePlan
    from kroma_nb.model.run import Environment
    from kroma_nb.model.runlog import CandidateRecord
    from kroma_nb.model.value import Value
    from kroma_nb.report.diff.found import Found, Told
    from kroma_nb.report.diff.pairing import Pair, Side


def of_runs(before: Side, after: Side) -> Iterator[Found]:
    """Compare all that is said of a run as a whole."""
    old, new = before.log, after.log
    yield from compared(Section.PARAMETERS, _asked(before), _asked(after))
    yield from _facts(Section.PARAMETERS, "generation", old.generation, new.generation)
    yield from compared(Section.REFERENCES, _palette(before), _palette(after))
    if old.postprocess_plan is None or new.postprocess_plan is None:
        yield from _facts(Section.PASSES, "passes", old.postprocess_plan, new.postprocess_plan)
    else:
        yield from _passes(old.postprocess_plan, new.postprocess_plan)
    yield from compared(Section.GUARD, facts_of(old.guard), facts_of(new.guard))
    yield from compared(Section.ENGINE, _engine(before), _engine(after))
    if _engine(before) == _engine(after):  # another engine's price is its own, and no change beside it
        yield from compared(Section.ENGINE, _price(before), _price(after))
    if old.environment is None or new.environment is None:
        yield from _facts(Section.ENVIRONMENT, "environment", old.environment, new.environment)
    else:
        yield from compared(Section.ENVIRONMENT, _environment(old.environment), _environment(new.environment))
    yield from compared(Section.JOBS, {"status": old.status.value}, {"status": new.status.value})


def _facts(section: Section, field: str, before: Value | None, after: Value | None) -> Iterator[Found]:
    """Compare two values fact by fact; one that is not there is not known."""
    if before is None or after is None:
        yield Unknown(section=section, field=field, before=before is None, after=after is None)
    else:
        yield from compared(section, facts_of(before), facts_of(after))


def _asked(side: Side) -> dict[str, Told]:
    log = side.log
    return {
        "stage": log.stage.value,
        "time": log.time.value,
        "weather": log.weather.value,
        "gate": OPEN if side.is_imported else log.gate.value,
        **_caps(side),
    }


def _caps(side: Side) -> dict[str, Told]:
    if side.plan is None:
        return {"max_cost": OPEN, "max_price": OPEN}
    return {"max_cost": _amount(side.plan.max_cost), "max_price": _amount(side.plan.max_price)}


def _amount(money: Money | None) -> str | None:
    return None if money is None else str(money)


def _palette(side: Side) -> dict[str, Told]:
    palette = side.log.palette
    if palette is None:
        return {"paper": OPEN, "ink": OPEN} if side.is_imported else {"paper": None, "ink": None}
    return {name: "#" + "".join(f"{level:02x}" for level in color) for name, color in palette}


def _engine(side: Side) -> dict[str, Told]:
    return {"provider": side.log.provider or OPEN, "model": side.log.model or OPEN}


def _price(side: Side) -> dict[str, Told]:
    """Give what the catalog said of the engine when the run was planned."""
    if side.plan is None:
        return {"price_per_picture": OPEN}
    card = side.plan.card
    return {
        "paid": card.paid,
        "price_per_picture": _amount(card.price_per_picture),
        "least_per_picture": _amount(card.least_per_picture),
    }


def _passes(before: PostprocessPlan, after: PostprocessPlan) -> Iterator[Found]:
    """Compare the settings of each pass; one that was switched on or off is one change."""
    for name in (PassName.BG_REMOVE, PassName.UPSCALE, PassName.COLOR):
        old, new = getattr(before, name.value), getattr(after, name.value)
        if old is None or new is None:
            yield from compared(Section.PASSES, {name.value: _in_short(old)}, {name.value: _in_short(new)})
        else:
            yield from compared(Section.PASSES, _settings(old, name), _settings(new, name))
    strict = (facts_of(plan.invariants, below="invariants") for plan in (before, after))
    yield from compared(Section.PASSES, *strict)


def _settings(plan: CutoutPlan | UpscalePlan | ColorPlan, name: PassName) -> dict[str, Told]:
    facts = facts_of(plan, below=name.value)
    # Which file a colour profile was read from; its values are what counts.
    return {field: fact for field, fact in facts.items() if field != "color.settings"}


def _in_short(plan: CutoutPlan | UpscalePlan | ColorPlan | None) -> str | None:
    if plan is None:
        return None
    facts = plan.to_json()
    if "profile" in facts:
        return str(facts["profile"])
    return ", ".join(facts["backends"]) if "backends" in facts else f"{facts['backend']} x{facts['scale']}"


def _environment(environment: Environment) -> dict[str, Told]:
    facts = facts_of(environment)
    del facts["cpu_features"]
    return {**facts, **{f"cpu_features.{name}": True for name in environment.cpu_features}}


# What draws and what colours is said by the engine and the profile; the other passes have several makers.
_BACKENDS = (PassName.BG_REMOVE, PassName.BG_REFINE, PassName.UPSCALE)


def of_makers(before: Side, after: Side, pairs: tuple[Pair, ...]) -> Iterator[Found]:
    """Compare the versions of the passes, and who made them where there is a choice.

    What holds for every picture of both runs is said once; else it is said candidate by candidate.
    """
    old, new = _makers(before), _makers(after)
    for field in dict.fromkeys([*old, *new]):
        one, other = old.get(field, set()), new.get(field, set())
        if len(one) == len(other) == 1:
            yield from compared(Section.ENGINE, {field: one.pop()}, {field: other.pop()})
        elif one and other:
            yield from _maker_changes(field, pairs)


def _makers(side: Side) -> dict[str, set[Told]]:
    found: dict[str, set[Told]] = {}
    for job in side.log.jobs:
        for candidate in job.candidates:
            for field, told in _made_by(candidate).items():
                found.setdefault(field, set()).add(told)
    return found


def _made_by(candidate: CandidateRecord) -> dict[str, Told]:
    versions: dict[str, Told] = {f"{made.name.value}.version": made.version or OPEN for made in candidate.passes}
    backends = {
        f"{made.name.value}.backend": made.backend or OPEN for made in candidate.passes if made.name in _BACKENDS
    }
    return versions | backends


def _maker_changes(field: str, pairs: tuple[Pair, ...]) -> Iterator[Found]:
    for pair in pairs:
        old, new = pair.before.candidates, pair.after.candidates
        for index in sorted(old.keys() & new.keys()):
            one, other = _made_by(old[index]), _made_by(new[index])
            if field in one and field in other:
                told = {field: one[field]}, {field: other[field]}
                yield from compared(Section.ENGINE, *told, jobs=pair.named, candidate=index)
