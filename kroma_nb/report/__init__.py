"""The report room: a run as a gallery, a contact sheet, tables or a lineage, and what differs between two."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from kroma_nb.report.bars import Bar, bars_of, cost_bars, drawn_bars
    from kroma_nb.report.chain import Step, StepKind, lineage
    from kroma_nb.report.costs import budget_words, costs_view
    from kroma_nb.report.diff.comparing import compare_runs, diff_table
    from kroma_nb.report.diff.page import diff_page
    from kroma_nb.report.diff.view import diff_view
    from kroma_nb.report.inline import Overview, overview
    from kroma_nb.report.lineage_drawing import lineage_svg
    from kroma_nb.report.lineage_views import affected_view, lineage_page, lineage_view
    from kroma_nb.report.mermaid import lineage_mermaid
    from kroma_nb.report.page import gallery
    from kroma_nb.report.pairs import tool_pictures
    from kroma_nb.report.phrases import counted
    from kroma_nb.report.proof import ProofRow, proof_table, proof_view
    from kroma_nb.report.sheet import contact_sheet
    from kroma_nb.report.table import candidate_row, plan_table, run_table
    from kroma_nb.report.tools import JudgedRow, judged_table, judged_view, tool_view
    from kroma_nb.report.view import View
    from kroma_nb.report.views import (
        asset_page,
        asset_view,
        assets_view,
        candidate_page,
        candidate_view,
        candidates_view,
        links_view,
        plan_view,
        project_view,
        projects_view,
        run_view,
        runs_view,
        size,
    )

# What only reads records must not wait for what draws pictures.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "chain": ["Step", "StepKind", "lineage"],
        "bars": ["Bar", "bars_of", "cost_bars", "drawn_bars"],
        "costs": ["budget_words", "costs_view"],
        "diff.comparing": ["compare_runs", "diff_table"],
        "diff.page": ["diff_page"],
        "diff.view": ["diff_view"],
        "inline": ["Overview", "overview"],
        "lineage_drawing": ["lineage_svg"],
        "lineage_views": ["affected_view", "lineage_page", "lineage_view"],
        "mermaid": ["lineage_mermaid"],
        "page": ["gallery"],
        "pairs": ["tool_pictures"],
        "phrases": ["counted"],
        "proof": ["ProofRow", "proof_table", "proof_view"],
        "sheet": ["contact_sheet"],
        "table": ["candidate_row", "plan_table", "run_table"],
        "tools": ["JudgedRow", "judged_table", "judged_view", "tool_view"],
        "view": ["View"],
        "views": [
            "asset_page",
            "asset_view",
            "assets_view",
            "candidate_page",
            "candidate_view",
            "candidates_view",
            "links_view",
            "plan_view",
            "project_view",
            "projects_view",
            "run_view",
            "runs_view",
            "size",
        ],
    },
)

__all__ = [
    "Bar",
    "JudgedRow",
    "Overview",
    "ProofRow",
    "Step",
    "StepKind",
    "View",
    "affected_view",
    "asset_page",
    "asset_view",
    "assets_view",
    "bars_of",
    "budget_words",
    "candidate_page",
    "candidate_row",
    "candidate_view",
    "candidates_view",
    "compare_runs",
    "contact_sheet",
    "cost_bars",
    "costs_view",
    "counted",
    "diff_page",
    "diff_table",
    "diff_view",
    "drawn_bars",
    "gallery",
    "judged_table",
    "judged_view",
    "lineage",
    "lineage_mermaid",
    "lineage_page",
    "lineage_svg",
    "lineage_view",
    "links_view",
    "overview",
    "plan_table",
    "plan_view",
    "project_view",
    "projects_view",
    "proof_table",
    "proof_view",
    "run_table",
    "run_view",
    "runs_view",
    "size",
    "tool_pictures",
    "tool_view",
]
