"""Plays a plan: events, journal, run log."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from kroma_nb.run.engine import execute
    from kroma_nb.run.folder import RunFolder
    from kroma_nb.run.journal import is_played
    from kroma_nb.run.reading import RunRecord, open_record, read_run, run_folders
    from kroma_nb.run.runlog import fold

# What only reads records must not wait for what draws pictures.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "engine": ["execute"],
        "folder": ["RunFolder"],
        "journal": ["is_played"],
        "reading": ["RunRecord", "open_record", "read_run", "run_folders"],
        "runlog": ["fold"],
    },
)

__all__ = [
    "RunFolder",
    "RunRecord",
    "execute",
    "fold",
    "is_played",
    "open_record",
    "read_run",
    "run_folders",
]
