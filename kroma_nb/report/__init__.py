"""The report room: a run as a self-contained gallery, a contact sheet, tables and a lineage; values in, bytes out."""

from kroma_nb.report.lineage import Step, StepKind, lineage
from kroma_nb.report.overview import Overview, overview
from kroma_nb.report.page import gallery
from kroma_nb.report.sheet import contact_sheet
from kroma_nb.report.table import PlanRow, RunRow, plan_table, run_row, run_table
from kroma_nb.report.view import View
from kroma_nb.report.views import candidate_page, candidate_view, candidates_view, plan_view, run_view, size

__all__ = [
    "Overview",
    "PlanRow",
    "RunRow",
    "Step",
    "StepKind",
    "View",
    "candidate_page",
    "candidate_view",
    "candidates_view",
    "contact_sheet",
    "gallery",
    "lineage",
    "overview",
    "plan_table",
    "plan_view",
    "run_row",
    "run_table",
    "run_view",
    "size",
]
