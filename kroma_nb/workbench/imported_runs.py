"""From a run log of the predecessor to a run log of ours: what a run folder will hold, before any of it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kroma_nb import run
from kroma_nb.exchange import Found, Mended, Refused
from kroma_nb.model.imported import INPUT_LOST
from kroma_nb.model.parsing import plain_word
from kroma_nb.model.run import PassRecord, StoredFile
from kroma_nb.model.runlog import CandidateRecord, Imported, InputRecord, JobRecord, RunLog
from kroma_nb.model.words import CandidateStatus, Gate, JobStatus, PassName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kroma_nb.exchange import KromaJob, KromaLog, KromaPass, KromaTree
    from kroma_nb.model.runlog import CostEvent

SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
}
OLDEST = datetime(1970, 1, 1, tzinfo=UTC)

# Time and name of a log, then job and candidate in it: the greatest one made what a path holds now.
Claim = tuple[datetime, str, int, int]


@dataclass(frozen=True)
class Origin:
    """Where a log's pictures are looked for, and the project that they go to.

    Attributes
    ----------
    slug : str
        The project that the run goes to.
    folder : Path
        The predecessor's project folder.
    claims : mapping of Path to Claim
        Which candidate wrote a file last.
    known : mapping of str to str
        What the database knows of files: a path as written, and its sha256.
    """

    slug: str
    tree: KromaTree
    folder: Path
    claims: Mapping[Path, Claim]
    known: Mapping[str, str]


@dataclass(frozen=True)
class Prepared:
    """A run that can be written: all is known of it, and nothing was written yet.

    Attributes
    ----------
    copies : dict of str to Found
        Path in the project, and the file that goes there.
    inputs : tuple of Found
        What goes into the project's ``inputs``.
    lost : dict of str to Refused
        Paths of the log that gave no picture, and why.
    """

    log: RunLog
    record: bytes
    copies: dict[str, Found]
    inputs: tuple[Found, ...]
    lost: dict[str, Refused]


def claims_of(log: KromaLog, tree: KromaTree, folder: Path) -> Iterator[tuple[Path, Claim]]:
    """Give every file that a log says it made and that is there, with the claim to it."""
    moment = log.timestamp or OLDEST
    for number, job in enumerate(log.jobs):
        for place, candidate in enumerate(job.candidates):
            for made in candidate.passes:
                path = tree.locate(made.output, folder)
                if isinstance(path, Path):
                    yield path, (moment, log.name, number, place)


def run_id_of(moment: datetime, sha256: str) -> str:
    """Name an imported run by its time and its record, so that importing it again finds it.

    Examples
    --------
    >>> run_id_of(datetime(2024, 5, 1, 10, 11, 12, 345_000, UTC), "abcdef0123")
    '2024-05-01T10-11-12-345Z-abcdef'
    """
    return f"{moment:%Y-%m-%dT%H-%M-%S}-{moment.microsecond // 1000:03d}Z-{sha256[:6]}"


def stored_input(found: Found) -> str:
    """Give where an input will lie in the project."""
    return f"inputs/{found.sha256[:2]}/{found.sha256}{SUFFIXES[found.media_type]}"


@dataclass
class Preparation:
    """Turns one log into a run log of ours."""

    log: KromaLog
    origin: Origin
    run_id: str
    mended: Mended = field(default_factory=Mended)
    copies: dict[str, Found] = field(default_factory=dict)
    inputs: dict[str, InputRecord] = field(default_factory=dict)
    found_inputs: list[Found] = field(default_factory=list)
    lost: dict[str, Refused] = field(default_factory=dict)
    targets: dict[tuple[tuple[int, int], str], str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def job(self, number: int, job: KromaJob) -> JobRecord:
        """Give a job with its inputs and pictures looked for."""
        inputs = [self._input(path) for path in job.input_images]
        scene = inputs[0] if inputs else None
        ref = job.input_images[0] if job.input_images else ""
        candidates = tuple(self._candidate(job, (number, place), scene) for place in range(len(job.candidates)))
        winner = next((c for c in candidates if c.candidate_index == job.selected), None)
        return JobRecord(
            id=job.id,
            name=PurePosixPath(ref).stem or job.id,
            mode=job.mode,
            time=job.time,
            weather=job.weather,
            scene_sha256=scene.sha256 if scene else None,
            scene_ref=ref,
            input_images=tuple(dict.fromkeys(found.path for found in inputs if found)),
            prompt=job.prompt,
            size=None,
            status=job.status,
            planned_candidates=job.planned_candidates,
            selected_candidate=job.selected,
            final_output=winner.final_output if winner else None,
            failure_reason=job.failure_reason if job.status is JobStatus.FAILED else None,
            candidates=candidates,
        )

    def _input(self, path: str) -> StoredFile | None:
        if not path:
            return None
        found = self._picture(path, None)
        if isinstance(found, Refused):
            self._lose(path, found, INPUT_LOST)
            return None
        file = StoredFile(path=stored_input(found), sha256=found.sha256, size_bytes=found.size_bytes)
        if found.sha256 not in self.inputs:
            facts = {"media_type": found.media_type, "width": found.width, "height": found.height}
            self.inputs[found.sha256] = InputRecord.model_validate({"ref": path, "file": file, **facts})
            self.found_inputs.append(found)
        return self.inputs[found.sha256].file

    def _picture(self, path: str, place: tuple[int, int] | None) -> Found | Refused:
        """Find a picture; one that a later candidate has overwritten is not this one's any more."""
        found = self.origin.tree.picture(path, self.origin.folder)
        if isinstance(found, Refused):
            return found
        known = self.origin.known.get(path, "")
        if known and known != found.sha256:
            return Refused("the file is not the picture that the database knows by its sha256", is_missing=True)
        mine = (self.log.timestamp or OLDEST, self.log.name)
        owner = self.origin.claims.get(found.path)
        later = owner is not None and (owner[:2] > mine if place is None else owner != (*mine, *place))
        return Refused(self._overwritten(owner, found.path), is_missing=True) if owner and later else found

    def _overwritten(self, owner: Claim, path: Path) -> str:
        by = "a later picture of the same run" if owner[1] == self.log.name else f"a later run ({owner[1]})"
        pattern = re.compile(rf"{re.escape(plain_word(path.stem) or 'image')}_replaced_")
        archive = self.origin.folder / "archive" / "replaced"
        try:
            kept = sorted(entry.name for entry in archive.iterdir() if pattern.match(entry.name))
        except OSError:
            kept = []
        which = f"; archive/replaced keeps {', '.join(kept[:3])}, and no record says whose that is" if kept else ""
        return f"it was overwritten by {by}{which}"

    def _lose(self, path: str, why: Refused, what: str) -> None:
        self.lost[path] = why
        self.mended.note(f"{what} {why.reason}.", path)

    def _candidate(self, job: KromaJob, at: tuple[int, int], scene: StoredFile | None) -> CandidateRecord:
        told = job.candidates[at[1]]
        made: list[PassRecord] = []
        for step in told.passes:
            archived = told.archived if step is told.passes[-1] else None
            file = self._output(step, at, archived)
            if file is not None:
                made.append(self._pass(step, file, at, scene, made))
        first = self._target(told.passes[0], at) if told.passes else None
        last = self._target(told.passes[-1], at) if told.passes else None
        return CandidateRecord(
            candidate_index=told.index,
            status=told.status,
            output=first,
            final_output=last if told.final_output else None,
            rank=told.rank,
            seeds=None,
            provider=self.log.provider,
            model=self.log.model,
            started_at=None,
            finished_at=None,
            passes=tuple(made),
            output_guard=told.guard.model_copy(update={"file": last or told.guard.file}) if told.guard else None,
            notes=told.notes,
            failure=told.failure,
        )

    def _pass(
        self, step: KromaPass, file: StoredFile, at: tuple[int, int], scene: StoredFile | None, made: list[PassRecord]
    ) -> PassRecord:
        is_first = step.name is PassName.GENERATE and not made
        began = self.targets.get((at, step.input or ""))
        before = next((record.output for record in made if record.output.path == began), None)
        return PassRecord(
            name=step.name,
            input=scene if is_first else before,
            output=file,
            backend=step.backend or (self.log.provider if is_first else ""),
            version=step.version or (self.log.model if is_first else ""),
            started_at=None,
            finished_at=None,
        )

    def _output(self, step: KromaPass, at: tuple[int, int], archived: str | None) -> StoredFile | None:
        path = self._target(step, at)
        # What the guard refused was moved away; its old place may hold another picture by now.
        found = self.origin.tree.picture(archived or "", self.origin.folder)
        if isinstance(found, Refused):
            found = self._picture(step.output, at)
        if isinstance(found, Refused):
            self._lose(step.output, found, "this picture is not kept, because")
            return None
        self.copies[path] = found
        return StoredFile(path=path, sha256=found.sha256, size_bytes=found.size_bytes)

    def _target(self, step: KromaPass, at: tuple[int, int]) -> str:
        """Give the path in the project that a candidate's path in the log becomes; two never become one."""
        key = (at, step.output)
        if key not in self.targets:
            written = PurePosixPath(step.output)
            suffix = written.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,5}", written.suffix) else ""
            stem = (plain_word(written.name.removesuffix(written.suffix)) or "image")[:150]
            folder = f"runs/{self.run_id}/{run.PASS_FOLDERS[step.name]}"
            names = (f"{folder}/{stem}{f'_{number}' if number > 1 else ''}{suffix}" for number in count(1))
            self.targets[key] = next(name for name in names if name not in self.names)
            self.names.add(self.targets[key])
        return self.targets[key]


