"""What a person sees in the terminal: tables, progress, errors; or JSON."""

from __future__ import annotations

import json
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kroma_nb.errors import NotConfirmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.progress import Progress

    from kroma_nb.errors import KromaError
    from kroma_nb.model.run import Event
    from kroma_nb.report import View

console = Console(highlight=False, emoji=False)
errors = Console(stderr=True, highlight=False, emoji=False)


# A run's id is there to be copied; short words are not broken for the sake of long ones.
NEVER_BROKEN, SHORT = ("run",), 14


def plain(text: str) -> str:
    """Give text that a terminal shows and does not obey: markup escaped, control characters spelled out."""
    return escape("".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text))


def show_json(value: Any) -> None:
    """Write one JSON document to standard output."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode())


def show_error(error: KromaError, *, as_json: bool) -> None:
    """Say what is wrong, once, on standard error; with ``--json`` as a document on standard output."""
    if as_json:
        kind, code = error.error_kind, error.error_code
        show_json({"ok": False, "error": str(error), "error_kind": kind, "error_code": code})
    errors.print(f"[bold red]error[/] ({error.error_code}): {plain(str(error))}", soft_wrap=True)


def answer(facts: dict[str, Any], said: str, *, as_json: bool) -> None:
    """Say that something was done: as facts in JSON, or in a sentence."""
    if as_json:
        show_json({"ok": True, **facts})
    else:
        say(said)


def confirmed(what: str, *, yes: bool) -> None:
    """Ask a person whether something may be done that cannot be undone; where nobody can be asked, refuse it.

    Raises
    ------
    NotConfirmed
        If the answer is no, or nobody is there to give one.
    """
    if yes:
        return
    asked = sys.stdin.isatty() and typer.confirm(f"{what[0].upper()}{what[1:]} cannot be undone. Go ahead?")
    if not asked:
        raise NotConfirmed(what, "answer yes, or give --yes")


@contextmanager
def spoken_warnings() -> Iterator[None]:
    """Say a warning of the workbench as a sentence, on standard error."""

    def say_it(message: Warning | str, *_: object) -> None:
        errors.print(f"[bold yellow]warning[/]: {plain(str(message))}", soft_wrap=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = say_it  # type: ignore[assignment]
        yield


def say(text: str) -> None:
    """Write a line that is never wrapped, so that paths can be copied."""
    console.print(plain(text), soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table; every cell is plain text."""
    grid = Table(
        header_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    # Between two columns lie three signs, and one at either side.
    for column, width in zip(columns, widths(columns, rows, console.width - 3 * len(columns) + 1), strict=True):
        grid.add_column(plain(column), overflow="fold", width=width)
    for row in rows:
        grid.add_row(*(plain(cell) for cell in row))
    # A title of its own: above a narrow table it would be broken to the table's width.
    console.print(f"[bold]{plain(title)}[/]", soft_wrap=True)
    console.print(grid)


def widths(columns: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Give the width of every column: where there is too little room, the widest are narrowed first.

    Long columns are wrapped before short ones, all of them between words. Only then are words broken, in long columns
    first.

    Examples
    --------
    >>> row = ["the-long-night", "1,234", "33"]
    >>> [widths(["project", "pictures", "other pictures"], [row], room) for room in (36, 30, 24)]
    [[14, 8, 14], [14, 8, 8], [8, 8, 8]]
    """
    cells = [[plain(text) for text in column] for column in zip(columns, *rows, strict=True)]
    whole = [max(map(cell_len, column)) for column in cells]
    words = [max([cell_len(w) for text in column for w in text.split() if len(w) <= SHORT] or [1]) for column in cells]
    kept = [width if name in NEVER_BROKEN else 1 for name, width in zip(columns, whole, strict=True)]
    words = list(map(max, words, kept))
    short = [width if width <= SHORT else least for width, least in zip(whole, words, strict=True)]
    long = [least if width <= SHORT else keep for width, least, keep in zip(whole, words, kept, strict=True)]
    found = [min(width, max(room, 1)) for width in whole]
    for floor in (short, words, long, kept, [1] * len(columns)):
        while sum(found) > room and (able := [n for n, width in enumerate(found) if width > floor[n]]):
            found[max(able, key=found.__getitem__)] -= 1
    return found


def show(view: View) -> None:
    """Show a small table and its notes."""
    view = view.short(len(view.rows))
    if view.rows or view.columns:
        table(view.title, view.columns or ("", ""), view.rows)
    else:
        say(view.title)
    for note in view.notes:
        say(note)


@contextmanager
def progress(title: str, pictures: int, *, shown: bool) -> Iterator[Callable[[Event], None]]:
    """Show a bar that follows a run's events, on standard error and only where a person looks at it."""
    with _bars(shown=shown) as bars:
        bar = bars.add_task(plain(title), total=pictures)

        def follow(event: Event) -> None:
            if event.event == "run_resumed":
                bars.update(bar, total=event.pictures)
            if event.event == "candidate_finished":
                bars.advance(bar)

        yield follow


@contextmanager
def runs_progress(title: str, *, shown: bool) -> Iterator[Callable[[Event], None] | None]:
    """Show a bar for each run that begins somewhere else; None where nobody looks at it."""
    if not (shown and errors.is_terminal):
        yield None
        return
    with _bars(shown=True) as bars:
        waiting = bars.add_task(plain(title), total=None)
        newest = waiting

        def follow(event: Event) -> None:
            nonlocal newest
            if event.event == "run_started":
                bars.update(waiting, visible=False)
                newest = bars.add_task(plain(f"{event.project} {event.run_id}"), total=event.pictures)
            if event.event == "run_resumed":
                # What ended before it went on is behind it.
                bars.reset(newest, total=event.pictures)
            if event.event == "candidate_finished":
                bars.advance(newest)

        yield follow


@contextmanager
def files_progress(title: str, *, shown: bool) -> Iterator[tuple[Callable[[int], None], Callable[[object], None]]]:
    """Show a bar that counts files; gives who is told how many there are, and who is told of each."""
    with _bars(shown=shown) as bars:
        bar = bars.add_task(plain(title), total=None)
        yield lambda files: bars.update(bar, total=files), lambda _: bars.advance(bar)


def _bars(*, shown: bool) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, transient=True, disable=not (shown and errors.is_terminal))
