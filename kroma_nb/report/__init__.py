"""The report room: a run as a self-contained gallery, a contact sheet, a table and a lineage; values in, bytes out."""

from kroma_nb.report.lineage import Step, StepKind, lineage
from kroma_nb.report.page import gallery
from kroma_nb.report.sheet import contact_sheet
from kroma_nb.report.table import RunRow, run_table

__all__ = ["RunRow", "Step", "StepKind", "contact_sheet", "gallery", "lineage", "run_table"]
