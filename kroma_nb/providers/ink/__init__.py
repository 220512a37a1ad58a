"""The embedded engine: draws a photograph as a noir graphic-novel page, offline and deterministic."""

from kroma_nb.providers.ink.engine import InkPainter
from kroma_nb.providers.ink.page import Layers

__all__ = ["InkPainter", "Layers"]
