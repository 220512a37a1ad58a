"""The frozen value that every word of the domain is made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen, strictly typed value that is equal to any other with equal fields.

    Unknown fields are refused, numbers are finite, and nothing is coerced: ``3.0`` and ``true`` are no integers.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    def to_json(self) -> dict[str, Any]:
        """Give the value as JSON types, ready for `json.dumps`."""
        return self.model_dump(mode="json", by_alias=True)
