"""The passes of a run: picture in, picture out, one backend each."""

from kroma_nb.passes.coloring import COLOR_VERSION, color
from kroma_nb.passes.generation import generate
from kroma_nb.passes.upscaling import UPSCALE_VERSION, upscale

__all__ = ["COLOR_VERSION", "UPSCALE_VERSION", "color", "generate", "upscale"]
