"""From the manifest's texts to the prompt of a job."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from kroma_nb.errors import ManifestInvalid
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.planning.documents import read_built_in

if TYPE_CHECKING:
    from kroma_nb.planning.manifest import LoadedManifest


@dataclass(frozen=True, slots=True)
class PromptFrame:
    """What the prompts of one run have in common: all before and all after the scene's own words."""

    before: str
    after: str

    def around(self, own: str | None) -> str:
        """Compose a job's prompt.

        Examples
        --------
        >>> PromptFrame("Draw it.", "Add nothing.").around("Keep the lamp lit.")
        'Draw it. Keep the lamp lit. Add nothing.'
        """
        return " ".join(chunk for chunk in (self.before, (own or "").strip(), self.after) if chunk)


@cache
def built_in_prompts() -> dict[str, str]:
    """Give the prompt texts that hold where a manifest names none, by key."""
    return tomllib.loads(read_built_in("prompts.toml"))


def prompt_frame(loaded: LoadedManifest, *, stage: Stage, time: TimeOfDay, weather: Weather) -> PromptFrame:
    """Choose the texts for a stage.

    Style comes first, then the time of day in the stages time and weather, then the weather in the stage weather;
    the sentence against invention comes last, unless the manifest's policy switches it off.

    Raises
    ------
    ManifestInvalid
        If a text that is needed is blank.
    """
    keys = ["style_base"]
    if stage in {Stage.TIME, Stage.WEATHER}:
        keys.append(f"time_{time.value}")
    if stage is Stage.WEATHER:
        keys.append(f"weather_{weather.value}")
    closing = built_in_prompts()["no_invention"] if loaded.manifest.policy.default_no_invention else ""
    return PromptFrame(" ".join(_text(loaded, key) for key in keys), closing)


def _text(loaded: LoadedManifest, key: str) -> str:
    written = getattr(loaded.manifest.prompts, key)
    text: str = (built_in_prompts()[key] if written is None else written).strip()
    if not text:
        problem = "the text is blank and this stage needs it"
        raise ManifestInvalid(loaded.file, f"prompts.{key}", problem, "write it, or leave the key out")
    return text
