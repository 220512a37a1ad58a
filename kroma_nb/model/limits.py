"""How calls to a paid provider are paced."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kroma_nb.model.value import Value

# TOML writes 2 where it means 2.0.
Seconds = Annotated[float, Field(strict=False)]


class CallLimits(Value):
    """How calls to one provider are paced.

    Attributes
    ----------
    tries : int
        How often a call is tried at most while the provider is busy.
    concurrency : int
        How many calls are under way at once.
    per_minute : int
        How many calls are begun in a minute at most.
    timeout_s : float, seconds
        How long an answer may take.
    key_valid_s : float, seconds
        How long a provider that takes a key remembers it; a call that is older is not sent again by itself.
    backoff_s, longest_wait_s : float, seconds
        The first wait before another try, which doubles with each further one up to the longest, and is scattered.
    """

    tries: Annotated[int, Field(ge=1, le=20)] = 4
    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    timeout_s: Annotated[Seconds, Field(gt=0, le=3600)] = 180.0
    key_valid_s: Annotated[Seconds, Field(ge=0, le=31_536_000)] = 86_400.0
    backoff_s: Annotated[Seconds, Field(ge=0, le=600)] = 1.0
    longest_wait_s: Annotated[Seconds, Field(gt=0, le=3600)] = 60.0
