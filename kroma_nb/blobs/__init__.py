"""A content store (sha256 to file) and the atomic writer that every file of kroma_nb goes through."""

from kroma_nb.blobs.store import Blob, BlobStore, sha256_bytes, sha256_file
from kroma_nb.blobs.writing import atomic_file, create_atomic, settle_name, write_atomic

__all__ = [
    "Blob",
    "BlobStore",
    "atomic_file",
    "create_atomic",
    "settle_name",
    "sha256_bytes",
    "sha256_file",
    "write_atomic",
]
