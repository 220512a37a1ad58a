"""A project as its own file says it: id, slug, name, when it was made."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from kroma_nb.model.money import Budget
from kroma_nb.model.run import Message
from kroma_nb.model.value import Value

PROJECT_SCHEMA: Final = "kroma_nb.project/1"
SLUG_PATTERN: Final = r"^[A-Za-z0-9_-]{1,100}$"

Slug = Annotated[str, Field(pattern=SLUG_PATTERN)]


class ProjectStatus(StrEnum):
    """Whether a project is worked on."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class ProjectCard(Value):
    """What ``.kroma/project.json`` holds.

    Attributes
    ----------
    id : UUID
        Given once; it stays when the project is renamed or moved.
    slug : str
        The name of the project's folder.
    name : str
        What people call it; any script.
    founded_as : str or None
        The slug that the project was given first: it tells an original from a copy that has its id.
    budget : Budget
        What its runs may cost.
    """

    schema_: Literal["kroma_nb.project/1"] = Field(default=PROJECT_SCHEMA, alias="schema")
    id: UUID
    slug: Slug
    name: Message
    description: Message = ""
    status: ProjectStatus = ProjectStatus.ACTIVE
    founded_as: Slug | None = None
    budget: Budget = Budget()
    created_at: datetime
    updated_at: datetime | None = None
