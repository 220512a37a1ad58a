"""The pass cache: what a pass has made before, found by the hash of all that it depends on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar

from pydantic import Field
from pydantic_core import from_json

from kroma_nb.blobs import BlobStore, write_atomic
from kroma_nb.errors import ContentDamaged, FileMissing, WriteFailed
from kroma_nb.model.invariants import Invariant
from kroma_nb.model.quality import Measures
from kroma_nb.model.run import Message, Sha256
from kroma_nb.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

V = TypeVar("V", bound="Answer")

_RULE: Final = "kroma_nb.pass/1"
_SEAL: Final = "seal"
SIZE_LIMIT_BYTES = 4_000_000_000


class Answer(Value):
    """What the cache knows.

    Attributes
    ----------
    key : str
        Hash of all that it depends on.
    """

    key: Sha256


class Made(Answer):
    """What a pass has made.

    Attributes
    ----------
    sha256, size_bytes
        Of the picture's file.
    width, height : int, pixels
    notes : tuple of str
        What the painter said.
    part : tuple of int (top, bottom, left, right), pixels of the scene, or None
        Which part of the scene was drawn; None for all of it.
    """

    schema_: Literal["kroma_nb.made/2"] = Field(default="kroma_nb.made/2", alias="schema")
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0)]
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    notes: tuple[Message, ...] = ()
    part: tuple[int, int, int, int] | None = None


class Found(Answer):
    """What was measured of a picture against its scene."""

    schema_: Literal["kroma_nb.found/2"] = Field(default="kroma_nb.found/2", alias="schema")
    chroma_delta: float
    measures: Measures


class Held(Answer):
    """What must hold after a pass, and whether it does."""

    schema_: Literal["kroma_nb.held/1"] = Field(default="kroma_nb.held/1", alias="schema")
    invariants: tuple[Invariant, ...]


def key_of(what: str, **depends: Any) -> str:
    """Hash everything that an answer depends on, in JSON types; another order of the names gives the same key.

    Examples
    --------
    >>> key_of("color", picture="ab", version="1") == key_of("color", version="1", picture="ab")
    True
    """
    return hashlib.sha256(_canonical({"rule": _RULE, "what": what, **depends})).hexdigest()


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class PassCache:
    """Answers of passes below one folder, for every process that works in a project; it may be deleted at any time.

    Whatever is missing, damaged or cut off counts as not known, and is made again; what cannot be kept is not kept.
    Every answer carries the hash of all that it says, so that not one digit of it can change unseen.

    Attributes
    ----------
    root : Path
        The folder.
    limit_bytes : int
        How much it may hold; it is trimmed when a run has ended, where it may hold more.
    """

    root: Path
    limit_bytes: int = SIZE_LIMIT_BYTES

    @property
    def pictures(self) -> BlobStore:
        """The pictures, by content."""
        return BlobStore(self.root / "pictures")

    def recall(self, key: str, /) -> Made | None:
        """Give what a pass has made before; None where it is not known."""
        return self._known(key, Made)

    def place(self, made: Made, target: Path) -> bool:
        """Put the picture of a recalled answer at a path, checked on its way; tell whether it was still there."""
        answer, picture = self.files_of(made)
        try:
            # An answer that somebody has altered must not put a wrong size into the record.
            fits = picture.stat().st_size == made.size_bytes
            if fits:
                self.pictures.place(made.sha256, target, suffix="")
        except (OSError, FileMissing, ContentDamaged):
            fits = False
        for used in (answer, picture):
            _use(used) if fits else _remove(used)
        return fits

    def keep(self, made: Made, data: bytes, /) -> None:
        """Remember what a pass has made."""
        _remove(self._trimmed)
        with contextlib.suppress(WriteFailed):
            self.pictures.put(data)
            self._write(made.key, made)

    def found(self, key: str, kind: type[V], /) -> V | None:
        """Give what was measured before; None where it is not known."""
        found = self._known(key, kind)
        if found is not None:
            _use(self.place_of(key))
        return found

    def keep_found(self, found: Answer) -> None:
        """Remember what was measured."""
        _remove(self._trimmed)
        with contextlib.suppress(WriteFailed):
            self._write(found.key, found)

    def size_bytes(self) -> int:
        """Give how much it holds."""
        return sum(size_bytes for _, size_bytes, _ in self._files())

    def excess_bytes(self) -> int:
        """Give how much `trim` would remove."""
        return sum(size_bytes for size_bytes, _ in self._excess())

    def is_due(self) -> bool:
        """Tell whether it may hold more than its limit, without looking through it.

        When it is trimmed, it notes the limit; whoever keeps something takes the note away first. So there is none
        after a run that was killed, and a limit that was lowered meanwhile is seen.
        """
        try:
            return int(self._trimmed.read_bytes()) > self.limit_bytes
        except (OSError, ValueError):
            return True

    def trim(self) -> int:
        """Remove what was not used for the longest time until the rest fits its limit; give the bytes that are gone."""
        if not self.root.is_dir():
            return 0
        self._note(b"at work")
        # Another process may be trimming as well.
        gone = sum(size_bytes for size_bytes, path in self._excess() if _remove(path))
        # The note is away again where another process has kept something since.
        if self._trimmed.exists():
            self._note(str(self.limit_bytes).encode())
        return gone

    @property
    def _trimmed(self) -> Path:
        return self.root / "trimmed_to_bytes"

    def _note(self, text: bytes) -> None:
        with contextlib.suppress(WriteFailed):
            write_atomic(self._trimmed, text)

    def _excess(self) -> Iterator[tuple[int, Path]]:
        kept = 0
        for _, size_bytes, path in sorted(self._files(), reverse=True):
            kept += size_bytes
            if kept > self.limit_bytes:
                yield size_bytes, path

    def _files(self) -> Iterator[tuple[int, int, Path]]:
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = self.root / folder / name
                if path == self._trimmed:
                    continue
                with contextlib.suppress(OSError):
                    seen = path.stat()
                    yield seen.st_mtime_ns, seen.st_size, path

    def place_of(self, key: str) -> Path:
        """Give the file of an answer."""
        return self.root / "answers" / key[:2] / f"{key}.json"

    def _read(self, key: str, kind: type[V]) -> tuple[V, bool] | None:
        """Give what an answer's file says, and whether it is as it was written; None where it is no answer."""
        try:
            document = from_json(self.place_of(key).read_bytes())
            seal = document.pop(_SEAL)
            answer = kind.model_validate_json(_canonical(document))
        # Of foreign files: no JSON, no object, no seal.
        except (OSError, ValueError, AttributeError, TypeError, KeyError):
            return None
        return answer, answer.key == key and seal == hashlib.sha256(_canonical(document)).hexdigest()

    def _known(self, key: str, kind: type[V]) -> V | None:
        answer, is_whole = self._read(key, kind) or (None, False)
        return answer if is_whole else None

    def _write(self, key: str, value: Value) -> None:
        document = value.to_json()
        seal = hashlib.sha256(_canonical(document)).hexdigest()
        write_atomic(self.place_of(key), _canonical({**document, _SEAL: seal}))

    def files_of(self, made: Made) -> tuple[Path, Path]:
        """Give the two files of an answer: the answer and its picture."""
        return self.place_of(made.key), self.pictures.root / made.sha256[:2] / made.sha256


def _use(path: Path) -> None:
    """Note that a file was used now: what is used stays longest."""
    with contextlib.suppress(OSError):
        os.utime(path)


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
