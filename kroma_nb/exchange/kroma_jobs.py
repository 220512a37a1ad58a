"""Reads one job of a run log of the predecessor: its inputs, its candidates, its winner."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kroma_nb.exchange.fields import Mended, objects, path_of, shown, text_of, whole, word_of
from kroma_nb.exchange.kroma_candidates import PASSES, Reading, order_of, ranked, read_candidates
from kroma_nb.exchange.kroma_fields import JOB, note_unread
from kroma_nb.exchange.kroma_values import KromaJob
from kroma_nb.model.runlog import ALL_FAILED
from kroma_nb.model.words import CandidateStatus, JobStatus, Stage, TimeOfDay, Weather

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kroma_nb.exchange.kroma_values import KromaCandidate
    from kroma_nb.model.quality import GuardSettings

MOST_PLANNED = 255
_SIGNS = re.compile(r"[^A-Za-z0-9._-]+")


def job_id(written: str, *, number: int, taken: set[str], mended: Mended) -> str:
    """Give a job an id that is unique in its log and safe in file names, and say so where that is another one."""
    safe = _SIGNS.sub("_", written).lstrip(".")[:100] or f"job_{number}"
    made, more = safe, 2
    while made in taken:
        made, more = f"{safe}_{more}", more + 1
    taken.add(made)
    if not written:
        mended.note("the job has no id, and got one by its place.", made)
    elif made != written:
        mended.note(f"the log calls the job {shown(written)}; that name is taken or no safe file name.", made)
    return made


def read_job(document: dict[str, Any], name: str, run: Run) -> KromaJob:
    """Read a job; `name` is what `job_id` gave it."""
    reading = Reading(name, run.guard, run.mended)
    note_unread(document, JOB, run.mended, name)
    documents = _candidate_documents(document, reading)
    chosen = _chosen(document)
    _lend_passes(documents, document, chosen)
    candidates = read_candidates(documents, reading)
    selected = _winner(candidates, chosen, reading)
    candidates = ranked(candidates, selected)
    status = _status(document, candidates, selected, reading)
    planned = document.get("planned_generation")
    asked = whole(planned.get("candidates"), most=MOST_PLANNED) if isinstance(planned, dict) else None
    asked = run.candidates if asked is None else asked
    return KromaJob(
        id=name,
        mode=word_of(Stage, document.get("mode")) or run.stage,
        time=word_of(TimeOfDay, document.get("time")) or run.time,
        weather=word_of(Weather, document.get("weather")) or run.weather,
        input_images=_inputs(document, reading),
        prompt=text_of(document.get("prompt")) or text_of(document.get("prompt_text")),
        status=status,
        planned_candidates=max(asked, len(candidates)),
        selected=selected,
        failure_reason=_why(document, status, candidates),
        candidates=candidates,
    )


class Run:
    """What the jobs of one run are read with."""

    def __init__(self, words: tuple[Stage, TimeOfDay, Weather], guard: GuardSettings, mended: Mended) -> None:
        self.stage, self.time, self.weather = words
        self.guard, self.mended = guard, mended
        self.candidates = 0


def _candidate_documents(document: dict[str, Any], reading: Reading) -> list[dict[str, Any]]:
    written = document.get("candidates")
    if isinstance(written, list) and written:
        for place, entry in enumerate(written, 1):
            if not isinstance(entry, dict):
                sentence = "it is no object in the log and nothing can be read of it; it stands in imported.json alone."
                reading.note(sentence, place)
        if found := [dict(entry) for entry in written if isinstance(entry, dict)]:
            return found
    elif written and not isinstance(written, list):
        reading.mended.note("its candidates are no list; they stand in imported.json alone.", reading.job_id)
    # Only where a picture is named was anything made: a dry run has no candidates.
    names_a_picture = any(path_of(document.get(key)) for key in ("output", "final_output", *PASSES))
    return [_single(document, reading)] if names_a_picture else []


def _single(document: dict[str, Any], reading: Reading) -> dict[str, Any]:
    """Give the only candidate of a job that was written before jobs had candidates."""
    reading.mended.note("the job has a picture and no candidates; it was read as its only one.", reading.job_id)
    keys = ("status", "output", "final_output", "output_guard", "rank", "failure_reason", "error", *PASSES)
    return {"candidate_index": 1} | {key: document[key] for key in keys if key in document}


def _chosen(document: dict[str, Any]) -> int | None:
    keys = ("selected_candidate", "selected_candidate_index")
    return next((index for key in keys if (index := whole(document.get(key), most=MOST_PLANNED)) is not None), None)


def _lend_passes(documents: list[dict[str, Any]], document: dict[str, Any], chosen: int | None) -> None:
    """Fill the winner's gaps with what the job says of it."""
    for entry in documents:
        if chosen is not None and entry.get("candidate_index") == chosen:
            for key in (*PASSES, "output_guard"):
                if key in document:
                    entry.setdefault(key, document[key])
            if path_of(entry.get("final_output")) is None and path_of(document.get("final_output")):
                entry["final_output"] = document["final_output"]
            return


