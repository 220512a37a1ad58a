"""Logs with anything in any field go through the whole import: a run folder that reads back, or a reason."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from predecessor import OldStudio, candidate, job, run_log

from kroma_nb import report
from kroma_nb.workbench import open_workbench
from kroma_nb.workbench.files import read_stored
from kroma_nb.workbench.importing import import_kroma

PATHS = [
    "outputs/a.png",
    "photos/quay.png",
    ".",
    "..",
    "/",
    "//",
    "a\0b",
    "x" * 5000,
    "C:\\a.png",
    "夜/é.png",
    "\ud800.png",
]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(
        [*PATHS, "done", "failed_output_guard", "planned", "generated", " ", "time", "night", [], {}, [None]]
    ),
    st.builds(lambda path: {"output": path}, st.sampled_from(PATHS)),
)
CANDIDATE = st.builds(
    lambda changes, dropped: {k: v for k, v in (candidate(1, "outputs/a.png") | changes).items() if k not in dropped},
    st.dictionaries(
        st.sampled_from(["candidate_index", "status", "output", "final_output", "rank", "color", "output_guard"]), ODD
    ),
    st.sets(st.sampled_from(["candidate_index", "status", "output", "final_output", "rank", "output_guard"])),
)
JOB = st.builds(
    lambda made, changes: job("j", [{"candidate_index": 1}]) | {"candidates": made} | changes,
    st.lists(CANDIDATE, max_size=4),
    st.dictionaries(
        st.sampled_from(["id", "status", "input_images", "selected_candidate", "final_output", "prompt", "mode"]), ODD
    ),
)
LOG = st.builds(
    lambda jobs, changes: run_log(*jobs) | changes,
    st.lists(JOB, max_size=3),
    st.dictionaries(
        st.sampled_from(["timestamp", "stage", "time", "mode", "model", "output_guard", "cost_usd", "generation"]), ODD
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=LOG)
def test_any_log_becomes_a_run_that_can_be_read_and_shown(document: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        old, bench = OldStudio(Path(folder) / "old"), open_workbench(Path(folder) / "new")
        old.picture("outputs/a.png")
        old.picture("photos/quay.png")
        old.log(json.dumps(document))

        found = import_kroma(bench, old.root)

        project = bench.project("noir")
        (run_id,) = project.runs.ids
        log = project.runs[run_id].log
        assert len(log.jobs) == len(document["jobs"])
        for written, made in zip(document["jobs"], log.jobs, strict=True):
            assert len(made.candidates) == len(written["candidates"]) or not written["candidates"]
        assert report.gallery(log, partial(read_stored, project.root))
        assert report.contact_sheet(log, partial(read_stored, project.root))
        assert report.compare_runs(log, log).is_empty
        assert json.dumps(found.to_json())
        assert import_kroma(bench, old.root).taken == ()
