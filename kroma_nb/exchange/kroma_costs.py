"""What a run log of the predecessor says about money, in integer micro-dollars."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from kroma_nb.exchange.fields import number, objects, shown, text_of
from kroma_nb.model.money import MICRO_PER_USD, Money
from kroma_nb.model.runlog import CostEvent

if TYPE_CHECKING:
    from kroma_nb.exchange.fields import Mended

MOST_USD = 1_000_000_000


def costs_of(log: dict[str, Any], *, model: str, mended: Mended) -> tuple[CostEvent, ...]:
    """Read every cost of a log: its list, else what stands under ``generation``, else its total.

    Parameters
    ----------
    log : dict
        The parsed log.
    model : str
        The run's model, for events that name none.
    mended : Mended
        Is told of every amount that cannot be one.
    """
    found = [_event(entry, model, mended) for entry in objects(log.get("cost_events"))]
    generation = log.get("generation")
    if isinstance(generation, dict) and _has_amount(generation):
        found.append(_event({"provider": "openai", "operation": "image_generation", **generation}, model, mended))
    if not found and _has_amount(log):
        keys = {key: log.get(key) for key in ("cost_usd", "amount_cents", "currency")}
        found.append(_event({**keys, "operation": "run_total", "units": 1}, model, mended))
    return tuple(event for event in found if event is not None)


def _has_amount(entry: dict[str, Any]) -> bool:
    return entry.get("cost_usd") is not None or entry.get("amount_cents") is not None


def cost_event(entry: dict[str, Any], *, model: str) -> CostEvent | None:
    """Read one cost; None where its amount is none.

    Examples
    --------
    >>> event = cost_event({"amount_cents": 12, "quantity": 3}, model="gpt-image-1")
    >>> str(event.total_cost), str(event.unit_cost), event.operation
    ('$0.12', '$0.04', 'legacy_event')
    """
    total, units = _total(entry), _first_number(entry, ("units", "quantity", "images", "count"))
    if total is None or units is None:
        return None
    return CostEvent(
        provider=_first(entry, ("provider_code", "provider"), "unknown"),
        model=_first(entry, ("model_name", "model"), model),
        operation=_first(entry, ("operation_code", "operation", "event_type"), "legacy_event"),
        units=units,
        unit_cost=Money(micro_usd=round(total / units)) if units > 0 else Money(),
        total_cost=Money(micro_usd=total),
        currency=_first(entry, ("currency",), "USD"),
        job_id=text_of(entry.get("job_id")),
    )


def _event(entry: dict[str, Any], model: str, mended: Mended) -> CostEvent | None:
    event = cost_event(entry, model=model)
    if event is None:
        amount = shown(entry.get("cost_usd", entry.get("amount_cents")))
        mended.note(f"A cost of {amount} is no amount of money that can be counted; it stands in imported.json alone.")
    return event


def _first(entry: dict[str, Any], keys: tuple[str, ...], default: str) -> str:
    return next((text for key in keys if (text := text_of(entry.get(key)))), default)


def _first_number(entry: dict[str, Any], keys: tuple[str, ...]) -> float | None:
    value = next((entry[key] for key in keys if entry.get(key) is not None), 0)
    found = number(value)
    return found if found is not None and 0 <= found <= MOST_USD else None


def _total(entry: dict[str, Any]) -> int | None:
    if entry.get("cost_usd") is not None:
        return _micro(entry["cost_usd"], MICRO_PER_USD)
    return _micro(entry["amount_cents"], MICRO_PER_USD // 100) if entry.get("amount_cents") is not None else 0


def _micro(value: Any, micro_per_unit: int) -> int | None:
    if number(value) is None:
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return int((amount * micro_per_unit).to_integral_value()) if 0 <= amount <= MOST_USD else None
