"""A picture's lineage in a notebook's hands, and what must be made again if it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kroma_nb import report
from kroma_nb.model.lineage import AffectedRow, Relative

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from kroma_nb.model.lineage import AffectedRecord, LineageRecord
    from kroma_nb.model.money import Catalog, Money
    from kroma_nb.workbench.assets import Asset


@dataclass(frozen=True)
class Lineage:
    """Everything that a picture was made of, and everything that was made of it.

    Attributes
    ----------
    asset : Asset
    record : LineageRecord
        All of it as values: ``pictures``, ``links``, ``lost``.
    """

    asset: Asset
    record: LineageRecord

    @property
    def above(self) -> tuple[Relative, ...]:
        """What it was made of, the nearest first."""
        return tuple(one for one in reversed(self.record.pictures) if one.depth < 0)

    @property
    def below(self) -> tuple[Relative, ...]:
        """What was made of it, the nearest first."""
        return tuple(one for one in self.record.pictures if one.depth > 0)

    def frame(self) -> pd.DataFrame:
        """Give one row a picture, from the farthest above to the farthest below."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - pandas loads when a frame is asked for

        return frame_of(self.record.pictures, Relative)

    def svg(self) -> str:
        """Draw it as an SVG that stands alone: at most 60 pictures, sources and winners first, the others counted."""
        return report.lineage_svg(self.record)

    def mermaid(self) -> str:
        """Write it as a Mermaid flowchart: at most 60 pictures, sources and winners first, the others counted."""
        return report.lineage_mermaid(self.record)

    def __len__(self) -> int:
        return len(self.record.pictures)

    def __repr__(self) -> str:
        return report.lineage_view(self.record).text()

    def _repr_html_(self) -> str:
        return report.lineage_page(self.record)


@dataclass(frozen=True)
class Affected:
    """What must be made again if a picture changes, and what that would cost.

    Attributes
    ----------
    asset : Asset
    record : AffectedRecord
        All of it as values.
    """

    asset: Asset
    record: AffectedRecord

    @property
    def pictures(self) -> int:
        """How many candidates would be drawn again."""
        return len(self.record.drawn)

    @property
    def jobs(self) -> int:
        """How many scenes of runs they belong to."""
        return self.record.jobs

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs that they belong to, oldest first."""
        return self.record.runs

    @property
    def cost_low(self) -> Money:
        """What drawing these candidates again costs at least, at the catalog's prices."""
        return self.record.cost_low

    @property
    def cost_high(self) -> Money | None:
        """What it costs at most, with every attempt that never had a picture; None where a price is not known."""
        return self.record.cost_high

    def frame(self) -> pd.DataFrame:
        """Give one row a candidate; pictures outside runs come last."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - pandas loads when a frame is asked for

        return frame_of(self.record.rows, AffectedRow)

    def __len__(self) -> int:
        return len(self.record.rows)

    def __repr__(self) -> str:
        return report.affected_view(self.record).text()

    def _repr_html_(self) -> str:
        return report.affected_view(self.record).html()


def priced(rows: Iterable[AffectedRow], catalog: Catalog) -> tuple[AffectedRow, ...]:
    """Add to candidates what drawing each again costs today, at most and at least; their later passes are free."""
    return tuple(row.model_copy(update=_prices(row, catalog)) for row in rows)


def _prices(row: AffectedRow, catalog: Catalog) -> dict[str, int | None]:
    if not row.drawn:
        return {"cost_micro_usd": 0, "least_micro_usd": 0}
    card = catalog.find(row.provider or "", row.model or "")
    most, least = (card.upper_price, card.lower_price) if card else (None, None)
    return {
        "cost_micro_usd": most.micro_usd if most is not None else None,
        "least_micro_usd": least.micro_usd if least is not None else None,
    }
