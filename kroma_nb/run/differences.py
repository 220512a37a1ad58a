"""What is not as a run's record says: its files, its code, its libraries, its processor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kroma_nb.blobs import sha256_file
from kroma_nb.errors import FileMissing
from kroma_nb.model.replay import Cause, CauseKind
from kroma_nb.model.words import PassName
from kroma_nb.passes import COLOR_VERSION
from kroma_nb.run.accounts import of_calls
from kroma_nb.run.environment import environment
from kroma_nb.run.finishing import cutout_version, upscale_version
from kroma_nb.run.runlog import folded_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kroma_nb.model.brief import Engine, Painter
    from kroma_nb.model.finishing import Finishers
    from kroma_nb.model.postprocess import ColorPlan, ColorProfile
    from kroma_nb.model.run import Environment, PassRecord, StoredFile
    from kroma_nb.run.folder import RunFolder
    from kroma_nb.run.resume import Rest


def of_files(folder: RunFolder, rest: Rest) -> Iterator[Cause]:
    """Give the files that a run was made from, and its own records, that are not as they were."""
    started = rest.happened.started
    here = (folder.run_id, folder.root.name)
    if started is not None and (started.run_id, started.project) != here:
        recorded, found = f"{started.project} {started.run_id}", f"{folder.root.name} {folder.run_id}"
        yield Cause(kind=CauseKind.RECORD, what="it is another run", recorded=recorded, found=found)
    yield from of_plan(folder, rest)
    if folder.log_path.exists() and not _is_fold(folder, rest):
        yield Cause(kind=CauseKind.RECORD, what="run.json is not what plan.json and journal.jsonl say")
    for record in rest.happened.inputs:
        yield from _altered(folder.root, record.file, record.ref)
    originals = {
        call.original.path: call.original
        for calls in rest.happened.calls.values()
        for call in calls.values()
        if call.original is not None
    }
    for original in originals.values():
        yield from _altered(folder.root, original, "what a provider has sent")
    yield from of_calls(folder, rest)


def of_plan(folder: RunFolder, rest: Rest) -> Iterator[Cause]:
    """Give that a run's plan is not the one that it was started with."""
    started, found = rest.happened.started, folder.plan_sha256()
    if started is not None and found != started.plan_sha256:
        what, recorded = "plan.json was altered after the run had started", started.plan_sha256
        yield Cause(kind=CauseKind.RECORD, what=what, recorded=recorded[:12], found=found[:12])


def _is_fold(folder: RunFolder, rest: Rest) -> bool:
    try:
        return bool(json.loads(folder.log_path.read_bytes()) == folded_document(folder, rest.plan))
    except (ValueError, OSError):
        return False


def _altered(root: Path, file: StoredFile, ref: str) -> Iterator[Cause]:
    try:
        found = sha256_file(root / file.path)
    except FileMissing as error:
        gone = isinstance(error.__cause__, FileNotFoundError)
        said = "is gone" if gone else f"cannot be read: {error.cause}"
        yield Cause(kind=CauseKind.FILE, what=f"{file.path} ({ref}) {said}", recorded=file.sha256[:12])
        return
    if found != file.sha256:
        what = f"{file.path} ({ref}) was altered"
        yield Cause(kind=CauseKind.FILE, what=what, recorded=file.sha256[:12], found=found[:12])


def of_code(rest: Rest, painter: Painter | Engine | None, finishers: Finishers) -> Iterator[Cause]:
    """Give what the passes were made by then, and would be made by now, where that is not the same.

    Pictures that were bought or given are not made again: without a painter their engine is passed over.
    """
    passes = [
        record
        for outcomes in rest.happened.outcomes.values()
        for several in outcomes.values()
        for record in several[-1].passes
        if painter is not None or record.name is not PassName.GENERATE
    ]
    for name, then, today in sorted({(r.name, _made_by(r), _made_now(r, painter, finishers)) for r in passes}):
        if then != today:
            kind = CauseKind.CODE if name is PassName.COLOR else CauseKind.MODEL
            yield Cause(kind=kind, what=f"the pass {name.value}", recorded=then, found=today)
    started = rest.happened.started
    before = [started.environment] if started else []
    for one in (*before, *(again.environment for again in rest.happened.resumed)):
        yield from _of_environment(one, environment())


def _made_by(record: PassRecord) -> str:
    return record.version if record.name is PassName.COLOR else f"{record.backend} {record.version}"


def _made_now(record: PassRecord, painter: Painter | Engine | None, finishers: Finishers) -> str:
    """Give what would make a pass today, in the words of `_made_by`; empty where nothing here would."""
    if record.name is PassName.COLOR:
        return COLOR_VERSION
    if record.name is PassName.GENERATE:
        return f"{painter.provider} {painter.model} {painter.version}" if painter else ""
    backends = {one.backend: cutout_version(one) for one in finishers.segmenters}
    if record.name is PassName.UPSCALE:
        upscaler = finishers.upscaler
        backends = {upscaler.backend: upscale_version(upscaler)} if upscaler else {}
    version = backends.get(record.backend)
    return f"{record.backend} {version}" if version else ""


def _of_environment(before: Environment, now: Environment) -> Iterator[Cause]:
    simple = (
        (CauseKind.CODE, "kroma_nb", before.kroma_nb, now.kroma_nb),
        (CauseKind.LIBRARY, "Python", before.python, now.python),
        (CauseKind.PROCESSOR, "the platform", before.platform, now.platform),
        (CauseKind.LIBRARY, "OpenCV's build", before.opencv_build[:12], now.opencv_build[:12]),
    )
    for kind, what, recorded, found in simple:
        if recorded != found:
            yield Cause(kind=kind, what=what, recorded=recorded, found=found)
    for name in sorted(before.libraries.keys() | now.libraries.keys()):
        recorded, found = before.libraries.get(name, ""), now.libraries.get(name, "")
        if recorded != found:
            yield Cause(kind=CauseKind.LIBRARY, what=name, recorded=recorded, found=found)
    if before.cpu_features != now.cpu_features:
        lost = sorted(set(before.cpu_features) - set(now.cpu_features))
        new = sorted(set(now.cpu_features) - set(before.cpu_features))
        yield Cause(
            kind=CauseKind.PROCESSOR,
            what="features of the processor",
            recorded=" ".join(lost) or "none that are missing now",
            found=" ".join(new) or "none that are new",
        )


def of_profile(rest: Rest, profile_of: Callable[[ColorPlan], ColorProfile | None]) -> Iterator[Cause]:
    """Give the colour profile that the run keeps, where it says something else by now."""
    plan = rest.plan.postprocess.color
    if plan is None:
        return
    now = profile_of(plan)
    if now is not None and now != plan.values:
        what = f"the colour profile {plan.profile} ({plan.settings}) says something else now; the run keeps its own"
        yield Cause(kind=CauseKind.PROFILE, what=what)
