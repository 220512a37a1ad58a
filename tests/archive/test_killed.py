"""A mover that is killed at any line of its way: the file is whole, known, and where asking again puts it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

DRIVER = '''
import json, os, shutil, signal, sys
from pathlib import Path
import kroma_nb.blobs
from kroma_nb.blobs.archive import archive_file, listed, restore
from kroma_nb.errors import FileMissing
from kroma_nb.model.archive import ArchiveTag

INK = b"ink" * 50_000
ROOT, PLACE, ACT = Path(sys.argv[1]) / "universe", Path(sys.argv[2]), sys.argv[3]
WATCHED = str(Path(kroma_nb.blobs.__file__).parent)

def away():
    return archive_file(PLACE, root=ROOT, tag=ArchiveTag.BAD)

def back():
    (file,) = [file for file in listed(ROOT).files if file.is_there]
    return restore(file.move, root=ROOT, to=PLACE)

def another_back():
    return restore([file.move for file in listed(ROOT).files if file.move.source == "other.png"][0], root=ROOT)

def killed_at(line, act):
    """Do it in a process that kills itself at the start of its nth line; tell whether it came so far."""
    pid = os.fork()
    if pid == 0:
        left = line
        def count(frame, event, argument):
            nonlocal left
            left -= event == "line"
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return count
        sys.settrace(lambda frame, *_: count if frame.f_code.co_filename.startswith(WATCHED) else None)
        act()
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status != 0

def contents():
    """Everything that is a file with something in it, but for the record and copies on their way."""
    found = [PLACE, *(ROOT / "archive").rglob("*")]
    files = [path for path in found if path.is_file() and path.name != "archive.jsonl" and path.suffix != ".part"]
    return [path.read_bytes() for path in files if path.stat().st_size]

def prepared():
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir()
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_bytes(INK)
    if ACT == "back":
        away()
    if ACT == "away, another back":
        (ROOT / "other.png").write_bytes(INK)
        archive_file(ROOT / "other.png", root=ROOT, tag=ArchiveTag.BAD)

line, problems, seen = 0, [], {}
while True:
    line += 1
    prepared()
    if not killed_at(line, back if ACT == "back" else away):
        break
    held, states = contents(), sorted(file.state.value for file in listed(ROOT).files)
    seen[" ".join(states)] = seen.get(" ".join(states), 0) + 1
    if set(held) != {INK}:
        problems.append((line, "not whole", len(held)))
    if "unrecorded" in states or "gone" in states:
        problems.append((line, "not known", states))
    try:
        if ACT == "away, another back":
            another_back()
        back() if ACT == "back" else away()
    except (FileMissing, ValueError):
        pass  # the killed one had come to its end
    if ACT != "back":
        ended = (not PLACE.exists(), sorted(file.state.value for file in listed(ROOT).files))
        if ended != (True, ["archived"] if ACT == "away" else ["archived", "restored"]):
            problems.append((line, "not finished", ended))
    elif (PLACE.read_bytes(), [file.state.value for file in listed(ROOT).files]) != (INK, ["restored"]):
        problems.append((line, "not back"))
    if contents() != [INK]:
        problems.append((line, "not one", len(contents())))
    files = [path for top in (ROOT, PLACE.parent) for path in top.rglob("*") if path.is_file()]
    left = [path.name for path in files if path.suffix == ".part" or path.stat().st_size == 0]
    if left:
        problems.append((line, "left", left))
print(json.dumps({"lines": line, "problems": problems, "seen": seen}))
'''


@pytest.mark.parametrize("act", ["away", "back", "away, another back"])
@pytest.mark.parametrize("disks", ["one", "two"])
def test_a_kill_at_any_line_loses_nothing_and_asking_again_finishes(
    other_disk: Path, tmp_path: Path, act: str, disks: str
) -> None:
    # The archive lies in memory, where waiting for the disk costs nothing.
    with tempfile.TemporaryDirectory(dir=other_disk if disks == "one" else tmp_path) as folder:
        place = Path(folder) / "outputs" / "page.png"
        command = [sys.executable, "-c", DRIVER, other_disk, place, act]

        done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told["problems"] == []
    assert told["lines"] > 100
