"""The passes of a run: picture in, picture out, one backend each."""

from kroma_nb.passes.coloring import COLOR_VERSION, color
from kroma_nb.passes.generation import generate

__all__ = ["COLOR_VERSION", "color", "generate"]
