"""From rows to pandas."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kroma_nb.model.value import Value

_TYPES = {bool: "bool", int: "int64", float: "float64", datetime: "datetime64[us, UTC]"}
# Where one may be missing. A float has NaN and a time NaT; a whole number would become a float, and lose digits.
_OPEN_TYPES = _TYPES | {bool: "boolean", int: "Int64"}


def frame_of(rows: Sequence[Value], kind: type[Value]) -> pd.DataFrame:
    """Make a frame of values of one kind, a column a field, also of none.

    A column's type is that of its field, whatever stands in it: whole numbers are ``int64``, or ``Int64`` where one may
    be missing, other numbers ``float64``, times ``datetime64[us, UTC]``. Words of closed lists are plain text.
    """
    columns = {
        name: pd.Series([_plain(getattr(row, name)) for row in rows], dtype=_type_of(info.annotation))
        for name, info in kind.model_fields.items()
    }
    return pd.DataFrame(columns)


def _type_of(annotation: Any) -> str | None:
    """Give the type of a column; None for what pandas is to find itself."""
    kinds = set(get_args(annotation)) or {annotation}
    found = kinds - {type(None)}
    types = _OPEN_TYPES if type(None) in kinds else _TYPES
    return types.get(found.pop()) if len(found) == 1 else None


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value.value if isinstance(value, Enum) else value
