"""Quality assurance: how colourful, crisp, clean and whole a picture is, and how candidates stand to each other."""

from kroma_nb.qa.chroma import chroma_delta
from kroma_nb.qa.examination import Findings, examine, find, judge, with_invariants
from kroma_nb.qa.fidelity import fidelity
from kroma_nb.qa.guard import guard
from kroma_nb.qa.invariants import VERSION as INVARIANTS_VERSION
from kroma_nb.qa.invariants import check_color, check_cutout, check_upscale
from kroma_nb.qa.ranking import rank_candidates
from kroma_nb.qa.technical import measure

__all__ = [
    "INVARIANTS_VERSION",
    "Findings",
    "check_color",
    "check_cutout",
    "check_upscale",
    "chroma_delta",
    "examine",
    "fidelity",
    "find",
    "guard",
    "judge",
    "measure",
    "rank_candidates",
    "with_invariants",
]
