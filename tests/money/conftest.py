"""A workspace that knows a paid provider on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loopback import Provider, provider, write_catalog
from studio import write_scenes

from kroma_nb.workbench import PlannedRun, Project, Workbench, open_workbench


@pytest.fixture
def server() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    write_catalog(tmp_path / "home")
    return open_workbench(tmp_path / "home")


@pytest.fixture
def story(bench: Workbench) -> Project:
    return bench.create_project("noir")


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    return write_scenes(tmp_path / "scenes", 3)


@pytest.fixture
def paid(story: Project, scenes: Path) -> Callable[..., PlannedRun]:
    """Plan a paid run over three scenes, two candidates each."""

    def plan(**words: object) -> PlannedRun:
        return story.plan(**{"manifest": scenes / "manifest.json", "provider": "loopback", **words})

    return plan
