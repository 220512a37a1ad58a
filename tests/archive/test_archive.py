"""A replaced or rejected file is moved, never lost, never over another one, and its move is written down."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kroma_nb.blobs import create_atomic, sha256_bytes
from kroma_nb.blobs.archive import archive_file, listed, restore
from kroma_nb.blobs.archive.moving import claim, leave, look
from kroma_nb.errors import ContentDamaged, FileMissing, InUse, PathRefused, RequestInvalid, WriteFailed
from kroma_nb.model.archive import ArchiveTag, Whereabouts

INK = b"ink" * 40_000
BAD, REPLACED = ArchiveTag.BAD, ArchiveTag.REPLACED
NOON = datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def states(root: Path) -> list[str]:
    return [file.state.value for file in listed(root).files]


def lines(root: Path) -> list[dict]:
    return [json.loads(line) for line in (root / "archive/archive.jsonl").read_text("utf-8").splitlines()]


def test_every_move_of_a_replaced_file_is_written_down_with_where_it_went(root: Path, page: Path) -> None:
    move = archive_file(page, root=root, tag=REPLACED, reason="drawn again", at=NOON)

    assert files_below(root) == ["archive/archive.jsonl", "archive/replaced/page_replaced_1769860800-123.png"]
    assert (root / move.target).read_bytes() == INK
    assert lines(root) == [
        {
            "schema": "kroma_nb.archive/1",
            "act": "archived",
            "at": "2026-01-31T12:00:00.123456Z",
            "from": "outputs/page.png",
            "from_hex": "",
            "to": "archive/replaced/page_replaced_1769860800-123.png",
            "tag": "replaced",
            "sha256": sha256_bytes(INK),
            "size_bytes": len(INK),
            "reason": "drawn again",
        }
    ]
    assert [(file.path, file.state, file.move) for file in listed(root).files] == [
        (move.target, Whereabouts.ARCHIVED, move)
    ]


def test_files_of_one_name_and_one_millisecond_get_names_of_their_own(root: Path, page: Path) -> None:
    kept = {}
    for number in range(30):
        page.write_bytes(b"%d" % number)
        kept[archive_file(page, root=root, tag=BAD, at=NOON).target] = b"%d" % number

    assert len(kept) == 30
    assert {path: (root / path).read_bytes() for path in kept} == kept
    assert states(root) == ["archived"] * 30


def test_a_file_that_somebody_else_put_into_the_archive_is_kept_and_listed(root: Path, page: Path) -> None:
    foreign = root / "archive/bad/page_bad_1769860800-123.png"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"foreign")

    move = archive_file(page, root=root, tag=BAD, at=NOON)

    assert move.target == "archive/bad/page_bad_1769860800-123-2.png"
    assert foreign.read_bytes() == b"foreign"
    assert states(root) == ["archived", "unrecorded"]


def test_an_empty_file_is_moved_like_any_other(root: Path, page: Path) -> None:
    page.write_bytes(b"")

    move = archive_file(page, root=root, tag=BAD)
    page.write_bytes(b"next")
    archive_file(page, root=root, tag=BAD)

    assert (root / move.target).read_bytes() == b""
    assert states(root) == ["archived", "archived"]


def test_a_file_goes_back_to_its_old_place_if_that_is_free(root: Path, page: Path) -> None:
    move = archive_file(page, root=root, tag=BAD)
    page.write_bytes(b"newer")

    with pytest.raises(InUse, match="something else is at"):
        restore(move, root=root)
    page.unlink()
    page.parent.rmdir()
    back = restore(move, root=root)

    assert page.read_bytes() == INK
    assert files_below(root / "archive") == ["archive.jsonl"]
    assert (back.source, states(root)) == ("outputs/page.png", ["restored"])
    with pytest.raises(FileMissing):
        restore(move, root=root)


def test_what_is_restored_is_what_was_moved(root: Path, page: Path) -> None:
    move = archive_file(page, root=root, tag=BAD)
    (root / move.target).write_bytes(INK[::-1])
    unseen = states(root)
    (root / move.target).write_bytes(b"short")

    with pytest.raises(ContentDamaged):
        restore(move, root=root)

    assert (unseen, states(root), page.exists()) == (["archived"], ["changed"], False)


def test_what_became_of_every_file_is_listed(root: Path, page: Path) -> None:
    move = archive_file(page, root=root, tag=BAD)
    (root / move.target).unlink()
    gone = states(root)
    page.write_bytes(INK)

    assert (gone, states(root)) == (["gone"], ["unmoved"])


HOSTILE = [
    *("a b.png", "-rf.png", ".hidden", "no_ending", "a.tar.gz", "page.PNG", "夜のページ.png", "\U0001f5a4.png"),
    *(
        "two\nlines.png",
        "$(reboot).png",
        "[bold]page[-].png",
        "..png",
        "a\\b.png",
        "'\".png",
        "tab\t.p g",
        "e\u0301.png",
    ),
    *("x" * 251 + ".png", "夜" * 83 + ".png", "caf\udce9.png", "\udcff", "%s%n.png", "e\u0301.png", "\u202egnp.egap"),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_of_any_signs_is_archived_under_a_tame_one_and_comes_back_as_it_was(root: Path, name: str) -> None:
    (root / name).write_bytes(INK)

    move = archive_file(root / name, root=root, tag=BAD, reason=name)
    held = names_in(root), (root / move.target).read_bytes()
    restore(listed(root).files[0].move, root=root)

    assert held == (["archive"], INK)
    assert re.fullmatch(r"archive/bad/[\w.-]+_bad_\d+-\d{3}(\.\w+)?", move.target)
    assert len(os.fsencode(move.target)) < 240
    assert names_in(root) == sorted(["archive", name])
    assert (root / name).read_bytes() == INK
    assert [line["act"] for line in lines(root)] == ["archived", "restored"]


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "missing", "below a file", "circle", "NUL", "root"])
def test_what_is_no_file_is_refused_before_anything_is_made(root: Path, page: Path, kind: str) -> None:
    path = root / kind
    match kind:
        case "link":
            path.symlink_to(page)
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "circle":
            path.symlink_to(path)
            path = path / "page.png"
        case "below a file":
            path = page / "page.png"
        case "NUL":
            path = root / "a\0.png"
        case "root":
            path = root

    with pytest.raises((PathRefused, FileMissing)):
        archive_file(path, root=root, tag=BAD)

    assert not (root / "archive").exists()
    assert page.read_bytes() == INK


def test_a_link_on_the_way_must_not_lead_out(root: Path, page: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "page.png").write_bytes(INK)
    (root / "out").symlink_to(outside)
    (root / "in").symlink_to(page.parent)

    for way in (root / "out/page.png", root / "in/../../outside/../universe/out/page.png"):
        with pytest.raises(PathRefused, match="leads out"):
            archive_file(way, root=root, tag=BAD)
    move = archive_file(root / "in/page.png", root=root, tag=BAD)

    assert (outside / "page.png").read_bytes() == INK
    assert move.source == "outputs/page.png"


@pytest.mark.parametrize("name", ["archive", "archive/bad", "archive/archive.jsonl"])
def test_an_archive_that_is_a_link_is_refused(root: Path, page: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    if name.endswith("jsonl"):
        outside.write_text("")
    else:
        outside.mkdir()
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).symlink_to(outside)

    with pytest.raises(PathRefused):
        archive_file(page, root=root, tag=BAD)
    with pytest.raises(PathRefused):
        listed(root)

    assert page.read_bytes() == INK
    assert outside.stat().st_size == 0 or not names_in(outside)


def test_a_file_from_outside_is_taken_and_goes_back_only_where_somebody_says(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "page.png"
    outside.write_bytes(INK)

    move = archive_file(outside, root=root, tag=REPLACED)
    with pytest.raises(RequestInvalid, match="outside of"):
        restore(move, root=root)
    restore(move, root=root, to=outside)

    assert move.source == str(outside.resolve())
    assert outside.read_bytes() == INK


@pytest.mark.parametrize("old", ["../outside.png", "/tmp/../outside.png", "out/page.png", "archive/bad/x", "a\0b"])
def test_a_record_does_not_decide_where_outside_something_is_written(
    root: Path, page: Path, tmp_path: Path, old: str
) -> None:
    (tmp_path / "outside").mkdir()
    (root / "out").symlink_to(tmp_path / "outside")
    archive_file(page, root=root, tag=BAD)
    record = root / "archive/archive.jsonl"
    record.write_text(record.read_text().replace('"outputs/page.png"', json.dumps(old)))
    (file,) = listed(root).files

    with pytest.raises((PathRefused, RequestInvalid, InUse)):
        restore(file.move, root=root)

    assert file.is_there
    assert files_below(tmp_path / "outside") == []


@pytest.mark.parametrize("path", ["../../etc/passwd", "archive/bad/../../x", "archive/other/x", "/etc/passwd", ""])
def test_a_line_that_names_a_place_outside_of_the_archive_is_no_line(root: Path, page: Path, path: str) -> None:
    move = archive_file(page, root=root, tag=BAD)
    record = root / "archive/archive.jsonl"
    record.write_text(record.read_text().replace(json.dumps(move.target), json.dumps(path)))

    listing = listed(root)

    assert listing.broken_lines == (1,)
    assert [(file.path, file.state.value) for file in listing.files] == [(move.target, "unrecorded")]


@pytest.mark.parametrize("torn", [b'{"schema": "kroma_nb.archive/1", "act": "arch', b"\xff\xfe", b"{}"])
def test_a_torn_last_line_is_passed_over_and_cut_off_before_the_next(root: Path, page: Path, torn: bytes) -> None:
    archive_file(page, root=root, tag=BAD)
    record = root / "archive/archive.jsonl"
    record.write_bytes(record.read_bytes() + torn)
    seen = listed(root)
    page.write_bytes(b"next")

    archive_file(page, root=root, tag=BAD)

    assert (len(seen.files), seen.broken_lines) == (1, ())
    assert len(lines(root)) == 2


def test_a_last_line_without_its_end_is_a_line(root: Path, page: Path) -> None:
    archive_file(page, root=root, tag=BAD)
    record = root / "archive/archive.jsonl"
    record.write_bytes(record.read_bytes().rstrip())
    page.write_bytes(b"next")
    seen = states(root)

    archive_file(page, root=root, tag=BAD)

    assert (seen, states(root)) == (["archived"], ["archived", "archived"])


def test_a_broken_line_hides_no_file_and_stops_no_move(root: Path, page: Path) -> None:
    for number in range(3):
        page.write_bytes(b"%d" % number)
        archive_file(page, root=root, tag=BAD)
    record = root / "archive/archive.jsonl"
    first, _, third = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(first + b"what?\n" + third)
    page.write_bytes(b"4")

    archive_file(page, root=root, tag=BAD)

    assert listed(root).broken_lines == (2,)
    assert sorted(states(root)) == ["archived"] * 3 + ["unrecorded"]


def test_to_another_file_system_a_file_is_copied_checked_and_only_then_removed(
    root: Path, page: Path, other_disk: Path
) -> None:
    far = other_disk / "page.png"
    far.write_bytes(INK)
    far.chmod(0o640)
    os.utime(far, ns=(10**18, 10**18))

    move = archive_file(far, root=root, tag=REPLACED)
    held = root / move.target
    kept = held.read_bytes(), held.stat().st_mode & 0o777, held.stat().st_mtime_ns
    gone = not far.exists()
    restore(move, root=root, to=far)

    assert (kept, gone) == ((INK, 0o640, 10**18), True)
    assert far.read_bytes() == INK
    assert files_below(root / "archive") == ["archive.jsonl"]
    assert files_below(other_disk) == ["page.png"]


def test_a_file_with_a_very_long_name_comes_back_to_another_file_system(root: Path, other_disk: Path) -> None:
    far = other_disk / ("x" * 251 + ".png")
    far.write_bytes(INK)

    restore(archive_file(far, root=root, tag=BAD), root=root, to=far)

    assert files_below(other_disk) == [far.name]
    assert far.read_bytes() == INK


def test_equal_bytes_that_were_made_anew_are_archived_anew(root: Path, page: Path) -> None:
    first = archive_file(page, root=root, tag=BAD)
    page.write_bytes(INK)

    second = archive_file(page, root=root, tag=BAD)

    assert first.target != second.target
    assert states(root) == ["archived", "archived"]


def test_a_move_that_was_cut_off_is_finished_also_if_the_file_was_away_meanwhile(root: Path, page: Path) -> None:
    move = archive_file(page, root=root, tag=BAD)
    away, other = page.with_suffix(".away"), root / "other.png"
    # The line is on the disk and the file is not moved: that is what a kill between the two leaves.
    (root / move.target).rename(away)
    other.write_bytes(b"other")
    archive_file(other, root=root, tag=BAD)
    away.rename(page)
    then = states(root)

    archive_file(page, root=root, tag=BAD)

    assert (then, states(root)) == (["unmoved", "archived"], ["archived", "archived"])


def test_a_name_that_came_to_be_taken_is_not_taken_twice(root: Path, page: Path) -> None:
    free = root / "free.png"

    assert (claim(free), claim(free), claim(page)) == (True, False, False)
    assert page.read_bytes() == INK


def test_a_file_that_came_to_the_old_place_meanwhile_is_not_removed(page: Path) -> None:
    seen = look(page, "archive")
    page.rename(page.with_suffix(".old"))
    page.write_bytes(INK)

    leave(page, seen)

    assert page.read_bytes() == INK


CHILD = """
import os, resource, signal, sys
from pathlib import Path
from kroma_nb.blobs.archive import archive_file, listed, restore
from kroma_nb.errors import KromaError
from kroma_nb.model.archive import ArchiveTag
root, path = Path(sys.argv[1]), Path(sys.argv[2])
{before}
try:
    archive_file(path, root=root, tag=ArchiveTag.BAD)
