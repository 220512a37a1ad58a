"""What a project keeps by content, read back and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.blobs import sha256_bytes
from kroma_nb.errors import ContentDamaged, FileMissing
from kroma_nb.images import load

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.images import Picture
    from kroma_nb.model.run import StoredFile


def read_kept(root: Path, file: StoredFile, ref: str) -> bytes:
    """Read a file that the project keeps, if it is still what was stored.

    Parameters
    ----------
    root : Path
        The project root.
    file : StoredFile
    ref : str
        How errors name it.

    Raises
    ------
    FileMissing, ContentDamaged
        If it is gone, or is something else.
    """
    path = root / file.path
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise FileMissing(path, ref, cause.strerror or str(cause)) from cause
    found = sha256_bytes(data)
    if found != file.sha256:
        raise ContentDamaged(path, file.sha256, found)
    return data


def load_kept(root: Path, file: StoredFile, ref: str) -> Picture:
    """Load a picture that the project keeps, if it is still what was stored.

    Returns
    -------
    uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255.

    Raises
    ------
    FileMissing, ContentDamaged, PictureUnreadable, PictureTooLarge
        If it is gone, is something else, or cannot be decoded.
    """
    return load(read_kept(root, file, ref), name=ref)
