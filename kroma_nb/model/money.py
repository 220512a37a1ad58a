"""Money in integer micro-dollars, and the catalog of models and prices."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import Field, model_validator

from kroma_nb.model.limits import CallLimits
from kroma_nb.model.offer import Offer
from kroma_nb.model.value import Value

MICRO_PER_USD = 1_000_000
QUALITY_MARK = ":"
"""What parts a model's name from the quality that is asked of it."""
_IN_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")


class Money(Value):
    """An amount in millionths of a US dollar.

    Examples
    --------
    >>> str(Money(micro_usd=40_000) * 3)
    '$0.12'
    >>> str(Money(micro_usd=1))
    '$0.000001'
    """

    micro_usd: Annotated[int, Field(ge=0, lt=2**53)] = 0

    def __add__(self, other: Money) -> Money:
        return Money(micro_usd=self.micro_usd + other.micro_usd)

    def __mul__(self, times: int) -> Money:
        return Money(micro_usd=self.micro_usd * times)

    def __sub__(self, other: Money) -> Money:
        """Give what is left; never less than nothing."""
        return Money(micro_usd=max(0, self.micro_usd - other.micro_usd))

    def __lt__(self, other: Money) -> bool:
        return self.micro_usd < other.micro_usd

    @classmethod
    def of(cls, amount: Money | str | float) -> Money:
        """Read an amount in US dollars, such as ``"$1.50"``, ``"1,000.50"`` or ``2``.

        Raises
        ------
        ValueError
            If it is no amount, negative, or finer than a micro-dollar, or if a comma may stand for the decimal point.

        Examples
        --------
        >>> Money.of("$1.50").micro_usd, Money.of(2).micro_usd, Money.of(0.04).micro_usd
        (1500000, 2000000, 40000)
        >>> Money.of("1,50")
        Traceback (most recent call last):
        ValueError: '1,50' is no amount of money; write 1.50, with a point: a comma only parts thousands, as in 1,000.50
        """
        if isinstance(amount, Money):
            return amount
        text = str(amount).strip().removeprefix("$").strip()
        if "," in text and not _IN_THOUSANDS.fullmatch(text):
            way_out = "write 1.50, with a point: a comma only parts thousands, as in 1,000.50"
            raise ValueError(f"{amount!r} is no amount of money; {way_out}")
        try:
            micro = Decimal(text.replace(",", "")) * MICRO_PER_USD
            exact = int(micro)
        except (InvalidOperation, OverflowError, ValueError) as cause:
            raise ValueError(f"{amount!r} is no amount of money; write dollars, such as 1.50") from cause
        if isinstance(amount, bool) or exact < 0 or exact != micro:
            raise ValueError(f"{amount!r} is no amount of money; write dollars, with at most six decimals")
        return cls(micro_usd=exact)

    def __bool__(self) -> bool:
        return self.micro_usd > 0

    def __str__(self) -> str:
        dollars, micro = divmod(self.micro_usd, MICRO_PER_USD)
        fraction = f"{micro:06d}".rstrip("0").ljust(2, "0")
        return f"${dollars:,}.{fraction}"


NOTHING = Money()


class Budget(Value):
    """What a project may cost; None is no limit.

    Attributes
    ----------
    per_run, per_month : Money or None
        For each run, and for each calendar month in UTC.
    """

    per_run: Money | None = None
    per_month: Money | None = None


class ModelCard(Value):
    """What planning and spending know of one model of one provider.

    Attributes
    ----------
    price_per_picture : Money or None
        The most that one picture costs.
    least_per_picture : Money or None
        The least, where it depends on what is asked; None where it is the same.
    offer : Offer or None
        What the catalog knows of it besides; a plan does not keep that.
    """

    provider: str
    model: str
    paid: bool
    price_per_picture: Money | None = None
    least_per_picture: Money | None = None
    offer: Offer | None = Field(default=None, exclude=True)

    @model_validator(mode="after")
    def _in_order(self) -> ModelCard:
        least, most = self.least_per_picture, self.price_per_picture
        if self.paid and most is not None and not most:
            raise ValueError("a paid picture costs nothing; write its price, or paid = false")
        if least is not None and (most is None or most < least):
            raise ValueError("least_per_picture lies above price_per_picture; write the smaller amount as the least")
        return self

    @property
    def upper_price(self) -> Money | None:
        """The most that one picture costs; None where a paid model's price is not known."""
        return self.price_per_picture if self.paid else Money()

    @property
    def lower_price(self) -> Money | None:
        """The least that one picture costs."""
        return self.least_per_picture if self.paid and self.least_per_picture is not None else self.upper_price

    def at(self, quality: str = "") -> ModelCard | None:
        """Give the card of one quality, whose name says which: each is bought for itself; None where there is none.

        An empty quality is the usual one. What the list says of a picture is the least that one costs: what goes with
        the request is charged besides.
        """
        offer = self.offer or Offer()
        if not offer.qualities:
            return None if quality else self
        quality = quality or offer.quality
        if quality not in offer.qualities:
            return None
        named: dict[str, object] = {"model": f"{self.model}{QUALITY_MARK}{quality}"}
        if self.least_per_picture is None and offer.listed(quality):
            named["least_per_picture"] = Money(micro_usd=min(offer.listed(quality)))
        return self.model_copy(update=named)


