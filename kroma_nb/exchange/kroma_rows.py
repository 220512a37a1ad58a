"""The predecessor's tables: what is read of them, and run logs made anew of rows whose log file is gone."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kroma_nb.exchange.fields import moment_of, path_of, text_of
from kroma_nb.exchange.kroma_costs import cost_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kroma_nb.model.runlog import CostEvent

Row = dict[str, Any]
Tables = dict[str, list[Row]]

_CANDIDATE = (
    "candidate_index",
    "status",
    "output_path",
    "final_output_path",
    "rank_hard_failures",
    "rank_soft_warnings",
    "rank_avg_chroma_exceed",
    "meta_json",
)

# Table: the columns without which no row means anything, and those that may be missing in an older database.
TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "projects": (("id", "slug"), ("name", "description", "status", "created_at")),
    "project_storage": (("project_id",), ("local_base_dir", "local_project_root")),
    "runs": (
        ("id", "project_id"),
        (
            *("run_log_path", "status", "stage", "created_at", "run_mode", "mode", "time_of_day", "weather"),
            *("model_name", "model", "provider_code", "settings_snapshot_json", "meta_json"),
            *("image_size", "image_quality"),
        ),
    ),
    "run_jobs": (
        ("id", "run_id"),
        (
            *("job_key", "status", "prompt_text", "selected_candidate", "selected_candidate_index"),
            *("final_output", "meta_json"),
        ),
    ),
    "run_candidates": (("id", "job_id"), _CANDIDATE),
    "run_job_candidates": (("id", "job_id"), _CANDIDATE),
    "assets": (
        ("id", "project_id"),
        ("rel_path", "storage_uri", "asset_kind", "kind", "sha256", "created_at"),
    ),
    "asset_links": (("project_id", "parent_asset_id", "child_asset_id", "link_type"), ()),
    "cost_events": (
        ("run_id",),
        (
            *("job_id", "provider_code", "model_name", "event_type", "units", "total_cost_usd", "currency"),
            "created_at",
        ),
    ),
}

_KEYS = "secrets are never copied; enter your keys again"
_ACCOUNTS = "kroma_nb has no accounts"
_LATER = "it is left for now"
LEFT = {
    "users": _ACCOUNTS,
    "app_users": _ACCOUNTS,
    "api_tokens": _KEYS,
    "project_secrets": _KEYS,
    "audit_events": "it tells of the old program's use, not of pictures",
    "chat_sessions": "conversations stay with the old program",
    "chat_messages": "conversations stay with the old program",
    "agent_instructions": "instructions stay with the old program",
    "agent_instruction_events": "instructions stay with the old program",
    "quality_reports": "its numbers stand in the run logs, which are imported",
    "project_exports": "exports can be made again",
    "style_guides": _LATER,
    "characters": _LATER,
    "prompt_templates": _LATER,
    "reference_sets": _LATER,
    "reference_set_items": _LATER,
    "provider_accounts": _LATER,
}


@dataclass(frozen=True, slots=True)
class KromaRun:
    """A row of ``runs``.

    Attributes
    ----------
    log_path : str
        As written; empty where the row names none.
    record : bytes
        A run log made of the rows, for a run whose file is gone; empty where the rows that it needs cannot be read.
    costs : tuple of CostEvent
        What ``cost_events`` says of the run.
    uncounted : int
        Rows of ``cost_events`` whose amount cannot be counted.
    """

    id: str
    project_id: str
    log_path: str
    created_at: datetime | None
    record: bytes
    costs: tuple[CostEvent, ...]
    uncounted: int = 0


def costs_by_run(read: Tables) -> dict[str, list[Row]]:
    """Give the rows of ``cost_events`` by run, with the keys that run logs use."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in read.get("cost_events", ()):
        entry = {key: value for key, value in row.items() if value is not None and key not in {"run_id", "created_at"}}
        if "total_cost_usd" in entry:
            entry["cost_usd"] = entry.pop("total_cost_usd")
        found[str(row["run_id"])].append(entry)
    return found


