"""Pages that were bought, on their way through the passes after drawing: paid once, and looked at themselves."""

from __future__ import annotations

from kroma_nb.model.postprocess import LookAt
from kroma_nb.model.words import RunStatus


def test_a_page_that_was_bought_is_looked_at_itself_however_often_it_is_finished(server, story, paid) -> None:
    bought = story.run(paid(candidates=1, only=["scene_0.png"]), confirm_spend=True)
    enlarged = story.run(story.plan(finish=bought, upscale=True))

    again = story.plan(finish=enlarged, bg_remove=True)

    assert (enlarged.status, server.bills) == (RunStatus.OK, 1)
    assert not again.forecast().cost_high
    assert again.plan.postprocess.bg_remove.look_at is LookAt.PAGE
