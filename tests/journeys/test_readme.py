"""What the README says, typed as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from studio import write_photograph

README = (Path(__file__).parents[2] / "README.md").read_text()
BIN = Path(sys.executable).parent


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """An artist's folder with a project and two photographs."""
    (tmp_path / "photographs").mkdir()
    for number in (1, 2):
        write_photograph(tmp_path / "photographs" / f"scene_{number}.png", number, 96, 64)
    typed("kroma init harbour", tmp_path)
    return tmp_path


def typed(line: str, folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    ended = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{line}\n{ended.stderr}"
    return ended.stdout


def test_the_commands_of_the_readme_work_one_after_the_other(desk) -> None:
    section = README.split("## Your own story")[1]
    lines = [line.strip().split("  #")[0] for line in section.splitlines() if line.startswith("    kroma ")]

    assert len(lines) >= 6
    for line in lines:
        typed(line, desk)

    assert len(list((desk / "chosen").iterdir())) == 2


def test_the_python_of_the_readme_works(desk) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (desk / "example.py").write_text(code)

    said = typed(f"{sys.executable} example.py", desk).splitlines()

    assert said[0].split() == ["scene", "candidate", "quality"]
    assert Path(said[-1]).name == "gallery.html"
    assert Path(said[-1]).exists()


def test_every_page_and_picture_that_the_readme_links_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert len(links) >= 8
    assert [link for link in links if not (Path(__file__).parents[2] / link).exists()] == []
