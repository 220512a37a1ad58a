"""The archive of files that were replaced or rejected: moved there and back, with a record of each move."""

from kroma_nb.blobs.archive.listing import listed
from kroma_nb.blobs.archive.putting import archive_file, restore
from kroma_nb.blobs.archive.replacing import replace_file

__all__ = ["archive_file", "listed", "replace_file", "restore"]
