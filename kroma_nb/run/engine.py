"""Plays a plan: inputs by content, jobs times candidates in parallel, every step an event."""

from __future__ import annotations

import os
import socket
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, cast

from kroma_nb.blobs import Blob, BlobStore
from kroma_nb.errors import FileMissing, KromaError, PassUnavailable, ProviderFailed, RequestInvalid, WorkersLost
from kroma_nb.model.run import InputStored, Player, RunStarted, StyleStudied, now
from kroma_nb.run.environment import environment
from kroma_nb.run.folder import RunFolder, new_run_id
from kroma_nb.run.journal import open_journal
from kroma_nb.run.line import IN_FLIGHT, Line
from kroma_nb.run.playing import Equipment, Playing, Turn, style_of
from kroma_nb.run.runlog import write_run_log
from kroma_nb.run.tasks import study_style

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from threading import Event as Flag

    from kroma_nb.model.brief import Engine, Painter, Palette
    from kroma_nb.model.finishing import Finishers
    from kroma_nb.model.paid import PaidPainter
    from kroma_nb.model.plan import InputFile, Plan
    from kroma_nb.model.run import Event, RunFinished
    from kroma_nb.run.journal import Journal

PLAIN = Equipment()
CHANGED = "it has changed since the plan was made; plan again"


def execute(
    plan: Plan,
    *,
    root: Path,
    painter: Painter | PaidPainter | Engine,
    equipment: Equipment = PLAIN,
    stop: Flag | None = None,
) -> Generator[Event, None, None]:
    """Play a plan and yield what happens, when it has been journalled.

    Parameters
    ----------
    plan : Plan
        From `kroma_nb.planning.plan`.
    root : Path
        The project root; the run's folder is made under ``runs/``.
    painter : Painter, PaidPainter or Engine
        The engine that the plan names; where nothing is drawn, only whose pictures they are.
    equipment : Equipment
        Where candidates are made, what was made before, and what is paid with.
    stop : threading.Event, optional
        Once set, nothing new is started, what is being made is finished, and the run ends as ``interrupted``.
        Closing the iterator does the same.

    Yields
    ------
    Event
        `RunStarted` first, `RunFinished` last.

    Raises
    ------
    ValidationFailed
        Before anything is created: a pass without a backend, another engine than the plan's, a missing input, a paid
        engine without a till.
    InfraFailed
        If the disk refuses; the folder stays as it is and can be read.
    """
    refuse_unplayable(plan, painter, equipment.finishers)
    refuse_unpaid(plan, equipment)
    for file in plan.inputs:
        if file.source is None:
            raise RequestInvalid("request", "plan", f"it does not say where {file.ref} lies", "make the plan again")
        _refuse_changed(file, file.source)
    turns = tuple(Turn(job, candidate) for job in plan.jobs for candidate in job.candidates)
    return _start(Playing(plan, RunFolder(root, new_run_id(now())), painter, equipment, turns), stop)


def refuse_unplayable(plan: Plan, painter: Painter | PaidPainter | Engine, finishers: Finishers) -> None:
    """Refuse a plan that cannot be played here, before anything is created.

    Raises
    ------
    PassUnavailable, RequestInvalid
        With what is missing, and the way out.
    """
    cut, upscale = plan.postprocess.bg_remove, plan.postprocess.upscale
    if cut is not None and not finishers.segmenters:
        raise PassUnavailable("bg_remove", "switch it off with --no-bg-remove, or in the settings")
    if cut is not None and cut.refine_openai:
        raise PassUnavailable("bg_refine", "set postprocess.bg_refine_openai to false")
    if upscale is not None and finishers.upscaler is None:
        raise PassUnavailable("upscale", "switch it off with --no-upscale, or in the settings")
    if (painter.provider, painter.model) != (plan.card.provider, plan.card.model):
        found = f"the painter is {painter.provider} {painter.model}"
        raise RequestInvalid("request", "painter", found, f"give {plan.card.provider} {plan.card.model}")


def refuse_unpaid(plan: Plan, equipment: Equipment) -> None:
    """Refuse a plan that nothing is there to pay with.

    Raises
    ------
    RequestInvalid
        With the way out.
    """
    if plan.card.paid and equipment.till is None:
        raise RequestInvalid("request", "equipment", "a paid engine has no till", "give one, or use Project.run")


def _refuse_changed(file: InputFile, source: Path) -> None:
    try:
        size_bytes = source.stat().st_size
    except OSError as cause:
        raise FileMissing(source, file.ref, cause.strerror or str(cause)) from cause
    if size_bytes != file.size_bytes:
        raise FileMissing(source, file.ref, CHANGED)