except KromaError as error:
    print(type(error).__name__, error.path.name, error.cause)
print([file.state.value for file in listed(root).files])
"""


def in_a_child(before: str, root: Path, path: Path) -> list[str]:
    code = CHILD.format(before=textwrap.dedent(before))
    done = subprocess.run([sys.executable, "-c", code, root, path], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()


# The administrator may write everywhere, so that the mover has to be somebody else.
SOMEBODY = "os.geteuid() == 0 and os.setuid(65534)"


@pytest.mark.parametrize("closed", ["outputs", "archive/bad", "archive", "."])
def test_where_nothing_may_be_written_the_file_stays(other_disk: Path, closed: str) -> None:
    page = other_disk / "outputs/page.png"
    for folder in (page.parent, other_disk / "archive/bad"):
        folder.mkdir(parents=True)
    page.write_bytes(INK)
    for path in (other_disk, *other_disk.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    if closed == ".":
        (other_disk / "archive/bad").rmdir()
        (other_disk / "archive").rmdir()
    (other_disk / closed).chmod(0o555)

    refused, states_then = in_a_child(SOMEBODY, other_disk, page)

    assert refused.startswith("WriteFailed")
    assert refused.endswith("Permission denied")
    assert states_then == "[]"
    assert page.read_bytes() == INK
    assert [name for name in files_below(other_disk) if name != "archive/archive.jsonl"] == ["outputs/page.png"]


def test_a_file_that_may_be_read_and_not_removed_is_not_copied_to_another_file_system(other_disk: Path) -> None:
    page = other_disk / "closed/page.png"
    page.parent.mkdir()
    page.write_bytes(INK)
    page.parent.chmod(0o555)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o777)

        refused, states_then = in_a_child(SOMEBODY, root, page)
        left = files_below(root)

    assert left == ["archive/archive.jsonl"]
    assert refused == "WriteFailed page.png Permission denied"
    assert states_then == "[]"
    assert page.read_bytes() == INK


FULL = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
"""


