"""The stage gate, which asks whether a stage may start from input that nobody reviewed."""

from __future__ import annotations

from kroma_nb.model.words import Gate, Stage


def gate_of(stage: Stage) -> tuple[Gate, tuple[str, ...]]:
    """Say how the gate of a stage stands, and what the user should know of it.

    The gate is off for every stage until verdicts and baselines exist; the later stages say so.

    Examples
    --------
    >>> gate_of(Stage.STYLE)
    (<Gate.OFF: 'off'>, ())
    """
    if stage is Stage.STYLE:
        return Gate.OFF, ()
    note = f"Not reviewed: the stage {stage.value} starts from pictures that nobody has approved."
    return Gate.OFF, (note,)
