"""From rows to pandas."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kroma_nb.model.value import Value


def frame_of(rows: Sequence[Value], kind: type[Value]) -> pd.DataFrame:
    """Make a frame of values of one kind, a column a field, also of none.

    Words of closed lists are plain text, times are in UTC, missing numbers NaN.
    """
    names = list(kind.model_fields)
    return pd.DataFrame.from_records([[_plain(getattr(row, name)) for name in names] for row in rows], columns=names)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value.value if isinstance(value, Enum) else value