def _winner(candidates: Sequence[KromaCandidate], chosen: int | None, reading: Reading) -> int | None:
    able = [candidate for candidate in candidates if candidate.final_output is not None]
    first = min(able, key=order_of, default=None)
    if first is None:
        if chosen is not None:
            reading.mended.note("the chosen candidate has no final picture, nor has any other.", reading.job_id)
        return None
    if any(candidate.index == chosen for candidate in able):
        if chosen != first.index:
            sentence = f"the log chose this candidate although c{first.index} has the better rank; it stays the winner."
            reading.note(sentence, chosen or 0)
        return chosen
    named = "names no winner" if chosen is None else f"names candidate {chosen}, which has no final picture"
    reading.mended.note(f"the job {named}; candidate {first.index} is first by rank.", reading.job_id)
    return first.index


def _status(
    document: dict[str, Any], candidates: Sequence[KromaCandidate], winner: int | None, reading: Reading
) -> JobStatus:
    written = text_of(document.get("status")).lower()
    if winner is not None:
        made = all(c.status in {CandidateStatus.DONE, CandidateStatus.FAILED_OUTPUT_GUARD} for c in candidates)
        status = JobStatus.DONE if made else JobStatus.PARTIAL
    elif candidates or written.startswith("failed") or written == JobStatus.DONE:
        status = JobStatus.FAILED
    else:
        status = JobStatus.PLANNED
    if not written.startswith(status.value):
        called = f"status {shown(written)}" if written else "no status"
        reading.mended.note(f"the log gives it {called}; by its candidates it is {status.value}.", reading.job_id)
    return status


def _why(document: dict[str, Any], status: JobStatus, candidates: Sequence[KromaCandidate]) -> str | None:
    if status is not JobStatus.FAILED:
        return None
    if written := text_of(document.get("failure_reason")) or text_of(document.get("error")):
        return written
    if candidates and all(c.status is CandidateStatus.FAILED_OUTPUT_GUARD for c in candidates):
        return ALL_FAILED
    return "The imported log names no usable picture."


def _inputs(document: dict[str, Any], reading: Reading) -> tuple[str, ...]:
    written = document.get("input_images")
    entries = written if isinstance(written, list) else [written]
    paths = [path_of(entry) for entry in entries]
    if None in paths or not paths:
        sentence = "the job names no scene." if not any(paths) else "an entry of its input_images is no path."
        reading.mended.note(sentence, reading.job_id)
    # A scene that is no path must not let the style reference take its place.
    return tuple(path or "" for path in paths)


def all_objects(value: Any, mended: Mended) -> list[dict[str, Any]]:
    """Give a log's jobs, and say which entries are none."""
    found = objects(value)
    if isinstance(value, list) and len(found) < len(value):
        count = len(value) - len(found)
        mended.note(f"{count} of the log's jobs are no objects and could not be read; they stand in imported.json.")
    return found
