"""A story with two light and quick runs: a style with colour by the ink engine, and what follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from studio import write_scenes

from kroma_nb.workbench import Project, Run, open_workbench


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    return write_scenes(tmp_path / "scenes", 2)


@pytest.fixture
def story(tmp_path: Path) -> Project:
    return open_workbench(tmp_path / "home").create_project("noir")


@pytest.fixture
def made(story: Project, scenes: Path) -> Run:
    """A run of two scenes, two candidates each, with the colour pass."""
    return story.run(story.plan(manifest=scenes / "manifest.json", color_profile="cinematic_warm"))
