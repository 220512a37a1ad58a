"""Paid calls and their money as rows: every one is a line of its project's ledger."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from kroma_nb.model.ledger import Ended, Reserved
from kroma_nb.model.money import Money
from kroma_nb.model.rows import CostRow
from kroma_nb.model.words import CallState, Stage
from kroma_nb.store.ids import moment, stamp
from kroma_nb.store.schema import cost_events, ledger_files, reservations, runs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kroma_nb.model.ledger import LedgerEntry


class LedgerRead(NamedTuple):
    """How far a project's ledger was read.

    Attributes
    ----------
    read_bytes : int
    tail_sha256 : str
        Of the last line that was read; a ledger that has another there is another one.
    """

    read_bytes: int = 0
    tail_sha256: str = ""


class Charged(NamedTuple):
    """What is charged so far: to a run, and to a month."""

    run: Money
    month: Money


def ledger_read(rows: sa.Connection, project_id: str) -> LedgerRead:
    """Give how far a project's ledger was read."""
    wanted = sa.select(ledger_files.c.read_bytes, ledger_files.c.tail_sha256)
    found = rows.execute(wanted.where(ledger_files.c.project_id == project_id)).one_or_none()
    return LedgerRead(*found) if found else LedgerRead()


def put_ledger(rows: sa.Connection, project_id: str, entries: Iterable[LedgerEntry], read: LedgerRead) -> None:
    """Write what lines of a ledger say, and how far it is read with them."""
    for entry in entries:
        match entry:
            case Reserved():
                new = insert(reservations).values(_reserved(project_id, entry))
                rows.execute(new.on_conflict_do_nothing(index_elements=["project_id", "call_id"]))
            case Ended():
                those = (reservations.c.project_id == project_id) & (reservations.c.call_id == entry.call_id)
                rows.execute(sa.update(reservations).where(those).values(_ended(entry)))
    values = {"read_bytes": read.read_bytes, "tail_sha256": read.tail_sha256}
    files = insert(ledger_files).values(project_id=project_id, **values)
    rows.execute(files.on_conflict_do_update(index_elements=["project_id"], set_=values))


def month_of(at: datetime) -> str:
    """Give the month that something is charged to, in UTC.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> month_of(datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    '2026-01'
    """
    return stamp(at)[:7]


def _reserved(project_id: str, entry: Reserved) -> dict[str, Any]:
    return {
        "project_id": project_id,
        "call_id": entry.call_id,
        "run_name": entry.run_id,
        "job_key": entry.job_id,
        "candidate_index": entry.candidate,
        "attempt": entry.attempt,
        "stage": entry.stage.value,
        "provider": entry.provider,
        "model": entry.model,
        "operation": entry.operation,
        "key_sha256": entry.key,
        "units": entry.units,
        "month": month_of(entry.at),
        "state": CallState.OPEN.value,
        "upper_micro": entry.upper.micro_usd,
        "charged_micro": entry.upper.micro_usd,
        "reported": False,
        "request_id": "",
        "answered_by": "",
        "usage": "{}",
        "error_code": "",
        "says": "",
        "created_at": stamp(entry.at),
    }


def _ended(entry: Ended) -> dict[str, Any]:
    return {
        "state": entry.ended.value,
        "charged_micro": entry.cost.micro_usd,
        "reported": entry.reported,
        "request_id": entry.request_id,
        "answered_by": entry.answered_by,
        "usage": json.dumps(entry.usage, sort_keys=True, ensure_ascii=False),
        "original": entry.original.path if entry.original else None,
        "error_code": entry.error_code,
        "says": entry.says,
        "ended_at": stamp(entry.at),
    }


def charged_in(rows: sa.Connection, project_id: str, month: str) -> Money:
    """Give what is charged to a month of a project; what is open or in doubt counts in full."""
    total = sa.select(sa.func.sum(reservations.c.charged_micro))
    found = rows.scalar(total.where(reservations.c.project_id == project_id, reservations.c.month == month))
    return Money(micro_usd=found or 0)


def charged(rows: sa.Connection, project_id: str, *, run_id: str, month: str) -> Charged:
    """Give what is charged to a run, and to a month of its project; what is open or in doubt counts in full."""
    total = sa.select(sa.func.sum(reservations.c.charged_micro)).where(reservations.c.project_id == project_id)
    run = rows.scalar(total.where(reservations.c.run_name == run_id))
    return Charged(Money(micro_usd=run or 0), charged_in(rows, project_id, month))


class Rival(NamedTuple):
    """Another call for the same picture that may be billed."""

    call_id: str
    run_id: str
    state: CallState


