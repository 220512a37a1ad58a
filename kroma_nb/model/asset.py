"""Assets: the pictures that a project keeps, and how they come from each other."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kroma_nb.model.run import ProjectPath, RunId, Sha256
from kroma_nb.model.value import Value
from kroma_nb.model.words import PassName


class AssetKind(StrEnum):
    """What a picture is to its project."""

    INPUT = "input"
    """A scene or a style reference, kept by its content."""
    PICTURE = "picture"
    """What a pass of a run has made."""
    IMPORTED = "imported"
    """What another program left, beside its runs."""


class LinkType(StrEnum):
    """How a picture comes from another: the child from its parent."""

    DERIVED_FROM = "derived_from"
    VARIANT_OF = "variant_of"
    MASK_FOR = "mask_for"
    REFERENCE_OF = "reference_of"


class AssetRecord(Value):
    """One picture of a project.

    Attributes
    ----------
    id : UUID
        Made of the project's id and the path: the same whenever and wherever the project is indexed.
    path : str
        Relative to the project root.
    sha256, size_bytes : str, int or None
        None for a picture that an imported record names and whose file was not there.
    media_type : str
        Such as ``image/png``; empty where it is not known.
    width, height : int or None, pixels
        None where nobody has measured them.
    run_id, job_id, candidate : or None
        Which candidate it is a picture of; None for an input.
    pass_name, backend, version : or None
        What made it.
    seconds : float or None
        How long that took.
    created_at : datetime
        When the pass ended; for an input, when the first run of the project stored it.
    """

    id: UUID
    kind: AssetKind
    path: ProjectPath
    sha256: Sha256 | None
    size_bytes: int | None
    media_type: str
    width: int | None
    height: int | None
    run_id: RunId | None
    job_id: str | None
    candidate: int | None
    pass_name: PassName | None
    backend: str | None
    version: str | None
    seconds: float | None
    created_at: datetime


class AssetLink(Value):
    """One step of a picture's descent.

    Attributes
    ----------
    parent, child : str
        Paths in the project.
    """

    parent: ProjectPath
    child: ProjectPath
    type: LinkType


class AssetFilter(Value):
    """Which pictures are meant: those that fit everything that is named."""

    kind: AssetKind | None = None
    run_id: str | None = None
    path: str | None = None
    sha256: str | None = None
