"""Money in integer micro-dollars, and the catalog of models and prices."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from kroma_nb.model.value import Value

MICRO_PER_USD = 1_000_000


class Money(Value):
    """An amount in millionths of a US dollar.

    Examples
    --------
    >>> str(Money(micro_usd=40_000) * 3)
    '$0.12'
    >>> str(Money(micro_usd=1))
    '$0.000001'
    """

    micro_usd: Annotated[int, Field(ge=0)] = 0

    def __add__(self, other: Money) -> Money:
        return Money(micro_usd=self.micro_usd + other.micro_usd)

    def __mul__(self, times: int) -> Money:
        return Money(micro_usd=self.micro_usd * times)

    def __lt__(self, other: Money) -> bool:
        return self.micro_usd < other.micro_usd

    def __bool__(self) -> bool:
        return self.micro_usd > 0

    def __str__(self) -> str:
        dollars, micro = divmod(self.micro_usd, MICRO_PER_USD)
        fraction = f"{micro:06d}".rstrip("0").ljust(2, "0")
        return f"${dollars:,}.{fraction}"


class ModelCard(Value):
    """What planning and spending know of one model of one provider."""

    provider: str
    model: str
    paid: bool
    price_per_picture: Money | None = None

    @property
    def upper_price(self) -> Money | None:
        """The most that one picture costs; None where a paid model's price is not known."""
        return self.price_per_picture if self.paid else Money()


class Catalog(Value):
    """Models and prices as of a date."""

    as_of: date
    models: tuple[ModelCard, ...]

    def find(self, provider: str, model: str | None = None) -> ModelCard | None:
        """Give the card of a model, or of the provider's first model if none is named."""
        fits = (card for card in self.models if card.provider == provider and model in {None, card.model})
        return next(fits, None)

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers that have a model here, in the catalog's order."""
        return tuple(dict.fromkeys(card.provider for card in self.models))


class Forecast(Value):
    """What a plan would make and cost.

    Attributes
    ----------
    size_bytes : int or None
        About how much disk the pictures and inputs would take; None where nobody has estimated it.
    """

    pictures: int
    paid_pictures: int
    cost_low: Money = Money()
    cost_high: Money = Money()
    prices_as_of: date
    size_bytes: Annotated[int, Field(ge=0)] | None = None
