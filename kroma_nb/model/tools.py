"""What the tools for single files have done: one row a file."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from kroma_nb.model.quality import HardReason, SoftWarning
from kroma_nb.model.run import BackendTry, Message, Sha256
from kroma_nb.model.value import Value
from kroma_nb.model.words import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence


class Tool(StrEnum):
    """The tools for single files, as their commands are called."""

    BGREMOVE = "bgremove"
    UPSCALE = "upscale"
    COLOR = "color"
    QA = "qa"
    PRINT = "print"


class FileState(StrEnum):
    """How it went with a file."""

    PLANNED = "planned"
    """It was only to be shown where it would go."""
    DONE = "done"
    FAILED = "failed"
    """Nothing was written; what stood at its target stands there."""
    LEFT = "left"
    """It was not begun, because somebody asked to stop."""


class ToolRow(Value):
    """What a tool has made of one file.

    Attributes
    ----------
    source, target : str
        Absolute paths; the target is None for what is only looked at.
    backend, version : str
        What has made it, and which implementation; empty where nothing has.
    tries : tuple of BackendTry
        Backends that were asked before and gave nothing.
    width_before, height_before, width, height : int or None, pixels
        Upright, of the source and of what was made of it.
    size_bytes_before, size_bytes : int or None
        Of the files.
    sha256_before, sha256 : str or None
        Of the files.
    quality : float, 0 to 1, or None
        The guard's score of what was made.
    reasons, warnings : tuple
        What the guard says of it. With a reason it stands there all the same; a person decides.
    replaced : str or None
        Where in the archive the file is that stood at the target; absolute.
    notes : tuple of str
        What of the source is not in the result, as whole sentences.
    error : str
        Why it failed, as a sentence; empty otherwise.
    error_kind, error_code : str
    """

    source: Message
    target: Message | None = None
    state: FileState
    backend: str = ""
    version: str = ""
    tries: tuple[BackendTry, ...] = ()
    width_before: int | None = None
    height_before: int | None = None
    size_bytes_before: int | None = None
    sha256_before: Sha256 | None = None
    width: int | None = None
    height: int | None = None
    size_bytes: int | None = None
    sha256: Sha256 | None = None
    quality: float | None = None
    reasons: tuple[HardReason, ...] = ()
    warnings: tuple[SoftWarning, ...] = ()
    replaced: Message | None = None
    notes: tuple[Message, ...] = ()
    error: Message = ""
    error_kind: str = ""
    error_code: str = ""


class PrintRow(ToolRow):
    """What came of one file on its way to a printer; nothing asks the guard about it.

    Attributes
    ----------
    width_cm, height_cm : float or None, centimetres
        Of the whole picture on paper.
    dpi : float or None, dots per inch
        What the file says.
    source_dpi : float or None, dots per inch
        What the picture's own pixels give at this size.
    bits : int or None
        Bits a channel: 1 or 8.
    mode, profile, compression : str
        As of `kroma_nb.model.printing.PrintReport`; empty for what is only planned.
    threshold : int or None
        Where line art was made by one: the threshold that was used.
    cautions : tuple of str
        What will be seen on paper, as whole sentences.
    """

    width_cm: float | None = None
    height_cm: float | None = None
    dpi: float | None = None
    source_dpi: float | None = None
    bits: int | None = None
    mode: str = ""
    profile: Message = ""
    compression: str = ""
    threshold: int | None = None
    cautions: tuple[Message, ...] = ()


def exit_code_of(rows: Sequence[ToolRow]) -> ExitCode:
    """Give what a command ends with that has done these.

    Ok where every file is done and the guard lets all of them through; partial where some are not, or where the guard
    would not let one through; where all have failed, the code of the kind of their errors, that of a provider for
    several kinds.

    Examples
    --------
    >>> done = ToolRow(source="/a.png", state=FileState.DONE)
    >>> failed = ToolRow(source="/b.png", state=FileState.FAILED, error="cut off", error_kind="validation")
    >>> [int(exit_code_of(rows)) for rows in ((done,), (done, failed), (failed,))]
    [0, 6, 2]
    """
    states = {row.state for row in rows}
    if states == {FileState.FAILED}:
        return ExitCode.of_kinds({row.error_kind for row in rows})
    fine = states <= {FileState.DONE, FileState.PLANNED} and not any(row.reasons for row in rows)
    return ExitCode.OK if fine else ExitCode.PARTIAL
