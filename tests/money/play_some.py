"""Plays a paid run of a folder's pictures in a process of its own: python play_some.py HOME SLUG FOLDER MODEL."""

import sys
from pathlib import Path

from kroma_nb.workbench import open_workbench


def main(home: Path, slug: str, folder: Path, model: str) -> None:
    """Plan and play a run, two candidates a picture."""
    story = open_workbench(home).project(slug)
    planned = story.plan(input=folder, provider="loopback", candidates=2)
    assert planned.plan.card.model == model
    story.run(planned, confirm_spend=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4])