@pytest.mark.parametrize("limit", [0, 100, 50_000])
def test_a_full_disk_leaves_the_file_where_it_is(root: Path, other_disk: Path, limit: int) -> None:
    page = other_disk / "page.png"
    page.write_bytes(INK)

    refused, states_then = in_a_child(FULL.format(limit=limit), root, page)

    assert refused.startswith("WriteFailed")
    assert refused.endswith("File too large")
    assert states_then == "[]"
    assert page.read_bytes() == INK
    assert files_below(root) == ["archive/archive.jsonl"]
    assert all(line["act"] in {"archived", "undone"} for line in lines(root))


MOVERS = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from kroma_nb.blobs.archive import archive_file
from kroma_nb.errors import FileMissing
from kroma_nb.model.archive import ArchiveTag
root, noon = Path(sys.argv[1]), datetime(2026, 1, 31, tzinfo=UTC)
for worker in range(4):
    if os.fork() == 0:
        for folder in sorted(root.glob("scene*")):
            try:
                archive_file(folder / "page.png", root=root, tag=ArchiveTag.BAD, at=noon)
            except FileMissing:
                pass
        os._exit(0)
print([os.wait()[1] for _ in range(4)])
"""


def test_of_several_that_archive_the_same_files_at_once_each_file_is_moved_by_one(root: Path) -> None:
    contents = []
    for number in range(25):
        contents.append(b"%d" % number * 1000)
        (root / f"scene{number}").mkdir()
        (root / f"scene{number}/page.png").write_bytes(contents[-1])

    done = subprocess.run([sys.executable, "-c", MOVERS, root], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("[0, 0, 0, 0]\n", "")
    assert states(root) == ["archived"] * 25
    assert sorted((root / file.path).read_bytes() for file in listed(root).files) == sorted(contents)


MAKER = """
import sys, time
from pathlib import Path
from kroma_nb.blobs import create_atomic
place, made = Path(sys.argv[1]), 0
print("begun", flush=True)
until = time.monotonic() + 60
while made < 80 and time.monotonic() < until:
    made += create_atomic(place, b"version %d" % made)
