"""ComfyUI as an engine: the artist's own workflow, or a small one that is built in."""

from kroma_nb.providers.comfyui.painter import ComfyPainter, look, meet, server_at
from kroma_nb.providers.comfyui.workflow import BUILT_IN, Workflow

__all__ = ["BUILT_IN", "ComfyPainter", "Workflow", "look", "meet", "server_at"]
