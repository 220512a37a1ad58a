"""A folder of pictures of every kind, one of which is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from studio import photograph, posed


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its name in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A photograph, and in a folder of its own a grey page and a figure with alpha."""
    folder = tmp_path / "pages"
    (folder / "ink").mkdir(parents=True)
    Image.fromarray(posed(1)).save(folder / "street.png")
    Image.fromarray(posed(2)[..., 0]).save(folder / "ink" / "grey.png")
    figure = np.dstack([posed(3), np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))])
    Image.fromarray(figure).save(folder / "ink" / "figure.png")
    return folder


@pytest.fixture
def broken(pages: Path) -> Path:
    path = pages / "broken.png"
    path.write_bytes((pages / "street.png").read_bytes()[:200])
    return path


@pytest.fixture
def turned(tmp_path: Path) -> Path:
    """64 wide and 48 high as stored, to be shown upright."""
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photograph(4)).save(path, exif=exif)
    return path


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    path = tmp_path / "deep.png"
    cv2.imwrite(str(path), photograph(5).astype(np.uint16) * 257)
    return path


@pytest.fixture
def listing() -> Callable[[Path], dict[str, bytes]]:
    return contents