"""


def test_what_another_process_puts_at_the_old_place_meanwhile_is_never_lost(root: Path, page: Path) -> None:
    page.unlink()
    with subprocess.Popen([sys.executable, "-c", MAKER, page], stdout=subprocess.PIPE) as maker:
        assert maker.stdout is not None
        maker.stdout.readline()
        while maker.poll() is None:
            try:
                archive_file(page, root=root, tag=REPLACED, at=NOON)
            except FileMissing:
                continue

    create_atomic(page, b"version 80")
    archive_file(page, root=root, tag=REPLACED, at=NOON)
    kept = {(root / file.path).read_bytes() for file in listed(root).files if file.is_there}
    assert kept >= {b"version %d" % number for number in range(79)}
    assert set(states(root)) == {"archived"}


def test_a_folder_that_is_not_there_has_no_archive(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        listed(tmp_path / "nowhere")
    with pytest.raises(FileMissing):
        archive_file(tmp_path / "a.png", root=tmp_path / "nowhere", tag=BAD)
    (tmp_path / "archive").write_text("")
    (tmp_path / "a.png").write_text("")
    with pytest.raises(WriteFailed):
        archive_file(tmp_path / "a.png", root=tmp_path, tag=BAD)


def test_an_equal_file_that_was_put_back_is_moved_again_with_a_line_of_its_own(root: Path, page: Path) -> None:
    first = archive_file(page, root=root, tag=BAD, reason="first")
    shutil.copy2(root / first.target, page)

    second = archive_file(page, root=root, tag=BAD, reason="second")

    assert second.target != first.target
    assert [line["reason"] for line in lines(root)] == ["first", "second"]
    assert [(root / move.target).read_bytes() for move in (first, second)] == [INK, INK]