def prepare(
    log: KromaLog, record: bytes, origin: Origin, *, moment: datetime, costs: tuple[CostEvent, ...] = ()
) -> Prepared:
    """Say what a run folder will hold; files are read, nothing is written.

    Parameters
    ----------
    log : KromaLog
    record : bytes
        What the log was read from.
    origin : Origin
    moment : datetime
        The run's time; the log's own, where it tells one.
    costs : tuple of CostEvent
        What the database knows, for a log that tells of no costs.
    """
    work = Preparation(log, origin, run_id_of(moment, log.sha256))
    jobs = tuple(work.job(number, job) for number, job in enumerate(log.jobs))
    if log.timestamp is None:
        work.mended.note("The record tells no time; the time of its file or row was taken.")
    if any(candidate.status is CandidateStatus.DONE for job in jobs for candidate in job.candidates):
        note = "Ranks are the imported program's: guard failures, warnings and chroma; quality was never measured."
    else:
        note = ""
    made = RunLog(
        run_id=work.run_id,
        timestamp=moment,
        finished_at=None,
        status=log.status,
        project=origin.slug,
        stage=log.stage,
        time=log.time,
        weather=log.weather,
        gate=Gate.OFF,
        provider=log.provider,
        model=log.model,
        generation=None,
        palette=None,
        postprocess_plan=None,
        guard=log.guard,
        plan_sha256=None,
        environment=None,
        inputs=tuple(work.inputs.values()),
        jobs=jobs,
        notes=(note,) if note else (),
        imported=Imported(source=log.name, sha256=log.sha256, mended=(*log.mended, *work.mended.sentences)),
        costs=log.costs or costs,
    )
    return Prepared(made, record, work.copies, tuple(work.found_inputs), work.lost)
