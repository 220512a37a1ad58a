"""The engine that the page about engines of one's own prints, installed and used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import skip_or_fail
from studio import write_scenes

PAGE = Path(__file__).parents[2] / "docs" / "own_provider.md"
KROMA = "from kroma_nb.cli import main; main()"


@pytest.fixture
def printed(tmp_path: Path) -> tuple[str, str, str]:
    """What the page prints: the package's project file, its module, and what the workspace says of its model."""
    project, module, models = re.findall(r"```(?:toml|python)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return project, module, models


@pytest.fixture
def beside(tmp_path: Path, printed) -> Path:
    """The folder that the package is installed in."""
    package = tmp_path / "kroma-woodcut"
    package.mkdir()
    (package / "pyproject.toml").write_text(printed[0])
    (package / "kroma_woodcut.py").write_text(printed[1])
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", tmp_path / "beside", package]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    if installed.returncode and "hatchling" in installed.stderr:
        skip_or_fail("the package index cannot be reached")
    assert installed.returncode == 0, installed.stderr
    return tmp_path / "beside"


@pytest.mark.wheel
def test_the_engine_on_the_page_is_installed_and_draws(tmp_path, printed, beside) -> None:
    home, scenes = tmp_path / "home", write_scenes(tmp_path / "scenes", 2, style=False)
    (home / "config").mkdir(parents=True)
    (home / "config" / "models.toml").write_text(printed[2])
    paths = os.pathsep.join(filter(None, [str(beside), os.environ.get("PYTHONPATH", "")]))

    def kroma(*words: object) -> dict:
        command = [sys.executable, "-c", KROMA, *map(str, words), "--home", str(home), "--json"]
        environment = os.environ | {"PYTHONPATH": paths}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    kroma("init", "noir")
    drawn = kroma("run", "--manifest", scenes / "manifest.json", "--provider", "woodcut")
    run_id = drawn["runs"][0]["run_id"]
    proof = kroma("replay", run_id, "--verify")

    assert (drawn["ok"], proof["ok"]) == (True, True)
    log = json.loads((home / "var/projects/noir/runs" / run_id / "run.json").read_text())
    passes = [made for job in log["jobs"] for candidate in job["candidates"] for made in candidate["passes"]]
    assert {made["backend"] for made in passes} == {"woodcut plank-1"}
    assert len([line for line in printed[1].splitlines() if line.strip()]) <= 30
