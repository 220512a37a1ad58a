"""How long a start takes, against a bare Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

KROMA = Path(sys.executable).with_name("kroma")


def start(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.benchmark
def test_importing_the_package_and_asking_for_help_stay_light(ratios) -> None:
    found = ratios(
        base=lambda _: start(sys.executable, "-c", "pass"),
        rounds=11,
        package=lambda _: start(sys.executable, "-c", "import kroma_nb"),
        help=lambda _: start(KROMA, "--help"),
    )

    print(f"\nimport kroma_nb {found['package']:.2f}, kroma --help {found['help']:.1f} x a bare Python start")
    assert found["package"] <= 6
    assert found["help"] <= 20
