"""Plays a plan: events, journal, run log."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from kroma_nb.run.engine import execute
    from kroma_nb.run.folder import PASS_FOLDERS, RunFolder, is_run_id
    from kroma_nb.run.journal import is_played
    from kroma_nb.run.reading import RunRecord, open_record, read_run, run_folders
    from kroma_nb.run.runlog import fold, write_log

# What only reads records must not wait for what draws pictures.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "engine": ["execute"],
        "folder": ["PASS_FOLDERS", "RunFolder", "is_run_id"],
        "journal": ["is_played"],
        "reading": ["RunRecord", "open_record", "read_run", "run_folders"],
        "runlog": ["fold", "write_log"],
    },
)

__all__ = [
    "PASS_FOLDERS",
    "RunFolder",
    "RunRecord",
    "execute",
    "fold",
    "is_played",
    "is_run_id",
    "open_record",
    "read_run",
    "run_folders",
    "write_log",
]
