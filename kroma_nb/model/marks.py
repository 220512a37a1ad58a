"""What is said of a run beside its record: small files in its folder that others write."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from kroma_nb.model.value import Value

ARCHIVED_SCHEMA: Final = "kroma_nb.archived/1"


class Archived(Value):
    """That a run is put away (``archived.json``)."""

    schema_: Literal["kroma_nb.archived/1"] = Field(default=ARCHIVED_SCHEMA, alias="schema")
    at: datetime


class Holder(Value):
    """Who holds a project alone, and why (``.kroma/lock``).

    Attributes
    ----------
    what : str
        What it does, such as ``deletes it``.
    """

    schema_: Literal["kroma_nb.lock/1"] = Field(default="kroma_nb.lock/1", alias="schema")
    pid: int
    host: str
    what: str
    since: datetime
