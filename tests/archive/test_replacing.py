"""A new file in the place of an old one: the old one goes to the archive once the new one is whole, and not before."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import pytest

from kroma_nb.blobs.archive import listed, replace_file
from kroma_nb.errors import FileMissing, PathRefused, WriteFailed
from kroma_nb.model.archive import ArchiveTag, Whereabouts

DRIVER = '''
import json, os, shutil, signal, sys
from pathlib import Path
from types import FrameType
import kroma_nb.blobs
from kroma_nb.blobs.archive import listed, replace_file

OLD, NEW = b"old" * 5_000, b"new" * 5_000
ROOT = Path(sys.argv[1]) / "universe"
PLACE = ROOT / "print" / "page.png"
WATCHED = str(Path(kroma_nb.blobs.__file__).parent)

def killed_at(line):
    """Replace in a process that kills itself at the start of its nth line; tell whether it came so far."""
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
        replace_file(PLACE, NEW, root=ROOT)
        os._exit(0)
    return os.waitpid(pid, 0)[1] != 0

def archived():
    return [(ROOT / file.path).read_bytes() for file in listed(ROOT).files if file.is_there]

line, problems, seen = 0, [], {}
while True:
    line += 1
    shutil.rmtree(ROOT, ignore_errors=True)
    PLACE.parent.mkdir(parents=True)
    PLACE.write_bytes(OLD)
    if not killed_at(line):
        break
    held = (PLACE.read_bytes() if PLACE.exists() else None, archived())
    word = {OLD: "old", NEW: "new", None: "nothing"}.get(held[0], "torn")
    seen[word] = seen.get(word, 0) + 1
    if held not in ((OLD, []), (None, [OLD]), (NEW, [OLD])):
        problems.append((line, word, len(held[1])))
    replace_file(PLACE, NEW, root=ROOT)
    if PLACE.read_bytes() != NEW or archived() != ([OLD, NEW] if word == "new" else [OLD]):
        problems.append((line, "not finished", word, len(archived())))
print(json.dumps({"lines": line, "problems": problems, "seen": seen}))
'''


def test_what_stood_there_is_in_the_archive_with_a_line_of_where_it_was(root: Path, page: Path) -> None:
    old = page.read_bytes()

    (move,) = replace_file(page, b"new", root=root, reason="kroma upscale")

    assert page.read_bytes() == b"new"
    assert (root / move.target).read_bytes() == old
    assert (move.source, move.tag, move.reason) == ("outputs/page.png", ArchiveTag.REPLACED, "kroma upscale")
    assert [file.state for file in listed(root).files] == [Whereabouts.ARCHIVED]


def test_a_new_file_needs_no_archive(root: Path) -> None:
    assert replace_file(root / "new" / "page.png", b"new", root=root) == ()

    assert (root / "new" / "page.png").read_bytes() == b"new"
    assert not (root / "archive").exists()


def test_a_file_that_cannot_be_written_takes_nothing_away(root: Path, page: Path) -> None:
    old = page.read_bytes()

    with pytest.raises(WriteFailed):
        replace_file(page / "page.png", b"new", root=root)
    with pytest.raises(WriteFailed):
        replace_file(page.with_name("x" * 300), b"new", root=root)

    assert page.read_bytes() == old
    assert [path.name for path in page.parent.iterdir()] == ["page.png"]
    assert not (root / "archive").exists()


def test_a_link_or_a_folder_at_the_place_stays(root: Path, page: Path) -> None:
    link, folder = page.with_name("link.png"), page.with_name("folder.png")
    link.symlink_to(page)
    folder.mkdir()

    with pytest.raises(PathRefused, match="this is a link"):
        replace_file(link, b"new", root=root)
    with pytest.raises(FileMissing, match="a folder, not a file"):
        replace_file(folder, b"new", root=root)

    assert (link.is_symlink(), page.read_bytes() != b"new") == (True, True)
    assert sorted(path.name for path in page.parent.iterdir()) == ["folder.png", "link.png", "page.png"]


def test_of_many_that_replace_at_once_nothing_is_lost(other_disk: Path) -> None:
    # In memory, where waiting for the disk costs nothing: so they meet often.
    page, texts = other_disk / "page.png", [b"%d" % number for number in range(500)]

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda text: replace_file(page, text, root=other_disk), texts))

    kept = [(other_disk / file.path).read_bytes() for file in listed(other_disk).files]
    assert sorted([page.read_bytes(), *kept]) == sorted(texts)


def test_a_kill_at_any_line_leaves_the_old_file_at_its_place_or_in_the_archive(other_disk: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DRIVER, other_disk], capture_output=True, text=True, check=False)

    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told["problems"] == []
    assert set(told["seen"]) == {"old", "nothing", "new"}
    assert told["seen"]["old"] > 50


def test_where_the_new_file_is_taken_away_at_the_last_moment_the_old_one_is_back(root: Path, page: Path) -> None:
    old = page.read_bytes()

    def taken_away(frame: FrameType, *_: object) -> None:
        if frame.f_code.co_name == "_placed":
            for part in page.parent.glob(".*.part"):
                part.unlink()

    sys.settrace(taken_away)
    try:
        with pytest.raises(WriteFailed):
            replace_file(page, b"new", root=root)
    finally:
        sys.settrace(None)

    assert page.read_bytes() == old
    assert [file.state for file in listed(root).files] == [Whereabouts.RESTORED]
