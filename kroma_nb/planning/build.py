"""From a request to a plan: every file read, every reference checked, nothing written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb.errors import RequestInvalid
from kroma_nb.model.plan import Generation, Plan
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.planning.gate import gate_of
from kroma_nb.planning.inputs import InputReader
from kroma_nb.planning.jobs import Drawing, drafts_of, finished, selected, under_the_sky
from kroma_nb.planning.jobs_file import drafts_in
from kroma_nb.planning.limits import candidate_count, check_batch
from kroma_nb.planning.manifest import named_manifest
from kroma_nb.planning.postprocess import named_postprocess, plan_passes
from kroma_nb.planning.price import check_offer, choose_card, forecast_of, load_catalog, notes_on
from kroma_nb.planning.prompts import prompt_frame
from kroma_nb.planning.scenes import REQUEST, find_scenes, find_styles
from kroma_nb.settings import Settings

if TYPE_CHECKING:
    from kroma_nb.model.backends import BackendOptions
    from kroma_nb.model.money import Catalog
    from kroma_nb.model.plan import PlanRequest
    from kroma_nb.planning.jobs import Draft
    from kroma_nb.planning.manifest import LoadedManifest
    from kroma_nb.planning.postprocess import LoadedPostprocess

_PROJECT = re.compile(r"[A-Za-z0-9_-]+")


def plan(
    request: PlanRequest,
    *,
    settings: Settings | None = None,
    catalog: Catalog | None = None,
    backends: BackendOptions | None = None,
) -> Plan:
    """Plan a run: read every file, check and hash every picture, fix every seed, price and limit; write nothing.

    The same files and arguments give an equal plan.

    Parameters
    ----------
    request : PlanRequest
        What the user asks for.
    settings : Settings or None
        Layered settings without the request's own layer; None takes the built-in defaults.
    catalog : Catalog or None
        Models and prices; None takes the built-in catalog.
    backends : BackendOptions or None
        What the workspace says of the backends that finish pictures.

    Returns
    -------
    Plan

    Raises
    ------
    ValidationFailed
        If anything is wrong, with the file, the field, what is there and what would be right.
    """
    _check_request(request)
    asked = (settings or Settings.built_in()).with_request(request)
    loaded = _manifest(request, asked)
    candidates = candidate_count(request.candidates, loaded)
    drafts, notes = _drafts(request, loaded)
    kept, indoors_notes = under_the_sky(selected(drafts, request.only), request.stage)
    catalog = catalog or load_catalog()
    card = choose_card(catalog, request.provider, loaded, cap=request.max_price)
    pictures = len(kept) * candidates
    check_batch(pictures, card=card, request=request, loaded=loaded)
    postprocess = named_postprocess(asked)
    passes = plan_passes(postprocess, asked, bought=card.paid, options=backends)
    section = loaded.manifest.generation
    drawing = Drawing(stage=request.stage, candidates=candidates, size=section.size)
    # Hashing is the dear part, so it comes when nothing else can refuse the plan any more.
    jobs, more_notes = finished(
        kept, drawing=drawing, reader=InputReader(), request=request, complete=len(kept) == len(drafts)
    )
    check_offer(card, jobs)
    gate, gate_notes = gate_of(request.stage)
    return Plan(
        project=request.project,
        stage=request.stage,
        time=request.time,
        weather=request.weather,
        gate=gate,
        card=card.model_copy(update={"offer": None}),
        generation=Generation(
            candidates=candidates, max_candidates=section.max_candidates, seed=section.seed, hand=section.hand
        ),
        postprocess=passes,
        guard=loaded.manifest.guard,
        jobs=jobs,
        forecast=forecast_of(pictures, card, catalog),
        max_cost=request.max_cost,
        max_price=request.max_price,
        notes=(
            *_unused(loaded, postprocess),
            *_unused_words(request),
            *notes,
            *indoors_notes,
            *more_notes,
            *gate_notes,
            *notes_on(card),
        ),
    )


def _check_request(request: PlanRequest) -> None:
    if not _PROJECT.fullmatch(request.project):
        problem = f"{request.project!r} is no project's name"
        raise RequestInvalid(REQUEST, "project", problem, "use letters A-Z a-z, digits, - and _")
    if request.stage is Stage.CHARACTER:
        problem = "the stage character needs a character set, which is not available yet"
        raise RequestInvalid(REQUEST, "stage", problem, "choose style, time or weather")
    if request.input is not None and request.scene_refs:
        raise RequestInvalid(REQUEST, "scene_refs", "stands beside input", "pass one of the two")


def _manifest(request: PlanRequest, settings: Settings) -> LoadedManifest:
    loaded = named_manifest(settings)
    named = (loaded.folder, request.jobs_file, request.input)
    if not request.scene_refs and all(name is None for name in named):
        way_out = "pass input, scene_refs, manifest_path or jobs_file"
        raise RequestInvalid(REQUEST, "input", "nothing names a scene", way_out)
    return loaded


def _drafts(request: PlanRequest, loaded: LoadedManifest) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
    seed = loaded.manifest.generation.seed
    if request.jobs_file is not None:
        drafts = drafts_in(request.root / request.jobs_file, request=request, seed=seed)
        return drafts, _passed_over(request, empty=not drafts)
    found = find_scenes(request, loaded)
    frame = prompt_frame(loaded, stage=request.stage, time=request.time, weather=request.weather)
    styles = find_styles(request, loaded)
    return drafts_of(found.scenes, styles, frame=frame, request=request, seed=seed), found.notes


def _passed_over(request: PlanRequest, *, empty: bool) -> tuple[str, ...]:
    beside = [name for name in ("input", "scene_refs", "style_refs") if getattr(request, name)]
    notes = [f"Not used, because the jobs file names every picture: {', '.join(beside)}."] if beside else []
    if empty:
        notes.append("The jobs file is an empty list: nothing will be made.")
    return tuple(notes)


def _unused_words(request: PlanRequest) -> tuple[str, ...]:
    """Name the light and weather that were asked for and that this stage does not draw."""
    stage = request.stage
    words = [request.time.value] if stage is Stage.STYLE and request.time is not TimeOfDay.DAY else []
    if stage is not Stage.WEATHER and request.weather is not Weather.CLEAR:
        words.append(request.weather.value)
    return (f"Not drawn in the stage {stage.value}: {', '.join(words)}.",) if words else ()


def _unused(*files: LoadedManifest | LoadedPostprocess) -> tuple[str, ...]:
    return tuple(
        f"Read but not used from {Path(loaded.file).name}: {', '.join(loaded.unused)}."
        for loaded in files
        if loaded.unused
    )
