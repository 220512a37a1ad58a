"""How the end of an execution is read from what its last cell has shown; no kernel is started."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from papermill.exceptions import PapermillExecutionError

from kroma_nb.batch import NotebookRun
from kroma_nb.batch.endings import ending_of
from kroma_nb.batch.interrupts import Interrupts
from kroma_nb.errors import KromaError, NotebookFailed, PolicyRefused, ProviderFailed
from kroma_nb.model.words import ExitCode

CHAIN = ("", "The above exception was the direct cause of the following exception:", "")


def shown(error: KromaError) -> list[str]:
    return error._render_traceback_()


def failure_of(ename: str, evalue: str, traceback: list[str]) -> tuple[str, str]:
    error = PapermillExecutionError(2, 2, "…", ename, evalue, traceback)
    with ending_of("story", Interrupts()) as ending:
        raise error
    assert ending.failure is not None
    return ending.failure.error_kind, ending.failure.error_code


def test_of_two_errors_in_a_chain_the_last_one_is_told() -> None:
    first, last = ProviderFailed("ink", "no paper"), PolicyRefused("not today")

    said = failure_of("PolicyRefused", str(last), [*shown(first), *CHAIN, *shown(last)])

    assert said == ("policy", "policy_refused")


def test_an_error_that_quotes_another_one_keeps_its_own_kind() -> None:
    inner = NotebookFailed(Path("x.ipynb"), "cell [2]", "infra", "kernel_died", "it died")
    outer = PolicyRefused(f"not after this: {inner}")

    assert failure_of("PolicyRefused", str(outer), shown(outer)) == ("policy", "policy_refused")


def test_a_bug_that_follows_an_error_of_the_tree_is_a_bug() -> None:
    first = ProviderFailed("ink", "no paper")

    said = failure_of("ZeroDivisionError", "division by zero", [*shown(first), *CHAIN, "ZeroDivisionError: division"])

    assert said == ("unknown", "notebook_failed")


@pytest.mark.parametrize(
    ("codes", "worst"),
    [((0, 6, 5), 5), ((6, 2), 2), ((2, 3, 4), 4), ((5, 1), 1), ((0, 6), 6), ((0, 0), 0), ((), 0)],
)
def test_the_worst_of_its_runs_decides_the_exit_code(codes: tuple[int, ...], worst: int) -> None:
    runs: Any = tuple(SimpleNamespace(log=SimpleNamespace(exit_code=ExitCode(code))) for code in codes)
    record: Any = None

    assert NotebookRun(Path("x.ipynb"), record, runs).exit_code == worst
