"""The run log: the fold of a plan and its journal, written job by job and read back."""

from __future__ import annotations

import json
from textwrap import indent
from typing import TYPE_CHECKING, Any

from kroma_nb.blobs import atomic_file
from kroma_nb.errors import RecordInvalid
from kroma_nb.model.quality import Rank
from kroma_nb.model.run import Failure, InputStored
from kroma_nb.model.runlog import ALL_FAILED, CandidateRecord, JobRecord, RunLog
from kroma_nb.model.words import CandidateStatus, JobStatus, PassName, RunStatus
from kroma_nb.run.folder import RESTORE, RunFolder
from kroma_nb.run.happened import Happened
from kroma_nb.run.journal import INPUTS, JournalIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kroma_nb.model.brief import Size
    from kroma_nb.model.money import Money
    from kroma_nb.model.plan import Job, Plan
    from kroma_nb.model.postprocess import PostprocessPlan
    from kroma_nb.model.quality import GuardSettings
    from kroma_nb.model.run import Event


KILLED = "The process that made it was killed; what was done is kept, and `kroma resume` finishes the rest."
NOTHING_MADE = "It was cut short before its inputs were kept, so nothing was made: plan it again, and delete this one."
KILLED_FAILURE = Failure(error_kind="infra", error_code="killed", message="the process that made the run is gone")


def fold(plan: Plan, events: Iterable[Event], *, played: bool = False) -> RunLog:
    """Make the run log out of what was planned and what happened.

    Parameters
    ----------
    plan : Plan
    events : iterable of Event
        In the order of the journal.
    played : bool
        Whether a living process plays the run. A journal that nobody plays and that has no end was killed: its run
        is ``interrupted``.

    Returns
    -------
    RunLog
        The same plan and events always give an equal log.

    Raises
    ------
    RecordInvalid
        If the events do not begin with `RunStarted`.
    """
    happened = Happened().hear(events)
    jobs = tuple(_job_record(job, plan, happened) for job in plan.jobs)
    return _run_log(plan, happened, jobs, spent=happened.spent, played=played)


def _run_log(plan: Plan, happened: Happened, jobs: tuple[JobRecord, ...], *, spent: Money, played: bool) -> RunLog:
    started, finished = happened.started, happened.finished
    if started is None:
        raise RecordInvalid("journal.jsonl", "", "it does not say that a run started", "restore the file")
    unfinished = RunStatus.RUNNING if played else RunStatus.INTERRUPTED
    last = happened.resumed[-1] if happened.resumed else started
    others = [one.environment for one in happened.resumed]
    return RunLog(
        run_id=started.run_id,
        timestamp=started.at,
        finished_at=finished.at if finished else None,
        status=finished.status if finished else unfinished,
        project=plan.project,
        stage=plan.stage,
        time=plan.time,
        weather=plan.weather,
        gate=plan.gate,
        provider=plan.card.provider,
        model=plan.card.model,
        generation=plan.generation,
        palette=next(iter(happened.studied.values()), None),
        postprocess_plan=plan.postprocess,
        guard=plan.guard,
        plan_sha256=started.plan_sha256,
        environment=started.environment,
        later_environments=tuple(one for n, one in enumerate(others) if one not in [started.environment, *others[:n]]),
        spent=spent,
        spend_limit=last.spend_limit,
        resumed=len(happened.resumed),
        replays=started.replays,
        failure=finished.failure if finished else None if played else KILLED_FAILURE,
        inputs=tuple(happened.inputs),
        jobs=jobs,
        notes=plan.notes,
        next_step=finished.next_step if finished else "" if played else killed_step(plan, happened),
    )


def killed_step(plan: Plan, happened: Happened) -> str:
    """Say what to do with a run whose process is gone."""
    return KILLED if all(file.sha256 in happened.paths for file in plan.inputs) else NOTHING_MADE


