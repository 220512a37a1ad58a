"""What a project keeps as its record stays where it is, whichever folder has the archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from kroma_nb.blobs.archive import archive_file, listed, restore
from kroma_nb.errors import InUse
from kroma_nb.model.archive import ArchiveTag, Whereabouts

INK = b"ink" * 40_000
RECORD = (
    ".kroma/project.json",
    "ledger.jsonl",
    "runs/2026/journal.jsonl",
    "inputs/aa/scene.png",
    "originals/aa/bought.png",
    "review/me.jsonl",
    "baselines/noir.json",
    "archive/archive.jsonl",
)


@pytest.fixture
def project(root: Path) -> Path:
    folder = root / "var/projects/noir"
    (folder / ".kroma").mkdir(parents=True)
    return folder


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(INK)
    return path


@pytest.mark.parametrize("name", RECORD)
@pytest.mark.parametrize("folder", [".", "runs/2026", "../../..", "../../../../elsewhere"])
def test_the_record_of_a_project_goes_into_no_archive(project: Path, name: str, folder: str) -> None:
    path, root = put(project / name), project / folder
    root.mkdir(parents=True, exist_ok=True)
    before = set(root.rglob("*"))

    with pytest.raises(InUse):
        archive_file(path, root=root, tag=ArchiveTag.BAD)

    assert set(root.rglob("*")) == before
    assert path.read_bytes() == INK


def test_a_record_that_lies_behind_a_link_stays(root: Path, project: Path) -> None:
    journal = put(root / "big_disk/2026/journal.jsonl")
    (project / "runs").symlink_to(root / "big_disk")

    with pytest.raises(InUse, match="record of the project in"):
        archive_file(project / "runs/2026/journal.jsonl", root=root, tag=ArchiveTag.BAD)

    assert journal.read_bytes() == INK


def test_nothing_is_restored_into_the_record_of_a_project(root: Path, project: Path, page: Path) -> None:
    move = archive_file(page, root=root, tag=ArchiveTag.BAD)

    with pytest.raises(InUse, match="record of the project in"):
        restore(move, root=root, to=project / "runs/2026/outputs/page.png")

    assert [file.state for file in listed(root).files] == [Whereabouts.ARCHIVED]
    assert not (project / "runs").exists()


def test_what_is_no_record_goes_from_a_project_to_the_archive_of_the_workspace_and_back(
    root: Path, project: Path
) -> None:
    sheet = put(project / "references/ink.png")

    move = archive_file(sheet, root=root, tag=ArchiveTag.REPLACED)
    gone = not sheet.exists()
    restore(move, root=root)

    assert (move.source, gone) == ("var/projects/noir/references/ink.png", True)
    assert sheet.read_bytes() == INK
