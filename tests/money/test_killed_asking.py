"""A call that was in doubt is asked after or sent again under its key, and the process is killed once more."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from doomed import Doomed, doomed
from loopback import write_catalog

from kroma_nb.model.words import CallState, RunStatus


@pytest.fixture(scope="module")
def forks() -> Iterator[Doomed]:
    with doomed() as running:
        yield running


@pytest.fixture(params=["keyed", "asked"])
def model(bench, request: pytest.FixtureRequest) -> str:
    write_catalog(bench.home, first=request.param, concurrency=1)
    return request.param


@pytest.mark.parametrize("touch", range(1, 4))
@pytest.mark.usefixtures("model")
def test_what_came_for_a_call_in_doubt_settles_it_whenever_it_was_killed(server, story, scenes, forks, touch) -> None:
    bench = story.bench
    words = {"manifest": str(scenes / "manifest.json"), "provider": "loopback", "only": ["scene_0.png"]}
    words["candidates"] = 1
    place = {"home": str(bench.home), "url": server.url}
    server.script.append("kill within")
    assert forks.play(**place, words=words) == "killed"
    assert [row.status for row in story.runs.rows()] == [RunStatus.INTERRUPTED]
    bench.index.store.close()

    how = forks.play(**place, run_id=story.runs.ids[0], about="ledger", kill_at=touch)

    assert how in {"killed", "ok"}
    run = story.runs.resume("latest", confirm_spend=True)
    (call,) = [call for job in run.log.jobs for c in job.candidates for call in c.calls]
    last = json.loads((story.root / "ledger.jsonl").read_bytes().splitlines()[-1])
    assert (run.status, call.ended, last["ended"], server.bills) == (RunStatus.OK, CallState.SETTLED, "settled", 1)
