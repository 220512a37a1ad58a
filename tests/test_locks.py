"""Locks: waited for, given up on where their holder was stopped, and gone with a holder that dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from kroma_nb.blobs import await_lock, held, locked_folder, take_lock
from kroma_nb.errors import LockHeld, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from kroma_nb.blobs import await_lock

with Path(sys.argv[1]).open("r+b") as file:
    await_lock(file, Path(sys.argv[1]))
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "ledger.jsonl").write_bytes(b"")
    return tmp_path / "ledger.jsonl"


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_holder_that_was_stopped_is_given_up_on_with_the_file_and_a_way_out_and_one_that_is_killed_lets_go(
    path: Path,
) -> None:
    with holder(path) as process, path.open("r+b") as file:
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(LockHeld, match=r"for 0\.2 seconds") as refused:
            await_lock(file, path, within_s=0.2)
        free_while_it_stood = take_lock(file)
        process.kill()
        process.wait()
        free_afterwards = take_lock(file)

    assert str(path) in str(refused.value)
    assert "let it go on" in str(refused.value)
    assert (free_while_it_stood, free_afterwards) == (False, True)


@pytest.mark.parametrize("within_s", [None, 30.0])
def test_a_lock_that_is_let_go_is_taken_by_whoever_waits(path: Path, within_s: float | None) -> None:
    with holder(path) as process, path.open("r+b") as file:
        assert process.stdin is not None
        letting_go = threading.Timer(0.2, process.stdin.close)
        letting_go.start()
        await_lock(file, path, within_s=within_s)
        letting_go.join()
        with path.open("rb") as other:
            assert not take_lock(other, shared=True)


def test_those_that_share_a_lock_do_not_wait_for_one_another(path: Path) -> None:
    with path.open("rb") as one, path.open("rb") as two, path.open("rb") as three:
        assert [take_lock(one, shared=True), take_lock(two, shared=True), take_lock(three)] == [True, True, False]


def test_a_folder_is_made_and_held_until_the_block_ends(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    with locked_folder(folder) as held:
        assert held
        with pytest.raises(LockHeld, match="runs"), locked_folder(folder, within_s=0.05):
            pytest.fail("two hold it")
    with locked_folder(folder, within_s=0.0) as held:
        assert held


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").write_bytes(b"")
    with pytest.raises(WriteFailed, match="runs"), locked_folder(tmp_path / "runs"):
        pytest.fail("it was made")


def is_free(path: Path) -> bool:
    try:
        with (
            locked_folder(path, within_s=0)
            if path.is_dir()
            else held(lambda: path.open("rb", buffering=0), path, within_s=0)
        ):
            return True
    except LockHeld:
        return False


def test_what_is_let_go_is_free_though_a_process_that_knows_nothing_of_it_has_the_file_open(path: Path) -> None:
    with held(lambda: path.open("r+b", buffering=0), path) as file:
        copy = subprocess.Popen(["sleep", "60"], pass_fds=[file.fileno()])
        free_while_held = is_free(path)
    free_afterwards = is_free(path)
    copy.kill()
    copy.wait()

    assert (free_while_held, free_afterwards) == (False, True)


FORKED = """
import os, sys, threading, time
from pathlib import Path
from kroma_nb.blobs import held, locked_folder

path, when = Path(sys.argv[1]), sys.argv[2]
other = path.with_name("other")
with held(lambda: other.open("wb", buffering=0), other) as file:
    number = file.fileno()
# A number that is used again, once what had it was let go, is not a fork's to close.
kept = os.open(other, os.O_RDONLY)
assert kept == number


def fork():
    if (child := os.fork()) == 0:
        os.fstat(kept)
        os.write(1, f"{os.getpid()}\\n".encode())
        if when == "it leaves":
            raise SystemExit  # through the blocks of whoever holds the file
        time.sleep(60)
    return child


def opening():
    file = path.open("r+b", buffering=0)
    if when == "in the middle":
        forking.start()
        time.sleep(0.2)
    return file


forking = threading.Thread(target=fork)
with locked_folder(path) if path.is_dir() else held(opening, path):
    if when == "in the middle":
        forking.join()
    else:
        assert os.waitpid(fork(), 0 if when == "it leaves" else os.WNOHANG)[1] == 0
    os.write(1, b"holds\\n")
    sys.stdin.readline()
"""


@pytest.fixture
def forked() -> Iterator[Callable[[Path, str], subprocess.Popen[str]]]:
    """Start a process that holds a file and is forked meanwhile; the forks live on."""
    forks: list[int] = []

    def start(path: Path, when: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "ignore", "-c", FORKED, str(path), when]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = sorted(process.stdout.readline() for _ in range(2))
        assert said[1] == "holds\n"
        forks.append(int(said[0]))
        return process

    yield start
    for fork in forks:
        with contextlib.suppress(ProcessLookupError):
            os.kill(fork, signal.SIGKILL)


@pytest.mark.parametrize(
    ("name", "when"), [("ledger.jsonl", "held"), ("ledger.jsonl", "in the middle"), ("runs", "held")]
)
def test_a_killed_holder_lets_go_though_a_fork_of_it_lives_on(path: Path, forked, name: str, when: str) -> None:
    locked = path.with_name(name)
    path.with_name("runs").mkdir()
    with forked(locked, when) as process:
        free_while_held = is_free(locked)
        process.kill()

    assert (free_while_held, is_free(locked)) == (False, True)


def test_a_fork_that_leaves_takes_no_lock_from_the_process_that_holds_it(path: Path, forked) -> None:
    with forked(path, "it leaves") as process:
        free_while_held = is_free(path)
        process.kill()

    assert (free_while_held, is_free(path)) == (False, True)
