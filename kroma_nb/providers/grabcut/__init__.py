"""The embedded segmenter: OpenCV's grabCut at a reduced size, then a soft edge at full size; no model, always there."""

from kroma_nb.providers.grabcut.backend import GrabCut
from kroma_nb.providers.grabcut.marks import Box, Scribble

__all__ = ["Box", "GrabCut", "Scribble"]