def _job_record(job: Job, plan: Plan, happened: Happened) -> JobRecord:
    outcomes, ended = happened.outcomes.get(job.id, {}), happened.ended.get(job.id)
    records = tuple(_candidate_record(job, index, happened, plan) for index in sorted(outcomes))
    added = happened.added.get(job.id, [])
    winner = outcomes[ended.winner][-1] if ended and ended.winner in outcomes else None
    if ended and ended.winner is not None and winner is None:
        problem = f"job {job.id} was won by candidate {ended.winner}, which it does not know"
        raise RecordInvalid("journal.jsonl", "", problem, RESTORE)
    status = ended.status if ended else JobStatus.PARTIAL if outcomes else JobStatus.PLANNED
    final = winner.final if winner else None
    paths = (happened.paths.get(file.sha256) for file in (job.scene, *job.references))
    return JobRecord(
        id=job.id,
        name=job.name,
        mode=job.mode,
        time=job.time,
        weather=job.weather,
        scene_sha256=job.scene.sha256,
        scene_ref=job.scene.ref,
        input_images=tuple(path for path in paths if path is not None),
        prompt=job.prompt,
        size=job.size,
        status=status,
        planned_candidates=len(job.candidates) + sum(len(more.candidates) for more in added),
        selected_candidate=winner.index if winner else None,
        final_output=final.path if final else None,
        failure_reason=_failure_reason(records) if status is JobStatus.FAILED else None,
        follows=job.follows,
        given=job.given is not None,
        candidates=records,
    )


def _candidate_record(job: Job, index: int, happened: Happened, plan: Plan) -> CandidateRecord:
    *earlier, outcome = happened.outcomes[job.id][index]
    ended, calls = happened.ended.get(job.id), happened.calls.get((job.id, index), {})
    retried = (m.retry_of for m in happened.added.get(job.id, ()) if index in {c.index for c in m.candidates})
    hard = len(outcome.guard.hard_fail_reasons) if outcome.guard else 0
    soft = len(outcome.guard.soft_warnings) if outcome.guard else 0
    unranked = Rank(hard_failures=hard, soft_warnings=soft)
    return CandidateRecord(
        candidate_index=outcome.index,
        status=outcome.status,
        output=outcome.passes[0].output.path if outcome.passes else None,
        final_output=outcome.final.path if outcome.final else None,
        rank=ended.ranks.get(outcome.index, unranked) if ended else unranked,
        seeds=outcome.seeds,
        provider=plan.card.provider,
        model=plan.card.model,
        started_at=outcome.started_at,
        finished_at=outcome.finished_at,
        passes=outcome.passes,
        output_guard=outcome.guard,
        notes=outcome.notes,
        failure=outcome.failure,
        retry_of=next(retried, None),
        # One that was taken back before anything was done is no attempt.
        earlier=tuple(one for one in earlier if one.status is not CandidateStatus.CANCELED),
        calls=tuple(calls.values()),
    )


def _failure_reason(records: tuple[CandidateRecord, ...]) -> str:
    if all(record.status is CandidateStatus.FAILED_OUTPUT_GUARD for record in records):
        return ALL_FAILED
    return next((r.failure.message for r in records if r.failure), "no candidate can be used")


def _head_document(log: RunLog, sizes: set[Size | None]) -> dict[str, Any]:
    """Give all but the jobs as JSON types, with the keys that readers of older run logs look for; jobs come last."""
    head = log.to_json()
    jobs = head.pop("jobs")
    known = [str(size) for size in sizes if size is not None]
    return head | {
        "mode": "dry" if log.status is RunStatus.PLANNED else "run",
        "size": known[0] if len(known) == len(sizes) == 1 else "",
        "quality": "",
        "postprocess": _older_postprocess(log.postprocess_plan),
        "output_guard": _older_guard(log.guard),
        "storage": {"project_root": ".", "resolved_from_backend": False},
        "jobs": jobs,
    }


def _job_document(job: JobRecord, log: RunLog) -> dict[str, Any]:
    document = job.to_json() | {
        "planned_generation": {"candidates": job.planned_candidates},
        "planned_postprocess": _older_postprocess(log.postprocess_plan),
        "planned_output_guard": _older_guard(log.guard),
    }
    if job.winner is not None:
        document |= {"output": job.final_output, **_older_passes(job.winner)}
    return document


def _older_guard(guard: GuardSettings) -> dict[str, Any]:
    return {"enabled": True, **guard.to_json()}