def rival_of(rows: sa.Connection, project_id: str, key: str) -> Rival | None:
    """Give a call for a picture that is under way, else one that is in doubt; None where there is none."""
    wanted = (
        sa.select(reservations.c.call_id, reservations.c.run_name, reservations.c.state)
        .where(reservations.c.project_id == project_id, reservations.c.key_sha256 == key)
        .where(reservations.c.state.in_([CallState.OPEN.value, CallState.IN_DOUBT.value]))
        .order_by(reservations.c.state.desc(), reservations.c.created_at.desc())
    )
    found = rows.execute(wanted.limit(1)).one_or_none()
    return Rival(found.call_id, found.run_name, CallState(found.state)) if found else None


def open_calls(rows: sa.Connection, project_id: str) -> tuple[tuple[str, str], ...]:
    """Give every call of which nobody has written what became of it, with its run."""
    is_open = reservations.c.state == CallState.OPEN.value
    wanted = sa.select(reservations.c.call_id, reservations.c.run_name).where(reservations.c.project_id == project_id)
    return tuple((call_id, run_id) for call_id, run_id in rows.execute(wanted.where(is_open)))


def keys_in_doubt(rows: sa.Connection, project_id: str) -> frozenset[str]:
    """Give the keys of all pictures of which nobody knows whether they were billed."""
    in_doubt = reservations.c.state == CallState.IN_DOUBT.value
    wanted = sa.select(reservations.c.key_sha256).where(reservations.c.project_id == project_id, in_doubt)
    return frozenset(rows.scalars(wanted))


class Luck(NamedTuple):
    """How a project's calls to a model have gone: how many were charged, and how many of those gave a picture."""

    charged: int
    usable: int


def luck(rows: sa.Connection, project_id: str, provider: str, model: str) -> Luck:
    """Count how a project's calls to a model have gone."""
    paid, good = reservations.c.charged_micro > 0, sa.literal("")
    usable = (reservations.c.state == CallState.SETTLED.value) & (reservations.c.error_code == good)
    counted = sa.select(sa.func.count().filter(paid), sa.func.count().filter(paid & usable)).where(
        reservations.c.project_id == project_id,
        reservations.c.provider == provider,
        reservations.c.model == model,
        reservations.c.state != CallState.OPEN.value,
    )
    return Luck(*rows.execute(counted).one())


def list_costs(
    rows: sa.Connection, project_id: str, *, run_id: str | None = None, free: bool = False
) -> tuple[CostRow, ...]:
    """Give every paid call of a project and every cost of its imported runs, oldest first.

    Parameters
    ----------
    run_id : str, optional
        Only those of a run.
    free : bool
        Also calls that cost nothing in the end.
    """
    wanted = sa.select(reservations).where(reservations.c.project_id == project_id)
    if run_id is not None:
        wanted = wanted.where(reservations.c.run_name == run_id)
    if not free:
        wanted = wanted.where(reservations.c.charged_micro > 0)
    imported = (
        sa.select(cost_events, runs.c.run_id.label("run_name"), runs.c.stage)
        .join(runs, runs.c.id == cost_events.c.run_id)
        .where(cost_events.c.project_id == project_id)
    )
    if run_id is not None:
        imported = imported.where(runs.c.run_id == run_id)
    found = [_call(row) for row in rows.execute(wanted)]
    found += [_imported(row) for row in rows.execute(imported)]
    return tuple(sorted(found, key=lambda row: (row.at, row.run_id, row.call_id or "")))


def _call(row: Any) -> CostRow:
    return CostRow(
        at=moment(row.created_at),
        month=row.month,
        provider=row.provider,
        model=row.answered_by or row.model,
        stage=Stage(row.stage),
        operation=row.operation,
        run_id=row.run_name,
        job=row.job_key,
        candidate=row.candidate_index,
        attempt=row.attempt,
        state=CallState(row.state),
        units=float(row.units),
        unit_micro_usd=row.charged_micro // row.units,
        cost_micro_usd=row.charged_micro,
        upper_micro_usd=row.upper_micro,
        currency="USD",
        reported=row.reported,
        request_id=row.request_id,
        usage=row.usage,
        original=row.original,
        call_id=row.call_id,
        says=row.says,
    )


def _imported(row: Any) -> CostRow:
    dollars = row.currency == "USD"
    return CostRow(
        at=moment(row.created_at),
        month=row.created_at[:7],
        provider=row.provider,
        model=row.model,
        stage=Stage(row.stage),
        operation=row.operation,
        run_id=row.run_name,
        job=row.job_key,
        candidate=None,
        attempt=None,
        state=CallState.SETTLED,
        units=row.units,
        unit_micro_usd=row.unit_micro,
        cost_micro_usd=row.total_micro if dollars else 0,
        upper_micro_usd=row.total_micro if dollars else 0,
        currency=row.currency,
        reported=True,
        request_id="",
        usage="{}",
        original=None,
        call_id=None,
        says="" if dollars else f"Billed in {row.currency}, which is not counted: {row.total_micro / 1e6:g}.",
    )
