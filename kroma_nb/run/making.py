"""A candidate while it is being made: pass after pass, each computed or taken from what was made before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from kroma_nb import images
from kroma_nb.blobs import BlobStore, sha256_bytes, sha256_file, write_atomic
from kroma_nb.model.brief import Painted
from kroma_nb.model.parsing import plain_word
from kroma_nb.model.run import PassRecord, StoredFile, now
from kroma_nb.model.words import PassName
from kroma_nb.passes import COLOR_VERSION, color, generate
from kroma_nb.qa import Findings, find, judge
from kroma_nb.run.cache import Found, Made, key_of
from kroma_nb.run.environment import code_class
from kroma_nb.run.kept import load_kept
from kroma_nb.run.originals import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from kroma_nb.images import Picture
    from kroma_nb.model.ledger import BoughtPicture
    from kroma_nb.model.postprocess import ColorPlan
    from kroma_nb.model.quality import FileReport
    from kroma_nb.run.tasks import CandidateTask


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
    """

    name: PassName
    input: StoredFile
    file_name: str
    backend: str
    version: str
    parameters: Mapping[str, object]


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

    def generate(self) -> None:
        """Draw the scene, or take up what was bought.

        Raises
        ------
        KromaError
            If the painter does not deliver, the scene cannot be read, or the disk refuses.
        """
        task, engine = self.task, self.task.engine
        backend = f"{engine.provider} {engine.model}"
        if task.bought is not None:
            file_name = PurePosixPath(task.output_name).stem + SUFFIXES.get(task.bought.media_type, ".png")
            self._take(task.bought, Step(PassName.GENERATE, task.scene, file_name, backend, task.bought.version, {}))
            return
        brief = task.brief.model_dump(mode="json")
        self._make(
            Step(PassName.GENERATE, task.scene, task.output_name, backend, engine.version, {"brief": brief}), self._draw
        )

    def color(self) -> None:
        """Apply the colour profile, where the plan has one."""
        plan = self.task.color
        if plan is None:
            return
        before = self.passes[-1].output
        # The stem stays as it is: two job ids that differ only in signs must not end in one file.
        name = f"{PurePosixPath(before.path).stem}_{plain_word(plan.profile)}.png"
        backend = f"profile {plan.profile} ({plan.settings})"
        profile = {"profile": plan.values.model_dump(mode="json")}
        self._make(Step(PassName.COLOR, before, name, backend, COLOR_VERSION, profile), lambda: self._colored(plan))

    def examine(self) -> FileReport:
        """Measure and judge what the last pass has given."""
        task, final = self.task, self.passes[-1].output
        key = key_of("guard", picture=final.sha256, scene=task.scene.sha256, part=self._part, code=code_class())
        found = task.cache.found(key) if task.cache else None
        if found is None:
            seen = self.scene if self._part is None else _cut(self.scene, self._part)
            findings = find(self.picture, seen)
            found = Found(key=key, chroma_delta=findings.chroma_delta, measures=findings.measures)
            if task.cache:
                task.cache.keep_found(found)
        findings = Findings(found.chroma_delta, found.measures)
        return judge(findings, task.guard, name=final.path, expect_size=task.brief.size)

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

    def _draw(self) -> Painted:
        assert self.task.painter is not None
        return generate(self.scene, painter=self.task.painter, brief=self.task.brief)

    def _colored(self, plan: ColorPlan) -> Painted:
        return Painted(color(self.picture, plan.values))

    def _make(self, step: Step, make: Callable[[], Painted]) -> None:
        """Make a pass, unless the cache knows what it would give."""
        started_at, cache, text = now(), self.task.cache, self._text()
        key = key_of(
            step.name.value,
            input=step.input.sha256,
            parameters=dict(step.parameters),
            version=f"{step.backend} {step.version}",
            code=code_class(),
            text=text,
        )
        made = cache.recall(key) if cache else None
        if cache and made is not None:
            target = self._target(step, made.sha256)
            if target.is_file() or cache.place(made, target):
                self._picture = None
                self._note(step, made, target.name, started_at, reused=True)
                return
        painted = make()
        data = images.encode_png(painted.picture, text=text)
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
        self._picture = images.as_stored(painted.picture)
        self._note(step, made, target.name, started_at, reused=False)

    def _take(self, bought: BoughtPicture, step: Step) -> None:
        """Put what was bought among the run's pictures, as it was sent."""
        started_at, original = now(), bought.original
        target = self._target(step, original.sha256)
        if not target.is_file():
            store = BlobStore(self.task.folder.root / "originals")
            store.place(original.sha256, target, PurePosixPath(original.path).suffix)
        made = Made(
            key=original.sha256,
            sha256=original.sha256,
            size_bytes=original.size_bytes,
            width=bought.width,
            height=bought.height,
            notes=bought.notes,
        )
        self._note(step, made, target.name, started_at, reused=self.task.bought_before)

    def _note(self, step: Step, made: Made, file_name: str, started_at: datetime, *, reused: bool) -> None:
        if step.name is PassName.GENERATE:
            self.notes, self._part = made.notes, made.part
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
        return {
            "Software": "kroma_nb",
            "kroma_nb:model": f"{engine.provider} {engine.model} {version}",
            "kroma_nb:scene": task.scene.sha256,
            "kroma_nb:stage": task.brief.stage.value,
            "kroma_nb:seeds": " ".join(str(seed) for _, seed in task.brief.seeds),
        }


def _cut(scene: Picture, part: tuple[int, int, int, int]) -> Picture:
    top, bottom, left, right = part
    return scene[top:bottom, left:right]
