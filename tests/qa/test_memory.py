"""When a file that was seen before need not be read again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kroma_nb.blobs import sha256_bytes
from kroma_nb.errors import FileMissing
from kroma_nb.qa.memory import SETTLED_AFTER_NS, Marks, Memory, Sighting

if TYPE_CHECKING:
    from pathlib import Path

THEN = 1_700_000_000_000_000_000
MARKS = Marks(size_bytes=9, modified_ns=THEN, changed_ns=THEN, inode=4, device=1)


def sighting(at_ns: int) -> Sighting:
    return Sighting(marks=MARKS, sha256="0" * 64, at_ns=at_ns)


def test_a_file_that_had_settled_when_it_was_hashed_is_believed() -> None:
    assert sighting(THEN + SETTLED_AFTER_NS).vouches_for(MARKS)


def test_a_file_that_had_just_changed_when_it_was_hashed_is_read_again() -> None:
    assert not sighting(THEN + SETTLED_AFTER_NS - 1).vouches_for(MARKS)


def test_a_file_from_the_future_is_read_again() -> None:
    assert not sighting(THEN - 1).vouches_for(MARKS)


@pytest.mark.parametrize("mark", ["size_bytes", "modified_ns", "changed_ns", "inode", "device"])
def test_any_other_mark_means_another_content(mark: str) -> None:
    other = MARKS.model_copy(update={mark: getattr(MARKS, mark) - 1})

    assert not sighting(THEN + 2 * SETTLED_AFTER_NS).vouches_for(other)


def test_what_a_sighting_vouches_for_is_not_read(tmp_path: Path) -> None:
    file, memory = tmp_path / "page.png", Memory(tmp_path / "cache")
    file.write_bytes(b"ink")
    memory.digest(file)
    (place,) = (tmp_path / "cache" / "files").iterdir()
    marks = Marks.of(file)
    later = max(marks.modified_ns, marks.changed_ns) + SETTLED_AFTER_NS
    place.write_text(Sighting(marks=marks, sha256="f" * 64, at_ns=later).model_dump_json())

    assert memory.digest(file) == "f" * 64


def test_a_fresh_file_is_hashed_even_if_it_was_seen_before(tmp_path: Path) -> None:
    file, memory = tmp_path / "page.png", Memory(tmp_path / "cache")
    file.write_bytes(b"ink")
    memory.digest(file)
    (place,) = (tmp_path / "cache" / "files").iterdir()
    place.write_text(place.read_text().replace(sha256_bytes(b"ink"), "f" * 64))

    assert memory.digest(file) == sha256_bytes(b"ink")


def test_a_file_whose_time_was_set_back_is_read_again(tmp_path: Path) -> None:
    file, memory = tmp_path / "page.png", Memory(tmp_path / "cache")
    file.write_bytes(b"ink")
    first = memory.digest(file)
    before = file.stat()
    file.write_bytes(b"inK")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert memory.digest(file) == sha256_bytes(b"inK") != first


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises((OSError, FileMissing)):
        Memory(tmp_path / "cache").digest(tmp_path / "gone.png")
