"""What a painter is told: the brief for one candidate, the hand's ranges, the palette of a style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import Field, ValidationInfo, field_validator, model_validator

from kroma_nb.model.value import Value
from kroma_nb.model.words import Stage, TimeOfDay, Weather

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

Seed = Annotated[int, Field(ge=0, lt=2**53)]
Channel = Annotated[int, Field(ge=0, le=255)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Span(Value):
    """A closed range that a candidate's seed chooses from."""

    low: float
    high: float

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if self.low > self.high:
            raise ValueError(f"low {self.low} lies above high {self.high}; write the smaller number as low")
        return self


# The ranges in which the engine draws well.
_DRAWABLE = {
    "line_weight": (0.4, 2.5),
    "threshold": (0.0, 1.0),
    "hatch_angle_deg": (-90.0, 90.0),
    "hatch_density": (0.4, 2.5),
}


class Hand(Value):
    """The ranges of one drawing hand: candidates vary inside them and stay one hand.

    Attributes
    ----------
    line_weight : Span, 0.4 to 2.5
        Width of the lines as a multiple of the engine's own (which follows the picture's diagonal).
    threshold : Span, 0 to 1
        How readily a tone turns into ink; 0.5 is the middle.
    hatch_angle_deg : Span, -90 to 90
        Turn of the hatching against the form's own direction, in degrees.
    hatch_density : Span, 0.4 to 2.5
        Strokes per length as a multiple of the engine's own.
    tones : int, 2 to 4
        Flat values between paper and ink, both counted.
    """

    line_weight: Span = Span(low=0.85, high=1.2)
    threshold: Span = Span(low=0.46, high=0.54)
    hatch_angle_deg: Span = Span(low=-14.0, high=14.0)
    hatch_density: Span = Span(low=0.85, high=1.2)
    tones: Annotated[int, Field(ge=2, le=4)] = 3

    @field_validator("line_weight", "threshold", "hatch_angle_deg", "hatch_density")
    @classmethod
    def _drawable(cls, span: Span, info: ValidationInfo) -> Span:
        low, high = _DRAWABLE[str(info.field_name)]
        if span.low < low or span.high > high:
            raise ValueError(f"{span.low}..{span.high} leaves the range {low}..{high}; stay inside that range")
        return span


class Seeds(Value):
    """One seed a stage: the hand comes from ``style``, the light from ``time``, the rain from ``weather``."""

    style: Seed
    time: Seed
    weather: Seed

    def of(self, stage: Stage) -> int:
        """Give the seed that a candidate of this stage varies."""
        return {Stage.TIME: self.time, Stage.WEATHER: self.weather}.get(stage, self.style)


class Size(Value):
    """Width and height in pixels."""

    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]

    def times(self, scale: int) -> Size:
        """Give this size enlarged."""
        return Size(width=self.width * scale, height=self.height * scale)

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class Palette(Value):
    """Paper and ink of a style, sRGB levels 0-255."""

    paper: tuple[Channel, Channel, Channel]
    ink: tuple[Channel, Channel, Channel]


class Brief(Value):
    """All that a painter is told for one candidate, besides the pictures.

    Attributes
    ----------
    time, weather
        As drawn: ``day`` and ``clear`` where the stage does not ask for another.
    grayscale : bool
        Plain black on white, whatever the palette.
    palette : Palette or None
        What the painter's ``study`` of the style references gave; None without references.
    ground_line : float or None
        Where the ground begins, as a fraction of the height from the top; None lets the painter estimate it.
    """

    stage: Stage
    time: TimeOfDay
    weather: Weather
    prompt: str
    seeds: Seeds
    size: Size
    grayscale: bool = False
    hand: Hand = Hand()
    palette: Palette | None = None
    ground_line: Fraction | None = None


@dataclass(frozen=True)
class Painted:
    """A painter's answer.

    Attributes
    ----------
    picture : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB levels 0-255; a black and white page has no channel axis.
    notes : tuple of str
        What the artist should know, as whole sentences.
    part : tuple of int (top, bottom, left, right), pixels of the scene, or None
        Which part of the scene was drawn, where the page has another shape; None for all of it.
    """

    picture: NDArray[np.uint8]
    notes: tuple[str, ...] = ()
    part: tuple[int, int, int, int] | None = None

    def drawn_of(self, scene: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Give the part of the scene that was drawn."""
        if self.part is None:
            return scene
        top, bottom, left, right = self.part
        return scene[top:bottom, left:right]


class Engine(Value):
    """Whose picture it is.

    Attributes
    ----------
    version : str
        Changes whenever the same brief would give another picture.
    """

    provider: str
    model: str
    version: str


class Painter(Protocol):
    """A local engine that draws a scene: frozen, picklable, deterministic."""

    @property
    def provider(self) -> str:
        """The provider's name in the catalog."""

    @property
    def model(self) -> str:
        """The model's name in the catalog."""

    @property
    def version(self) -> str:
        """Changes whenever the same brief would give other pixels."""

    def study(self, references: Iterable[NDArray[np.uint8]]) -> Palette | None:
        """Read paper and ink off the style references, each of shape (H, W), (H, W, 3) or (H, W, 4)."""

    def paint(self, scene: NDArray[np.uint8], brief: Brief) -> Painted:
        """Draw a scene of shape (H, W), (H, W, 3) or (H, W, 4), sRGB, at the brief's size."""
