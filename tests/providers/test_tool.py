"""A program that is started ends, answers or says no in time, and nothing that it has started outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from kroma_nb.errors import FileMissing, ToolFailed, ToolNotStarted, ToolStopped, ToolTimedOut
from kroma_nb.providers.tool import GRACE_S, TAIL_BYTES, run_tool

Script = Callable[[str], str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Write a shell script and give its path."""

    def write(text: str, name: str = "upscale") -> str:
        path = tmp_path / name
        path.write_text("#!/bin/sh\n" + textwrap.dedent(text))
        path.chmod(0o755)
        return str(path)

    return write


@pytest.fixture(autouse=True)
def nothing_is_left() -> object:
    """Hold that no child, zombie or descriptor is left by a test."""
    me = psutil.Process()
    others, before = set(me.children()), me.num_fds()
    yield
    # Other suites may have a browser open.
    assert [child for child in me.children() if child not in others] == []
    assert me.num_fds() == before


def pids_in(path: Path, count: int, seconds: float = 10.0) -> list[int]:
    """Wait until so many process ids stand in a file."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = path.read_text().split() if path.exists() else []
        if len(found) == count:
            return [int(pid) for pid in found]
        time.sleep(0.01)
    raise AssertionError(f"{count} process ids did not come")


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_end(pids: list[int], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while any(map(lives, pids)) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(map(lives, pids))


def test_a_tool_that_ends_well_gives_what_it_said(script: Script, tmp_path: Path) -> None:
    tool = script('echo "$1|$INK|$(pwd)"; echo 40% >&2; [ -z "$(cat)" ]')

    answer = run_tool([tool, "a b; $(exit 9)"], cwd=tmp_path, env={"INK": "black", "PATH": os.environ["PATH"]})

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"a b; $(exit 9)|black|{tmp_path}\n", "40%\n")


def test_a_tool_that_takes_too_long_is_ended_with_everything_it_started(script: Script, tmp_path: Path) -> None:
    tool = script(f"(sleep 60 & echo $! >>{tmp_path}/pids; wait) &\necho $$ >>{tmp_path}/pids; wait")
    begun = time.monotonic()

    with pytest.raises(ToolTimedOut, match=r"upscale.*0\.5 seconds"):
        run_tool([tool], timeout_s=0.5)

    assert time.monotonic() - begun < 2
    assert all_end(pids_in(tmp_path / "pids", 2))


def test_what_ignores_the_request_to_end_is_killed_after_a_while(script: Script, tmp_path: Path) -> None:
    tool = script(f"trap '' TERM; sleep 60 & echo $! $$ >{tmp_path}/pids; while true; do sleep 1; done")
    begun = time.monotonic()

    with pytest.raises(ToolTimedOut):
        run_tool([tool], timeout_s=0.3)

    assert GRACE_S < time.monotonic() - begun < GRACE_S + 2
    assert all_end(pids_in(tmp_path / "pids", 2))


def test_a_tool_may_clean_up_when_it_is_asked_to_end(script: Script, tmp_path: Path) -> None:
    tool = script(f"trap 'echo mended >{tmp_path}/part; exit 1' TERM; sleep 60 & wait")

    with pytest.raises(ToolTimedOut):
        run_tool([tool], timeout_s=0.3)

    assert (tmp_path / "part").read_text() == "mended\n"


def test_a_child_that_holds_the_pipes_does_not_hold_the_answer(script: Script, tmp_path: Path) -> None:
    tool = script(f"sleep 60 & echo $! >{tmp_path}/pids; echo done")
    begun = time.monotonic()

    answer = run_tool([tool])

    assert answer.stdout == "done\n"
    assert time.monotonic() - begun < 2
    assert all_end(pids_in(tmp_path / "pids", 1))


def test_a_child_that_floods_the_pipes_and_ignores_the_request_ends_too(script: Script, tmp_path: Path) -> None:
    tool = script(f"(trap '' TERM; echo stubborn; exec yes) & echo $! >{tmp_path}/pids; sleep 0.2")
    begun = time.monotonic()

    answer = run_tool([tool])

    assert len(answer.stdout) == TAIL_BYTES
    assert time.monotonic() - begun < GRACE_S + 2
    assert all_end(pids_in(tmp_path / "pids", 1))


def test_a_child_that_left_the_group_and_holds_the_pipes_delays_the_answer_and_no_more(
    script: Script, tmp_path: Path
) -> None:
    away = "import os, pathlib, time; os.setsid()\n"
    away += f"pathlib.Path('{tmp_path}/pids').write_text(str(os.getpid())); time.sleep(60)"
    tool = script(f'{sys.executable} -c "{away}" &\nuntil [ -s {tmp_path}/pids ]; do sleep 0.05; done; echo done')
    begun = time.monotonic()

    answer = run_tool([tool])

    assert answer.stdout == "done\n"
    assert time.monotonic() - begun < GRACE_S + 3
    (pid,) = pids_in(tmp_path / "pids", 1)
    os.kill(pid, signal.SIGKILL)
    assert all_end([pid])


def test_a_hundred_megabytes_are_read_and_only_the_end_is_kept(script: Script) -> None:
    tool = script("yes 0123456 | head -c 104857600; yes problem | head -c 104857600 >&2; printf end")
    resident = psutil.Process().memory_info().rss

    answer = run_tool([tool])

    assert (len(answer.stdout), len(answer.stderr)) == (TAIL_BYTES, TAIL_BYTES)
    assert answer.stdout.endswith("0123456\nend")
    assert psutil.Process().memory_info().rss - resident < 8_000_000


def test_bytes_that_are_no_text_are_spelled_out(script: Script) -> None:
    assert run_tool([script(r"printf 'caf\351'")]).stdout == r"caf\xe9"


def test_an_exit_status_that_says_no_is_an_error_with_the_end_of_what_was_said(script: Script) -> None:
    tool = script("echo invalid gpu device >&2; exit 255")

    with pytest.raises(ToolFailed, match="upscale: it ended with exit status 255; it said: invalid gpu device") as no:
        run_tool([tool])

    assert (no.value.returncode, no.value.said, no.value.error_kind) == (255, "invalid gpu device\n", "provider")


def test_a_tool_that_a_signal_ended_is_an_error_that_names_it(script: Script) -> None:
    with pytest.raises(ToolFailed, match="it was ended by SIGSEGV; it said nothing"):
        run_tool([script("kill -SEGV $$")])


def test_a_program_that_is_not_there_or_may_not_be_started_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "broken").write_bytes(bytes(64))
    (tmp_path / "broken").chmod(0o755)

    with pytest.raises(ToolNotStarted, match=r"^realesrgan-nowhere could not be started: .*install it"):
        run_tool(["realesrgan-nowhere", "-i", "a.png"])
    with pytest.raises(ToolNotStarted, match="allow it to be executed"):
        run_tool([str(tmp_path / "notes.txt")])
    with pytest.raises(ToolNotStarted, match="install the build for this system"):
        run_tool([str(tmp_path / "broken")])
    with pytest.raises(FileMissing, match="nowhere"):
        run_tool(["true"], cwd=tmp_path / "nowhere")


def test_the_stop_flag_ends_a_tool_at_once(script: Script, tmp_path: Path) -> None:
    tool, stop = script(f"sleep 60 & echo $! $$ >{tmp_path}/pids; wait"), threading.Event()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    begun = time.monotonic()

    with pytest.raises(ToolStopped):
        run_tool([tool], stop=stop)

    assert time.monotonic() - begun < 2
    assert all_end(pids_in(tmp_path / "pids", 2))
    with pytest.raises(ToolStopped):
        run_tool(["no such program"], stop=stop)
    timer.join()


def test_many_tools_at_once_from_threads_keep_apart(script: Script) -> None:
    tool = script('echo "$1"; sleep "0.$1"; exec >&-; exit $(($1 % 2))')

    def outcome(number: int) -> str:
        try:
            return run_tool([tool, str(number)], timeout_s=30).stdout.strip()
        except ToolFailed as failed:
            return f"no {failed.returncode}"

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(outcome, range(24)))

    assert answers == [str(number) if number % 2 == 0 else "no 1" for number in range(24)]


CALLER = """
import sys
from kroma_nb.providers.tool import run_tool
run_tool([sys.argv[1]])
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_whoever_ends_the_caller_ends_the_tool_and_its_children(script: Script, tmp_path: Path, number: int) -> None:
    tool = script(f"sleep 60 & echo $! $$ >{tmp_path}/pids; wait")

    with subprocess.Popen([sys.executable, "-c", CALLER, tool], stderr=subprocess.DEVNULL) as caller:
        pids = pids_in(tmp_path / "pids", 2)
        assert all(map(lives, pids))
        caller.send_signal(number)

    assert all_end(pids)
