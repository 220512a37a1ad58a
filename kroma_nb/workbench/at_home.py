"""The engines that ask a server which artists run themselves: met, looked for, and absent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kroma_nb.errors import KromaError, ProviderFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from kroma_nb.model.brief import Brief, Painted, Painter, Palette
    from kroma_nb.model.money import ModelCard

SDAPI: Final = "sdapi"
AT_HOME: Final = (SDAPI, "comfyui")


def engine_at_home(card: ModelCard, home: Path | None, timeout_s: float) -> Painter:
    """Ask a server what would draw, and give the engine for it.

    Raises
    ------
    ProviderBusy, ProviderFailed
        If it does not answer, or has no such model.
    SettingsInvalid
        If the file that says how it shall draw cannot be used.
    """
    from kroma_nb.providers import comfyui, sdapi  # noqa: PLC0415 - an engine loads when something is to be drawn

    meet = sdapi.meet if card.provider == SDAPI else comfyui.meet
    return meet(card.model, home, timeout_s)


@dataclass(frozen=True)
class Absent:
    """An engine that is not here just now: it draws nothing, and says why.

    Attributes
    ----------
    provider, model : str
    why : ProviderFailed
    """

    provider: str
    model: str
    why: ProviderFailed

    @property
    def version(self) -> str:
        """That nobody knows."""
        return "(which does not answer)"

    def study(self, references: Iterable[NDArray[np.uint8]]) -> Palette | None:  # noqa: ARG002 - of the protocol
        """Read nothing."""
        return None

    def paint(self, scene: NDArray[np.uint8], brief: Brief) -> Painted:  # noqa: ARG002 - of the protocol
        """Refuse.

        Raises
        ------
        ProviderFailed
            Always, with the reason.
        """
        raise self.why


def looked_for(home: Path | None, timeout_s: float) -> Iterator[tuple[str, str, bool]]:
    """Ask the servers at home whether they are there, all at once; no picture is made.

    Yields
    ------
    str, str, bool
        The provider, what was found in a few words, and whether it can be used.
    """
    from kroma_nb.providers import comfyui, sdapi  # noqa: PLC0415 - as above

    def found(look: Callable[[Path | None, float], str]) -> tuple[str, bool]:
        try:
            return look(home, timeout_s), True
        except KromaError as error:
            return str(error), False

    with ThreadPoolExecutor(len(AT_HOME)) as threads:
        yield from zip(AT_HOME, *zip(*threads.map(found, (sdapi.look, comfyui.look)), strict=True), strict=True)
