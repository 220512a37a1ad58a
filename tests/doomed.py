"""Processes that play runs and may be killed anywhere: one waits with everything imported, and forks for each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SYNC, SYNCED = "doomed.sync", "doomed.synced"
TOUCHES = frozenset({"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.chmod", SYNC, SYNCED})
"""What a process does to files that Python tells of before it happens; and what it waits for the disk to keep."""


class Doomed:
    """Plays runs in processes of their own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def play(self, **order: Any) -> str:
        """Play or resume a run; give how the process ended: ``killed``, ``ok``, or the error's code.

        Parameters
        ----------
        **order
            ``home``, ``url``; ``words`` of a plan or ``run_id``; ``about``, a part of a path, and ``kill_at``: which
            touch of such a file in the workspace the process does not survive.
        """
        self._say(json.dumps(order))
        return self._hear()

    def play_traced(self, call: str, number: int, **order: Any) -> str:
        """Play as `play` does, and be killed on entering a system call for the so-manieth time in one thread.

        The tracer is attached before anything is done, so that what is imported is not traced.
        """
        self._say(json.dumps(order | {"traced": True}))
        pid = self._hear()
        options = ("-f", "-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
        with subprocess.Popen(["strace", *options, "-p", pid], stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr is not None
            attached = tracer.stderr.readline()
            self._say("go")
            answer = self._hear()
            tracer.wait(30)
        assert "attached" in attached, attached
        return answer

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline().strip()
        assert answer, "the process that forks is gone"
        return answer


@contextmanager
def doomed() -> Iterator[Doomed]:
    """Start the process that forks."""
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, __file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Doomed(process)
        assert process.stdin is not None
        process.stdin.close()


def _die_at(touch: int, home: str, about: str) -> None:
    left, sync = touch, os.fsync

    def hear(event: str, told: tuple[Any, ...]) -> None:
        nonlocal left
        if event in TOUCHES and any(str(one).startswith(home) and about in str(one)[len(home) :] for one in told[:2]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def told_sync(file: int) -> None:
        path = str(Path(f"/proc/self/fd/{file}").readlink())
        sys.audit(SYNC, path)
        sync(file)
        sys.audit(SYNCED, path)

    os.fsync = told_sync
    sys.addaudithook(hear)


def _perform(order: dict[str, Any]) -> None:
    from kroma_nb.workbench import open_workbench

    os.environ["LOOPBACK_URL"] = order["url"]
    _die_at(order.get("kill_at", 0), order["home"], order.get("about", ""))
    story = open_workbench(order["home"]).project("noir")
    if order.get("run_id"):
        story.runs.resume(order["run_id"], confirm_spend=True, workers=1)
    else:
        story.run(story.plan(**order["words"]), confirm_spend=True, workers=1)


def _answer(order: dict[str, Any]) -> str:
    reading, writing = os.pipe()
    starting, start = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(starting, 1)
        code = "ok"
        try:
            _perform(order)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is told
            code = getattr(error, "error_code", f"{type(error).__name__}: {error}".replace("\n", " "))
        os.write(writing, code.encode())
        os._exit(0)
    os.close(writing)
    if order.get("traced"):
        print(child, flush=True)  # noqa: T201 - whom to attach to
        sys.stdin.readline()
    os.write(start, b".")
    os.close(start)
    os.close(starting)
    with os.fdopen(reading) as said:
        answer = said.read()
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else answer


def _main() -> None:
    import alembic.command
    import httpx
    import loopback

    import kroma_nb.run.engine
    import kroma_nb.store.database
    import kroma_nb.workbench

    assert all((alembic.command, httpx, loopback, kroma_nb.run.engine, kroma_nb.store.database, kroma_nb.workbench))
    while line := sys.stdin.readline():
        print(_answer(json.loads(line)), flush=True)  # noqa: T201 - this is how it answers


if __name__ == "__main__":
    _main()
