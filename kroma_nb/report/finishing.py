"""What a run says of the pictures that it has finished: whose they were, and which backends gave nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kroma_nb.report import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.model.runlog import RunLog


def told(log: RunLog) -> Iterator[str]:
    """Give all of that as whole sentences."""
    given = [job for job in log.jobs if job.given]
    of = sorted({job.follows.run_id for job in given if job.follows is not None})
    if given:
        whose = f" of {', '.join(of)}" if of else ""
        yield f"Nothing was drawn: this finishes {phrases.counted(len(given), 'winner')}{whose}."
    fell_back = Counter(
        (record.backend, *one)
        for job in log.jobs
        for candidate in job.candidates
        for record in candidate.passes
        # One that is named twice is asked twice, of one picture.
        for one in dict.fromkeys((one.backend, one.says) for one in record.tries)
    )
    for (backend, before, says), times in sorted(fell_back.items()):
        cut = f"{phrases.counted(times, 'picture')} cut out by {backend}"
        yield phrases.sentence(f"{cut}, as {before} gave none: {says.removeprefix(f'{before}: ')}")
