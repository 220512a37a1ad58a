"""Folders of photographs and plans over them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from studio import write_photograph

from kroma_nb.model.plan import Plan, PlanRequest
from kroma_nb.planning import plan


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """A folder of three small photographs."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in (1, 2, 3):
        write_photograph(folder / f"scene_{number}.png", number)
    return folder


@pytest.fixture
def plan_for(scenes: Path) -> Callable[..., Plan]:
    """Plan a run over a folder of pictures; the manifest may be given as keyword arguments of its `generation`."""

    def make(folder: Path = scenes, candidates: int = 2, **request: Any) -> Plan:
        return plan(PlanRequest(project="ink", root=folder, input=folder, candidates=candidates, **request))

    return make


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project root that does not exist yet."""
    return tmp_path / "var" / "projects" / "ink"
