"""Plays a paid run in a process of its own, to be killed: python play_paid.py HOME SCENES."""

import sys
from pathlib import Path

from kroma_nb.workbench import open_workbench


def main(home: Path, scenes: Path) -> None:
    """Plan and play a run over the scenes of a manifest."""
    story = open_workbench(home).create_project("noir")
    planned = story.plan(manifest=scenes / "manifest.json", provider="loopback")
    story.run(planned, confirm_spend=True, workers=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
