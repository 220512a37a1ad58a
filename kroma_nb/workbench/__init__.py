"""Opens everything and joins the rooms: the handles that notebooks and commands hold."""

from kroma_nb.workbench.assets import Asset, Assets
from kroma_nb.workbench.candidates import Candidate, Candidates
from kroma_nb.workbench.costs import Costs
from kroma_nb.workbench.diffs import Diff
from kroma_nb.workbench.index import IndexBehind
from kroma_nb.workbench.lineage import Affected, Lineage
from kroma_nb.workbench.planned import PlannedRun
from kroma_nb.workbench.practice import open_practice
from kroma_nb.workbench.project import Project
from kroma_nb.workbench.projects import Projects
from kroma_nb.workbench.replaying import Proof
from kroma_nb.workbench.resources import shipped
from kroma_nb.workbench.run_handle import Publication, Run
from kroma_nb.workbench.runs import Runs
from kroma_nb.workbench.watching import RUN_BOOK
from kroma_nb.workbench.workbench import Workbench, open_workbench

__all__ = [
    "RUN_BOOK",
    "Affected",
    "Asset",
    "Assets",
    "Candidate",
    "Candidates",
    "Costs",
    "Diff",
    "IndexBehind",
    "Lineage",
    "PlannedRun",
    "Project",
    "Projects",
    "Proof",
    "Publication",
    "Run",
    "Runs",
    "Workbench",
    "open_practice",
    "open_workbench",
    "shipped",
]
