"""Colourfulness costs little more than reading the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from kroma_nb.qa import chroma_delta

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .conftest import Ratios

pytestmark = pytest.mark.benchmark


def test_chroma_costs_at_most_four_reads_of_the_bytes(ratios: Ratios, photographs: list[NDArray[np.uint8]]) -> None:
    def read(index: int) -> int:
        return int(photographs[index % len(photographs)].reshape(-1).view(np.uint64).sum())

    def chroma(index: int) -> float:
        return chroma_delta(photographs[index % len(photographs)])

    found = ratios(read, rounds=31, chroma=chroma)

    print(f"chroma {found['chroma']:.2f} of one read")
    assert found["chroma"] <= 4
