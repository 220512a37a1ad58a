"""The passes of a run: picture in, picture out, one backend each."""

from kroma_nb.passes.coloring import COLOR_VERSION, color
from kroma_nb.passes.cutting import CUTOUT_VERSION, remove_background
from kroma_nb.passes.generation import generate

__all__ = ["COLOR_VERSION", "CUTOUT_VERSION", "color", "generate", "remove_background"]