class Catalog(Value):
    """Models and prices as of a date, and how calls to their providers are paced.

    Attributes
    ----------
    limits : dict
        By provider; one that is not named here is paced as `CallLimits` says.
    preferred : dict
        By provider, which of its models is used where none is named, in place of the first: ``MODEL``,
        ``MODEL:QUALITY`` or ``:QUALITY``.
    """

    as_of: date
    models: tuple[ModelCard, ...]
    limits: dict[str, CallLimits] = Field(default_factory=dict)
    preferred: dict[str, str] = Field(default_factory=dict)

    def over(self, below: Catalog) -> Catalog:
        """Give both together: what this one says takes the place of what the other says of the same model.

        What a model takes is known from below where this one does not say it.
        """
        known = {(card.provider, card.model): card.offer for card in below.models}
        own = tuple(
            card.model_copy(update={"offer": card.offer or known.get((card.provider, card.model))})
            for card in self.models
        )
        named = {(card.provider, card.model) for card in own}
        others = tuple(card for card in below.models if (card.provider, card.model) not in named)
        return Catalog(
            as_of=self.as_of,
            models=(*own, *others),
            limits=below.limits | self.limits,
            preferred=below.preferred | self.preferred,
        )

    def limits_of(self, provider: str) -> CallLimits:
        """Give how calls to a provider are paced."""
        return self.limits.get(provider, CallLimits())

    def find(self, provider: str, model: str | None = None) -> ModelCard | None:
        """Give the card of a model, or of the provider's preferred one if none is named.

        A model that comes in several qualities is given in one of them, and named ``MODEL:QUALITY``.
        """
        cards = [card for card in self.models if card.provider == provider]
        wanted = self.preferred.get(provider, "") if model is None else model
        known = {"": cards[0]} if model is None and cards else {}
        known |= {card.model: card for card in cards}
        if wanted in known:
            return known[wanted].at()
        name, mark, quality = wanted.rpartition(QUALITY_MARK)
        return known[name].at(quality) if mark and name in known else None

    def names_of(self, provider: str) -> tuple[str, ...]:
        """Give what a provider's models may be called, each with its qualities behind it."""
        cards = [card for card in self.models if card.provider == provider]
        return tuple(
            name
            for card in cards
            for name in (card.model, *(f"{card.model}{QUALITY_MARK}{one}" for one in (card.offer or Offer()).qualities))
        )

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers that have a model here, in the catalog's order."""
        return tuple(dict.fromkeys(card.provider for card in self.models))


class ProviderCalls(Value):
    """How often a plan would call a paid provider."""

    provider: str
    model: str
    calls: int
    upper_price: Money


class Forecast(Value):
    """What a plan would make and cost.

    Attributes
    ----------
    paid_pictures : int
        Pictures that a paid engine makes; those that were bought before cost nothing again.
    calls : tuple of ProviderCalls
        What would be called.
    already_paid : int
        Pictures that were bought before, or are the same as another of the plan.
    in_doubt : int
        Pictures of which nobody knows whether they were billed before: they are not bought.
    cost_low, cost_high : Money
        The least and the most; the upper end is what ``confirm_spend`` confirms. It holds the share of paid calls
        that gave no usable picture in this project so far.
    size_bytes : int or None
        About how much disk the pictures and inputs would take; None where nobody has estimated it.
    seconds : float or None
        About how long it would take with the usual workers, as long as the project's last runs; None where there
        are none to judge by.
    """

    pictures: int
    paid_pictures: int
    calls: tuple[ProviderCalls, ...] = ()
    already_paid: int = 0
    in_doubt: int = 0
    cost_low: Money = Money()
    cost_high: Money = Money()
    prices_as_of: date
    size_bytes: Annotated[int, Field(ge=0)] | None = None
    seconds: Annotated[float, Field(ge=0)] | None = None

    @property
    def to_buy(self) -> int:
        """How many pictures would be bought."""
        return self.paid_pictures - self.already_paid - self.in_doubt
