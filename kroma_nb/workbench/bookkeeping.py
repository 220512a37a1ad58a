"""A project's ledger and its rows: read into each other, and the purse that its runs pay from."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

from kroma_nb import run, store
from kroma_nb.errors import BudgetExceeded, CallInDoubt, CallUnderWay, InfraFailed, RecordInvalid
from kroma_nb.model.ledger import Ended
from kroma_nb.model.money import NOTHING, Money
from kroma_nb.model.run import now
from kroma_nb.model.words import CallState
from kroma_nb.store import LedgerRead
from kroma_nb.workbench.rows_of import place_of

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.ledger import LedgerEntry, Reserved
    from kroma_nb.model.project import ProjectCard
    from kroma_nb.store import Rival, Rows
    from kroma_nb.workbench.project import Project

BATCH = 5000
OTHER_LEDGER = "it lacks lines that the database knows: it was cut, deleted, or an older copy was put back"
TAKE_IT = (
    "restore it from a newer copy; or `kroma reindex` takes it as it is, and what it lacks is charged no more. "
    "Until then nothing is paid for"
)


def read_ledger(rows: Rows, key: str, root: Path) -> None:
    """Write what a project's ledger says and its rows do not.

    Raises
    ------
    RecordInvalid
        If the ledger is not what was written, or lacks lines that were read before.
    """
    ledger, read = run.Ledger(root), store.ledger_read(rows, key)
    if read.read_bytes and _digest(ledger.line_before(read.read_bytes)) != read.tail_sha256:
        # A shorter or an older one knows less of what was paid: a budget that believed it would be passed.
        raise RecordInvalid(str(ledger.path), "", OTHER_LEDGER, TAKE_IT)
    batch: list[LedgerEntry] = []
    end = read.read_bytes
    for entry, place in ledger.entries(read.read_bytes):
        batch.append(entry)
        end = place
        if len(batch) == BATCH:
            _put(rows, key, ledger, batch, end)
            batch = []
    if batch:
        _put(rows, key, ledger, batch, end)


def _put(rows: Rows, key: str, ledger: run.Ledger, batch: list[LedgerEntry], end: int) -> None:
    store.put_ledger(rows, key, batch, LedgerRead(end, _digest(ledger.line_before(end))))


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


class ProjectPurse:
    """What a run may spend: its own limit, and the project's budget, which every process of this machine shares.

    Parameters
    ----------
    project : Project
    limit : Money
        What a person has confirmed that the whole run may cost.
    """

    def __init__(self, project: Project, limit: Money) -> None:
        self.project, self.limit = project, limit
        self._ledger = run.Ledger(project.root)
        self._is_no_copy = False
        self._own: set[str] = set()

    def reserve(self, call: Reserved, *, leave: Money, pay_again: bool = False) -> None:
        """Put the upper price of a call aside: in the ledger, and in one write transaction of the database.

        Raises
        ------
        BudgetExceeded
            If it would pass a limit.
        CallUnderWay, CallInDoubt
            If the same picture is being bought, or may have been.
        DatabaseUnusable, WriteFailed
            If it cannot be written.
        RecordInvalid
            If the ledger or the project's card is not what was written.
        """
        index, written = self.project.bench.index, False
        try:
            with self._ledger.held() as book, index.store.writing() as rows:
                # Read under the lock: a budget that was set while this call waited for its turn holds for it.
                card = self.project.card
                key = str(card.id)
                self._put_card(rows, card)
                read_ledger(rows, key, self.project.root)
                while (rival := store.rival_of(rows, key, call.key)) is not None and not self._is_known(rival, call):
                    book.append(run.end_of(self.project.root, self._ledger.call(rival.call_id)))
                    read_ledger(rows, key, self.project.root)
                _refuse_rival(rival, pay_again=pay_again)
                self._refuse_over(rows, card, call, leave)
                book.append(call)
                written = True
                self._own.add(call.call_id)
                read_ledger(rows, key, self.project.root)
        except Exception:
            if written:
                # The database has not taken it, so the call is not made.
                self.end(Ended(at=now(), call_id=call.call_id, ended=CallState.RELEASED, says="it was not made"))
            raise

    def end(self, ended: Ended, *, gives_back: Money = NOTHING) -> None:
        """Write what became of a call.

        Parameters
        ----------
        ended : Ended
        gives_back : Money
            What the run's limit is lowered by: what an earlier process had put aside for a call that never arrived.

        Raises
        ------
        WriteFailed
            If the ledger cannot be written. A database that cannot be is brought up to date by whoever reads it next.
        """
        with self._ledger.held() as book:
            book.append(ended)
            self.limit -= gives_back
            with contextlib.suppress(InfraFailed, RecordInvalid):
                self._catch_up()

    def _is_known(self, rival: Rival, call: Reserved) -> bool:
        """Tell whether what became of a rival is known, or still to come: nobody else ends it otherwise.

        The run of an open one may have been killed, or have lost its folder, or ended while the ledger was held.
        """
        if rival.state is not CallState.OPEN:
            return True
        if rival.run_id == call.run_id:
            return rival.call_id in self._own
        journal = run.RunFolder(self.project.root, rival.run_id).journal_path
        return journal.exists() and run.is_played(journal)

    def _catch_up(self) -> None:
        index, card = self.project.bench.index, self.project.card
        with index.store.writing() as rows:
            self._put_card(rows, card)
            read_ledger(rows, str(card.id), self.project.root)

    def _put_card(self, rows: Rows, card: ProjectCard) -> None:
        """Write what the project's card says; that it is no copy is looked up once, since that reads every card."""
        if self._is_no_copy:
            store.put_project(rows, card, place_of(self.project))
            return
        self.project.bench.index.put_card(rows, self.project, card)
        self._is_no_copy = True

    def _refuse_over(self, rows: Rows, card: ProjectCard, call: Reserved, leave: Money) -> None:
        month = store.month_of(call.at)
        so_far = store.charged(rows, str(card.id), run_id=call.run_id, month=month)
        limits = (
            ("what was confirmed for this run", self.limit, so_far.run, call.upper + leave),
            ("the project's budget for a run", card.budget.per_run, so_far.run, call.upper),
            (f"the project's budget for {month}", card.budget.per_month, so_far.month, call.upper),
        )
        for name, allowed, charged, asked in limits:
            if allowed is not None and allowed < charged + asked:
                raise BudgetExceeded(name, allowed, charged, call.upper)


def _refuse_rival(rival: Rival | None, *, pay_again: bool) -> None:
    if rival is None:
        return
    if rival.state is CallState.OPEN:
        raise CallUnderWay(rival.call_id, rival.run_id)
    if not pay_again:
        raise CallInDoubt(rival.call_id, rival.run_id)
