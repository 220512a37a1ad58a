"""The leaves of the exception tree; `kroma_nb.errors` draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.errors.root import KromaError, shown

if TYPE_CHECKING:
    from pathlib import Path


class ValidationFailed(KromaError):
    """The input is wrong; nothing was created."""

    error_kind = "validation"
    error_code = "validation_error"
    exit_code = 2


class FieldInvalid(ValidationFailed):
    """A field of a file or a request is wrong.

    Parameters
    ----------
    file : str
        The file as the user named it, or ``request`` for arguments.
    field : str
        Dotted path of the field, such as ``generation.candidates``; empty for the file as a whole.
    problem : str
        What is there, as a clause.
    way_out : str
        What would be right, as a clause.
    """

    error_code = "invalid_field"

    def __init__(self, file: str, field: str, problem: str, way_out: str) -> None:
        super().__init__(file, field, problem, way_out)
        self.file, self.field, self.problem, self.way_out = file, field, problem, way_out

    def __str__(self) -> str:
        where = f"{self.file}: {self.field}" if self.field else self.file
        return f"{where}: {self.problem}; {self.way_out}" + ("" if self.way_out.endswith("?") else ".")


class ManifestInvalid(FieldInvalid):
    """A planning manifest cannot be used."""

    error_code = "invalid_manifest"


class SettingsInvalid(FieldInvalid):
    """A settings file cannot be used."""

    error_code = "invalid_settings"


class JobsFileInvalid(FieldInvalid):
    """A jobs file cannot be used."""

    error_code = "invalid_jobs_file"


class PostprocessInvalid(FieldInvalid):
    """A postprocess file cannot be used."""

    error_code = "invalid_postprocess"


class ColorProfilesInvalid(FieldInvalid):
    """A file of colour profiles cannot be used."""

    error_code = "invalid_color_profiles"


class CatalogInvalid(FieldInvalid):
    """The catalog of models and prices cannot be used."""

    error_code = "invalid_catalog"


class RequestInvalid(FieldInvalid):
    """An argument of a call or a command is wrong."""

    error_code = "invalid_request"


class RecordInvalid(FieldInvalid):
    """A plan, journal or run log on disk is not what kroma_nb wrote."""

    error_code = "invalid_record"


class NotebookInvalid(FieldInvalid):
    """A notebook is not there, or cannot be run without a person."""

    error_code = "invalid_notebook"


class ParameterInvalid(FieldInvalid):
    """A notebook has no such parameter, or the value is of another type."""

    error_code = "invalid_parameter"


class ImportInvalid(FieldInvalid):
    """A file that another program wrote cannot be imported."""

    error_code = "invalid_import"


class LimitExceeded(FieldInvalid):
    """More of something is asked for than the limit allows."""

    error_code = "limit_exceeded"


class FileMissing(ValidationFailed):
    """A file that something refers to is not there, or cannot be opened.

    Parameters
    ----------
    path : Path
        The file.
    role : str
        Who refers to it, such as ``manifest.json: scene_refs[2]``.
    cause : str
        What the system said.
    """

    error_code = "file_missing"

    def __init__(self, path: Path, role: str, cause: str = "there is no such file") -> None:
        super().__init__(path, role, cause)
        self.path, self.role, self.cause = path, role, cause

    def __str__(self) -> str:
        return f"{self.role}: {shown(self.path)}: {self.cause}; put the file there or correct the path."


class PathRefused(ValidationFailed):
    """A path leads through a link or out of the folder that it must stay in."""

    error_code = "path_refused"

    def __init__(self, path: str, role: str, reason: str) -> None:
        super().__init__(path, role, reason)
        self.path, self.role, self.reason = path, role, reason

    def __str__(self) -> str:
        return f"{self.role}: {shown(self.path)}: {self.reason}; name a real file inside that folder."


class PictureUnreadable(ValidationFailed):
    """A file is no picture that can be decoded."""

    error_code = "image_read_failed"

    def __init__(self, path: str, cause: str, way_out: str = "replace the file by a whole picture") -> None:
        super().__init__(path, cause, way_out)
        self.path, self.cause, self.way_out = path, cause, way_out

    def __str__(self) -> str:
        return f"{shown(self.path)}: {self.cause}; {self.way_out}."


class PictureTooLarge(ValidationFailed):
    """A picture has more pixels than the limit."""

    error_code = "image_too_large"

    def __init__(self, path: str, width: int, height: int, limit_px: int) -> None:
        super().__init__(path, width, height, limit_px)
        self.path, self.width, self.height, self.limit_px = path, width, height, limit_px

    def __str__(self) -> str:
        return (
            f"{shown(self.path)}: {self.width} x {self.height} pixels are more than the limit of {self.limit_px:,}; "
            "make it smaller, or raise max_pixels."
        )


class PassUnavailable(ValidationFailed):
    """A pass is asked for that has no backend in this installation."""

    error_code = "pass_unavailable"

    def __init__(self, pass_name: str, way_out: str) -> None:
        super().__init__(pass_name, way_out)
        self.pass_name, self.way_out = pass_name, way_out

    def __str__(self) -> str:
        return f"the pass {self.pass_name} has no backend in this installation; {self.way_out}."


class BackendUnavailable(PassUnavailable):
    """A backend is chosen that cannot work here.

    Parameters
    ----------
    pass_name : str
    backend : str
        As it was named.
    problem, way_out : str
        As clauses.
    """

    error_code = "backend_unavailable"

    def __init__(self, pass_name: str, backend: str, problem: str, way_out: str) -> None:
        super().__init__(pass_name, way_out)
        self.args = (pass_name, backend, problem, way_out)
        self.backend, self.problem = backend, problem

    def __str__(self) -> str:
        return f"{self.pass_name}: the backend {self.backend} cannot work here: {self.problem}; {self.way_out}."


class PolicyRefused(KromaError):
    """Allowed only after a decision that was not made."""

    error_kind = "policy"
    error_code = "policy_refused"
    exit_code = 3


class NotConfirmed(PolicyRefused):
    """Something that cannot be undone was asked for and not confirmed.

    Parameters
    ----------
    what, way_out : str
        As clauses.
    """

    error_code = "not_confirmed"

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(what, way_out)
        self.what, self.way_out = what, way_out

    def __str__(self) -> str:
        return f"{self.what} cannot be undone and is not confirmed; {self.way_out}."


class InUse(PolicyRefused):
    """Something is needed by others, and stays."""

    error_code = "in_use"

    def __init__(self, what: str, why: str, way_out: str) -> None:
        super().__init__(what, why, way_out)
        self.what, self.why, self.way_out = what, why, way_out

    def __str__(self) -> str:
        return f"{self.what} stays: {self.why}; {self.way_out}."


class InfraFailed(KromaError):
    """The machine stood in the way: disk, permissions, processes."""

    error_kind = "infra"
    error_code = "infra_failed"
    exit_code = 5


class FolderTaken(InfraFailed):
    """A folder that must be new is already there."""

    error_code = "folder_taken"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{shown(self.path)} is already there; nothing in it was touched. Try again, or name another folder."


class LockHeld(InfraFailed):
    """Something that is only ever held for a moment was held for long, as by a process that was stopped."""

    error_code = "lock_held"

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__(path, seconds)
        self.path, self.seconds = path, seconds

    def __str__(self) -> str:
        held = f"{shown(self.path)} has been held by another process for {self.seconds:g} seconds"
        return f"{held}; if that was stopped, end it or let it go on, and try again."


class WriteFailed(InfraFailed):
    """A file could not be written; what stood at its place is still there."""

    error_code = "write_failed"

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(path, cause)
        self.path, self.cause = path, cause

    def __str__(self) -> str:
        way_out = "free some space or check the folder's permissions"
        return f"{shown(self.path)} could not be written: {self.cause}; {way_out}."


class WorkersLost(InfraFailed):
    """A worker died, or the executor takes no more work."""

    error_code = "worker_died"

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause

    def __str__(self) -> str:
        return f"the workers were lost ({self.cause}); run again, with fewer workers if memory was short."


class ContentDamaged(InfraFailed):
    """Stored bytes no longer match their sha256."""

    error_code = "content_damaged"

    def __init__(self, path: Path, expected_sha256: str, found_sha256: str) -> None:
        super().__init__(path, expected_sha256, found_sha256)
        self.path, self.expected_sha256, self.found_sha256 = path, expected_sha256, found_sha256

    def __str__(self) -> str:
        return (
            f"{shown(self.path)} holds {self.found_sha256[:12]}… where {self.expected_sha256[:12]}… was stored; "
            "restore the file from its source."
        )


class DatabaseUnusable(InfraFailed):
    """The database cannot be used as it is; projects and runs in their folders are untouched.

    Parameters
    ----------
    path : Path
        The database's file.
    problem, way_out : str
        As clauses.
    """

    error_code = "database_unusable"

    def __init__(self, path: Path, problem: str, way_out: str) -> None:
        super().__init__(path, problem, way_out)
        self.path, self.problem, self.way_out = path, problem, way_out

    def __str__(self) -> str:
        return f"{shown(self.path)}: {self.problem}; {self.way_out}."


class DatabaseUnwritable(DatabaseUnusable):
    """The database lies where nothing can be written."""

    error_code = "database_unwritable"


class DatabaseLocked(DatabaseUnusable):
    """Another program holds the database for too long."""

    error_code = "database_locked"


class DatabaseNewer(DatabaseUnusable):
    """The database was made by a newer version of kroma_nb."""

    error_code = "database_newer"
