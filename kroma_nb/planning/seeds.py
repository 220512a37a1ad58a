"""Seeds that follow a scene's content, so that nothing moves when scenes are added, removed or sorted."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kroma_nb.model.brief import Seeds
from kroma_nb.model.words import Stage

if TYPE_CHECKING:
    from kroma_nb.model.plan import Followed

_RULE = "kroma_nb.seed/1"
# Which stages come before a stage; their seeds are what a followed picture fixes.
_BEFORE: dict[Stage, tuple[str, ...]] = {Stage.TIME: ("style",), Stage.WEATHER: ("style", "time")}
_ORDER = (Stage.STYLE, Stage.TIME, Stage.WEATHER)


def seed_of(root: int, scene_sha256: str, stage: Stage, index: int) -> int:
    """Derive one seed: the first 48 bits of a sha256 over what it follows.

    Parameters
    ----------
    root : int
        The scene's own seed, else `generation.seed`.
    scene_sha256 : str
        64 hex digits.
    stage : Stage
        What the seed is for: the hand (style), the light (time) or the rain (weather).
    index : int, from 1
        The candidate.

    Returns
    -------
    int, 0 to 2**48 - 1

    Examples
    --------
    >>> seed_of(0, "0" * 64, Stage.STYLE, 1)
    139660824923811
    """
    text = f"{_RULE}\n{root}\n{scene_sha256}\n{stage.value}\n{index}\n"
    return int.from_bytes(hashlib.sha256(text.encode("ascii")).digest()[:6], "big")


def seeds_for(root: int, scene_sha256: str, *, index: int, stage: Stage, follows: Followed | None) -> Seeds:
    """Give a candidate its three seeds; those of earlier stages come from the followed picture."""
    seeds = Seeds(
        style=seed_of(root, scene_sha256, Stage.STYLE, index),
        time=seed_of(root, scene_sha256, Stage.TIME, index),
        weather=seed_of(root, scene_sha256, Stage.WEATHER, index),
    )
    if follows is None:
        return seeds
    return seeds.model_copy(update={name: getattr(follows.seeds, name) for name in _BEFORE.get(stage, ())})


def comes_before(earlier: Stage, later: Stage) -> bool:
    """Tell whether a stage of the journey lies before another.

    Examples
    --------
    >>> comes_before(Stage.STYLE, Stage.WEATHER), comes_before(Stage.TIME, Stage.TIME)
    (True, False)
    """
    return earlier in _ORDER and later in _ORDER and _ORDER.index(earlier) < _ORDER.index(later)
