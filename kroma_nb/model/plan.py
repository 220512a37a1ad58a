"""What will be done: the request, the scenes, the jobs and the plan that holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from kroma_nb.model.brief import Brief, Fraction, Hand, Palette, Seed, Seeds, Size
from kroma_nb.model.money import Forecast, ModelCard, Money
from kroma_nb.model.postprocess import CutoutBackend, PostprocessPlan, UpscaleBackend
from kroma_nb.model.quality import GuardSettings
from kroma_nb.model.value import Value
from kroma_nb.model.words import Gate, Stage, TimeOfDay, Weather

PLAN_SCHEMA: Final = "kroma_nb.plan/1"


class PostprocessRequest(Value):
    """What a request says about the passes: true, false, or None to leave it to the settings."""

    config_path: Path | None = None
    upscale: bool | None = None
    upscale_backend: UpscaleBackend | None = None
    color: bool | None = None
    color_profile: str | None = None
    bg_remove: bool | None = None
    bg_remove_backends: tuple[CutoutBackend, ...] | None = None
    bg_refine_openai: bool | None = None
    bg_refine_openai_required: bool | None = None


class PlanRequest(Value):
    """What a user asks for.

    Attributes
    ----------
    root : Path
        The folder that relative paths of this request start from.
    input : Path or None
        A picture or a folder of pictures; takes the place of the manifest's scenes, as `scene_refs` does.
    jobs_file : Path or None
        Ready-made jobs; takes the place of every scene.
    only : tuple of str
        Scenes (by ref or name) or job ids to keep; everything else is left out.
    follows : tuple of Followed
        Pictures of an earlier run whose hand and light this run keeps.
    max_cost, max_price : Money or None
        What the whole run, and what one paid picture, may cost at most.
    """

    project: str
    root: Path
    manifest_path: Path | None = None
    jobs_file: Path | None = None
    input: Path | None = None
    scene_refs: tuple[str, ...] = ()
    style_refs: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    stage: Stage = Stage.STYLE
    time: TimeOfDay = TimeOfDay.DAY
    weather: Weather = Weather.CLEAR
    candidates: int | None = None
    allow_large_batch: bool = False
    provider: str | None = None
    postprocess: PostprocessRequest = PostprocessRequest()
    follows: tuple[Followed, ...] = ()
    max_cost: Money | None = None
    max_price: Money | None = None


class Followed(Value):
    """A picture of an earlier stage that a job starts from: its seeds fix the hand and the light."""

    scene_sha256: str
    stage: Stage
    run_id: str
    job_id: str
    candidate: int
    sha256: str
    seeds: Seeds


class InputFile(Value):
    """A picture that a plan reads, known by its content.

    Attributes
    ----------
    ref : str
        As the manifest or the request wrote it.
    sha256 : str
        Of the file's bytes.
    media_type : str
        By content, such as ``image/jpeg``.
    width, height : int, pixels
        Upright.
    source : Path or None
        Where the file lay when the plan was made. It is not stored: a run keeps its inputs by content.
    """

    ref: str
    sha256: str
    size_bytes: int
    media_type: str
    width: int
    height: int
    source: Path | None = Field(default=None, exclude=True)


# What a job is called, also in file names.
JobId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}$")]


class Given(Value):
    """A picture that an earlier run has made: it takes the place of drawing, and is only finished.

    Attributes
    ----------
    file : InputFile
        Its ref is its path in the project.
    backend, version : str
        What made it, as the record of that run says.
    notes : tuple of str
        What its painter said.
    bought : bool
        Whether its page was bought, however many passes lie between: then it need not lie on its scene point by point.
    cut_out : bool
        Whether a figure was cut out of it before, so that it is transparent.
    """

    file: InputFile
    backend: str
    version: str
    notes: tuple[str, ...] = ()
    bought: bool = False
    cut_out: bool = False


class Candidate(Value):
    """One attempt at a job, known before it is made."""

    index: Annotated[int, Field(ge=1)]
    seeds: Seeds


class Job(Value):
    """One scene in one run.

    Attributes
    ----------
    id : str
        Unique in its plan and safe as a file name.
    name : str
        What people read; may hold any script.
    scene : InputFile
    references : tuple of InputFile
        Style references, in order.
    mode : Stage
        The run's stage, under the name that run logs give it.
    time, weather
        As resolved, also where the stage does not use them.
    follows : Followed or None
        The earlier picture whose hand this job keeps.
    seed : int or None
        What its candidates' seeds come from; None takes the run's.
    given : Given or None
        The picture that is finished, where nothing is drawn.
    """

    id: JobId
    name: str
    scene: InputFile
    references: tuple[InputFile, ...] = ()
    mode: Stage
    time: TimeOfDay
    weather: Weather
    prompt: str
    size: Size
    ground_line: Fraction | None = None
    candidates: tuple[Candidate, ...]
    follows: Followed | None = None
    seed: Seed | None = None
    given: Given | None = None

    def brief(self, candidate: Candidate, plan: Plan, palette: Palette | None) -> Brief:
        """Say to a painter what this candidate shall be."""
        lit = self.mode is not Stage.STYLE
        wet = self.mode is Stage.WEATHER
        return Brief(
            stage=self.mode,
            time=self.time if lit else TimeOfDay.DAY,
            weather=self.weather if wet else Weather.CLEAR,
            prompt=self.prompt,
            seeds=candidate.seeds,
            size=self.size,
            grayscale=plan.guard.enforce_grayscale,
            hand=plan.generation.hand,
            palette=palette,
            ground_line=self.ground_line,
        )

    def output_name(self, index: int) -> str:
        """Give the generated file's name; the candidate's index stands in it where there are several."""
        return f"{self.id}__c{index}.png" if len(self.candidates) > 1 or index > 1 else f"{self.id}.png"


class Generation(Value):
    """How pictures are made in this run."""

    candidates: int
    max_candidates: int
    seed: Seed
    hand: Hand


class Plan(Value):
    """Everything a run needs to know; the same files and arguments give an equal plan.

    Attributes
    ----------
    card : ModelCard
        The engine.
    notes : tuple of str
        What the user should know before the run starts, as whole sentences: keys that are read but unused,
        links that were left out, a gate that is off.
    max_cost, max_price : Money or None
        What the run, and what one picture, may cost at most, whatever forecast and catalog say.
    """

    schema_: Literal["kroma_nb.plan/1"] = Field(default=PLAN_SCHEMA, alias="schema")
    project: str
    stage: Stage
    time: TimeOfDay
    weather: Weather
    gate: Gate
    card: ModelCard
    generation: Generation
    postprocess: PostprocessPlan
    guard: GuardSettings
    jobs: tuple[Job, ...]
    forecast: Forecast
    notes: tuple[str, ...] = ()
    max_cost: Money | None = None
    max_price: Money | None = None

    @property
    def inputs(self) -> tuple[InputFile, ...]:
        """Every picture that the plan reads, each content once, in order of first use."""
        seen: dict[str, InputFile] = {}
        for job in self.jobs:
            for file in (job.scene, *job.references, *((job.given.file,) if job.given else ())):
                seen.setdefault(file.sha256, file)
        return tuple(seen.values())

    @property
    def draws(self) -> bool:
        """Whether an engine is needed: pictures that are only finished are there already."""
        return not self.jobs or any(job.given is None for job in self.jobs)

    @property
    def pictures(self) -> int:
        """How many candidates the plan makes."""
        return sum(len(job.candidates) for job in self.jobs)
