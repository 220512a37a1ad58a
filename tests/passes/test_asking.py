"""What a backend raises, in whichever pass it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from kroma_nb.errors import KromaError, ProviderBusy, ProviderFailed, ToolStopped, WriteFailed
from kroma_nb.passes.asking import asking


@pytest.mark.parametrize("said", [ProviderBusy("mine", "later"), WriteFailed(Path("p"), "full"), ToolStopped("tool")])
def test_what_is_said_of_itself_a_full_disk_and_a_stop_pass_through(said: KromaError) -> None:
    with pytest.raises(KromaError) as raised, asking("mine"):
        raise said

    assert raised.value is said


@pytest.mark.parametrize("raises", [ValueError("no"), SystemExit(3), MemoryError("much")])
def test_anything_else_is_the_backends_failure(raises: BaseException) -> None:
    with pytest.raises(ProviderFailed, match=f"mine: {type(raises).__name__}"), asking("mine"):
        raise raises


def test_a_person_who_interrupts_is_not_a_failure() -> None:
    with pytest.raises(KeyboardInterrupt), asking("mine"):
        raise KeyboardInterrupt
