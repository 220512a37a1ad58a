"""Starts a script of this folder in a process of its own, with the same kroma_nb as this one has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import kroma_nb

HERE = Path(__file__).parent
PATHS = (HERE.parent, Path(kroma_nb.__file__).parents[1])
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(map(str, PATHS))}


def start(script: str, *words: object, before: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """Start ``python script words``, behind another program where one is given, and do not wait for it."""
    command = [*before, sys.executable, str(HERE / script), *map(str, words)]
    return subprocess.Popen(command, env=os.environ | ENVIRONMENT, stdout=subprocess.DEVNULL)
