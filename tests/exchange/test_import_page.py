"""The page about the import shows a log that can be imported as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from predecessor import OldStudio

from kroma_nb.model.runlog import RunLog
from kroma_nb.workbench import Workbench
from kroma_nb.workbench.importing import import_kroma

PAGE = Path(__file__).parents[2] / "docs" / "import.md"


def shown_log(old: OldStudio) -> dict[str, Any]:
    """The log of the page; every picture that it names is there."""
    text = PAGE.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]
    for path in sorted(set(re.findall(r'"([^"]+\.png)"', text))):
        old.picture(path)
    document: dict[str, Any] = json.loads(text)
    return document


def only_run(bench: Workbench) -> RunLog:
    (run_id,) = bench.project("noir").runs.ids
    return bench.project("noir").runs[run_id].log


def test_the_log_of_the_page_is_taken_whole_and_nothing_has_to_be_mended(old: OldStudio, bench: Workbench) -> None:
    old.log(shown_log(old))

    found = import_kroma(bench, old.root)

    (job,) = only_run(bench).jobs
    assert (found.mended, found.left) == ((), ())
    assert (job.name, len(job.input_images), job.selected_candidate) == ("quay", 2, 1)
    assert job.candidates[0].output_guard is not None
    assert job.candidates[0].output_guard.chroma_delta == 1.25


def test_a_field_at_the_wrong_place_is_named_with_its_right_one_as_the_page_says(
    old: OldStudio, bench: Workbench
) -> None:
    document = shown_log(old)
    guard = document["jobs"][0]["candidates"][0]["output_guard"]
    guard["chroma_delta"] = guard["files"][0].pop("chroma_delta")

    old.log(document | {"mood": "sad", "empty": []})
    (item,) = import_kroma(bench, old.root).mended

    strange, misplaced = item.mended
    assert strange == "the log: the field 'mood' is not known; it stands in imported.json alone."
    assert misplaced.startswith("style_1_quay c1: the field 'output_guard.chroma_delta' is read as")
    assert "output_guard.files.chroma_delta and not here" in misplaced
