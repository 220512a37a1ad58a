"""A workspace to practise in: its own catalog knows a provider that bills play money, and nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb import planning
from kroma_nb.blobs import create_atomic
from kroma_nb.errors import RequestInvalid

if TYPE_CHECKING:
    from kroma_nb.providers.practice import PracticeShop
    from kroma_nb.workbench.workbench import Workbench

FILE = "models.toml"
CATALOG = """\
# The practice provider draws with the ink engine and bills play money; it is reached on this machine alone.
as_of = 2026-11-01

[[models]]
provider = "practice"
model = "play-1"
paid = true
price_per_picture = { micro_usd = 40_000 }

[limits.practice]
concurrency = 1
tries = 2
per_minute = 6_000
"""


def open_practice(bench: Workbench) -> PracticeShop:
    """Open a shop that draws with the ink engine and bills play money, and let a workspace know it.

    A catalog of the workspace's own is never changed. Close the shop when you have seen enough; it ends with its
    process in any case.

    Raises
    ------
    RequestInvalid
        If the workspace has a catalog of its own that does not know the practice provider.
    WriteFailed
        If the disk refuses.
    """
    from kroma_nb.providers.practice import PracticeShop  # noqa: PLC0415 - it loads the engine

    path = bench.home / "config" / FILE
    if not path.exists():
        create_atomic(path, CATALOG.encode())
    if planning.catalog_of(bench.home).find("practice") is None:
        problem = f"{path} is a catalog of your own, and does not know the practice provider"
        raise RequestInvalid("request", "workspace", problem, "practise in a workspace of its own")
    return PracticeShop()
