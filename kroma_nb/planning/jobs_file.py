"""The jobs file: ready-made jobs, each with its own id, prompt and pictures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from kroma_nb.errors import JobsFileInvalid
from kroma_nb.model.parsing import describe, parse_value
from kroma_nb.model.value import Value
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.planning.documents import read_document, refuse_unusable
from kroma_nb.planning.fields import AnyCase, Name, Text
from kroma_nb.planning.jobs import Draft
from kroma_nb.planning.paths import Base, refuse_nul
from kroma_nb.planning.scenes import Reference

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.plan import PlanRequest

ID_LENGTH = 120
_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
# Names that Windows keeps for devices, whatever follows the first dot.
_RESERVED = frozenset({"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(10)})


def _safe_id(text: str) -> str:
    if len(text) > ID_LENGTH:
        raise ValueError(f"the id has {len(text)} characters; write at most {ID_LENGTH}")
    if not _ID.fullmatch(text):
        raise ValueError(f"{text!r} is not safe as a file name; use A-Z a-z 0-9 . _ - and no dot in front")
    if text.split(".", maxsplit=1)[0].lower() in _RESERVED or text.endswith("."):
        raise ValueError(f"{text!r} is a name that Windows cannot store; choose another")
    return text


def _some(pictures: tuple[str, ...]) -> tuple[str, ...]:
    if not pictures:
        raise ValueError("the list is empty; name the scene's picture first, then any style references")
    return pictures


class JobEntry(Value):
    """One job of a jobs file.

    Attributes
    ----------
    id : str
        Unique in the file, also where capitals do not count, and safe as a file name.
    prompt : str
        The whole prompt; nothing is added.
    input_images : tuple of str
        Paths relative to the jobs file: the scene, then the style references.
    mode : Stage or None
        The run's own stage, for readers; another one is refused.
    time, weather
        The request's if left out.
    name : str or None
        What people read; the id if left out.
    """

    id: Annotated[Text, AfterValidator(_safe_id)]
    prompt: Text
    input_images: Annotated[tuple[Text, ...], AfterValidator(_some)]
    mode: Annotated[Stage, AnyCase] | None = None
    time: Annotated[TimeOfDay, AnyCase] | None = None
    weather: Annotated[Weather, AnyCase] | None = None
    name: Name | None = None


def load_jobs_file(path: Path) -> tuple[JobEntry, ...]:
    """Read a jobs file.

    Parameters
    ----------
    path : Path
        A JSON file whose root is a list of objects.

    Returns
    -------
    tuple of JobEntry

    Raises
    ------
    FileMissing
        If the file is not there or cannot be opened.
    JobsFileInvalid
        With the position and the field, such as ``[3].prompt``; positions count from 0.
    """
    file = str(path)
    data = read_document(path, file=file, role="jobs file", error=JobsFileInvalid)
    if not isinstance(data, list):
        raise JobsFileInvalid(
            file, "", f"expected a list of jobs, found {describe(data)}", "write it in brackets: [ … ]"
        )
    refuse_unusable(data, file=file, error=JobsFileInvalid)
    entries = tuple(
        parse_value(JobEntry, entry, file=file, error=JobsFileInvalid, under=f"[{index}]")
        for index, entry in enumerate(data)
    )
    _check_unique(entries, file)
    return entries


def drafts_in(path: Path, *, request: PlanRequest, seed: int) -> tuple[Draft, ...]:
    """Make one draft an entry, in order."""
    refuse_nul(str(path), "request: jobs_file")
    file, base = str(path), Base(path.parent)
    drafts = []
    for index, entry in enumerate(load_jobs_file(path)):
        if entry.mode not in {None, request.stage}:
            problem = f"{entry.mode} is not the run's stage, which is {request.stage.value}"
            way_out = "ask for that stage, or leave the key out; a run has one stage"
            raise JobsFileInvalid(file, f"[{index}].mode", problem, way_out)
        role = f"{file}: [{index}].input_images"
        drafts.append(
            Draft(
                id=entry.id,
                name=entry.name or entry.id,
                pictures=tuple(
                    Reference(ref, f"{role}[{place}]", base) for place, ref in enumerate(entry.input_images)
                ),
                prompt=entry.prompt,
                time=entry.time or request.time,
                weather=entry.weather or request.weather,
                seed=seed,
            )
        )
    return tuple(drafts)


def _check_unique(entries: tuple[JobEntry, ...], file: str) -> None:
    first: dict[str, int] = {}
    for index, entry in enumerate(entries):
        # Some file systems do not tell capitals apart, and a job's files are named after its id.
        earlier = first.setdefault(entry.id.casefold(), index)
        if earlier != index:
            problem = f"{entry.id!r} is the id of [{earlier}] already ({entries[earlier].id!r})"
            raise JobsFileInvalid(file, f"[{index}].id", problem, "give each job its own id")