def runs_of(read: Tables, costs: dict[str, list[Row]]) -> Iterator[KromaRun]:
    """Give every row of ``runs`` with a run log made of its rows, in the order of the rows."""
    jobs = _by(read.get("run_jobs", ()), "run_id")
    candidates = _by(read.get("run_candidates") or read.get("run_job_candidates", ()), "job_id")
    slugs = {str(row["id"]): text_of(row["slug"]) for row in read.get("projects", ())}
    readable = "run_jobs" in read and ("run_candidates" in read or "run_job_candidates" in read)
    for row in read.get("runs", ()):
        made = [_job(job, candidates[str(job["id"])]) for job in jobs[str(row["id"])]]
        whole = readable or ("run_jobs" in read and all(_is_whole(job) for job in made))
        yield _run(row, slugs, made if whole else None, costs.get(str(row["id"]), []))


def _is_whole(job: Row) -> bool:
    """Tell whether a job's own record holds its candidates, so that no other table is needed."""
    return bool(job["candidates"]) or text_of(job.get("status")) == "planned"


def _by(rows: Any, key: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[str(row[key])].append(row)
    return found


def _run(row: Row, slugs: dict[str, str], jobs: list[Row] | None, spent: list[Row]) -> KromaRun:
    meta = _object(row.get("meta_json")) or _object(row.get("settings_snapshot_json"))
    written = {
        "project": slugs.get(str(row["project_id"]), ""),
        "timestamp": row.get("created_at"),
        "mode": row.get("mode") or row.get("run_mode"),
        "stage": row.get("stage"),
        "time": row.get("time_of_day"),
        "weather": row.get("weather"),
        "model": row.get("model") or row.get("model_name"),
        "provider": row.get("provider_code"),
        "size": row.get("image_size"),
        "quality": row.get("image_quality"),
        "cost_events": spent,
    }
    document = {key: value for key, value in written.items() if value} | meta
    document["jobs"] = jobs
    model = text_of(document.get("model"))
    events = [cost_event(entry, model=model) for entry in spent]
    return KromaRun(
        id=str(row["id"]),
        project_id=str(row["project_id"]),
        log_path=text_of(row.get("run_log_path")).replace("\\", "/"),
        created_at=moment_of(row.get("created_at")),
        record=b"" if jobs is None else _record(document),
        costs=tuple(event for event in events if event is not None),
        uncounted=events.count(None),
    )


def _record(document: Row) -> bytes:
    text = json.dumps(document, indent=2, sort_keys=True, default=repr)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _job(row: Row, candidates: list[Row]) -> Row:
    meta = _object(row.get("meta_json"))
    chosen = row.get("selected_candidate_index")
    written = {
        "id": row.get("job_key"),
        "status": row.get("status"),
        "prompt": row.get("prompt_text"),
        "selected_candidate": row.get("selected_candidate") if chosen is None else chosen,
        "final_output": row.get("final_output"),
    }
    document = {key: value for key, value in written.items() if value is not None} | meta
    if not document.get("candidates"):
        document["candidates"] = [_candidate(entry) for entry in candidates if not _is_made_up(entry, row, candidates)]
    return document


def _is_made_up(entry: Row, job: Row, candidates: list[Row]) -> bool:
    """Tell the one row that the predecessor adds to a job without candidates."""
    paths = path_of(entry.get("output_path")), path_of(entry.get("final_output_path"))
    return len(candidates) == 1 and paths == (None, None) and entry.get("status") == job.get("status")


def _candidate(row: Row) -> Row:
    rank = {
        "hard_failures": row.get("rank_hard_failures"),
        "soft_warnings": row.get("rank_soft_warnings"),
        "avg_chroma_exceed": row.get("rank_avg_chroma_exceed"),
    }
    written = {
        "candidate_index": row.get("candidate_index"),
        "status": row.get("status"),
        "output": row.get("output_path"),
        "final_output": row.get("final_output_path"),
        "rank": rank if any(value is not None for value in rank.values()) else None,
    }
    return {key: value for key, value in written.items() if value is not None} | _object(row.get("meta_json"))


def _object(text: Any) -> Row:
    """Give the object that a column holds as JSON; an empty one where it holds none."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
