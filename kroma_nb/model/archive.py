"""What is known of files that were replaced or rejected: each move, and where the file is now."""

from __future__ import annotations

import os
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field

from kroma_nb.model.run import Message, Sha256
from kroma_nb.model.value import Value

ARCHIVE_SCHEMA: Final = "kroma_nb.archive/1"
ARCHIVE: Final = "archive"


class ArchiveTag(StrEnum):
    """Why a file is in the archive, and the folder below ``archive`` that it is in."""

    REPLACED = "replaced"
    BAD = "bad"


class Act(StrEnum):
    """What a line says: a file goes into the archive, comes back, or did not go after all."""

    ARCHIVED = "archived"
    RESTORED = "restored"
    UNDONE = "undone"


def _in_the_archive(path: str) -> str:
    folder, _, rest = path.partition("/")
    tag, _, name = rest.partition("/")
    if folder != ARCHIVE or tag not in set(ArchiveTag) or name in {"", ".", ".."} or {"/", "\\", "\0"} & set(name):
        raise ValueError(f"{path!r} is no place in the archive")
    return path


# A path relative to the root, such as ``archive/bad/page_bad_1700000000-123.png``.
ArchivedPath = Annotated[str, AfterValidator(_in_the_archive)]


class Move(Value):
    """A line of ``archive/archive.jsonl``: one file, its old place and its place in the archive.

    Attributes
    ----------
    act : Act
    at : datetime
        UTC.
    source : str
        The old place (``from`` in the file): relative to the root, with forward slashes; absolute outside of it. Of a
        file that is restored, where it is now.
    source_hex : str
        The bytes of that path where they are no UTF-8, else empty.
    target : str
        The place in the archive (``to`` in the file).
    reason : str
        As it was given; of a move that was undone, what stood in the way.
    """

    model_config = ConfigDict(populate_by_name=True)

    schema_: Literal["kroma_nb.archive/1"] = Field(default=ARCHIVE_SCHEMA, alias="schema")
    act: Act = Act.ARCHIVED
    at: datetime
    source: Message = Field(alias="from", min_length=1)
    source_hex: Annotated[str, Field(pattern=r"^([0-9a-f]{2})*$")] = Field(default="", alias="from_hex")
    target: ArchivedPath = Field(alias="to")
    tag: ArchiveTag
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0, lt=2**53)]
    reason: Message = ""

    @property
    def old_place(self) -> str:
        """The old place as the system spells it."""
        return os.fsdecode(bytes.fromhex(self.source_hex)) if self.source_hex else self.source


class Whereabouts(StrEnum):
    """Where a file is that the archive has a line of, or that lies in it."""

    ARCHIVED = "archived"
    CHANGED = "changed"
    RESTORED = "restored"
    UNMOVED = "unmoved"
    GONE = "gone"
    UNRECORDED = "unrecorded"


class ArchivedFile(Value):
    """A file that is, was, or should be in the archive.

    Attributes
    ----------
    path : str
        Its place in the archive, relative to the root.
    state : Whereabouts
        ``archived``: it is there. ``changed``: it is there with another size. ``restored``: it is back. ``unmoved``:
        the move was cut off, and it is at its old place. ``gone``: it is at neither. ``unrecorded``: it is there, and
        no line tells why.
    size_bytes : int or None
        Of the file in the archive; None where there is none.
    move : Move or None
        The newest line about it; None where there is none.
    """

    path: Message
    state: Whereabouts
    size_bytes: int | None = None
    move: Move | None = None

    @property
    def is_there(self) -> bool:
        """Whether the archive holds the file."""
        return self.size_bytes is not None


class ArchiveListing(Value):
    """All files of an archive, in the order of their moves.

    Attributes
    ----------
    files : tuple of ArchivedFile
    broken_lines : tuple of int
        Numbers of lines in ``archive.jsonl`` that cannot be read; their files are `unrecorded`.
    """

    files: tuple[ArchivedFile, ...] = ()
    broken_lines: tuple[int, ...] = ()
