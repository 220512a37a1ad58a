"""What every tool can be asked for beside its own words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from kroma_nb.errors import RequestInvalid
from kroma_nb.errors.root import shown
from kroma_nb.model.parsing import did_you_mean, parse_value
from kroma_nb.model.value import Value
from kroma_nb.planning.postprocess import NO_POSTPROCESS, LoadedPostprocess, open_postprocess
from kroma_nb.workbench.workbench import open_workbench

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from kroma_nb.model.postprocess import PictureFormat
    from kroma_nb.model.tools import ToolRow

V = TypeVar("V", bound=Value)


class Working(TypedDict, total=False):
    """How files are worked on.

    Attributes
    ----------
    workers : int
        How many files are worked on at once; by default as many as there are processors.
    stop : threading.Event
        Once set, files that are being worked on are finished and no other is begun.
    on_begin : callable
        Is told how many files there are.
    on_row : callable
        Is told each row as soon as it and all before it are known.
    """

    workers: int | None
    stop: Flag | None
    on_begin: Callable[[int], object] | None
    on_row: Callable[[ToolRow], object] | None


class Writing(Working, total=False):
    """How files are put at their places.

    Attributes
    ----------
    replace : bool
        Whether what stands at a target goes to the archive; else such a file fails, and nothing of it is made.
    dry : bool
        Only say where each file would go.
    """

    replace: bool
    dry: bool


class Making(Writing, total=False):
    """How files are made.

    Attributes
    ----------
    format : str
        ``png`` or ``webp``; also ``jpg`` where nothing is lost by it. By default as the target's suffix says, else
        ``png``.
    postprocess : path
        A postprocess file; its section of the tool gives what is not named here.
    home : path
        The workspace whose ``config/backends.toml`` says which models and programs the backends use; by default as of
        `open_workbench`. Nothing else in it is read.
    """

    format: PictureFormat | str | None
    postprocess: str | os.PathLike[str] | None
    home: str | os.PathLike[str] | None


def checked(given: Working, kind: type) -> None:
    """Refuse words that a tool does not have, and numbers that are none.

    Raises
    ------
    RequestInvalid
        With the word, and what is right.
    """
    known = _words_of(kind)
    for word in given:
        if word not in known:
            raise RequestInvalid("request", word, "there is no such word", did_you_mean(word, known))
    workers = given.get("workers")
    if workers is not None and (type(workers) is not int or workers < 1):
        raise RequestInvalid("request", "workers", f"{workers!r} is no number of workers", "give 1 or more")


def home_of(how: Making) -> Path:
    """Give the workspace that says how backends are used."""
    named = how.get("home")
    return open_workbench(None if named is None else Path(named)).home


def postprocess_of(how: Making) -> LoadedPostprocess:
    """Read the postprocess file that was named, else give the built-in default.

    Raises
    ------
    FileMissing, PostprocessInvalid
        If it cannot be used.
    """
    named = how.get("postprocess")
    if named is None:
        return NO_POSTPROCESS
    return open_postprocess(Path(named), file=shown(os.fspath(named)), role="postprocess file")


def section(found: V, **values: Any) -> V:
    """Give a section of a postprocess file with what was named in its place, read as that file is read.

    Raises
    ------
    RequestInvalid
        With the word, and what is right.
    """
    named = {name: value for name, value in values.items() if value is not None}
    stands = found.model_dump(mode="json", exclude_unset=True)
    return parse_value(type(found), stands | named, file="request", error=RequestInvalid)


def processors() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _words_of(kind: type) -> set[str]:
    return set(kind.__annotations__) | {word for base in kind.__mro__ for word in getattr(base, "__annotations__", ())}
