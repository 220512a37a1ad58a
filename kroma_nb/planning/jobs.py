"""From scenes to jobs: ids, names, selection, followed pictures, seeds."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb.errors import RequestInvalid
from kroma_nb.model.plan import Candidate, Job
from kroma_nb.model.words import Stage, Weather
from kroma_nb.planning.scenes import REQUEST
from kroma_nb.planning.seeds import comes_before, seeds_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kroma_nb.model.plan import Followed, InputFile, PlanRequest
    from kroma_nb.model.words import TimeOfDay
    from kroma_nb.planning.inputs import InputReader
    from kroma_nb.planning.manifest import PageSize
    from kroma_nb.planning.prompts import PromptFrame
    from kroma_nb.planning.scenes import Reference, Scene

# Leaves room in a file name of 255 bytes for the candidate and the suffixes of five passes.
_SUFFIX_LENGTH = 80
# Of the keys that an unknown selection is compared with, and of those that are listed.
_COMPARED, _LISTED = 3000, 6


@dataclass(frozen=True, slots=True)
class Draft:
    """A job whose pictures were not looked at yet.

    Attributes
    ----------
    pictures : tuple of Reference
        The scene first, then the style references.
    seed : int
        The scene's own, else the manifest's.
    """

    id: str
    name: str
    pictures: tuple[Reference, ...]
    prompt: str
    time: TimeOfDay
    weather: Weather
    seed: int
    ground_line: float | None = None
    indoors: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the jobs of one run have in common."""

    stage: Stage
    candidates: int
    size: PageSize


def suffix_of(stem: str) -> str:
    """Reduce a file's stem to what is safe in any file name: ``[a-z0-9-]`` and single underscores.

    Examples
    --------
    >>> suffix_of("Scene 01"), suffix_of("__A__b--c"), suffix_of("夜")
    ('scene_01', 'a_b--c', '')
    """
    # Only ASCII letters are lowered: some others turn into ASCII when they are.
    return re.sub(r"[^A-Za-z0-9-]+", "_", stem)[:_SUFFIX_LENGTH].lower().strip("_")


def job_id(stage: Stage, number: int, stem: str) -> str:
    """Name a job: stage, position in the full list from 1, and what the scene's file is called."""
    return f"{stage.value}_{number}_{suffix_of(stem) or number}"


def drafts_of(
    scenes: Sequence[Scene], styles: tuple[Reference, ...], *, frame: PromptFrame, request: PlanRequest, seed: int
) -> tuple[Draft, ...]:
    """Make one draft a scene, in order."""
    return tuple(
        Draft(
            id=job_id(request.stage, number, scene.picture.stem),
            name=scene.entry.name or _shown(scene.picture.stem),
            pictures=(scene.picture, *styles),
            prompt=frame.around(scene.entry.prompt),
            time=request.time,
            weather=request.weather,
            seed=seed if scene.entry.seed is None else scene.entry.seed,
            ground_line=scene.entry.ground_line,
            indoors=scene.entry.indoors,
        )
        for number, scene in enumerate(scenes, 1)
    )


def selected(drafts: tuple[Draft, ...], only: Sequence[str]) -> tuple[Draft, ...]:
    """Keep the drafts whose scene ref, name or job id is asked for, in the plan's order; ask for none to keep all.

    Raises
    ------
    RequestInvalid
        If an entry fits no job.
    """
    if not only:
        return drafts
    places: dict[str, set[int]] = defaultdict(set)
    for place, draft in enumerate(drafts):
        for key in (draft.id, draft.name, draft.pictures[0].ref):
            places[key].add(place)
    kept: set[int] = set()
    for index, wanted in enumerate(only):
        if wanted not in places:
            problem = f"{wanted!r} is no scene's path, no scene's name and no job's id"
            raise RequestInvalid(REQUEST, f"only[{index}]", problem, _suggestion(wanted, places))
        kept |= places[wanted]
    return tuple(drafts[place] for place in sorted(kept))


def under_the_sky(drafts: tuple[Draft, ...], stage: Stage) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
    """Leave out the scenes that lie indoors where the stage makes rain, and say so.

    Raises
    ------
    RequestInvalid
        If no scene is left.
    """
    if stage is not Stage.WEATHER:
        return drafts, ()
    dry = [draft.indoors and draft.weather is Weather.RAIN for draft in drafts]
    kept = tuple(draft for draft, left_out in zip(drafts, dry, strict=True) if not left_out)
    names = [draft.name for draft, left_out in zip(drafts, dry, strict=True) if left_out]
    if names and not kept:
        problem = f"every scene of this run lies indoors, where it does not rain: {', '.join(names)}"
        raise RequestInvalid(REQUEST, "weather", problem, "choose other scenes, or clear weather")
    return kept, (f"Left out, because it does not rain indoors: {', '.join(names)}.",) if names else ()


