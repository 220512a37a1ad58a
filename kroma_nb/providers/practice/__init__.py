"""A provider to practise on: it draws with the ink engine, and bills play money on this machine alone."""

from kroma_nb.providers.practice.painter import PracticePainter
from kroma_nb.providers.practice.shop import PracticeShop

__all__ = ["PracticePainter", "PracticeShop"]
