"""kroma_nb: a notebook workbench that keeps one look across a long illustrated story."""

__version__ = "0.1.0"