def match_follows(
    shas: Sequence[str], request: PlanRequest, *, complete: bool
) -> tuple[list[Followed | None], tuple[str, ...]]:
    """Find the followed picture of each job by its scene's content.

    One followed picture serves every job of its scene. Where a scene stands several times in both, the first job
    follows the first, and so on.

    Parameters
    ----------
    shas : sequence of str
        The scene's sha256 of each job.
    request : PlanRequest
        Its `stage` and `follows` count.
    complete : bool
        Whether no scene was left out, so that a followed picture of no scene is worth a note.

    Raises
    ------
    RequestInvalid
        If a followed picture's stage is not an earlier one, or several belong to one job.
    """
    offered: dict[str, list[int]] = defaultdict(list)
    for index, followed in enumerate(request.follows):
        if not comes_before(followed.stage, request.stage):
            problem = f"a picture of the stage {followed.stage.value} cannot be followed in {request.stage.value}"
            raise RequestInvalid(REQUEST, f"follows[{index}].stage", problem, "follow a picture of an earlier stage")
        offered[followed.scene_sha256].append(index)
    jobs: dict[str, list[int]] = defaultdict(list)
    for place, sha256 in enumerate(shas):
        jobs[sha256].append(place)
    matched: list[Followed | None] = [None] * len(shas)
    for sha256, places in jobs.items():
        for place, index in _pairs(places, offered.pop(sha256, [])):
            matched[place] = request.follows[index]
    notes = _unmatched(offered) if complete else ()
    return matched, (*notes, *_alone(matched, request))


def _alone(matched: Sequence[Followed | None], request: PlanRequest) -> tuple[str, ...]:
    alone = sum(followed is None for followed in matched)
    if not request.follows or not alone:
        return ()
    return (f"{alone} of {len(matched)} scenes follow nothing and get a hand of their own: the followed run won none.",)


def finished(
    drafts: Sequence[Draft], *, drawing: Drawing, reader: InputReader, request: PlanRequest, complete: bool
) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """Look at every picture and give the jobs, with what the user should know of them."""
    pictures = [[picture.read(reader) for picture in draft.pictures] for draft in drafts]
    follows, notes = match_follows([scene.sha256 for scene, *_ in pictures], request, complete=complete)
    jobs = tuple(
        _job(draft, files, drawing=drawing, follows=followed)
        for draft, files, followed in zip(drafts, pictures, follows, strict=True)
    )
    return jobs, (*notes, *_twins(jobs))


def _job(draft: Draft, files: Sequence[InputFile], *, drawing: Drawing, follows: Followed | None) -> Job:
    scene, *references = files
    return Job(
        id=draft.id,
        name=draft.name,
        scene=scene,
        references=tuple(references),
        mode=drawing.stage,
        time=draft.time,
        weather=draft.weather,
        prompt=draft.prompt,
        size=drawing.size.of(scene.width, scene.height),
        ground_line=draft.ground_line,
        candidates=tuple(
            Candidate(
                index=index,
                seeds=seeds_for(draft.seed, scene.sha256, index=index, stage=drawing.stage, follows=follows),
            )
            for index in range(1, drawing.candidates + 1)
        ),
        follows=follows,
        seed=draft.seed,
    )


def _pairs(places: list[int], indexes: list[int]) -> Iterable[tuple[int, int]]:
    if len(indexes) == 1:
        return ((place, indexes[0]) for place in places)
    if indexes and len(indexes) != len(places):
        problem = f"{len(indexes)} pictures are to be followed by {len(places)} jobs of one scene"
        raise RequestInvalid(REQUEST, f"follows[{indexes[1]}]", problem, "give one picture for each scene")
    return zip(places, indexes, strict=False)


def _unmatched(offered: dict[str, list[int]]) -> tuple[str, ...]:
    if not offered:
        return ()
    indexes = sorted(index for found in offered.values() for index in found)
    more = f" and {len(indexes) - 1} more" if len(indexes) > 1 else ""
    return (f"Not followed, because no scene has the content that belongs to it: follows[{indexes[0]}]{more}.",)


def _twins(jobs: Sequence[Job]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    again = [(job.id, first[job.scene.sha256]) for job in jobs if first.setdefault(job.scene.sha256, job.id) != job.id]
    if not again:
        return ()
    more = f", and so do {len(again) - 1} more jobs" if len(again) > 1 else ""
    return (f"{again[0][0]} has the same picture as {again[0][1]} and will look the same{more}.",)


def _suggestion(wanted: str, known: Iterable[str]) -> str:
    """Give a hint whose price and length do not grow with the plan."""
    known = sorted(known)
    close = difflib.get_close_matches(wanted, known[:_COMPARED], n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    more = ", …" if len(known) > _LISTED else ""
    return f"known here: {', '.join(known[:_LISTED])}{more}"


def _shown(stem: str) -> str:
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in stem)
