"""Reading what a project keeps: by its path in the project, never outside of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.blobs import sha256_bytes
from kroma_nb.errors import ContentDamaged, FileMissing, PathRefused

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.images import Picture
    from kroma_nb.model.run import StoredFile


def read_stored(root: Path, path: str) -> bytes:
    """Read a stored file by its path in the project.

    Raises
    ------
    PathRefused
        If the path leads out of the project.
    FileMissing
        If it is gone.
    """
    whole = root / path
    if not whole.resolve().is_relative_to(root.resolve()):
        raise PathRefused(path, "the run log", "it leads out of the project")
    try:
        return whole.read_bytes()
    except OSError as cause:
        raise FileMissing(whole, "the run log", cause.strerror or str(cause)) from cause


def read_verified(root: Path, file: StoredFile) -> bytes:
    """Read a stored file and check it against the record.

    Raises
    ------
    FileMissing, ContentDamaged
        If it is gone, or is no longer what was stored.
    """
    data = read_stored(root, file.path)
    found = sha256_bytes(data)
    if found != file.sha256:
        raise ContentDamaged(root / file.path, file.sha256, found)
    return data


def load_picture(root: Path, file: StoredFile) -> Picture:
    """Load a stored picture, checked against the record.

    Returns
    -------
    uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255.

    Raises
    ------
    FileMissing, ContentDamaged
        If the file is gone, or is no longer what was stored.
    """
    from kroma_nb import images  # noqa: PLC0415 - pixels load when a picture is looked at

    return images.load(read_verified(root, file), name=file.path)
