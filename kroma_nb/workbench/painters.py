"""From a model's card to the engine that makes its pictures."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

from kroma_nb import planning
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.offer import Offer
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.workbench.at_home import AT_HOME, engine_at_home

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.brief import Painter
    from kroma_nb.model.money import Catalog, ModelCard
    from kroma_nb.model.paid import PaidPainter

GROUP = "kroma_nb.providers"
"""The entry points by which other packages offer engines: a callable that takes a card and gives a painter."""


def painter_for(card: ModelCard, home: Path | None = None) -> Painter | PaidPainter:
    """Build the engine of a card.

    Parameters
    ----------
    card : ModelCard
    home : Path or None
        The workspace, whose catalog and ``.env`` hold for it.

    Raises
    ------
    RequestInvalid
        If this installation has no such engine, or the package that offers it fails.
    ProviderBusy, ProviderFailed, SettingsInvalid
        If a server at home, which is asked what would draw, does not answer or cannot be used.
    """
    if card.provider == "ink":
        return _ink(card)
    if card.provider == "practice":
        return _practice()
    if card.provider == "openai":
        return _openai(card, home)
    if card.provider in AT_HOME:
        return engine_at_home(card, home, _catalog(home).limits_of(card.provider).timeout_s)
    offered = {entry.name: entry for entry in entry_points(group=GROUP)}
    if card.provider not in offered:
        problem = f"there is no engine {card.provider} {card.model} in this installation"
        raise RequestInvalid("request", "provider", problem, did_you_mean(card.provider, ("ink", *offered)))
    try:
        return cast("Painter | PaidPainter", offered[card.provider].load()(card))
    except Exception as cause:
        problem = f"the package that offers {card.provider} fails: {type(cause).__name__}: {cause}"
        raise RequestInvalid("request", "provider", problem, "mend or remove that package") from cause


def _ink(card: ModelCard) -> Painter:
    from kroma_nb.providers.ink import InkPainter  # noqa: PLC0415 - an engine loads when something is to be drawn

    ink = InkPainter()
    if card.model == ink.model:
        return ink
    problem = f"there is no engine {card.provider} {card.model} in this installation"
    raise RequestInvalid("request", "provider", problem, f"use {ink.provider} {ink.model}")


def _practice() -> PaidPainter:
    from kroma_nb.providers.practice import PracticePainter  # noqa: PLC0415 - as above

    return PracticePainter()


def _openai(card: ModelCard, home: Path | None) -> PaidPainter:
    from kroma_nb.providers.openai import OpenAIPainter  # noqa: PLC0415 - as above

    catalog = _catalog(home)
    known = card if card.offer is not None else catalog.find(card.provider, card.model)
    offer = known.offer if known is not None else None
    return OpenAIPainter(card.model, offer or Offer(), home)


def _catalog(home: Path | None) -> Catalog:
    return planning.load_catalog() if home is None else planning.catalog_of(home)
