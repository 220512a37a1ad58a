"""A run made again from its plan, its inputs and its originals, into a run of its own."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from kroma_nb.errors import FileMissing
from kroma_nb.model.brief import Engine
from kroma_nb.model.run import InputStored, StoredFile, now
from kroma_nb.run.engine import play, refuse_unplayable, started_of
from kroma_nb.run.folder import RunFolder, new_run_id
from kroma_nb.run.happened import Happened
from kroma_nb.run.journal import open_journal, read_events
from kroma_nb.run.kept import read_kept
from kroma_nb.run.originals import Originals
from kroma_nb.run.playing import Playing, Turn
from kroma_nb.run.resume import every_candidate

if TYPE_CHECKING:
    from collections.abc import Generator
    from threading import Event as Flag

    from kroma_nb.model.brief import Painter
    from kroma_nb.model.run import Event
    from kroma_nb.run.playing import Equipment
    from kroma_nb.run.resume import Rest


def recorded_engine(rest: Rest) -> Engine:
    """Give the paid engine of a run as its record names it: it calls nobody, and need not be installed."""
    passes = (
        record
        for outcomes in rest.happened.outcomes.values()
        for several in outcomes.values()
        for record in several[-1].passes[:1]
    )
    version = next((record.version for record in passes), "")
    return Engine(provider=rest.plan.card.provider, model=rest.plan.card.model, version=version)


def taken_up(folder: RunFolder, rest: Rest, of: RunFolder) -> Rest:
    """Give what a replay has left to do, each picture with what was bought for it in the run that it makes again.

    Parameters
    ----------
    folder : RunFolder
        The replay.
    rest : Rest
        What its own files say.
    of : RunFolder
        The run that it makes again. Where that is gone, so is what was bought for it.
    """
    if not rest.plan.card.paid or not of.journal_path.exists():
        return rest
    before = replace(rest, happened=Happened().hear(read_events(of.journal_path)))
    turns = (_with_original(folder, before, turn) for turn in rest.turns)
    # What was never bought is no part of what is left.
    return replace(rest, turns=tuple(turn for turn in turns if turn.was_bought))


def replay_run(
    folder: RunFolder, rest: Rest, *, painter: Painter | Engine, equipment: Equipment, stop: Flag | None = None
) -> Generator[Event, None, None]:
    """Make a run again, every candidate of it, and yield what happens.

    Pictures that were bought are taken from what was sent then. None is bought: a replay has no till.

    Parameters
    ----------
    folder : RunFolder
        The run.
    rest : Rest
        What its files say.
    painter : Painter or Engine
        The engine; of a paid one only what the record says, as nobody is called.
    equipment : Equipment
    stop : threading.Event, optional

    Yields
    ------
    Event
        `RunStarted` first, `RunFinished` last.

    Raises
    ------
    FileMissing, ContentDamaged
        Before anything is made: if an input of the run is gone, or is something else.
    ValidationFailed
        If the plan cannot be played here.
    """
    refuse_unplayable(rest.plan, painter, equipment.finishers)
    stored = tuple(_stored(folder, rest, ref) for ref in range(len(rest.plan.inputs)))
    turns = tuple(
        _with_original(folder, rest, Turn(job, candidate))
        for job in rest.plan.jobs
        for candidate in every_candidate(job, rest.happened)
    )
    new = RunFolder(folder.root, new_run_id(now()))
    run = Playing(rest.plan, new, painter, replace(equipment, till=None), turns)
    run.inputs.update({event.file.sha256: event.file.path for event in stored})
    return _replayed(run, folder.run_id, (*stored, *_added(rest.happened)), stop)


def _with_original(folder: RunFolder, rest: Rest, turn: Turn) -> Turn:
    """Add to a turn what was bought for it in a run, where it was bought and that is still there."""
    outcomes = rest.happened.outcomes.get(turn.job.id, {}).get(turn.candidate.index, [])
    if not rest.plan.card.paid or not outcomes or not outcomes[-1].passes:
        return turn
    with contextlib.suppress(FileMissing):
        original = Originals(folder.root).taken_up(outcomes[-1].passes[0], outcomes[-1].notes)
        return replace(turn, original=original, was_bought=True)
    return replace(turn, was_bought=True)


def _stored(folder: RunFolder, rest: Rest, place: int) -> InputStored:
    file = rest.plan.inputs[place]
    path = rest.happened.paths.get(file.sha256)
    if path is None:
        raise FileMissing(folder.root / "inputs", file.ref, "the run has not kept it")
    stored = StoredFile(path=path, sha256=file.sha256, size_bytes=file.size_bytes)
    read_kept(folder.root, stored, file.ref)
    return InputStored(
        at=now(), ref=file.ref, file=stored, media_type=file.media_type, width=file.width, height=file.height
    )


def _added(happened: Happened) -> list[Event]:
    return [more.model_copy(update={"at": now()}) for several in happened.added.values() for more in several]


def _replayed(
    run: Playing, replays: str, beginning: tuple[Event, ...], stop: Flag | None
) -> Generator[Event, None, None]:
    folder = RunFolder.create(run.folder.root, run.folder.run_id, run.plan)
    with open_journal(folder.journal_path) as journal:
        yield from play(run, journal, (started_of(run, replays=replays), *beginning), stop)
