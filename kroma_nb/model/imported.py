"""What an import took, mended and left, and the pictures that it keeps outside runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import Field

from kroma_nb.model.run import Message, ProjectPath, Sha256
from kroma_nb.model.value import Value

IMPORTED_SCHEMA: Final = "kroma_nb.imported_assets/1"
# How a run log that was imported says that a picture it names as an input was not there.
INPUT_LOST: Final = "this input is not kept, because"


class ImportedAsset(Value):
    """A picture of another program's project that belongs to no imported run.

    Attributes
    ----------
    path : str
        Relative to the project root.
    kind : str
        As the other program called it; may be empty.
    source, source_id : str
        The path that it had there, and the id of its row.
    """

    path: ProjectPath
    sha256: Sha256
    size_bytes: int
    media_type: str
    width: int
    height: int
    kind: Message
    created_at: datetime | None
    source: Message
    source_id: Message


class ImportedLink(Value):
    """How two pictures belong together; both are named by their path in the project."""

    parent: ProjectPath
    child: ProjectPath
    type: Literal["derived_from", "variant_of", "mask_for", "reference_of"]


class ImportedAssets(Value):
    """The file ``imported/assets.json`` of a project."""

    schema_: Literal["kroma_nb.imported_assets/1"] = Field(default=IMPORTED_SCHEMA, alias="schema")
    assets: tuple[ImportedAsset, ...] = ()
    links: tuple[ImportedLink, ...] = ()


class ItemKind(StrEnum):
    """What an import takes."""

    RUN = "run"
    ASSET = "asset"
    LINK = "link"
    PROJECT = "project"


_NAMES: Final = {
    ItemKind.PROJECT: "project",
    ItemKind.RUN: "run",
    ItemKind.ASSET: "other picture",
    ItemKind.LINK: "link",
}


class Reason(StrEnum):
    """Why something was left."""

    BROKEN = "broken"
    MISSING = "missing"
    NOT_IMPORTED = "not_imported"


class ImportItem(Value):
    """One thing that was taken, or that an earlier import had taken.

    Attributes
    ----------
    source : str
        Where it came from, as that program names it.
    target : str
        Where it is, relative to the project root; the run's id for a run.
    pictures : int
        How many picture files it has.
    mended : tuple of str
        What was open or wrong in it and how it was read, as whole sentences.
    """

    project: str
    kind: ItemKind
    source: Message
    target: str = ""
    pictures: int = 0
    size_bytes: int = 0
    mended: tuple[Message, ...] = ()


class LeftItem(Value):
    """One thing that was left, and why, as a whole sentence."""

    project: str
    source: Message
    reason: Reason
    says: Message
    count: int = 1


class ImportReport(Value):
    """What an import did, or would do.

    Attributes
    ----------
    source : str
        What was imported.
    is_dry_run : bool
        Whether nothing was written.
    taken, already_there : tuple of ImportItem
        New now, and there from an earlier import; those were not touched.
    left : tuple of LeftItem
    """

    source: Message
    is_dry_run: bool
    taken: tuple[ImportItem, ...]
    already_there: tuple[ImportItem, ...]
    left: tuple[LeftItem, ...]

    def __str__(self) -> str:
        counts, into = self.counts(), ", ".join(self.projects) or "no project"
        did = "Would import" if self.is_dry_run else "Imported"
        return (
            f"{did} {counts['runs']} runs and {counts['pictures']} pictures into {into}; "
            f"{counts['mended']} things mended, {counts['missing']} missing, {counts['broken']} broken."
            + (f" Already there: {self.already}." if self.already_there else "")
        )

    @property
    def already(self) -> str:
        """How many things of each kind an earlier import had taken, in words; empty where there are none."""
        kinds = [(name, sum(item.kind is kind for item in self.already_there)) for kind, name in _NAMES.items()]
        return ", ".join(f"{number:,} {name}{'s' if number > 1 else ''}" for name, number in kinds if number)

    @property
    def mended(self) -> tuple[ImportItem, ...]:
        """The items taken now in which something was mended; what was there before has it in its own record."""
        return tuple(item for item in self.taken if item.mended)

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left because it is broken or missing."""
        return all(item.reason is Reason.NOT_IMPORTED for item in self.left)

    @property
    def projects(self) -> tuple[str, ...]:
        """The projects that something was taken into, sorted."""
        return tuple(sorted({item.project for item in (*self.taken, *self.already_there)}))

    def counts(self, project: str | None = None) -> dict[str, int]:
        """Count what happened, in one project or in all."""

        def mine(items: tuple[Any, ...]) -> list[Any]:
            return [item for item in items if project in {None, item.project}]

        taken, there, left = mine(self.taken), mine(self.already_there), mine(self.left)
        runs = [item for item in taken if item.kind is ItemKind.RUN]
        return {
            "runs": len(runs),
            "pictures": sum(item.pictures for item in taken),
            "assets": sum(item.kind is ItemKind.ASSET for item in taken),
            "links": sum(item.kind is ItemKind.LINK for item in taken),
            "size_bytes": sum(item.size_bytes for item in taken),
            "mended": sum(len(item.mended) for item in taken),
            "already_there": len(there),
            **{f"{kind.value}s_already_there": sum(item.kind is kind for item in there) for kind in _NAMES},
            **{reason.value: sum(item.count for item in left if item.reason is reason) for reason in Reason},
        }

    def to_json(self) -> dict[str, Any]:
        """Give the report as JSON types, with its counts."""
        by_project = {project: self.counts(project) for project in self.projects}
        return {**super().to_json(), "complete": self.is_complete, "counts": self.counts(), "projects": by_project}
