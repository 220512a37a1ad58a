"""What happens in the runs of a kernel, followed from outside by the journals that they write."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from kroma_nb.model.run import event_adapter
from kroma_nb.run import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kroma_nb.model.run import Event

LOOK_EVERY_S = 0.2


@contextmanager
def followed(book: Path, on_event: Callable[[Event], object] | None) -> Iterator[None]:
    """Tell the events of every run in a run book while the block lasts, from a thread of its own.

    Parameters
    ----------
    book : Path
        Where the kernel writes which runs it has begun.
    on_event : callable or None
        Only to show progress: what cannot be read is left out.
    """
    if on_event is None:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_follow, args=(book, on_event, over), name="kroma-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _follow(book: Path, on_event: Callable[[Event], object], over: threading.Event) -> None:
    read_bytes: dict[Path, int] = {book: 0}
    ended = False
    while not ended:
        ended = over.wait(LOOK_EVERY_S)
        for path in list(read_bytes):
            for line in _new_lines(path, read_bytes):
                with suppress(ValidationError, ValueError, KeyError):
                    if path == book:
                        entry = json.loads(line)
                        read_bytes.setdefault(RunFolder(Path(entry["root"]), entry["run_id"]).journal_path, 0)
                    else:
                        on_event(event_adapter.validate_json(line))


def _new_lines(path: Path, read_bytes: dict[Path, int]) -> list[bytes]:
    """Give the whole lines that were added since the last look."""
    try:
        with path.open("rb") as file:
            file.seek(read_bytes[path])
            data = file.read()
    except OSError:
        return []
    whole = data[: data.rfind(b"\n") + 1]
    read_bytes[path] += len(whole)
    return whole.splitlines()
