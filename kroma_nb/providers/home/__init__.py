"""What the engines share that ask a server at home: how it is met, what it is sent, what its answers are held to."""

from kroma_nb.providers.home.files import file_named
from kroma_nb.providers.home.pictures import lay, notes_of, page_of, seed_for
from kroma_nb.providers.home.server import LOOK_S, TIMEOUT_S, Letter, Server, turn_at

__all__ = [
    "LOOK_S",
    "TIMEOUT_S",
    "Letter",
    "Server",
    "file_named",
    "lay",
    "notes_of",
    "page_of",
    "seed_for",
    "turn_at",
]
