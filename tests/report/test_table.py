"""The table: one row a candidate, ready for a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kroma_nb.model.quality import Rank, SoftWarning
from kroma_nb.model.run import Failure
from kroma_nb.model.words import CandidateStatus, Stage
from kroma_nb.report import run_table

if TYPE_CHECKING:
    from .conftest import Story


def test_a_row_says_all_that_a_terminal_shows_of_a_candidate(story: Story) -> None:
    scene = story.source("a.jpg")
    drawn = story.drawn(
        "o/1.png",
        1,
        rank=Rank(hard_failures=0, soft_warnings=1, quality=0.7, position=1, tied_with=(2,)),
        output_guard=story.report("o/1.png", soft_warnings=(SoftWarning.NOISY,)),
    )
    log = story.run((scene,), (story.job(scene, (drawn,)),), stage=Stage.TIME)

    (row,) = run_table(log)

    assert (row.scene, row.job, row.candidate, row.status) == ("Harbour at dawn", "harbour", 1, CandidateStatus.DONE)
    assert (row.position, row.quality, row.warnings, row.tied_with) == (1, 0.7, (SoftWarning.NOISY,), (2,))
    assert (row.seed, row.output, row.failure) == (2001, "o/1.png", "")


def test_a_failed_candidate_has_a_row_with_its_failure_and_no_output(story: Story) -> None:
    scene, failure = story.source("a.jpg"), Failure(error_kind="provider", error_code="x", message="ran dry.")
    log = story.run((scene,), (story.job(scene, (story.failed(1, CandidateStatus.FAILED_PROVIDER, failure),)),))

    (row,) = run_table(log)

    assert (row.position, row.output, row.failure) == (0, None, "ran dry.")


def test_the_rows_make_a_data_frame(story: Story) -> None:
    frame = pd.DataFrame([row.model_dump() for row in run_table(story.simple(candidates=3))])

    assert frame["candidate"].tolist() == [1, 2, 3]
    assert frame.loc[frame["position"] == 1, "output"].tolist() == ["runs/r1/outputs/harbour__c1.png"]
