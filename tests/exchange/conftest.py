"""An old workspace to read, and a new one to read it into."""

from __future__ import annotations

from pathlib import Path

import pytest
from predecessor import OldStudio

from kroma_nb.workbench import Workbench, open_workbench


@pytest.fixture
def old(tmp_path: Path) -> OldStudio:
    root = tmp_path / "old"
    root.mkdir()
    return OldStudio(root)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return open_workbench(tmp_path / "new")
