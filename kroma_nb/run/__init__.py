"""Plays a plan: events, journal, run log."""

from kroma_nb.run.engine import execute
from kroma_nb.run.folder import RunFolder
from kroma_nb.run.journal import is_played
from kroma_nb.run.reading import RunRecord, open_record, read_run, run_folders
from kroma_nb.run.runlog import fold

__all__ = ["RunFolder", "RunRecord", "execute", "fold", "is_played", "open_record", "read_run", "run_folders"]
