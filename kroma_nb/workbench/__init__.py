"""Opens everything and joins the rooms: the handles that notebooks and commands hold."""

from kroma_nb.workbench.importing import import_kroma
from kroma_nb.workbench.project import Project, Publication
from kroma_nb.workbench.resources import shipped
from kroma_nb.workbench.workbench import Workbench, open_workbench

__all__ = ["Project", "Publication", "Workbench", "import_kroma", "open_workbench", "shipped"]
