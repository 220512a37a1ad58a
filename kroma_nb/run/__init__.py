"""Plays a plan: events, journal, run log."""

from kroma_nb.run.engine import execute
from kroma_nb.run.folder import PASS_FOLDERS, RunFolder, file_word, is_run_id
from kroma_nb.run.runlog import fold, read_run, run_folders, write_log

__all__ = [
    "PASS_FOLDERS",
    "RunFolder",
    "execute",
    "file_word",
    "fold",
    "is_run_id",
    "read_run",
    "run_folders",
    "write_log",
]
