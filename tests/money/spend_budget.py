"""Pays from a project's purse until its months are empty: python spend_budget.py HOME SLUG TIME...

The times are given, in ISO 8601: nobody waits for a month's end.
"""

import itertools
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
from loopback import PRICES, URL

from kroma_nb.errors import BudgetExceeded
from kroma_nb.model.ledger import Ended, Reserved
from kroma_nb.model.money import Money
from kroma_nb.model.words import CallState, Stage
from kroma_nb.workbench import open_workbench
from kroma_nb.workbench.bookkeeping import ProjectPurse

PRICE = Money(micro_usd=PRICES["odd"])


def reserved(at: datetime) -> Reserved:
    """Say what one call is for, at a time that somebody has made up."""
    call_id = uuid4().hex
    return Reserved(
        at=at,
        call_id=call_id,
        run_id="2026-11-30T23-59-59-000Z-abcdef",
        job_id="scene_0",
        candidate=1,
        attempt=1,
        stage=Stage.STYLE,
        provider="loopback",
        model="odd",
        key=call_id * 2,
        upper=PRICE,
    )


def pay(purse: ProjectPurse, at: datetime) -> None:
    """Make one call as a run does: reserved, sent, settled."""
    call = reserved(at)
    purse.reserve(call, leave=Money())
    body = {"call_id": call.call_id, "pid": os.getpid(), "seed": 1, "width": 8, "height": 6}
    httpx.post(f"{os.environ[URL]}/pictures", json=body, timeout=20).raise_for_status()
    purse.end(Ended(at=at, call_id=call.call_id, ended=CallState.SETTLED, cost=PRICE))


def main(home: Path, slug: str, times: list[datetime]) -> None:
    """Pay at one time after the other until every month has refused."""
    purse = ProjectPurse(open_workbench(home).project(slug), Money.of(1000))
    months = {time: time.astimezone(UTC).month for time in times}
    left = set(months.values())
    for time in itertools.cycle(times):
        if not left:
            return
        try:
            if months[time] in left:
                pay(purse, time)
        except BudgetExceeded:
            left.remove(months[time])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [datetime.fromisoformat(time) for time in sys.argv[3:]])
