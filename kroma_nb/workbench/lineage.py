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
    """Add to candidates what drawing each again costs at most today; later passes of their own cost nothing."""
    prices: dict[tuple[str, str], int | None] = {}
    found = []
    for row in rows:
        engine = (row.provider or "", row.model or "")
        if engine not in prices:
            card = catalog.find(*engine)
            price = card.upper_price if card else None
            prices[engine] = price.micro_usd if price is not None else None
        cost = prices[engine] if row.drawn else 0
        found.append(row.model_copy(update={"cost_micro_usd": cost}))
    return tuple(found)
