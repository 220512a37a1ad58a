"""Every local pass of a run made again in scratch space, and compared with what lies in the run's folder."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from kroma_nb.blobs import sha256_file
from kroma_nb.errors import FileMissing, KromaError, PictureTooLarge, PictureUnreadable, RecordInvalid
from kroma_nb.images import as_rgb, load
from kroma_nb.model.replay import TOLERANCE_LEVELS, TOLERANCE_SHARE, Cause, CauseKind, PassCheck, Verdict
from kroma_nb.model.words import PassName
from kroma_nb.run.differences import of_plan
from kroma_nb.run.folder import PASS_FOLDERS, RunFolder
from kroma_nb.run.originals import Originals, paid_key
from kroma_nb.run.playing import Playing, Turn, style_of
from kroma_nb.run.tasks import make_candidate, study_style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.images import Picture
    from kroma_nb.model.brief import Engine, Painter
    from kroma_nb.model.finishing import Finishers
    from kroma_nb.model.run import CandidateOutcome, PassRecord
    from kroma_nb.run.playing import Equipment
    from kroma_nb.run.resume import Rest

SCRATCH_RUN = "again"
OTHER = Cause(kind=CauseKind.RECORD, what="it is not what was bought for this candidate")
UNTOLD = Cause(kind=CauseKind.RECORD, what="neither a call nor a receipt says what was bought for this candidate")


class Verifier:
    """Makes candidates of one run again; several threads may ask it at once.

    Parameters
    ----------
    folder : RunFolder
        The run.
    rest : Rest
        What its files say.
    painter : Painter or Engine
        The engine; of a paid one only what the record says: its pictures are compared with what was sent.
    scratch : Path
        From `scratch_of`.
    equipment : Equipment
        What passes are made with; its cache is told what was made.
    """

    def __init__(
        self, folder: RunFolder, rest: Rest, painter: Painter | Engine, scratch: Path, equipment: Equipment
    ) -> None:
        self.folder, self.rest = folder, rest
        self._run = Playing(rest.plan, RunFolder(scratch, SCRATCH_RUN), painter, equipment, ())
        self._run.inputs.update(rest.happened.paths)
        self._study = {style_of(job): job.references for job in rest.plan.jobs}
        self._failed: dict[tuple[str, ...], Cause] = {}
        self._plan = tuple(of_plan(folder, rest))

    def study(self) -> None:
        """Read the styles of the run again."""
        for style, references in self._study.items():
            if not style or self.rest.plan.card.paid or not self.rest.plan.draws:
                self._run.palettes[style] = None
                continue
            try:
                files = tuple((self._run.stored(file), file.ref) for file in references)
                painter = cast("Painter", self._run.painter)
                self._run.palettes[style] = study_style(painter, self.folder.root, files)
            except (KromaError, KeyError) as error:
                self._failed[style] = _file_cause(error, self.folder)

    def check(self, turn: Turn, before: CandidateOutcome) -> tuple[PassCheck, ...]:
        """Make a candidate again, and compare every pass that it has."""
        if not before.passes:
            return ()
        lost = self._failed.get(style_of(turn.job))
        if lost is None:
            again, failure = self._made_again(turn, before)
        else:
            again, failure = {}, lost
        checks = [self._compared(turn, record, again.get(record.name), failure) for record in before.passes]
        for path in again.values():
            path.unlink(missing_ok=True)
        return tuple(checks)

    def _made_again(self, turn: Turn, before: CandidateOutcome) -> tuple[dict[PassName, Path], Cause | None]:
        try:
            task = self._run.task(turn)
            if self.rest.plan.card.paid:
                # What was sent then is what counts, not how the engine would ask for it today.
                task = replace(task, bought=Originals(self.folder.root).taken_up(before.passes[0], before.notes))
            outcome = make_candidate(replace(task, finishers=_as_recorded(task.finishers, before)))
        except (KromaError, KeyError) as error:
            return {}, _file_cause(error, self.folder)
        root = self._run.folder.root
        again = {record.name: root / record.output.path for record in outcome.passes}
        if outcome.failure is None:
            return again, None
        said = outcome.failure.message.replace(f"{root}/", "")
        return again, Cause(kind=CauseKind.FILE, what=said)

    def _compared(self, turn: Turn, record: PassRecord, again: Path | None, failure: Cause | None) -> PassCheck:
        path = self.folder.root / record.output.path
        check = PassCheck(
            job_id=turn.job.id,
            candidate=turn.candidate.index,
            pass_name=record.name,
            path=record.output.path,
            verdict=Verdict.EXACT,
            bought=self.rest.plan.card.paid and record.name is PassName.GENERATE,
            reused=record.reused,
        )
        try:
            found = sha256_file(path)
        except FileMissing as error:
            return _lost(check, error)
        causes = [] if found == record.output.sha256 else [_altered(record.output.path, record.output.sha256, found)]
        wrong = self._wrongly_bought(turn, record) if check.bought else None
        if wrong is not None:
            return _judged(check, wrong[0], [*self._plan, *causes, wrong[1]])
        if again is None or not again.is_file():
            return _judged(check, Verdict.UNPROVEN, [*self._plan, *causes, *([failure] if failure else [])])
        if sha256_file(again) == found:
            return _judged(check, Verdict.EXACT, causes)
        # What was sent is the same, whatever the plan says.
        return _measured(check, again, path, causes if check.bought else [*self._plan, *causes])

    def _wrongly_bought(self, turn: Turn, record: PassRecord) -> tuple[Verdict, Cause] | None:
        """Give what is wrong with a picture that neither its own calls nor receipts tell to be bought for it."""
        calls = self.rest.happened.calls.get((turn.job.id, turn.candidate.index), {}).values()
        own = {call.original.sha256 for call in calls if call.original is not None and call.failure is None}
        if record.output.sha256 in own:
            return None
        if own and not record.reused:
            return Verdict.CHANGED, OTHER
        brief = turn.job.brief(turn.candidate, self.rest.plan, None)
        key = paid_key(self._run.engine, brief, turn.job.scene.sha256, style_of(turn.job))
        try:
            receipts = Originals(self.folder.root).receipts(key)
        except RecordInvalid as error:
            return Verdict.UNPROVEN, Cause(kind=CauseKind.RECORD, what=self.folder.told(error))
        known = own | {receipt.original.sha256 for receipt in receipts if receipt.usable and receipt.key == key}
        if record.output.sha256 in known:
            return None
        return (Verdict.CHANGED, OTHER) if known else (Verdict.UNPROVEN, UNTOLD)


def _as_recorded(finishers: Finishers, before: CandidateOutcome) -> Finishers:
    """Give the backends that were the ones to answer then: one that failed before them is not asked again."""
    answered = {record.backend for record in before.passes if record.name is PassName.BG_REMOVE}
    return replace(finishers, segmenters=tuple(one for one in finishers.segmenters if one.backend in answered))


def _lost(check: PassCheck, error: FileMissing) -> PassCheck:
    """Judge a pass whose picture is not there, or cannot be read."""
    gone = isinstance(error.__cause__, FileNotFoundError)
    said = f"{check.path} is gone" if gone else f"{check.path} cannot be read: {error.cause}"
    cause = Cause(kind=CauseKind.FILE, what=said)
    return _judged(check, Verdict.MISSING if gone else Verdict.UNPROVEN, [cause])


def _judged(check: PassCheck, verdict: Verdict, causes: list[Cause]) -> PassCheck:
    return check.model_copy(update={"verdict": verdict, "causes": tuple(causes)})


def _measured(check: PassCheck, again: Path, path: Path, causes: list[Cause]) -> PassCheck:
    try:
        one, other = load(again), load(path, name=check.path)
    except (FileMissing, PictureUnreadable, PictureTooLarge) as error:
        return _judged(check, Verdict.CHANGED, [*causes, Cause(kind=CauseKind.FILE, what=str(error))])
    share, farthest = differing(one, other)
    close = share <= TOLERANCE_SHARE
    judged = _judged(check, Verdict.TOLERANCE if close else Verdict.CHANGED, causes)
    return judged.model_copy(update={"differing": share, "farthest": farthest})


def differing(one: Picture, other: Picture) -> tuple[float, int]:
    """Compare two pictures.

    Parameters
    ----------
    one, other : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255.

    Returns
    -------
    float, 0 to 1
        The share of pixels that differ by more than `TOLERANCE_LEVELS`; 1 for pictures of other sizes.
    int, levels
        By how much the farthest pixel differs.

    Examples
    --------
    >>> page = np.zeros((10, 10), np.uint8)
    >>> other = page.copy()
    >>> other[0, :2] = 1, 9
    >>> differing(page, other)
    (0.01, 9)
    """
    if one.shape[:2] != other.shape[:2]:
        return 1.0, 255
    if one.shape != other.shape:
        one, other = as_rgb(one), as_rgb(other)
    apart = np.abs(one.astype(np.int16) - other)
    worst = apart if apart.ndim == 2 else apart.max(axis=2)
    return float((worst > TOLERANCE_LEVELS).mean()), int(worst.max(initial=0))


def _altered(path: str, recorded: str, found: str) -> Cause:
    return Cause(kind=CauseKind.FILE, what=f"{path} was altered", recorded=recorded[:12], found=found[:12])


def _file_cause(error: KromaError | KeyError, folder: RunFolder) -> Cause:
    said = folder.told(error) if isinstance(error, KromaError) else "the run has not kept an input of its plan"
    return Cause(kind=CauseKind.FILE, what=said)


@contextmanager
def scratch_of(folder: RunFolder) -> Iterator[Path]:
    """Give a folder of its own that finds the project's inputs and originals, and is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="kroma-verify-") as name:
        scratch = Path(name)
        for kept in ("inputs", "originals"):
            (scratch / kept).symlink_to(folder.root / kept)
        for made in PASS_FOLDERS.values():
            (scratch / "runs" / SCRATCH_RUN / made).mkdir(parents=True)
        yield scratch
        shutil.rmtree(scratch / "runs")
