"""Ids made of what they name, and times as the tables hold them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha1
from uuid import UUID


@lru_cache(maxsize=4096)
def _space(parent: str) -> bytes:
    return UUID(parent).bytes


def named(parent: str, name: str) -> str:
    """Give the id of something by its name within its parent: a version 5 UUID (RFC 9562), as text.

    Examples
    --------
    >>> from uuid import NAMESPACE_DNS, uuid5
    >>> named(str(NAMESPACE_DNS), "python.org") == str(uuid5(NAMESPACE_DNS, "python.org"))
    True
    """
    # The same as uuid.uuid5 at a third of its time, which half of an ingest would be.
    digest = bytearray(sha1(_space(parent) + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def run_key(project_id: str, run_id: str) -> str:
    """Give the id of a run."""
    return named(project_id, f"run/{run_id}")


def job_key(run: str, job_id: str) -> str:
    """Give the id of a job within a run's id."""
    return named(run, f"job/{job_id}")


def candidate_key(job: str, index: int) -> str:
    """Give the id of a candidate within a job's id."""
    return named(job, f"candidate/{index}")


def asset_key(project_id: str, path: str) -> str:
    """Give the id of a picture by its path in the project."""
    return named(project_id, f"asset/{path}")


def stamp(moment: datetime) -> str:
    """Write a time as the tables hold it.

    Examples
    --------
    >>> stamp(datetime(2026, 1, 31, 9, 15, 2, 417_000, UTC))
    '2026-01-31T09:15:02.417Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def moment(text: str) -> datetime:
    """Read a time back."""
    return datetime.fromisoformat(text)
