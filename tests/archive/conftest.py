"""A folder with one rejected page, and a second file system."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import skip_or_fail

INK = b"ink" * 40_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "universe"
    folder.mkdir()
    return folder


@pytest.fixture
def page(root: Path) -> Path:
    path = root / "outputs" / "page.png"
    path.parent.mkdir()
    path.write_bytes(INK)
    return path


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """Make a folder that lies on another file system than the others, and that everybody may enter."""
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK) or shared.stat().st_dev == tmp_path.stat().st_dev:
        skip_or_fail("there is no second file system: /dev/shm cannot be written, or is where temporary files lie")
    folder = Path(tempfile.mkdtemp(dir=shared))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
