"""The guard costs little more than decoding, and next to nothing when nothing changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import cv2
import pytest

from kroma_nb.qa import guard
from kroma_nb.qa.memory import SETTLED_AFTER_NS

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from .conftest import Ratios

pytestmark = pytest.mark.benchmark


@pytest.fixture(scope="module", params=["photographs", "ink_pages", "both"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kinds = ["photographs", "ink_pages"] if request.param == "both" else [request.param]
    pictures: list[NDArray[np.uint8]] = [each for kind in kinds for each in request.getfixturevalue(kind)]
    folder = tmp_path_factory.mktemp(request.param)
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"{number}.png"), picture if picture.ndim == 2 else picture[..., ::-1])
    # A file's marks are believed only once it has settled.
    time.sleep(SETTLED_AFTER_NS / 1e9)
    return folder


def test_the_guard_keeps_to_its_share_of_decoding(ratios: Ratios, folder: Path, tmp_path: Path) -> None:
    def decode(_: int) -> None:
        for file in sorted(folder.iterdir()):
            cv2.imread(str(file), cv2.IMREAD_UNCHANGED)

    found = ratios(
        decode,
        rounds=9,
        one_thread=lambda _: guard(folder),
        two_threads=lambda _: guard(folder, workers=2),
        unchanged=lambda _: guard(folder, cache=tmp_path),
    )

    print(folder.name, {name: round(ratio, 3) for name, ratio in found.items()})
    assert found["one_thread"] <= 1.15
    assert found["two_threads"] <= 0.65
    assert found["unchanged"] <= 0.06
