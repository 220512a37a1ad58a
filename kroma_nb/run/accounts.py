"""What ledger and receipts say of a run's paid calls, beside what its journal says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kroma_nb.errors import RecordInvalid
from kroma_nb.model.replay import Cause, CauseKind
from kroma_nb.model.run import StoredFile
from kroma_nb.run.ledger import LEDGER, Ledger
from kroma_nb.run.originals import Originals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kroma_nb.model.ledger import Ended, Reserved
    from kroma_nb.model.runlog import CallRecord
    from kroma_nb.model.value import Value
    from kroma_nb.run.folder import RunFolder
    from kroma_nb.run.resume import Rest

RESERVED = {"attempt": "attempt", "at": "started_at", "upper": "upper"}
"""What a call's first line in the ledger says, and what the journal calls it."""
RECEIVED = {name: name for name in ("cost", "request_id", "answered_by", "usage", "original")}
ENDED = {"ended": "ended", **RECEIVED}


def of_calls(folder: RunFolder, rest: Rest) -> Iterator[Cause]:
    """Give where ledger and receipts do not say of a run's paid calls what its journal says."""
    known = {call.call_id: call for calls in rest.happened.calls.values() for call in calls.values()}
    if not known and not rest.plan.card.paid:
        return
    ledger = Ledger(folder.root)
    if known and not ledger.path.exists():
        yield _wrong(f"{LEDGER} is gone: it has had {len(known)} calls of this run")
        return
    written = {call.call_id: (call, ended) for call, ended in ledger.calls_of(folder.run_id)}
    for (job_id, index), calls in rest.happened.calls.items():
        for call in calls.values():
            if call.call_id not in written:
                yield _wrong(f"{LEDGER} has no line for call {call.call_id}, which the journal has")
                continue
            reserved, ended = written[call.call_id]
            recorded, found = f"{job_id} c{index}", f"{reserved.job_id} c{reserved.candidate}"
            if recorded != found:
                yield _wrong(f"{LEDGER}, candidate of call {call.call_id}", recorded, found)
            yield from _of_lines(call, reserved, ended)
            yield from _of_receipt(folder, call, reserved)
    for call_id in sorted(written.keys() - known.keys()):
        yield _wrong(f"the journal does not know call {call_id}, which {LEDGER} has")


def _of_lines(call: CallRecord, reserved: Reserved, ended: Ended | None) -> Iterator[Cause]:
    """Compare a call with its lines in the ledger."""
    yield from _unlike(LEDGER, call, reserved, RESERVED)
    if ended is not None:
        yield from _unlike(LEDGER, call, ended, ENDED)
    elif call.ended is not None:
        yield _wrong(f"{LEDGER} does not say how call {call.call_id} ended", call.ended.value)


def _of_receipt(folder: RunFolder, call: CallRecord, reserved: Reserved) -> Iterator[Cause]:
    """Compare a call that was answered with its receipt."""
    if call.original is None:
        return
    originals = Originals(folder.root)
    name = originals.receipt_name(reserved)
    try:
        receipt = originals.receipt(reserved)
    except RecordInvalid as error:
        yield _wrong(folder.told(error))
        return
    except OSError as error:
        yield _wrong(f"{name} cannot be read: {error.strerror}")
        return
    if receipt is None:
        yield _wrong(f"{name} is gone, the receipt of call {call.call_id}")
        return
    for field in ("call_id", "key"):
        if getattr(receipt, field) != getattr(reserved, field):
            yield _wrong(f"{name}, {field}", getattr(reserved, field)[:12], getattr(receipt, field)[:12])
    yield from _unlike(name, call, receipt, RECEIVED)


def _unlike(where: str, call: CallRecord, other: Value, names: Mapping[str, str]) -> Iterator[Cause]:
    """Compare a call with another file's word on it, field by field."""
    for there, here in names.items():
        recorded, found = getattr(call, here), getattr(other, there)
        if recorded != found:
            yield _wrong(f"{where}, {there} of call {call.call_id}", _shown(recorded), _shown(found))


def _shown(value: Any) -> str:
    if isinstance(value, StoredFile):
        return f"{value.path} ({value.size_bytes} bytes, sha256 {value.sha256[:12]})"
    return "" if value in (None, "", {}) else str(value)


def _wrong(what: str, recorded: str = "", found: str = "") -> Cause:
    return Cause(kind=CauseKind.RECORD, what=what, recorded=recorded, found=found)
