"""Reads a run log of the predecessor, of its scripts or of its last version, whole or with fields missing."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from kroma_nb.blobs import sha256_bytes
from kroma_nb.errors import ImportInvalid
from kroma_nb.exchange.fields import E, Mended, moment_of, number, shown, text_of, whole, word_of
from kroma_nb.exchange.kroma_costs import costs_of
from kroma_nb.exchange.kroma_fields import LOG, note_unread
from kroma_nb.exchange.kroma_jobs import MOST_PLANNED, Run, all_objects, job_id, read_job
from kroma_nb.exchange.kroma_values import KromaLog
from kroma_nb.model.quality import GuardSettings
from kroma_nb.model.words import JobStatus, RunStatus, Stage, TimeOfDay, Weather

if TYPE_CHECKING:
    from datetime import datetime

    from kroma_nb.exchange.kroma_values import KromaJob

OWN_SCHEMA = "kroma_nb."


def read_log(data: bytes, *, name: str) -> KromaLog:
    """Read one run log.

    Whatever is missing or odd inside is mended, and a sentence in ``mended`` says how.

    Parameters
    ----------
    data : bytes
        The file's content.
    name : str
        The file's name; the time of the run is taken from it where the log does not tell it.

    Raises
    ------
    ImportInvalid
        If it is no JSON, or no run log: it has no list of jobs.
    """
    document = _parsed(data, name)
    mended = Mended()
    note_unread(document, LOG, mended)
    words = _words(document, mended)
    run = Run(words, _guard(document, mended), mended)
    generation = document.get("generation")
    asked = whole(generation.get("candidates"), most=MOST_PLANNED) if isinstance(generation, dict) else None
    run.candidates = asked or 0
    taken: set[str] = set()
    jobs: list[KromaJob] = []
    for place, entry in enumerate(all_objects(document["jobs"], mended), 1):
        written = text_of(entry.get("id")) or text_of(entry.get("job_key"))
        jobs.append(read_job(entry, job_id(written, number=place, taken=taken, mended=mended), run))
    model = text_of(document.get("model"))
    return KromaLog(
        name=name,
        sha256=sha256_bytes(data),
        project=text_of(document.get("project")),
        timestamp=_timestamp(document, name, mended),
        status=_status(document, jobs),
        stage=words[0],
        time=words[1],
        weather=words[2],
        provider=_provider(document, model, jobs),
        model=model,
        guard=run.guard,
        jobs=tuple(jobs),
        costs=costs_of(document, model=model, mended=mended),
        mended=mended.sentences,
    )


def _parsed(data: bytes, name: str) -> dict[str, Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as cause:
        raise ImportInvalid(name, "", f"byte {cause.start} is not UTF-8", "restore the file") from None
    except (ValueError, RecursionError) as cause:
        raise ImportInvalid(name, "", f"not JSON: {cause}", "restore the file") from None
    if not isinstance(document, dict):
        raise ImportInvalid(name, "", "it holds no JSON object", "name a run log of Kroma")
    if text_of(document.get("schema")).startswith(OWN_SCHEMA):
        raise ImportInvalid(name, "schema", "it is a record of kroma_nb itself", "it needs no import")
    if not isinstance(document.get("jobs"), list):
        raise ImportInvalid(name, "jobs", "it has no list of jobs, so it is no run log", "name a run log of Kroma")
    return document


def _words(document: dict[str, Any], mended: Mended) -> tuple[Stage, TimeOfDay, Weather]:
    return (
        _word(Stage.STYLE, document, "stage", mended),
        _word(TimeOfDay.DAY, document, "time", mended),
        _word(Weather.CLEAR, document, "weather", mended),
    )


def _word(default: E, document: dict[str, Any], key: str, mended: Mended) -> E:
    found = word_of(type(default), document.get(key))
    if found is None:
        mended.note(f"The log's {key} is {shown(document.get(key))}; it was read as {default.value}.")
    return found or default


def _guard(document: dict[str, Any], mended: Mended) -> GuardSettings:
    told = document.get("output_guard")
    if not isinstance(told, dict):
        mended.note("The log does not say how strict its guard was; the predecessor's own values were taken.")
        return GuardSettings(judge_chroma=True)
    most = number(told.get("max_chroma_delta"))
    if most is None or most < 0:
        mended.note("The log's max_chroma_delta is no limit; 2 was taken, as the predecessor does.")
        most = 2.0
    return GuardSettings(
        enforce_grayscale=told.get("enforce_grayscale") is True,
        max_chroma_delta=most,
        fail_on_chroma_exceed=told.get("fail_on_chroma_exceed") is True,
        judge_chroma=told.get("enabled") is not False,
    )


def _timestamp(document: dict[str, Any], name: str, mended: Mended) -> datetime | None:
    found = moment_of(document.get("timestamp"))
    if found is None:
        stem = PurePath(name).name.removesuffix(".json")
        found = moment_of(stem.removeprefix("run_"))
        if found is not None:
            mended.note(
                f"The log tells no time ({shown(document.get('timestamp'))}); it was taken from the file's name."
            )
    return found


def _status(document: dict[str, Any], jobs: list[KromaJob]) -> RunStatus:
    statuses = {job.status for job in jobs}
    dry = text_of(document.get("mode")).lower() == "dry"
    if statuses == {JobStatus.PLANNED} or (not jobs and dry):
        return RunStatus.PLANNED
    if statuses <= {JobStatus.DONE}:
        return RunStatus.OK
    return RunStatus.PARTIAL if statuses & {JobStatus.DONE, JobStatus.PARTIAL} else RunStatus.FAILED


def _provider(document: dict[str, Any], model: str, jobs: list[KromaJob]) -> str:
    """Give the engine: the predecessor had no other than OpenAI's."""
    written = text_of(document.get("provider_code")) or text_of(document.get("provider"))
    return written or ("openai" if model or any(job.candidates for job in jobs) else "")
