"""Tools for single files and folders, without a project: cut out, enlarge, colour, judge, print.

::

    import kroma_nb as kn

    kn.tools.cut_out("page.png")                     # background_removed/page_nobg.png
    kn.tools.enlarge("pages", "large", scale=4)      # large/…_x4.png
    kn.tools.judge("large").frame()
    kn.tools.print_files("large", width_cm=17)       # print/…_print.tiff
"""

from kroma_nb.workbench.tools.printing import print_files
from kroma_nb.workbench.tools.results import Judgement, ToolResult
from kroma_nb.workbench.tools.verbs import color, cut_out, enlarge, judge

__all__ = ["Judgement", "ToolResult", "color", "cut_out", "enlarge", "judge", "print_files"]
