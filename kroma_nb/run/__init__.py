"""Plays a plan: events, journal, run log."""

from kroma_nb.run.engine import execute
from kroma_nb.run.folder import RunFolder
from kroma_nb.run.runlog import fold, read_run, run_folders

__all__ = ["RunFolder", "execute", "fold", "read_run", "run_folders"]
