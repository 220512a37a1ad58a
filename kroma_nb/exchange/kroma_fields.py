"""The fields of the predecessor's run logs, so that data at a place where nothing reads it is not lost in silence."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from kroma_nb.exchange.fields import objects, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kroma_nb.exchange.fields import Mended

MOST_FIELDS = 20
# A field is mapped to the fields of the objects in it; None where nobody looks further.
Fields = dict[str, Any]


def _plain(*names: str) -> Fields:
    return dict.fromkeys(names)


_LIMITS = _plain("enabled", "enforce_grayscale", "max_chroma_delta", "fail_on_chroma_exceed")
_RANK = _plain("hard_failures", "soft_warnings", "avg_chroma_exceed")
_FILE = _plain("file", "chroma_delta", "grayscale_like", "hard_fail_reasons", "soft_warnings", "error")
_GUARD = _plain("checked_input", "input", "settings", "bad_archive", "ok") | {
    "summary": _RANK | _plain("total_files"),
    "files": _FILE,
}
_COST = _plain("cost_usd", "amount_cents", "currency", "units", "quantity", "images", "count") | _plain(
    *("provider_code", "provider", "model_name", "model", "operation_code", "operation", "event_type")
)
_MADE = _plain("status", "output", "final_output", "failure_reason", "error") | {
    "rank": _RANK,
    "output_guard": _GUARD,
    "bg_remove": _plain("input", "output", "backend", "backends_tried", "refine_openai", "refine_error"),
    "upscale": _plain("input", "output", "backend", "scale", "model"),
    "color": _plain("input", "output", "profile", "settings"),
}
CANDIDATE: Final = _MADE | _plain("candidate_index")
JOB: Final = _MADE | _plain(
    *("id", "job_key", "mode", "time", "weather", "input_images", "prompt", "prompt_text", "candidates"),
    *("planned_generation", "planned_postprocess", "planned_output_guard"),
    *("selected_candidate", "selected_candidate_index"),
)
LOG: Final = _plain(
    *("timestamp", "project", "mode", "stage", "time", "weather", "model", "size", "quality", "postprocess", "storage"),
    *("jobs", "provider", "provider_code", "cost_events", "cost_usd", "amount_cents", "currency"),
) | {"generation": _plain("candidates", "max_candidates") | _COST, "output_guard": _LIMITS}


def note_unread(document: Mapping[str, Any], fields: Fields, mended: Mended, place: str = "the log") -> None:
    """Name the fields of an object that hold something and are known at another place or at none.

    Examples
    --------
    >>> from kroma_nb.exchange.fields import Mended
    >>> mended = Mended()
    >>> note_unread({"output": "a.png", "files": [{}], "mood": "sad"}, CANDIDATE, mended, "quay c1")
    >>> for sentence in mended.sentences:
    ...     print(sentence)
    quay c1: the field 'files' is read as output_guard.files and not here; it stands in imported.json alone.
    quay c1: the field 'mood' is not known; it stands in imported.json alone.
    """
    homes = _homes(fields)
    found = dict.fromkeys(_unread(document, fields, ""))
    for name in islice(found, MOST_FIELDS):
        there = homes.get(name.rsplit(".", 1)[-1], [])
        known = f"is read as {there[0]} and not here" if len(there) == 1 else "is not known"
        mended.note(f"the field {shown(name)} {known}; it stands in imported.json alone.", place)
    if len(found) > MOST_FIELDS:
        mended.note(f"{len(found) - MOST_FIELDS} more fields are not known; they stand in imported.json alone.", place)


def _unread(document: Mapping[str, Any], fields: Fields, before: str) -> Iterator[str]:
    for key, value in document.items():
        if key not in fields:
            if value not in (None, "", [], {}):
                yield f"{before}{key}"
        elif fields[key] is not None:
            for inner in [value] if isinstance(value, dict) else objects(value):
                yield from _unread(inner, fields[key], f"{before}{key}.")


def _homes(fields: Fields) -> dict[str, list[str]]:
    """Give every field's places by its name."""
    homes: dict[str, list[str]] = defaultdict(list)
    rest = [("", fields)]
    while rest:
        before, level = rest.pop()
        for name, inner in level.items():
            homes[name].append(f"{before}{name}")
            if inner is not None:
                rest.append((f"{before}{name}.", inner))
    return homes
