"""What somebody does who alters a run: its files byte by byte, its record by events, its pictures by pixels."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2

from kroma_nb.blobs import sha256_bytes
from kroma_nb.model.replay import PassCheck, Verdict
from kroma_nb.run.folder import RunFolder
from kroma_nb.run.runlog import write_run_log
from kroma_nb.workbench import Project, Run
from kroma_nb.workbench.replaying import Proof

NOBODY = 65534


def flip(path: Path, place: int = -20) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 0x01
    path.chmod(0o644)
    path.write_bytes(bytes(data))


def files(root: Path) -> dict[str, bytes]:
    """Give every file below a folder."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def said(proof: Proof) -> str:
    """Give all that a proof says of the run as a whole."""
    return " ".join(str(cause) for cause in proof.record.differs)


def odd(proof: Proof) -> list[PassCheck]:
    """Give the passes that are not exact."""
    return [check for check in proof.record.checks if check.verdict is not Verdict.EXACT]


def rewrite(run: Run, change: Callable[[dict], object]) -> None:
    """Change a run's journal by events, and its run.json with it, as somebody who knows the layout would."""
    journal = run.folder / "journal.jsonl"
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    for event in events:
        change(event)
    journal.write_text("".join(json.dumps(event) + "\n" for event in events))
    (run.folder / "run.json").unlink()
    run.project.bench.index.store.close()
    folder = RunFolder(run.project.root, run.run_id)
    write_run_log(folder, folder.plan())


def paid_run(story: Project, scenes: Path, **words: object) -> Run:
    """Make a run of the paid provider of the tests."""
    return story.run(story.plan(manifest=scenes / "manifest.json", provider="loopback", **words), confirm_spend=True)


def put(path: Path, data: bytes) -> None:
    """Put other bytes where a read-only picture lies."""
    path.chmod(0o644)
    path.write_bytes(data)


def speck(path: Path, pixels: int = 1) -> None:
    """Turn over a few pixels of a picture."""
    page = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    page[0, :pixels] = 255 - page[0, :pixels]
    put(path, cv2.imencode(path.suffix, page)[1].tobytes())


def record_as_it_lies(run: Run, picture: str) -> None:
    """Make journal and run.json say of a picture what lies there now."""
    data = (run.project.root / picture).read_bytes()
    now = {"sha256": sha256_bytes(data), "size_bytes": len(data)}

    def forge(event: dict) -> None:
        for record in event.get("outcome", {}).get("passes", ()):
            for side in ("input", "output"):
                if record[side]["path"] == picture:
                    record[side] |= now

    rewrite(run, forge)


@contextmanager
def as_nobody(home: Path) -> Iterator[None]:
    """Go on as a user whom permissions bind, and whose workspace it is: they do not bind root."""
    if os.geteuid() != 0:
        yield
        return
    for folder in (home.parent, *home.parent.parents):
        if "pytest" in str(folder):
            folder.chmod(0o755)
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
