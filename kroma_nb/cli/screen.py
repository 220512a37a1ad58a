"""What a person sees in the terminal: tables, progress, errors; or JSON."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kroma_nb.model.words import CandidateStatus, ExitCode, Gate, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kroma_nb.errors import KromaError
    from kroma_nb.model.plan import Plan
    from kroma_nb.model.run import Event
    from kroma_nb.model.runlog import CandidateRecord, JobRecord, RunLog

console = Console(highlight=False, emoji=False)
errors = Console(stderr=True, highlight=False, emoji=False)


def plain(text: str) -> str:
    """Give text that a terminal shows and does not obey: markup escaped, control characters spelled out."""
    return escape("".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text))


def show_json(value: Any) -> None:
    """Write one JSON document to standard output."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode())


def show_error(error: KromaError, *, as_json: bool) -> None:
    """Say what is wrong, once, on standard error; with ``--json`` as a document on standard output."""
    if as_json:
        kind, code = error.error_kind, error.error_code
        show_json({"ok": False, "error": str(error), "error_kind": kind, "error_code": code})
    errors.print(f"[bold red]error[/] ({error.error_code}): {plain(str(error))}", soft_wrap=True)


def say(text: str) -> None:
    """Write a line that is never wrapped, so that paths can be copied."""
    console.print(plain(text), soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table; every cell is plain text."""
    grid = Table(title=plain(title), title_justify="left", header_style="bold", title_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(plain(cell) for cell in row))
    console.print(grid)


def show_plan(plan: Plan) -> None:
    """Show what a run would make."""
    rows = [
        (
            job.name,
            job.id,
            str(job.size),
            str(len(job.candidates)),
            " ".join(str(c.seeds.of(job.mode)) for c in job.candidates),
        )
        for job in plan.jobs
    ]
    title = f"{plan.project}: {_stage(plan)} with {plan.card.provider} {plan.card.model}"
    table(title, ("scene", "job", "size", "candidates", "seeds"), rows)
    forecast = plan.forecast
    cost = (
        str(forecast.cost_high)
        if forecast.cost_low == forecast.cost_high
        else f"{forecast.cost_low} to {forecast.cost_high}"
    )
    order = " → ".join(plan.postprocess.pipeline_order)
    say(f"{forecast.pictures} pictures, {forecast.paid_pictures} of them paid: {cost}. Passes: {order}.")
    for note in plan.notes:
        say(f"Note: {note}")


def show_run(log: RunLog) -> None:
    """Show a run's candidates in the order of their ranks."""
    ordered = [(job, c) for job in log.jobs for c in sorted(job.candidates, key=_by_rank)]
    title = f"{log.project}: {_stage(log)}, {log.status.value} ({log.run_id})"
    columns = ("scene", "candidate", "place", "quality", "tied with", "says")
    table(title, columns, [_candidate_row(job, candidate) for job, candidate in ordered])
    if log.gate is Gate.OFF:
        say("Not reviewed: ranks are measured, nobody has approved anything.")
    for note in (*log.notes, *(log.imported.mended if log.imported else ())):
        say(f"Note: {note}")
    if log.next_step:
        say(log.next_step)


def _candidate_row(job: JobRecord, candidate: CandidateRecord) -> tuple[str, ...]:
    rank, guard = candidate.rank, candidate.output_guard
    place = "winner" if candidate.candidate_index == job.selected_candidate else str(rank.position or "–")
    says: list[str] = [*guard.hard_fail_reasons, *guard.soft_warnings] if guard else []
    if candidate.failure is not None:
        says.append(candidate.failure.message)
    if not says and candidate.status is not CandidateStatus.DONE:
        says.append(candidate.status.value)
    ties = ", ".join(f"c{index}" for index in rank.tied_with)
    quality = "not measured" if candidate.quality is None else f"{candidate.quality:.3f}"
    return job.name, f"c{candidate.candidate_index}", place, quality, ties, ", ".join(says)


def _by_rank(candidate: CandidateRecord) -> tuple[bool, int, int]:
    return candidate.rank.position == 0, candidate.rank.position, candidate.candidate_index


def _stage(of: Plan | RunLog) -> str:
    words = {"style": "style", "time": f"time {of.time.value}"}
    return words.get(of.stage.value, f"{of.stage.value} {of.time.value} {of.weather.value}")


def exit_code(log: RunLog) -> ExitCode:
    """Say what a command ends with after this run."""
    if log.status is RunStatus.OK:
        return ExitCode.OK
    if log.status is not RunStatus.FAILED:
        return ExitCode.PARTIAL
    kinds = {c.failure.error_kind for job in log.jobs for c in job.candidates if c.failure}
    codes = {"validation": ExitCode.INPUT, "policy": ExitCode.POLICY, "infra": ExitCode.INFRA, "unknown": ExitCode.BUG}
    if not kinds:
        return ExitCode.PARTIAL  # everything was drawn, and the guard let nothing through
    return codes.get(kinds.pop(), ExitCode.PROVIDER) if len(kinds) == 1 else ExitCode.PROVIDER


@contextmanager
def progress(title: str, pictures: int, *, shown: bool) -> Iterator[Callable[[Event], None]]:
    """Show a bar that follows a run's events, on standard error and only where a person looks at it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not (shown and errors.is_terminal)) as bars:
        bar = bars.add_task(plain(title), total=pictures)

        def follow(event: Event) -> None:
            if event.event == "candidate_finished":
                bars.advance(bar)

        yield follow
