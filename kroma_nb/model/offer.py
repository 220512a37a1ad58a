"""What a model of a provider takes: sizes, qualities, pictures; what its list says that it costs, and until when."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Any

from pydantic import Field, model_validator

from kroma_nb.model.brief import Size
from kroma_nb.model.value import Value

Micro = Annotated[int, Field(ge=0, lt=2**53)]
SizeText = Annotated[str, Field(pattern=r"^[1-9][0-9]*x[1-9][0-9]*$")]


class FreeSizes(Value):
    """Any size within bounds.

    Attributes
    ----------
    multiple_of : int, pixels
        Both sides are multiples of it.
    longest_px : int
        The longest side.
    most_px, least_px : int
        Width times height.
    flattest : int
        How many times as long one side may be as the other.
    """

    multiple_of: Annotated[int, Field(ge=1)] = 16
    longest_px: Annotated[int, Field(ge=1)]
    most_px: Annotated[int, Field(ge=1)]
    least_px: Annotated[int, Field(ge=1)] = 1
    flattest: Annotated[int, Field(ge=1)] = 3

    def takes(self, size: Size) -> bool:
        """Tell whether a size lies within these bounds."""
        sides = (size.width, size.height)
        return (
            all(side % self.multiple_of == 0 for side in sides)
            and max(sides) <= min(self.longest_px, self.flattest * min(sides))
            and self.least_px <= size.width * size.height <= self.most_px
        )

    def nearest(self, size: Size, count: int) -> tuple[Size, ...]:
        """Give the sizes within these bounds that are nearest to one that is not, with about its shape.

        Examples
        --------
        >>> free = FreeSizes(longest_px=3840, most_px=8_294_400, least_px=655_360)
        >>> [str(size) for size in free.nearest(Size(width=1536, height=1077), 2)]
        ['1536x1072', '1536x1088']
        """
        width, height = self._within(size)
        step = self.multiple_of
        sides = [[step * (round(side / step) + more) for more in (-2, -1, 0, 1, 2)] for side in (width, height)]
        near = [Size(width=w, height=h) for w in sides[0] for h in sides[1] if min(w, h) > 0]
        fits = [one for one in near if self.takes(one)]
        return tuple(sorted(fits, key=lambda one: math.hypot(one.width - width, one.height - height))[:count])

    def _within(self, size: Size) -> tuple[float, float]:
        """Bring a shape and its area within the bounds, sides as real numbers."""
        bound = math.sqrt(self.flattest)
        shape = min(max(math.sqrt(size.width / size.height), 1 / bound), bound)
        area = min(max(size.width * size.height, self.least_px), self.most_px)
        scale = min(math.sqrt(area), self.longest_px / max(shape, 1 / shape))
        return scale * shape, scale / shape


class ListPrice(Value):
    """What the provider's list says of one picture, without what is sent along with the request."""

    quality: str
    size: SizeText
    micro_usd: Micro


class TokenRates(Value):
    """What a million tokens cost, in millionths of a US dollar."""

    text_in: Micro
    image_in: Micro
    image_out: Micro

    def cost_of(self, usage: dict[str, Any]) -> int | None:
        """Give what a call costs at these rates, in micro-dollars rounded up; None where its tokens are not said.

        What is cheaper, cached tokens or words that were written, is counted in full: an account's bill may be lower.

        Examples
        --------
        >>> rates = TokenRates(text_in=5_000_000, image_in=8_000_000, image_out=30_000_000)
        >>> rates.cost_of({"output_tokens": 1000, "input_tokens_details": {"text_tokens": 40, "image_tokens": 500}})
        34200
        >>> rates.cost_of({})
        """
        detail = usage.get("input_tokens_details")
        inside = detail if isinstance(detail, dict) else {}
        said = (inside.get("text_tokens"), inside.get("image_tokens"), usage.get("output_tokens"))
        counts = [count for count in said if type(count) is int and count >= 0]
        if len(counts) < len(said):
            return None
        rates = (self.text_in, self.image_in, self.image_out)
        return -(-sum(count * rate for count, rate in zip(counts, rates, strict=True)) // 1_000_000)


class Offer(Value):
    """What is known of a model besides its name and price; what is left out is not known, and not held to.

    Attributes
    ----------
    quality, qualities : str, tuple of str
        What is asked for where nobody says otherwise, and what can be.
    fidelities, backgrounds : tuple of str
        What `input_fidelity` and `background` may be; a model without them is not sent them.
    fidelity : str
        The `input_fidelity` that is sent.
    sizes : tuple of str
        The sizes that it draws, as ``WIDTHxHEIGHT``.
    free : FreeSizes or None
        Any size within bounds, besides those.
    media_types : tuple of str
        What it reads.
    most_pictures : int or None
        How many pictures go with one request: the scene and its references.
    prices, tokens
        The provider's list, as far as it is public.
    retired : date or None
        The day from which it answers no more.
    replaced_by : tuple of str
        What the provider names in its place.
    """

    quality: str = ""
    qualities: tuple[str, ...] = ()
    fidelity: str = ""
    fidelities: tuple[str, ...] = ()
    backgrounds: tuple[str, ...] = ()
    sizes: tuple[SizeText, ...] = ()
    free: FreeSizes | None = None
    media_types: tuple[str, ...] = ()
    most_pictures: Annotated[int, Field(ge=1)] | None = None
    prices: tuple[ListPrice, ...] = ()
    tokens: TokenRates | None = None
    retired: date | None = None
    replaced_by: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _of_one_piece(self) -> Offer:
        for name, chosen, known in (
            ("quality", self.quality, self.qualities),
            ("fidelity", self.fidelity, self.fidelities),
        ):
            if chosen and chosen not in known:
                raise ValueError(f"{name} {chosen!r} is not among {list(known)}; choose one of them")
        if self.qualities and not self.quality:
            raise ValueError("quality is missing beside qualities; say which one is usual")
        return self

    def takes(self, size: Size) -> bool:
        """Tell whether it draws a size; where nothing is known of sizes, it does."""
        if not self.sizes and self.free is None:
            return True
        return str(size) in self.sizes or (self.free is not None and self.free.takes(size))

    def nearest(self, size: Size, count: int = 2) -> tuple[Size, ...]:
        """Give the sizes that it draws and that are nearest to one that it does not: in shape first, then in area."""
        if self.free is not None:
            return self.free.nearest(size, count)
        shape, area = size.width / size.height, size.width * size.height

        def distance(one: Size) -> tuple[float, float]:
            log_shape = abs(math.log(one.width / one.height / shape))
            return round(log_shape, 6), abs(math.log(one.width * one.height / area))

        return tuple(sorted(map(size_of, self.sizes), key=distance)[:count])

    def listed(self, quality: str) -> tuple[int, ...]:
        """Give what the list says of pictures of a quality, in micro-dollars; empty where it says nothing."""
        return tuple(price.micro_usd for price in self.prices if price.quality == quality)


def size_of(text: str) -> Size:
    """Read ``WIDTHxHEIGHT``.

    Examples
    --------
    >>> str(size_of("1024x1536"))
    '1024x1536'
    """
    width, _, height = text.partition("x")
    return Size(width=int(width), height=int(height))
