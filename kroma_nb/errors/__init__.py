"""The exception tree: every way in which kroma_nb says no.

::

    KromaError
    ├── ValidationFailed        exit 2   the input is wrong; nothing was created
    │   ├── FieldInvalid                 a field of a file or request
    │   │   ├── ManifestInvalid · SettingsInvalid · JobsFileInvalid · PostprocessInvalid
    │   │   ├── ColorProfilesInvalid · CatalogInvalid · RequestInvalid · RecordInvalid
    │   │   ├── NotebookInvalid · ParameterInvalid · ImportInvalid
    │   │   └── LimitExceeded            too many of something, and how to allow more
    │   ├── FileMissing · PathRefused · PictureUnreadable · PictureTooLarge
    │   └── PassUnavailable              a pass is asked for that has no backend here
    │       └── BackendUnavailable       a backend is chosen that cannot work here
    ├── PolicyRefused           exit 3   allowed only after a decision that was not made
    │   ├── NotConfirmed · InUse
    │   ├── SpendNotConfirmed · BudgetExceeded
    │   ├── CallUnderWay                 the same picture is being bought
    │   │   └── CallInDoubt              it may have been bought
    │   └── SecretRefused                a notebook's parameter would keep a secret
    ├── ProviderFailed          exit 4   an engine did not deliver, and nothing was billed
    │   ├── ProviderBusy                 it may be tried again
    │   ├── AnswerLost                   it may have been billed
    │   ├── AnswerUnusable               it was billed, and sent no picture
    │   ├── NoBackendLeft                every backend of a pass was asked
    │   └── ToolNotStarted · ToolTimedOut · ToolFailed
    ├── InfraFailed             exit 5   disk, permissions, processes
    │   ├── FolderTaken · LockHeld · WriteFailed · WorkersLost · ContentDamaged
    │   └── DatabaseUnusable             the index cannot be opened; the files that it was made of are untouched
    │       └── DatabaseLocked · DatabaseNewer · DatabaseUnwritable
    ├── NotebookFailed          exit as the error in its cell, 1 for one that is not in this tree
    ├── NotebookInterrupted     exit 6   Ctrl-C or a signal to end; what was made is kept
    └── ToolStopped             exit 6   a program was ended because somebody asked to stop

Anything else that reaches a user is a bug and keeps its traceback.
"""

from kroma_nb.errors.leaves import (
    BackendUnavailable,
    CatalogInvalid,
    ColorProfilesInvalid,
    ContentDamaged,
    DatabaseLocked,
    DatabaseNewer,
    DatabaseUnusable,
    DatabaseUnwritable,
    FieldInvalid,
    FileMissing,
    FolderTaken,
    ImportInvalid,
    InfraFailed,
    InUse,
    JobsFileInvalid,
    LimitExceeded,
    LockHeld,
    ManifestInvalid,
    NotConfirmed,
    NotebookInvalid,
    ParameterInvalid,
    PassUnavailable,
    PathRefused,
    PictureTooLarge,
    PictureUnreadable,
    PolicyRefused,
    PostprocessInvalid,
    RecordInvalid,
    RequestInvalid,
    SettingsInvalid,
    ValidationFailed,
    WorkersLost,
    WriteFailed,
)
from kroma_nb.errors.money import (
    AnswerLost,
    AnswerUnusable,
    BudgetExceeded,
    CallInDoubt,
    CallUnderWay,
    ProviderBusy,
    ProviderFailed,
    SpendNotConfirmed,
)
from kroma_nb.errors.notebooks import NotebookFailed, NotebookInterrupted, SecretRefused
from kroma_nb.errors.root import KromaError
from kroma_nb.errors.tools import NoBackendLeft, ToolFailed, ToolNotStarted, ToolStopped, ToolTimedOut

__all__ = [
    "AnswerLost",
    "AnswerUnusable",
    "BackendUnavailable",
    "BudgetExceeded",
    "CallInDoubt",
    "CallUnderWay",
    "CatalogInvalid",
    "ColorProfilesInvalid",
    "ContentDamaged",
    "DatabaseLocked",
    "DatabaseNewer",
    "DatabaseUnusable",
    "DatabaseUnwritable",
    "FieldInvalid",
    "FileMissing",
    "FolderTaken",
    "ImportInvalid",
    "InUse",
    "InfraFailed",
    "JobsFileInvalid",
    "KromaError",
    "LimitExceeded",
    "LockHeld",
    "ManifestInvalid",
    "NoBackendLeft",
    "NotConfirmed",
    "NotebookFailed",
    "NotebookInterrupted",
    "NotebookInvalid",
    "ParameterInvalid",
    "PassUnavailable",
    "PathRefused",
    "PictureTooLarge",
    "PictureUnreadable",
    "PolicyRefused",
    "PostprocessInvalid",
    "ProviderBusy",
    "ProviderFailed",
    "RecordInvalid",
    "RequestInvalid",
    "SecretRefused",
    "SettingsInvalid",
    "SpendNotConfirmed",
    "ToolFailed",
    "ToolNotStarted",
    "ToolStopped",
    "ToolTimedOut",
    "ValidationFailed",
    "WorkersLost",
    "WriteFailed",
]
