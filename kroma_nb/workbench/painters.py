"""From a model's card to the painter that draws with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.errors import RequestInvalid

if TYPE_CHECKING:
    from kroma_nb.model.brief import Painter
    from kroma_nb.model.money import ModelCard


def painter_for(card: ModelCard) -> Painter:
    """Build the painter of a card.

    Raises
    ------
    RequestInvalid
        If this installation has no such engine.
    """
    from kroma_nb.providers.ink import InkPainter  # noqa: PLC0415 - an engine loads when something is to be drawn

    ink = InkPainter()
    if (card.provider, card.model) == (ink.provider, ink.model):
        return ink
    problem = f"there is no engine {card.provider} {card.model} in this installation"
    raise RequestInvalid("request", "provider", problem, f"use {ink.provider}")
