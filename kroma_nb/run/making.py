"""A candidate while it is being made: pass after pass, each computed or taken from what was made before."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from kroma_nb import images
from kroma_nb.blobs import BlobStore, sha256_bytes, sha256_file, write_atomic
from kroma_nb.errors import ProviderFailed
from kroma_nb.model.ledger import BoughtPicture
from kroma_nb.model.postprocess import PictureFormat
from kroma_nb.model.run import PassRecord, StoredFile, now
from kroma_nb.model.words import PassName
from kroma_nb.passes import generate
from kroma_nb.qa import INVARIANTS_VERSION, Findings, find, judge, with_invariants
from kroma_nb.run.cache import Found, Held, Made, key_of
from kroma_nb.run.environment import code_class
from kroma_nb.run.kept import load_kept
from kroma_nb.run.originals import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from kroma_nb.images import Picture
    from kroma_nb.model.brief import Painted
    from kroma_nb.model.invariants import Invariant
    from kroma_nb.model.plan import Given
    from kroma_nb.model.quality import FileReport
    from kroma_nb.model.run import BackendTry
    from kroma_nb.run.tasks import CandidateTask


SKEW_PX = 2
"""By how many pixels of the page its shape may differ from that of its scene: sizes are whole numbers."""


@dataclass(frozen=True)
class Step:
    """A pass that is about to be made.

    Attributes
    ----------
    name : PassName
    input : StoredFile
        What it starts from.
    file_name : str
        Of its output.
    backend, version : str
        What makes it.
    parameters : dict
        All that its output depends on beside the input and the code, in JSON types.
    settings : dict
        What of that the record shows.
    format : PictureFormat
        Of its output.
    tries : tuple of BackendTry
        Who was asked before, and gave nothing.
    """

    name: PassName
    input: StoredFile
    file_name: str
    backend: str
    version: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    format: PictureFormat = PictureFormat.PNG
    tries: tuple[BackendTry, ...] = ()


class Making:
    """One candidate on its way.

    Attributes
    ----------
    passes : list of PassRecord
        What is done, in order.
    notes : tuple of str
        What the painter said.
    """

    def __init__(self, task: CandidateTask) -> None:
        self.task = task
        self.passes: list[PassRecord] = []
        self.notes: tuple[str, ...] = ()
        self._part: tuple[int, int, int, int] | None = None
        self._picture: Picture | None = None
        self._scene: Picture | None = None
        self._drawn: Picture | None = None
        self._before: Picture | None = None

    def generate(self) -> None:
        """Draw the scene, or take up what was bought or given.

        Raises
        ------
        KromaError
            If the painter does not deliver, the scene cannot be read, or the disk refuses.
        """
        task, engine = self.task, self.task.engine
        backend = f"{engine.provider} {engine.model}"
        if task.given is not None:
            given, kept = task.given
            self._take(_ready(given, kept), kept, given.backend, store="inputs")
        elif task.bought is not None:
            self._take(task.bought, task.scene, backend, store="originals")
        else:
            brief = {"brief": task.brief.model_dump(mode="json")}
            self.make(Step(PassName.GENERATE, task.scene, task.output_name, backend, engine.version, brief), self._draw)

    def examine(self) -> FileReport:
        """Measure and judge what the last pass has given."""
        task, drawn, final = self.task, self.passes[0].output, self.passes[-1].output
        # Whether a page keeps its scene is seen before its ground is cut away.
        page = {} if drawn.sha256 == final.sha256 else {"page": drawn.sha256}
        key = key_of("guard", picture=final.sha256, scene=task.scene.sha256, part=self._part, code=code_class(), **page)
        found = task.cache.found(key, Found) if task.cache else None
        if found is None:
            findings = self._findings()
            found = Found(key=key, chroma_delta=findings.chroma_delta, measures=findings.measures)
            if task.cache:
                task.cache.keep_found(found)
        findings = Findings(found.chroma_delta, found.measures)
        upscale = task.postprocess.upscale
        size = task.brief.size.times(upscale.scale) if upscale else task.brief.size
        report = judge(findings, task.guard, name=final.path, expect_size=size)
        held = [one for made in self.passes for one in made.invariants]
        return with_invariants(report, held, task.postprocess.invariants)

    def _findings(self) -> Findings:
        if self.task.given is not None:
            # Which part of the scene it shows is not on record.
            return find(self.picture)
        return find(self.picture, self.scene_of_page(), page=self._page)

    @property
    def scene(self) -> Picture:
        """The scene's pixels, loaded when they are first needed."""
        if self._scene is None:
            self._scene = load_kept(self.task.folder.root, self.task.scene, self.task.scene_ref)
        return self._scene

    @property
    def picture(self) -> Picture:
        """The pixels that the last pass has given, loaded when they are first needed."""
        if self._picture is None:
            last = self.passes[-1].output
            self._picture = load_kept(self.task.folder.root, last, last.path)
        return self._picture

    def shows_its_scene(self) -> bool:
        """Tell whether the page shows its scene, or a part that is known, in the same shape: point lies on point."""
        page, size = self.passes[0], self.task.scene_size
        assert page.width is not None
        assert page.height is not None
        width, height = size.width, size.height
        if self._part is not None:
            top, bottom, left, right = self._part
            width, height = right - left, bottom - top
        return abs(page.width * height - page.height * width) <= max(width, height) * SKEW_PX

    def seen_of_scene(self) -> dict[str, object]:
        """Say what `scene_of_page` gives, in JSON types."""
        part = {} if self._part is None else {"part": list(self._part)}
        return {"scene": self.task.scene.sha256, **part}

    def scene_of_page(self) -> Picture:
        """Give the part of the scene that the page shows; all of it where nothing else is known."""
        return self.scene if self._part is None else _cut(self.scene, self._part)

    @property
    def _page(self) -> Picture:
        """The pixels that were drawn or bought, before any other pass."""
        if self._drawn is None:
            first = self.passes[0].output
            self._drawn = load_kept(self.task.folder.root, first, first.path)
        return self._drawn

    def _draw(self) -> Painted:
        assert self.task.painter is not None
        return generate(self.scene, painter=self.task.painter, brief=self.task.brief)

    def hold(self, look: Callable[[Picture, Picture], tuple[Invariant, ...]], **told: object) -> None:
        """Look whether what must hold after the last pass does, unless the cache knows.

        Parameters
        ----------
        look : callable
            Is given what the pass started from and what it has made.
        **told
            What its answer depends on beside the pictures, in JSON types.
        """
        record, cache = self.passes[-1], self.task.cache
        assert record.input is not None
        of = {"input": record.input.sha256, "picture": record.output.sha256}
        key = key_of("invariants", name=record.name.value, version=INVARIANTS_VERSION, code=code_class(), **of, **told)
        held = cache.found(key, Held) if cache else None
        if held is None:
            before = self._before
            if before is None:
                before = load_kept(self.task.folder.root, record.input, record.input.path)
            held = Held(key=key, invariants=look(before, self.picture))
            if cache:
                cache.keep_found(held)
        self._before = None
        self.passes[-1] = record.model_copy(update={"invariants": held.invariants})

    def make(self, step: Step, make: Callable[[], Painted]) -> None:
        """Make a pass, unless the cache knows what it would give."""
        started_at, cache, text = now(), self.task.cache, self._text()
        key = key_of(
            step.name.value,
            input=step.input.sha256,
            parameters=dict(step.parameters),
            version=f"{step.backend} {step.version}",
            code=code_class(),
            text=text,
            **({} if step.format is PictureFormat.PNG else {"format": step.format.value}),
        )
        made = cache.recall(key) if cache else None
        if cache and made is not None:
            target = self._target(step, made.sha256)
            if target.is_file() or cache.place(made, target):
                self._picture = None
                self._note(step, made, target.name, started_at, reused=True)
                return
        painted = make()
        self._before = self._picture
        data = _encoded(painted.picture, step, text)
        height, width = painted.picture.shape[:2]
        digest = sha256_bytes(data)
        target = self._target(step, digest)
        if not target.is_file():
            write_atomic(target, data, read_only=True)
        made = Made(
            key=key,
            sha256=digest,
            size_bytes=len(data),
            width=width,
            height=height,
            notes=painted.notes,
            part=painted.part,
        )
        if cache:
            cache.keep(made, data)
        # What is measured now is measured as if it were read from its file, as a later run does.
        self._picture = images.as_stored(painted.picture) if step.format is PictureFormat.PNG else None
        self._note(step, made, target.name, started_at, reused=False)

    def _take(self, ready: BoughtPicture, of: StoredFile, backend: str, *, store: str) -> None:
        """Put a picture that is there already among the run's pictures, as it is."""
        started_at, kept = now(), ready.original
        name = PurePosixPath(self.task.output_name).stem + SUFFIXES.get(ready.media_type, ".png")
        step = Step(PassName.GENERATE, of, name, backend, ready.version)
        target = self._target(step, kept.sha256)
        if not target.is_file():
            blobs = BlobStore(self.task.folder.root / store)
            blobs.place(kept.sha256, target, PurePosixPath(kept.path).suffix)
        made = Made(
            key=kept.sha256,
            sha256=kept.sha256,
            size_bytes=kept.size_bytes,
            width=ready.width,
            height=ready.height,
            notes=ready.notes,
        )
        self._note(step, made, target.name, started_at, reused=self.task.bought_before or self.task.given is not None)

    def _note(self, step: Step, made: Made, file_name: str, started_at: datetime, *, reused: bool) -> None:
        if step.name is PassName.GENERATE:
            self.notes, self._part, self._drawn = made.notes, made.part, self._picture
        path = self.task.folder.stored(step.name, file_name)
        self.passes.append(
            PassRecord(
                name=step.name,
                input=step.input,
                output=StoredFile(path=path, sha256=made.sha256, size_bytes=made.size_bytes),
                width=made.width,
                height=made.height,
                backend=step.backend,
                version=step.version,
                settings=dict(step.settings),
                tries=step.tries,
                reused=reused,
                started_at=started_at,
                finished_at=now(),
            )
        )

    def _target(self, step: Step, sha256: str) -> Path:
        """Give the file that an output goes to: one that holds it already, or one that nothing holds yet.

        A process that was killed may have left a file that no record knows; it is not overwritten.
        """
        root, named, attempt = self.task.folder.root, PurePosixPath(step.file_name), 1
        name = step.file_name
        while (path := root / self.task.folder.stored(step.name, name)).exists() and sha256_file(path) != sha256:
            attempt += 1
            name = f"{named.stem}__a{attempt}{named.suffix}"
        return path

    def _text(self) -> dict[str, str]:
        """Give what a file says of how it came to be, and nothing that differs between two equal runs."""
        task, engine = self.task, self.task.engine
        version = task.bought.version if task.bought else engine.version
        model = f"{engine.provider} {engine.model} {version}"
        if task.given is not None:
            model = f"{task.given[0].backend} {task.given[0].version}"
        return {
            "Software": "kroma_nb",
            "kroma_nb:model": model,
            "kroma_nb:scene": task.scene.sha256,
            "kroma_nb:stage": task.brief.stage.value,
            "kroma_nb:seeds": " ".join(str(seed) for _, seed in task.brief.seeds),
        }


def _encoded(picture: Picture, step: Step, text: Mapping[str, str]) -> bytes:
    try:
        return images.encode(picture, format=step.format, text=text)
    except ValueError as cause:
        # Of a page with a side that its format cannot hold.
        raise ProviderFailed(step.backend, f"{cause}; choose png in the postprocess file") from cause


def _ready(given: Given, kept: StoredFile) -> BoughtPicture:
    """Give what an earlier run has made in the form in which pictures are taken up."""
    return BoughtPicture(
        original=kept,
        media_type=given.file.media_type,
        version=given.version,
        width=given.file.width,
        height=given.file.height,
        notes=given.notes,
    )


def _cut(scene: Picture, part: tuple[int, int, int, int]) -> Picture:
    top, bottom, left, right = part
    return scene[top:bottom, left:right]