def _start(run: Playing, stop: Flag | None) -> Generator[Event, None, None]:
    folder = RunFolder.create(run.folder.root, run.folder.run_id, run.plan)
    with open_journal(folder.journal_path) as journal:
        yield from play(run, journal, (started_of(run),), stop)


def play(
    run: Playing, journal: Journal, beginning: tuple[Event, ...], stop: Flag | None
) -> Generator[Event, None, None]:
    """Play what a run has left, and yield what happens; the run is closed in any case."""
    with _crew(run.equipment.executor) as crew:
        line = Line(run, crew, journal, stop)
        for event in beginning:
            journal.append(event)
        journal.sync()
        try:
            yield from beginning
            yield from _events(run, line)
        except BaseException as cause:
            # A closed iterator, Ctrl-C, an input that changed: what was being made is booked, and the folder closed.
            for _ in line.drain():
                pass
            _close(run, journal, run.failed(cause) if isinstance(cause, KromaError) else run.interrupted())
            raise
        yield _close(run, journal, run.interrupted(line.broken) if line.is_cut_short() else run.ended())


def _close(run: Playing, journal: Journal, finished: RunFinished) -> RunFinished:
    journal.append(finished)
    journal.sync()
    write_run_log(run.folder, run.plan)
    cache = run.equipment.cache
    # Where nothing was made, it has not grown: a large one is not looked through for nothing.
    if cache is not None and (run.computed or cache.is_due()):
        cache.trim()
    return finished


def player() -> Player:
    """Say which process this is."""
    return Player(pid=os.getpid(), host=socket.gethostname())


def started_of(run: Playing, *, replays: str | None = None) -> RunStarted:
    """Give the event that begins a run."""
    return RunStarted(
        at=now(),
        run_id=run.folder.run_id,
        project=run.plan.project,
        plan_sha256=run.folder.plan_sha256(),
        jobs=len(run.plan.jobs),
        pictures=run.plan.pictures,
        environment=environment(),
        player=player(),
        spend_limit=run.equipment.spend_limit,
        replays=replays,
    )


def _events(run: Playing, line: Line) -> Iterator[Event]:
    prepared = chain(_store_inputs(run), _study_styles(run, line.crew))
    while not line.stopping:
        event = next(prepared, None)
        if event is None:
            yield from line.work()
            return
        line.journal.append(event)
        yield event


def _store_inputs(run: Playing) -> Iterator[Event]:
    """Copy the inputs here, on threads of this process: an executor's workers may not see the user's files."""
    store, inputs = BlobStore(run.folder.root / "inputs"), [f for f in run.plan.inputs if f.sha256 not in run.inputs]
    with ThreadPoolExecutor(_processors(), thread_name_prefix="kroma-inputs") as threads:
        for start in range(0, len(inputs), IN_FLIGHT):
            batch = inputs[start : start + IN_FLIGHT]
            for file, blob in zip(batch, threads.map(lambda file: _stored(store, file), batch), strict=True):
                run.inputs[file.sha256] = f"inputs/{blob.name}"
                yield InputStored(
                    at=now(),
                    ref=file.ref,
                    file=run.stored(file),
                    media_type=file.media_type,
                    width=file.width,
                    height=file.height,
                )


def _stored(store: BlobStore, file: InputFile) -> Blob:
    assert file.source is not None
    blob = store.put_file(file.source)
    if blob.sha256 != file.sha256:
        raise FileMissing(file.source, file.ref, CHANGED)
    return blob


def _study_styles(run: Playing, crew: Executor) -> Iterator[Event]:
    if run.plan.card.paid or not run.plan.draws:
        return  # whoever is paid gets the references themselves
    for job in {turn.job.id: turn.job for turn in run.turns}.values():
        style = style_of(job)
        if style in run.palettes:
            continue
        run.palettes[style] = palette = _studied(run, crew, job.references) if style else None
        if style:
            yield StyleStudied(at=now(), references=style, palette=palette)


def _studied(run: Playing, crew: Executor, references: tuple[InputFile, ...]) -> Palette | None:
    files = tuple((run.stored(file), file.ref) for file in references)
    try:
        future = crew.submit(study_style, cast("Painter", run.painter), run.folder.root, files)
    except (BrokenExecutor, RuntimeError) as cause:
        raise WorkersLost(str(cause)) from cause
    failed = future.exception()
    if failed is None or isinstance(failed, KromaError):
        return future.result()
    if isinstance(failed, BrokenExecutor):
        raise WorkersLost(str(failed)) from failed
    raise ProviderFailed(run.painter.provider, f"{type(failed).__name__}: {failed}") from failed


@contextmanager
def _crew(executor: Executor | None) -> Iterator[Executor]:
    if executor is not None:
        yield executor
        return
    with ThreadPoolExecutor(max_workers=_processors(), thread_name_prefix="kroma") as threads:
        yield threads


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
