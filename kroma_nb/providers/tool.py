"""Runs another program and ends it with everything that it has started.

The program joins a process group whose leader is a watch: a shell that waits for its standard input to end. The kernel
ends that input when this process ends, however it ends, and the watch then kills the group that it is in. As the watch
is not reaped before all is over, the group's number cannot have become somebody else's.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from kroma_nb.errors import FileMissing, ToolFailed, ToolNotStarted, ToolStopped, ToolTimedOut

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence

TAIL_BYTES = 64 << 10
GRACE_S = 3.0
_LOOK_S = 0.05
_PIECE_BYTES = 64 << 10
_WATCH = ["/bin/sh", "-c", "trap '' HUP INT QUIT TERM; read -r _; kill -s KILL 0"]
_WAYS_OUT = {
    errno.EACCES: "allow it to be executed, or correct its path",
    errno.ENOEXEC: "install the build for this system, or correct its path",
}


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a program said.

    Attributes
    ----------
    returncode : int
        Its exit status.
    stdout, stderr : str
        The last 64 KiB of each; bytes that are no UTF-8 are spelled out.
    """

    returncode: int
    stdout: str
    stderr: str


def run_tool(
    command: Sequence[str],
    *,
    timeout_s: float | None = None,
    stop: threading.Event | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> ToolAnswer:
    r"""Run a program to its end, and leave nothing of it behind.

    Whatever ends this call, the program and its process group are ended first: asked by SIGTERM, killed three seconds
    later. The group is killed also when this process is killed. A child that the program has left behind is ended like
    the program itself; one that holds the pipes and does not listen delays the answer by those seconds.

    Out of reach are processes that leave the group by themselves, as daemons do. A fork of this process that is made
    meanwhile and outlives it keeps the program alive. This is for POSIX systems.

    Parameters
    ----------
    command : sequence of str
        The program, found on PATH where it is no path, and its arguments. No shell reads them.
    timeout_s : float, seconds, optional
        How long it may take; by default as long as it likes.
    stop : threading.Event, optional
        Ends the program when it is set.
    cwd : Path, optional
        The folder in which it runs.
    env : mapping of str to str, optional
        Its whole environment; by default that of this process.

    Raises
    ------
    ToolNotStarted
        If there is no such program, or the system refuses it.
    ToolFailed
        If its exit status is not 0, with the end of what it wrote to standard error.
    ToolTimedOut, ToolStopped
        If it was ended.
    FileMissing
        If there is no such folder.

    Examples
    --------
    >>> run_tool(["echo", "ink"]).stdout
    'ink\n'
    """
    program = Path(command[0]).name
    if stop is not None and stop.is_set():
        raise ToolStopped(program)
    limit_s = math.inf if timeout_s is None else timeout_s
    until = time.monotonic() + limit_s
    with _group() as group:
        tool = group.start(command, cwd, env)
        with _Listener(tool) as listener:
            while not listener.has_ended():
                if stop is not None and stop.is_set():
                    raise ToolStopped(program)
                if time.monotonic() >= until:
                    raise ToolTimedOut(program, limit_s)
            listener.listen_on(group)
    if tool.returncode:
        raise ToolFailed(program, tool.returncode, listener.said[1])
    return ToolAnswer(tool.returncode, *listener.said)


@dataclass(slots=True)
class _Group:
    """A process group that its watch leads, and the program in it."""

    watch: subprocess.Popen[bytes]
    tool: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str], cwd: Path | None, env: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
        if cwd is not None and not cwd.is_dir():
            raise FileMissing(cwd, "the tool's folder", "there is no such folder")
        pipe = subprocess.PIPE
        try:
            self.tool = subprocess.Popen(  # noqa: S603 - a list of words, and no shell
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=pipe,
                stderr=pipe,
                cwd=cwd,
                env=None if env is None else dict(env),
                bufsize=0,
                process_group=self.watch.pid,
            )
        except OSError as cause:
            said = cause.strerror or str(cause)
            way_out = _WAYS_OUT.get(cause.errno or 0, "install it, or correct its path")
            raise ToolNotStarted(command[0], said, way_out) from cause
        return self.tool

    def tell(self, number: signal.Signals) -> None:
        # A program that has left the group is told by its own number; the system knows best who is still there.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.watch.pid, number)
        if self.tool is not None:
            self.tool.send_signal(number)

    def end(self) -> None:
        try:
            if self.tool is not None and self.tool.poll() is None:
                self.tell(signal.SIGTERM)
                _wait(self.tool)
        finally:
            self.tell(signal.SIGKILL)
            for process in (self.tool, self.watch):
                if process is not None:
                    _wait(process)


@contextlib.contextmanager
def _group() -> Iterator[_Group]:
    """Start a group; at the end nothing of it is left, whatever has happened."""
    waiting, life = os.pipe()
    try:
        quiet = subprocess.DEVNULL
        try:
            watch = subprocess.Popen(  # noqa: S603 - our own words
                _WATCH, stdin=waiting, stdout=quiet, stderr=quiet, cwd="/", env={}, process_group=0
            )
        finally:
            os.close(waiting)
        group = _Group(watch)
        try:
            yield group
        finally:
            group.end()
    finally:
        os.close(life)


def _wait(process: subprocess.Popen[bytes]) -> None:
    # One that hangs in the kernel dies when the kernel lets go of it; nobody waits for that here.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)


@dataclass(slots=True)
class _Listener:
    """Reads both pipes of a program, and keeps the end of each."""

    tool: subprocess.Popen[bytes]
    _tails: dict[str, bytes] = field(default_factory=lambda: {"stdout": b"", "stderr": b""})
    _open: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def __enter__(self) -> Self:
        for name in self._tails:
            pipe: IO[bytes] = getattr(self.tool, name)
            os.set_blocking(pipe.fileno(), False)
            self._open.register(pipe, selectors.EVENT_READ, name)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        for name in self._tails:
            getattr(self.tool, name).close()

    @property
    def said(self) -> tuple[str, str]:
        out, err = (self._tails[name].decode("utf-8", "backslashreplace") for name in ("stdout", "stderr"))
        return out, err

    def has_ended(self) -> bool:
        """Read what is there, waiting a moment for it, and tell whether the program has ended."""
        if self._open.get_map():
            self._read(_LOOK_S)
            return self.tool.poll() is not None
        # With both pipes closed, its end is all that there is to wait for.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.tool.wait(_LOOK_S)
        return self.tool.poll() is not None

    def listen_on(self, group: _Group) -> None:
        """Read the rest, and end whoever still holds the pipes of a program that has ended."""
        for number, seconds in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, _LOOK_S)):
            if self._rest_comes_within(_LOOK_S):
                return
            group.tell(number)
            self._rest_comes_within(seconds)

    def _rest_comes_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while self._open.get_map() and time.monotonic() < until:
            self._read(_LOOK_S)
        return not self._open.get_map()

    def _read(self, seconds: float) -> None:
        for key, _ in self._open.select(seconds):
            try:
                piece = os.read(key.fd, _PIECE_BYTES)
            except BlockingIOError:
                continue
            if piece:
                self._tails[key.data] = (self._tails[key.data] + piece)[-TAIL_BYTES:]
            else:
                self._open.unregister(key.fileobj)
