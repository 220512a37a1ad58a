"""The run folder: its id, its names, the plan that lies in it."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from kroma_nb.blobs import settle_name, write_atomic
from kroma_nb.errors import FileMissing, FolderTaken, RecordInvalid, WriteFailed
from kroma_nb.model.plan import Plan
from kroma_nb.model.words import PassName

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from kroma_nb.errors import KromaError

RESTORE = "restore the file from a copy of the run"
LONGEST = 2000
"""How many signs of an error are stored."""
PLAN, JOURNAL, RUN_LOG = "plan.json", "journal.jsonl", "run.json"

PASS_FOLDERS = {
    PassName.GENERATE: "outputs",
    PassName.BG_REMOVE: "background_removed",
    PassName.BG_REFINE: "background_refined",
    PassName.UPSCALE: "upscaled",
    PassName.COLOR: "color_corrected",
}


def new_run_id(moment: datetime) -> str:
    """Name a run: UTC to the millisecond without colons, and a random suffix.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> new_run_id(datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC))[:24]
    '2026-01-02T03-04-05-678Z'
    """
    stamp = moment.strftime("%Y-%m-%dT%H-%M-%S") + f"-{moment.microsecond // 1000:03d}Z"
    return f"{stamp}-{secrets.token_hex(3)}"


def is_run_id(name: str) -> bool:
    """Tell whether a folder's name is one that `new_run_id` gives."""
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z-[0-9a-f]{6}", name) is not None


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where a run keeps what it makes.

    Attributes
    ----------
    root : Path
        The project root; every stored path is relative to it.
    run_id : str
    """

    root: Path
    run_id: str

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.root / "runs" / self.run_id

    @property
    def plan_path(self) -> Path:
        """What will be done."""
        return self.path / PLAN

    @property
    def journal_path(self) -> Path:
        """What happened."""
        return self.path / JOURNAL

    @property
    def log_path(self) -> Path:
        """What was done."""
        return self.path / RUN_LOG

    def stored(self, pass_name: PassName, file_name: str) -> str:
        """Give the path, relative to the project root, of what a pass writes."""
        return f"runs/{self.run_id}/{PASS_FOLDERS[pass_name]}/{file_name}"

    @classmethod
    def create(cls, root: Path, run_id: str, plan: Plan) -> RunFolder:
        """Make the folder of a new run and write its plan.

        Raises
        ------
        FolderTaken
            If a run of that id is already there; it stays as it is.
        WriteFailed
            If the folder cannot be made.
        """
        folder = cls(root, run_id)
        try:
            folder.path.parent.mkdir(parents=True, exist_ok=True)
            folder.path.mkdir()
            settle_name(folder.path)
            for name in plan.postprocess.pipeline_order:
                (folder.path / PASS_FOLDERS[name]).mkdir()
        except FileExistsError:
            raise FolderTaken(folder.path) from None
        except OSError as cause:
            raise WriteFailed(folder.path, cause.strerror or str(cause)) from cause
        text = plan.model_dump_json(indent=2, by_alias=True) + "\n"
        try:
            write_atomic(folder.plan_path, text.encode(), durable=True)
        except WriteFailed:
            # A folder without a plan would only puzzle those who find it.
            shutil.rmtree(folder.path, ignore_errors=True)
            raise
        return folder

    def plan(self) -> Plan:
        """Read the plan back.

        Raises
        ------
        RecordInvalid
            If the file is missing or is not what was written.
        """
        name = str(self.plan_path)
        try:
            return Plan.model_validate_json(read_record(self.plan_path))
        except ValidationError as cause:
            first = cause.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise RecordInvalid(name, field, first["msg"], RESTORE) from None

    def told(self, error: KromaError) -> str:
        """Say an error in words that may be stored: without the paths of this machine."""
        if isinstance(error, FileMissing):
            return f"{error.role}: {error.cause}."
        said = str(error)
        if len(said) > LONGEST:
            # A provider may answer with a whole page.
            said = f"{said[:LONGEST]} …"
        return said.replace(f"{self.root}{os.sep}", "")

    def plan_sha256(self) -> str:
        """Hash the plan as it lies in the folder."""
        return hashlib.sha256(read_record(self.plan_path)).hexdigest()


def read_record(path: Path) -> bytes:
    """Read a file of a run's record.

    Raises
    ------
    RecordInvalid
        If it is not there or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as cause:
        problem = f"cannot be read: {cause.strerror or cause}"
        raise RecordInvalid(str(path), "", problem, RESTORE) from cause