def _older_postprocess(plan: PostprocessPlan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    cut, order = plan.bg_remove, [str(name) for name in plan.pipeline_order]
    return {
        "upscale": plan.upscale is not None,
        "color": plan.color is not None,
        "bg_remove": cut is not None,
        "upscale_backend": plan.upscale.backend.value if plan.upscale else None,
        "color_profile": plan.color.profile if plan.color else None,
        "bg_remove_backends": [name.value for name in cut.backends] if cut else [],
        "bg_refine_openai": cut is not None and cut.refine_openai,
        "bg_refine_openai_required": cut is not None and cut.refine_openai_required,
        "pipeline_order": ["bg_refine_openai" if name == "bg_refine" else name for name in order],
    }


def _older_passes(winner: CandidateRecord) -> dict[str, Any]:
    passes: dict[str, Any] = {
        record.name.value: {
            "input": record.input.path if record.input else None,
            "output": record.output.path,
            "backend": record.backend,
        }
        for record in winner.passes
        if record.name is not PassName.GENERATE
    }
    if winner.output_guard is not None:
        passes["output_guard"] = {"checked_input": winner.final_output, "files": [winner.output_guard.to_json()]}
    return passes


def write_run_log(folder: RunFolder, plan: Plan) -> None:
    """Write ``run.json``, the fold of the plan and the journal that lie in the folder, holding one job at a time.

    Raises
    ------
    RecordInvalid
        If the journal is not what was written.
    WriteFailed
        If the disk refuses.
    """
    log, jobs = folded(folder, plan, played=False)
    lists: dict[str, Iterator[dict[str, Any]]] = {
        "inputs": (entry.to_json() for entry in log.inputs),
        "jobs": (_job_document(job, log) for job in jobs),
    }
    head = log.model_copy(update={"inputs": ()})
    _write(folder.log_path, _head_document(head, {job.size for job in plan.jobs}), lists)


def write_log(path: Path, log: RunLog) -> None:
    """Write a run log that is whole in memory, in the layout that every ``run.json`` has: its jobs come last.

    Raises
    ------
    WriteFailed
        If the disk refuses.
    """
    lists: dict[str, Iterator[dict[str, Any]]] = {
        "inputs": (entry.to_json() for entry in log.inputs),
        "jobs": (_job_document(job, log) for job in log.jobs),
    }
    head = log.model_copy(update={"inputs": (), "jobs": ()})
    _write(path, _head_document(head, {job.size for job in log.jobs}), lists)


def _write(path: Path, document: dict[str, Any], lists: dict[str, Iterator[dict[str, Any]]]) -> None:
    with atomic_file(path, durable=True) as file:
        for piece in _streamed(document, lists):
            file.write(piece.encode())


def _inputs(index: JournalIndex) -> Iterator[InputStored]:
    return (event for event in index.events_of(INPUTS) if isinstance(event, InputStored))


def _streamed(document: dict[str, Any], lists: dict[str, Iterator[dict[str, Any]]]) -> Iterator[str]:
    """Give an indented JSON object in pieces; its empty lists of these names are filled one entry at a time."""
    rest = _json(document)
    for name, entries in lists.items():
        before, rest = rest.split(f'\n  "{name}": []', 1)
        yield f'{before}\n  "{name}": ['
        end = "]"
        for number, entry in enumerate(entries):
            yield (",\n" if number else "\n") + indent(_json(entry), "    ")
            end = "\n  ]"
        yield end
    yield rest + "\n"


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def folded(folder: RunFolder, plan: Plan, *, played: bool) -> tuple[RunLog, Iterator[JobRecord]]:
    """Fold a run from its journal: everything but the jobs, and the jobs one by one.

    Raises
    ------
    RecordInvalid
        If the journal is not what was written.
    """
    index = JournalIndex(folder.journal_path)
    happened = Happened().hear(index.head).hear(_inputs(index))
    jobs = (_job_record(job, plan, Happened(paths=happened.paths).hear(index.events_of(job.id))) for job in plan.jobs)
    return _run_log(plan, happened, (), spent=index.spent, played=played), jobs


def folded_document(folder: RunFolder, plan: Plan) -> dict[str, Any]:
    """Give what ``run.json`` must hold, as JSON types.

    Raises
    ------
    RecordInvalid
        If the journal is not what was written.
    """
    log, jobs = folded(folder, plan, played=False)
    document = _head_document(log.model_copy(update={"inputs": ()}), {job.size for job in plan.jobs})
    document["inputs"] = [entry.to_json() for entry in log.inputs]
    document["jobs"] = [_job_document(job, log) for job in jobs]
    return document
