"""What must still hold after a pass, how strictly each is taken, and the words for what was found."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from kroma_nb.model.value import Value
from kroma_nb.model.words import PassName

if TYPE_CHECKING:
    from collections.abc import Iterable


class InvariantName(StrEnum):
    """What must hold; each is named by what a whole picture does."""

    EXACT_SIZE = "exact_size"
    NOT_BLACK = "not_black"
    ALPHA_KEPT = "alpha_kept"
    GREY_KEPT = "grey_kept"
    SHRINKS_BACK = "shrinks_back"
    NO_SEAMS = "no_seams"
    FLAT_BLACKS = "flat_blacks"
    COVERAGE = "coverage"
    SOFT_EDGE = "soft_edge"
    SMOOTH_EDGE = "smooth_edge"
    NO_HALO = "no_halo"
    PALETTE_KEPT = "palette_kept"


class Strictness(StrEnum):
    """What a broken invariant means: the picture cannot be used, it is warned about, or nobody looks."""

    HARD = "hard"
    SOFT = "soft"
    OFF = "off"


_SAYS = {
    InvariantName.EXACT_SIZE: "a side is {value:.0f} pixels off the size it must have (limit {limit:.0f})",
    InvariantName.NOT_BLACK: "{value:.0%} of the light is gone (limit {limit:.0%})",
    InvariantName.ALPHA_KEPT: "{value:.1%} of the cut-out is lost (limit {limit:.1%})",
    InvariantName.GREY_KEPT: "a grey picture has a colourfulness of {value:.1f} levels (limit {limit:.1f})",
    InvariantName.SHRINKS_BACK: "shrunk back, a patch is {value:.1f} levels off its source (limit {limit:.1f})",
    InvariantName.NO_SEAMS: "tones jump by {value:.1f} levels where tiles meet (limit {limit:.1f})",
    InvariantName.FLAT_BLACKS: "flat black is patchy by {value:.0f} levels (limit {limit:.0f})",
    InvariantName.COVERAGE: "the figure's area is {value:.1%} (limit {limit:.1%})",
    InvariantName.SOFT_EDGE: "{value:.0%} of the soft edge is gone (limit {limit:.0%})",
    InvariantName.SMOOTH_EDGE: "{value:.0%} of the cut-out's edge goes in blocks (limit {limit:.0%})",
    InvariantName.NO_HALO: "the rim is {value:.0%} foreign colour (limit {limit:.0%})",
    InvariantName.PALETTE_KEPT: "a colour is {value:.1f} levels from where its profile puts it (limit {limit:.1f})",
}
_OF_A_CUT_OUT = {
    InvariantName.COVERAGE: "the figure's area changed by {value:.1%} (limit {limit:.1%})",
    InvariantName.NO_HALO: "the soft edge is {value:.1f} levels off its colour (limit {limit:.1f})",
}
_LIFTS = frozenset({PassName.BG_REMOVE, PassName.BG_REFINE})


class Invariant(Value):
    """One thing that must hold after a pass, and whether it does.

    Attributes
    ----------
    name : InvariantName
    pass_name : PassName
        The pass whose result was looked at.
    value : float
        What was measured, in the unit that `says` names.
    limit : float
        The limit that decided.
    holds : bool

    Examples
    --------
    >>> Invariant(
    ...     name=InvariantName.NO_SEAMS, pass_name=PassName.UPSCALE, value=7.25, limit=1.5, holds=False
    ... ).says
    'upscale: tones jump by 7.2 levels where tiles meet (limit 1.5)'
    """

    name: InvariantName
    pass_name: PassName
    value: float
    limit: float
    holds: bool

    @property
    def says(self) -> str:
        """Say what was measured, in plain words."""
        words = _SAYS[self.name] if self.pass_name in _LIFTS else _OF_A_CUT_OUT.get(self.name, _SAYS[self.name])
        return f"{self.pass_name}: {words.format(value=self.value, limit=self.limit)}"


class InvariantSettings(Value):
    """How strictly each invariant is taken.

    Hard by default is what makes a picture unusable beyond doubt: the wrong size breaks the page it is laid into, a
    black picture and a lost cut-out show nothing, and colour in a black-and-white book is printed as screened grey.
    All others are matters of degree that a person should look at: they are soft.
    """

    exact_size: Strictness = Strictness.HARD
    not_black: Strictness = Strictness.HARD
    alpha_kept: Strictness = Strictness.HARD
    grey_kept: Strictness = Strictness.HARD
    shrinks_back: Strictness = Strictness.SOFT
    no_seams: Strictness = Strictness.SOFT
    flat_blacks: Strictness = Strictness.SOFT
    coverage: Strictness = Strictness.SOFT
    soft_edge: Strictness = Strictness.SOFT
    smooth_edge: Strictness = Strictness.SOFT
    no_halo: Strictness = Strictness.SOFT
    palette_kept: Strictness = Strictness.SOFT

    def strictness(self, name: InvariantName) -> Strictness:
        """Tell how strictly an invariant is taken."""
        return Strictness(getattr(self, name.value))

    def broken(self, found: Iterable[Invariant], strictness: Strictness) -> tuple[Invariant, ...]:
        """Give the invariants that do not hold and are taken so strictly.

        Examples
        --------
        >>> small = Invariant(
        ...     name=InvariantName.EXACT_SIZE, pass_name=PassName.UPSCALE, value=1.0, limit=0.0, holds=False
        ... )
        >>> settings = InvariantSettings()
        >>> len(settings.broken([small], Strictness.HARD)), len(settings.broken([small], Strictness.SOFT))
        (1, 0)
        """
        return tuple(one for one in found if not one.holds and self.strictness(one.name) is strictness)
