"""The index of a workspace: rows in, model values out. Files are the truth; every row here can be made again."""

from kroma_nb.store.assets import count_assets, density, list_assets, list_links, pace, put_imported
from kroma_nb.store.costs import (
    Charged,
    LedgerRead,
    Luck,
    Rival,
    charged,
    charged_in,
    keys_in_doubt,
    ledger_read,
    list_costs,
    luck,
    month_of,
    put_ledger,
    rival_of,
)
from kroma_nb.store.database import BUSY_S, Rows, Store, open_store
from kroma_nb.store.ingest import Beside, drop_run, put_run
from kroma_nb.store.lineage import read_affected, read_lineage
from kroma_nb.store.projects import (
    KnownProject,
    KnownRun,
    clear_project,
    drop_projects,
    known_projects,
    known_runs,
    list_projects,
    put_project,
)
from kroma_nb.store.runs import list_candidates, list_cut_short, list_runs

__all__ = [
    "BUSY_S",
    "Beside",
    "Charged",
    "KnownProject",
    "KnownRun",
    "LedgerRead",
    "Luck",
    "Rival",
    "Rows",
    "Store",
    "charged",
    "charged_in",
    "clear_project",
    "count_assets",
    "density",
    "drop_projects",
    "drop_run",
    "keys_in_doubt",
    "known_projects",
    "known_runs",
    "ledger_read",
    "list_assets",
    "list_candidates",
    "list_costs",
    "list_cut_short",
    "list_links",
    "list_projects",
    "list_runs",
    "luck",
    "month_of",
    "open_store",
    "pace",
    "put_imported",
    "put_ledger",
    "put_project",
    "put_run",
    "read_affected",
    "read_lineage",
    "rival_of",
]
