"""The exchange room: what other programs wrote, read into frozen values; nothing of theirs is ever written."""

from kroma_nb.exchange.fields import Mended
from kroma_nb.exchange.kroma_db import KromaAsset, KromaDatabase, KromaLink, KromaProject, LeftTable, read_database
from kroma_nb.exchange.kroma_log import read_log
from kroma_nb.exchange.kroma_rows import KromaRun
from kroma_nb.exchange.kroma_tree import Found, KromaFolder, KromaTree, Refused, find_tree, run_logs
from kroma_nb.exchange.kroma_values import KromaCandidate, KromaJob, KromaLog, KromaPass

__all__ = [
    "Found",
    "KromaAsset",
    "KromaCandidate",
    "KromaDatabase",
    "KromaFolder",
    "KromaJob",
    "KromaLink",
    "KromaLog",
    "KromaPass",
    "KromaProject",
    "KromaRun",
    "KromaTree",
    "LeftTable",
    "Mended",
    "Refused",
    "find_tree",
    "read_database",
    "read_log",
    "run_logs",
]
