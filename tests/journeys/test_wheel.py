"""The wheel carries all that the checkout has: a fresh environment elsewhere runs the demo."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from conftest import skip_or_fail

CHECKOUT = Path(__file__).parents[2]


def succeed(*command: object, folder: Path) -> str:
    ended = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout


def shelf(folder: Path) -> set[str]:
    """Name the notebooks of a folder: the journey, and the templates below ``runs/``."""
    found = [*folder.glob("*.ipynb"), *folder.glob("runs/*.ipynb")]
    return {path.relative_to(folder).with_suffix("").as_posix() for path in found}


@pytest.mark.wheel
@pytest.mark.timeout(900)
def test_the_wheel_in_a_fresh_environment_runs_the_demo_outside_the_checkout(tmp_path) -> None:
    reach = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", tmp_path / "reach", "hatchling"]
    if subprocess.run(reach, capture_output=True, check=False).returncode:
        skip_or_fail("the package index cannot be reached")
    succeed(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, CHECKOUT, folder=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    succeed(sys.executable, "-m", "venv", tmp_path / "fresh", folder=tmp_path)
    succeed(tmp_path / "fresh/bin/pip", "install", "-q", "--no-deps", wheel, folder=tmp_path)
    # That what it needs is named, the README's own installation shows; here it is what is installed already.
    (packages,) = tmp_path.glob("fresh/lib/*/site-packages")
    (packages / "installed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")

    answer = json.loads(succeed(tmp_path / "fresh/bin/kroma", "demo", "--json", folder=tmp_path))

    where = succeed(tmp_path / "fresh/bin/python", "-c", "import kroma_nb; print(kroma_nb.__file__)", folder=tmp_path)
    assert Path(where.strip()).is_relative_to(tmp_path / "fresh")
    assert answer["ok"] is True
    assert Path(answer["gallery"]).is_relative_to(tmp_path)
    listed = json.loads(succeed(tmp_path / "fresh/bin/kroma", "notebook", "list", "--json", folder=tmp_path))
    (travelled,) = tmp_path.glob("fresh/lib/*/site-packages/kroma_nb/data/notebooks")
    assert shelf(travelled) == shelf(CHECKOUT / "notebooks") == {one["name"] for one in listed["notebooks"]}

    recovered = ("notebook", "run", "r01_recover_a_run", "--json")
    assert json.loads(succeed(tmp_path / "fresh/bin/kroma", *recovered, folder=tmp_path))["ok"] is True
