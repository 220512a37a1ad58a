"""The guard costs little more than decoding, and next to nothing when nothing changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest

from kroma_nb import images
from kroma_nb.qa import guard
from kroma_nb.qa.memory import SETTLED_AFTER_NS

if TYPE_CHECKING:
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


def pictures_of(folder: Path) -> list[str]:
    return sorted(str(file) for file in folder.iterdir())


def decode(file: str) -> None:
    """Decode by the guard's own decoder, so that the ratio shows what guarding adds."""
    images.load(Path(file))


# In a process of its own: what a long one has taken and given back of memory before costs one side a percent or two.
ALONE = """
import json, sys
from pathlib import Path
import cv2
from benchmarks.conftest import interleaved
from kroma_nb import images
from kroma_nb.qa import guard

cv2.setNumThreads(1)
folder = Path(sys.argv[1])
files = sorted(folder.iterdir())

def decode(_):
    for file in files:
        images.load(file)

found = interleaved(decode, rounds=15, one_thread=lambda _: guard(folder))
print(json.dumps(found))
"""


def test_the_guard_takes_at_most_1_15_of_decoding(folder: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", ALONE, str(folder)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)

    print(folder.name, found)
    assert found["one_thread"] <= 1.15


def test_an_unchanged_folder_takes_at_most_0_06_of_decoding(ratios: Ratios, folder: Path, tmp_path: Path) -> None:
    files = pictures_of(folder)

    found = ratios(lambda _: [decode(file) for file in files], unchanged=lambda _: guard(folder, cache=tmp_path))

    print(folder.name, found)
    assert found["unchanged"] <= 0.06


def test_two_threads_take_at_most_0_65_of_decoding(ratios: Ratios, folder: Path) -> None:
    files = pictures_of(folder)

    with ThreadPoolExecutor(2) as pool:
        found = ratios(
            lambda _: [decode(file) for file in files],
            two_threads=lambda _: guard(folder, workers=2),
            only_decoding=lambda _: list(pool.map(decode, files)),
        )

    print(folder.name, found)
    # Where the second core is not ours alone, decoding itself does not reach one half: the guard then adds its share.
    assert found["two_threads"] <= max(0.65, 1.15 * found["only_decoding"])
