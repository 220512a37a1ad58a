"""Commands that go on with a run: `resume` and `retry`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.making import show_run
from kroma_nb.cli.onward import next_commands, unfinished
from kroma_nb.cli.options import AsJson, ConfirmSpend, Home, MaxCost, Options, Slug, Workers, takes
from kroma_nb.cli.spending import agreed, say_what_budgets_leave
from kroma_nb.cli.stopping import stop_flag

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.money import Money
    from kroma_nb.workbench import Run
    from kroma_nb.workbench.resuming import LeftToDo

AnyRun = Annotated[str, typer.Argument(metavar="RUN", help="An id, its last signs, or `latest`.")]
Job = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, or its scene's name or path.")]
More = Annotated[int, typer.Option(min=1, help="How many are added.")]


@dataclass(frozen=True)
class GoOnOptions(Options):
    """How a run goes on."""

    confirm_spend: ConfirmSpend = False
    max_cost: MaxCost = None
    workers: Workers = None

    def cap(self) -> Money | None:
        """Read what the rest may cost at most."""
        from kroma_nb.workbench.requests import money

        return money(self.max_cost, "max_cost")


@dataclass(frozen=True)
class ResumeOptions(GoOnOptions):
    """What `resume` can be asked for."""

    pay_again: Annotated[
        bool, typer.Option("--pay-again", help="Also buy again what may have been billed already.")
    ] = False


@takes(ResumeOptions)
def resume(
    options: ResumeOptions, run: AnyRun = "latest", project: Slug = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Make what a run has left: what was cut short, failed or not paid for. Good pictures stay as they are."""
    one = _open(home, project, run)
    _go_on(one, options, pay_again=options.pay_again, as_json=as_json)


@dataclass(frozen=True)
class RetryOptions(GoOnOptions):
    """What `retry` can be asked for."""

    candidates: More = 4
    project: Slug = None


@takes(RetryOptions)
def retry(options: RetryOptions, run: AnyRun, job: Job, home: Home = None, as_json: AsJson = False) -> None:
    """Add candidates with new seeds to one scene of a run; what was made before stays."""
    one = _open(home, options.project, run)
    _go_on(one, options, more=(job, options.candidates), as_json=as_json)


def _open(home: Path | None, project: str | None, run: str) -> Run:
    from kroma_nb.workbench import open_workbench

    return open_workbench(home).project(project).runs[run]


def _go_on(
    one: Run, options: GoOnOptions, *, as_json: bool, pay_again: bool = False, more: tuple[str, int] | None = None
) -> None:
    from kroma_nb import report
    from kroma_nb.model.words import RunStatus
    from kroma_nb.workbench.resuming import Decision, left_to_do, resumed

    cap = options.cap()
    left = left_to_do(one, pay_again=pay_again, more=more)
    if not left.rest.turns and one.status is not RunStatus.INTERRUPTED:
        _nothing_left(one, left, as_json=as_json)
        return
    if not as_json:
        screen.show(left.view)
        say_what_budgets_leave(one.project, left.forecast, one.run_id)
    high = left.forecast.cost_high
    sure = agreed(left.forecast, most=cap, confirm_spend=options.confirm_spend, ask=not as_json)
    # What was shown is what is agreed to, also where it has become more meanwhile.
    decision = Decision(sure, pay_again, high if cap is None or high < cap else cap)
    count = len(left.rest.turns)
    title = f"{one.run_id}: {report.counted(count, 'picture')}"
    with (
        stop_flag() as stop,
        screen.progress(title, count, shown=not as_json) as follow,
    ):
        resumed(one, decision, {"workers": options.workers, "stop": stop, "on_event": follow}, more=more)
    show_run(one, as_json=as_json)


def _nothing_left(one: Run, left: LeftToDo, *, as_json: bool) -> None:
    """Say that there is nothing to make, what is in doubt, and which other runs are not whole."""
    log, commands = one.log, next_commands(one)
    others = unfinished(one.project, beside=one.run_id)
    if as_json:
        doubtful = [row.to_json() for row in left.rows]
        facts = {"project": one.project.slug, "run_id": one.run_id, "status": log.status.value}
        code = int(log.exit_code)
        screen.show_json({"ok": code == 0, **facts, "made": 0, "in_doubt": doubtful, "next": list(commands)})
    else:
        screen.show(left.view)
        for said in commands:
            screen.say(f"Next: {said}")
        for said in others:
            screen.say(said)
    if log.exit_code:
        raise typer.Exit(int(log.exit_code))
