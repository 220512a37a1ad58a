"""OpenAI's image models; the SDK loads when a picture is asked for."""

from kroma_nb.providers.openai.painter import Connection, OpenAIPainter, Wish

__all__ = ["Connection", "OpenAIPainter", "Wish"]
