"""What differs in one job that both runs have: what it was told, and what it was drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.diff import Change, Section, Unknown, Where
from kroma_nb.model.words import Stage
from kroma_nb.report.diff.found import OPEN, compared
from kroma_nb.report.diff.wording import word_diff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.model.brief import Seeds
    from kroma_nb.report.diff.found import Found, Told
    from kroma_nb.report.diff.pairing import DrawnJob, Pair, Pairing, Side


# Which seeds a stage draws with: earlier stages fix what they have decided.
_DRAWN_WITH = {Stage.TIME: ("style", "time"), Stage.WEATHER: ("style", "time", "weather")}


def of_job(pair: Pair) -> Iterator[Found]:
    """Compare what a job was told, section by section."""
    yield from _told(pair)
    yield from _seeds(pair)
    yield from _prompt(pair)
    yield from compared(Section.REFERENCES, _drawn_from(pair.before), _drawn_from(pair.after), jobs=pair.named)
    yield from compared(
        Section.JOBS, {"status": pair.before.job.status.value}, {"status": pair.after.job.status.value}, jobs=pair.named
    )


def _told(pair: Pair) -> Iterator[Found]:
    """Compare a job's own parameters; what changed in the run as a whole is not said again of each job."""
    old, new = _parameters(pair.before), _parameters(pair.after)
    whole = _parameters_of_run(pair.before.side), _parameters_of_run(pair.after.side)
    for field in whole[0].keys() & whole[1].keys():
        if (old[field], new[field]) == (whole[0][field], whole[1][field]):
            del old[field], new[field]
    yield from compared(Section.PARAMETERS, old, new, jobs=pair.named)


def _parameters(drawn: DrawnJob) -> dict[str, Told]:
    job, planned = drawn.job, drawn.planned
    return {
        "name": job.name,
        "time": job.time.value,
        "weather": job.weather.value,
        "candidates": job.planned_candidates,
        "size": OPEN if job.size is None else str(job.size),
        "ground_line": OPEN if planned is None else planned.ground_line,
    }


def _parameters_of_run(side: Side) -> dict[str, Told]:
    log = side.log
    light: dict[str, Told] = {"time": log.time.value, "weather": log.weather.value}
    return light | ({"candidates": log.generation.candidates} if log.generation else {})


def _seeds(pair: Pair) -> Iterator[Found]:
    names = _DRAWN_WITH.get(pair.after.job.mode, ("style",))
    old, new = pair.before.seeds, pair.after.seeds
    for index in sorted(old.keys() & new.keys()):
        one, other = old[index], new[index]
        if one is None or other is None:
            yield Unknown(section=Section.PARAMETERS, field="seeds", before=one is None, after=other is None)
            continue
        facts = _named(one, names), _named(other, names)
        yield from compared(Section.PARAMETERS, *facts, jobs=pair.named, candidate=index)


def _named(seeds: Seeds, names: tuple[str, ...]) -> dict[str, Told]:
    return {f"seeds.{name}": getattr(seeds, name) for name in names}


def _prompt(pair: Pair) -> Iterator[Found]:
    old, new = pair.before.job.prompt, pair.after.job.prompt
    words = word_diff(old, new)
    if words:
        before, after = pair.named
        where = Where(field="prompt", before=before, after=after)
        yield Change(section=Section.PROMPTS, where=where, before=old, after=new, words=words)


def _drawn_from(drawn: DrawnJob) -> dict[str, Told]:
    follows, open_ = drawn.job.follows, drawn.side.is_imported
    return {
        "scene": drawn.job.scene_sha256 or OPEN,
        "follows": follows.sha256 if follows else OPEN if open_ else None,
    }


def of_presence(pairing: Pairing) -> Iterator[Found]:
    """Name the jobs that only one run has, by their scene."""
    for drawn in pairing.removed:
        where = Where(field="job", before=drawn.named)
        yield Change(section=Section.JOBS, where=where, before=_scene(drawn), after=None)
    for drawn in pairing.added:
        where = Where(field="job", after=drawn.named)
        yield Change(section=Section.JOBS, where=where, before=None, after=_scene(drawn))


def _scene(drawn: DrawnJob) -> str:
    return drawn.job.scene_sha256 or drawn.job.scene_ref or drawn.job.id
