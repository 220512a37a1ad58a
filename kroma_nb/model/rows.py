"""Rows for data frames: candidates, runs, projects, each number under a name of its own."""

from __future__ import annotations

from datetime import datetime

from kroma_nb.model.project import ProjectStatus
from kroma_nb.model.value import Value
from kroma_nb.model.words import CallState, CandidateStatus, Gate, RunStatus, Stage, TimeOfDay, Weather


class CandidateRow(Value):
    """One candidate of one job; ``docs/tables.md`` says what each field means and where the gallery shows it.

    Attributes
    ----------
    position : int
        1 is the winner; 0 stands outside the ranking.
    quality : float, 0 to 1, or None
        None where the picture was never measured.
    tied_with : tuple of int
        Candidates that cannot be told apart from this one.
    seed : int or None
        The one that the run's stage varies; the three below are all that the picture was drawn with.
    styles : tuple of str
        Paths of its style references in the project.
    follows_run, follows_job, follows_candidate : or None
        The winner whose hand it keeps, also where that run is gone.
    output : str or None
        The last picture that the candidate reached, relative to the project root.
    seconds : float or None
        How long it took, from start to judgement.
    failure : str
        What went wrong, as a sentence; empty for a candidate that is done.
    reused : bool
        Whether its drawing was taken from what was made or bought before.
    attempts : int
        How many turns it had.
    retry_of : int or None
        The candidate that it was to do better than, where it was added later.
    cost_micro_usd : int
        What its paid calls in this run are charged with, in millionths of a US dollar.
    request_id : str
        Its newest paid call as the provider names it, else as it is called here; empty where there was none.
    """

    scene: str
    candidate: int
    stage: Stage
    time: TimeOfDay
    weather: Weather
    status: CandidateStatus
    winner: bool
    position: int
    quality: float | None
    tied_with: tuple[int, ...]
    warnings: tuple[str, ...]
    reasons: tuple[str, ...]
    failure: str
    chroma_delta: float | None
    sharpness: float | None
    clipping: float | None
    noise: float | None
    contrast: float | None
    ink: float | None
    drawn: float | None
    fidelity: float | None
    seed: int | None
    seed_style: int | None
    seed_time: int | None
    seed_weather: int | None
    width: int | None
    height: int | None
    seconds: float | None
    started_at: datetime | None
    provider: str
    model: str
    prompt: str
    run_id: str
    job: str
    output: str | None
    sha256: str | None
    size_bytes: int | None
    scene_sha256: str | None
    styles: tuple[str, ...]
    follows_run: str | None
    follows_job: str | None
    follows_candidate: int | None
    reused: bool
    attempts: int
    retry_of: int | None
    cost_micro_usd: int
    request_id: str


class PlanRow(Value):
    """One candidate before it is made."""

    scene: str
    job: str
    stage: Stage
    candidate: int
    width: int
    height: int
    seed_style: int
    seed_time: int
    seed_weather: int
    scene_sha256: str
    prompt: str
    follows_run: str | None


class RunRow(Value):
    """One run.

    Attributes
    ----------
    jobs, winners, pictures : int
        Scenes, scenes that were won, and candidates that are done.
    size_bytes : int
        Of the pictures that it made.
    seconds : float or None
        From start to end; None while it has not ended.
    max_chroma_delta : float, levels
        From where on the guard calls a picture colourful.
    paper, ink : str or None
        The palette that was read off the style references, as ``#rrggbb``; None where it is the engine's own.
    cost_micro_usd : int
        What it has cost, in millionths of a US dollar.
    spend_limit_micro_usd : int or None
        What a person has confirmed that it may cost; None where it may cost nothing.
    resumed : int
        How often it went on after it had ended or was cut short.
    failure_code : str or None
        What has cut it short, where something has.
    imported_from : str or None
        The record of another program that it was read from.
    notebook : str or None
        The notebook that made it.
    archived : bool
        Whether it is put away.
    says : str
        How to go on; empty where nothing is left to do.
    """

    run_id: str
    status: RunStatus
    stage: Stage
    time: TimeOfDay
    weather: Weather
    gate: Gate
    provider: str
    model: str
    seed: int | None
    max_chroma_delta: float
    paper: str | None
    ink: str | None
    jobs: int
    winners: int
    pictures: int
    size_bytes: int
    created_at: datetime
    finished_at: datetime | None
    seconds: float | None
    cost_micro_usd: int
    spend_limit_micro_usd: int | None
    resumed: int
    failure_code: str | None
    kroma_nb: str | None
    python: str | None
    platform: str | None
    imported_from: str | None
    notebook: str | None
    archived: bool
    says: str


class CostRow(Value):
    """One paid call, or one cost of an imported run.

    Attributes
    ----------
    month : str
        The calendar month in UTC that it is charged to, such as ``2026-01``.
    state : CallState
        ``open`` and ``in_doubt`` stay charged with their upper price.
    units, unit_micro_usd, cost_micro_usd
        How many, at how much each, and together, in millionths of a US dollar.
    upper_micro_usd : int
        What was put aside before the call.
    reported : bool
        Whether the provider named the cost; else it is the catalog's price.
    usage : str
        What the provider says that it used, as a JSON object.
    original : str or None
        What it sent: a path in the project.
    call_id : str or None
        None for an imported cost.
    says : str
        What went wrong; empty where nothing did.
    """

    at: datetime
    month: str
    provider: str
    model: str
    stage: Stage
    operation: str
    run_id: str
    job: str
    candidate: int | None
    attempt: int | None
    state: CallState
    units: float
    unit_micro_usd: int
    cost_micro_usd: int
    upper_micro_usd: int
    currency: str
    reported: bool
    request_id: str
    usage: str
    original: str | None
    call_id: str | None
    says: str


class ProjectRow(Value):
    """One project.

    Attributes
    ----------
    used_bytes : int
        Of the pictures and inputs that it keeps.
    """

    slug: str
    name: str
    status: ProjectStatus
    description: str
    runs: int
    pictures: int
    used_bytes: int
    created_at: datetime


class Unreadable(Value):
    """A run or project whose files are damaged, changed or another project's; the others are not touched by it.

    Attributes
    ----------
    run_id : str
        Empty where it is the project itself.
    says : str
        What is wrong with which file, and the way out.
    """

    project: str
    run_id: str = ""
    error_code: str
    says: str
