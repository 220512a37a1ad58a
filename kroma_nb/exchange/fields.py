"""Reads fields of records that another program wrote, and keeps a sentence for each that had to be mended."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

E = TypeVar("E", bound=StrEnum)

MOST_PLACES = 5
# The last moment of the year 9999, and the predecessor's own epoch: a time before it is no time of a run.
_LAST_SECOND = 253_402_300_799
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STAMP = re.compile(r"(\d{1,12})(?:[.-](\d{1,9}))?Z?")
_FILE_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)(?:-(\d{1,6}))?Z?")


def clean(text: str) -> str:
    r"""Give text in characters that a file can hold, at most 100,000 of them.

    Examples
    --------
    >>> clean("ink\ud800")
    'ink\\ud800'
    """
    return text[:100_000].encode("utf-8", "backslashreplace").decode()


def shown(value: object) -> str:
    """Quote a value shortly, as a sentence can hold it."""
    text = clean(repr(value) if not isinstance(value, dict | list) else "an object or list")
    return text if len(text) <= 60 else f"{text[:57]}…"


@dataclass
class Mended:
    """Collects what was mended; the same sentence about many places is one sentence."""

    _places: dict[str, list[str]] = field(default_factory=dict)

    def note(self, sentence: str, place: str = "") -> None:
        """Keep a whole sentence, and where it holds."""
        places = self._places.setdefault(sentence, [])
        if place:
            places.append(place)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences in order of their first use."""
        return tuple(_with_places(sentence, places) for sentence, places in self._places.items())


def _with_places(sentence: str, places: list[str]) -> str:
    if not places:
        return sentence
    named = ", ".join(places[:MOST_PLACES])
    rest = f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
    return f"{named}{rest}: {sentence}"


def text_of(value: Any) -> str:
    """Give a string without the blanks around it; empty for anything else."""
    return clean(value).strip() if isinstance(value, str) else ""


def path_of(value: Any) -> str | None:
    r"""Give a path that stands as text or in an object's ``output``, with forward slashes; None where there is none.

    Examples
    --------
    >>> path_of("a\\b.png"), path_of({"output": "c.png"}), path_of("  ")
    ('a/b.png', 'c.png', None)
    """
    if isinstance(value, dict):
        value = value.get("output")
    return text_of(value).replace("\\", "/") or None


def whole(value: Any, *, least: int = 0, most: int = 1_000_000) -> int | None:
    """Give a whole number in a range; digits in quotes are one too, true and 3.0 are none."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}\s*", value):
        value = int(value)
    fits = isinstance(value, int) and not isinstance(value, bool)
    return value if fits and least <= value <= most else None


def number(value: Any) -> float | None:
    """Give a finite number, also one in quotes."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def word_of(kind: type[E], value: Any) -> E | None:
    """Give a word of a closed list, in any case; None for any other."""
    found = text_of(value).lower()
    return kind(found) if found in set(kind) else None


def objects(value: Any) -> list[dict[str, Any]]:
    """Give the objects of a list; everything else in it is passed over."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def moment_of(value: Any) -> datetime | None:
    """Give a time to the millisecond in UTC: ISO 8601, seconds of the epoch, or as the predecessor's files are named.

    Examples
    --------
    >>> [str(moment_of(text)) for text in ("1700000000.250Z", "1700000000-250", "2023-11-14T22-13-20-250Z")]
    ['2023-11-14 22:13:20.250000+00:00', '2023-11-14 22:13:20.250000+00:00', '2023-11-14 22:13:20.250000+00:00']
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _seconds(value)
    text = text_of(value)
    if stamp := _STAMP.fullmatch(text):
        return _seconds(int(stamp[1]), milliseconds=int((stamp[2] or "0").ljust(3, "0")[:3]))
    if named := _FILE_TIME.fullmatch(text):
        text = f"{named[1]}:{named[2]}:{named[3]}.{(named[4] or '0').ljust(3, '0')}Z"
    return _iso(text)


def _seconds(seconds: float, *, milliseconds: int = 0) -> datetime | None:
    if not 0 < seconds <= _LAST_SECOND:
        return None
    return _to_millisecond(_EPOCH + timedelta(seconds=seconds, milliseconds=milliseconds))


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return _to_millisecond(found) if found > _EPOCH else None


def _to_millisecond(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
