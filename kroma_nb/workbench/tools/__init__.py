"""Tools for single files and folders, without a project: cut out, enlarge, colour, judge.

::

    import kroma_nb as kn

    kn.tools.cut_out("page.png")                     # background_removed/page_nobg.png
    kn.tools.enlarge("pages", "print", scale=4)      # print/…_x4.png
    kn.tools.judge("print").frame()
"""

from kroma_nb.workbench.tools.results import Judgement, ToolResult
from kroma_nb.workbench.tools.verbs import color, cut_out, enlarge, judge

__all__ = ["Judgement", "ToolResult", "color", "cut_out", "enlarge", "judge"]
