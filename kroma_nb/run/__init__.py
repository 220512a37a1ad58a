"""Plays a plan: events, journal, run log; what is paid for stands in the ledger."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from kroma_nb.run.buying import Till
    from kroma_nb.run.cache import PassCache
    from kroma_nb.run.engine import execute
    from kroma_nb.run.folder import PASS_FOLDERS, RunFolder, is_run_id
    from kroma_nb.run.journal import has_begun, is_abandoned, is_played, player_of, refuse_played
    from kroma_nb.run.ledger import Ledger
    from kroma_nb.run.originals import Originals, paid_key
    from kroma_nb.run.playing import Equipment
    from kroma_nb.run.reading import RunRecord, open_record, read_run, run_folders
    from kroma_nb.run.recovery import end_of, is_unaccounted, recover
    from kroma_nb.run.replay import recorded_engine, replay_run, taken_up
    from kroma_nb.run.resume import Rest, more_of, refuse_without_inputs, rest_of, resume_run
    from kroma_nb.run.runlog import fold, write_log
    from kroma_nb.run.spend import Purse
    from kroma_nb.run.verify import Present, verify_run

# What only reads records must not wait for what draws pictures.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "buying": ["Till"],
        "cache": ["PassCache"],
        "engine": ["execute"],
        "folder": ["PASS_FOLDERS", "RunFolder", "is_run_id"],
        "journal": ["has_begun", "is_abandoned", "is_played", "player_of", "refuse_played"],
        "ledger": ["Ledger"],
        "originals": ["Originals", "paid_key"],
        "playing": ["Equipment"],
        "reading": ["RunRecord", "open_record", "read_run", "run_folders"],
        "recovery": ["end_of", "is_unaccounted", "recover"],
        "replay": ["recorded_engine", "replay_run", "taken_up"],
        "resume": ["Rest", "more_of", "refuse_without_inputs", "rest_of", "resume_run"],
        "runlog": ["fold", "write_log"],
        "spend": ["Purse"],
        "verify": ["Present", "verify_run"],
    },
)

__all__ = [
    "PASS_FOLDERS",
    "Equipment",
    "Ledger",
    "Originals",
    "PassCache",
    "Present",
    "Purse",
    "Rest",
    "RunFolder",
    "RunRecord",
    "Till",
    "end_of",
    "execute",
    "fold",
    "has_begun",
    "is_abandoned",
    "is_played",
    "is_run_id",
    "is_unaccounted",
    "more_of",
    "open_record",
    "paid_key",
    "player_of",
    "read_run",
    "recorded_engine",
    "recover",
    "refuse_played",
    "refuse_without_inputs",
    "replay_run",
    "rest_of",
    "resume_run",
    "run_folders",
    "taken_up",
    "verify_run",
    "write_log",
]
