"""A notebook that runs without a person: its parameters, and the record of one execution."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from pydantic import Field, JsonValue

from kroma_nb.model.run import Failure, Message, Sha256
from kroma_nb.model.value import Value

NOTEBOOK_SCHEMA: Final = "kroma_nb.notebook/1"


class Kind(StrEnum):
    """What a parameter's default says that its values are."""

    TEXT = "text"
    INTEGER = "whole number"
    NUMBER = "number"
    BOOLEAN = "true or false"
    LIST = "list"
    OBJECT = "object"
    ANY = "anything"


class Parameter(Value):
    """One line of a notebook's parameters cell.

    Attributes
    ----------
    kind : Kind
        Of the default; of its annotation where the default is None.
    items : Kind
        For a list, what its items are.
    optional : bool
        Whether None is allowed as well.
    default : JSON types
    meaning : str
        The comment on its line.
    """

    name: str
    kind: Kind
    items: Kind = Kind.ANY
    optional: bool = False
    default: JsonValue
    meaning: Message = ""

    @property
    def expected(self) -> str:
        """Say in words what a value must be."""
        words = self.kind.value
        if self.kind is Kind.LIST and self.items is not Kind.ANY:
            words += (
                f" of {self.items.value}" if self.items in {Kind.TEXT, Kind.BOOLEAN} else f" of {self.items.value}s"
            )
        return f"{words}, or null" if self.optional and self.kind is not Kind.ANY else words


class NotebookStatus(StrEnum):
    """How the execution of a notebook ended."""

    OK = "ok"
    FAILED = "failed"


class NotebookRecord(Value):
    """What lies beside an executed notebook in the folder of each run that it made.

    Attributes
    ----------
    name : str
        The notebook's file name without folder and ending.
    source_sha256, executed_sha256 : str
        Of the file that was executed, and of the executed ``notebook.ipynb`` beside this record.
    parameters : dict
        Every parameter as it was executed; paths inside the workspace start from the workspace.
    changed : tuple of str
        The parameters that were given.
    failure : Failure or None
        Why it ended early.
    """

    schema_: Literal["kroma_nb.notebook/1"] = Field(default=NOTEBOOK_SCHEMA, alias="schema")
    name: Message
    source_sha256: Sha256
    executed_sha256: Sha256
    parameters: dict[str, JsonValue]
    changed: tuple[str, ...]
    status: NotebookStatus
    started_at: datetime
    finished_at: datetime
    failure: Failure | None = None
