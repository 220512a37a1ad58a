"""A workspace with runs that follow each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from studio import draw, write_scenes

import kroma_nb as kn
from kroma_nb.model.plan import PostprocessRequest
from kroma_nb.model.words import Stage, TimeOfDay
from kroma_nb.workbench import Workbench
from kroma_nb.workbench.following import followed


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    return write_scenes(tmp_path / "scenes", 2)


@pytest.fixture
def bench(tmp_path: Path, scenes: Path) -> Workbench:
    """Project noir: a style run with a colour pass, and a night that follows it."""
    bench = kn.open_workbench(tmp_path / "workspace")
    style = draw(bench, "noir", scenes, postprocess=PostprocessRequest(color=True, color_profile="cinematic_warm"))
    follows = followed(bench.project("noir").runs, style, Stage.TIME)
    draw(bench, "noir", scenes, stage=Stage.TIME, time=TimeOfDay.NIGHT, follows=follows)
    return bench
