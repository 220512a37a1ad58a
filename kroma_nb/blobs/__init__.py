"""A content store (sha256 to file) and the atomic writer that every file of kroma_nb goes through."""

from kroma_nb.blobs.locks import PATIENCE_S, await_lock, held, lockable, locked_folder, take_lock
from kroma_nb.blobs.store import Blob, BlobStore, sha256_bytes, sha256_file
from kroma_nb.blobs.writing import atomic_file, create_atomic, settle_name, write_atomic

__all__ = [
    "PATIENCE_S",
    "Blob",
    "BlobStore",
    "atomic_file",
    "await_lock",
    "create_atomic",
    "held",
    "lockable",
    "locked_folder",
    "settle_name",
    "sha256_bytes",
    "sha256_file",
    "take_lock",
    "write_atomic",
]
