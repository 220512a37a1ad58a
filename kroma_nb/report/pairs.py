"""What a tool was given and what it has made of it, side by side; transparency stands on a checkerboard."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from kroma_nb.model.tools import FileState
from kroma_nb.report.elements import Element, Inline, el
from kroma_nb.report.previews import Gap, Previews, embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kroma_nb.model.tools import ToolRow

MOST_PAIRS = 8
TALLEST = 220
PICTURE_BYTES = 480_000
"""What the pictures of one result may take in a notebook."""

_STYLE = """
.kroma-pairs{display:flex;flex-wrap:wrap;gap:14px 26px;margin:.4em 0 .8em}
.kroma-pairs.kroma-pairs figure{margin:0}
.kroma-pairs.kroma-pairs figure div{display:flex;gap:6px;align-items:flex-start}
.kroma-pairs.kroma-pairs figcaption{font-size:12px;margin-top:.3em;overflow-wrap:anywhere;max-width:32em}
.kroma-pairs.kroma-pairs img{max-height:none;max-width:none}
.kroma-pairs.kroma-pairs img.cut{background:repeating-conic-gradient(#c4c4c4 0 25%,#f4f4f4 0 50%) 0 0/16px 16px}
.kroma-pairs .none{width:120px;padding:2em .5em;border:1px dashed #888;text-align:center;font-size:12px}
"""


def tool_pictures(rows: Sequence[ToolRow], pictures: Callable[[str], bytes]) -> Element | None:
    """Show the first of what was made beside its source; None where nothing was made.

    Parameters
    ----------
    rows : sequence of ToolRow
    pictures : callable, str -> bytes
        Gives a file by its path in the rows; one that it cannot give is shown as a gap.
    """
    every = [row for row in rows if row.state is FileState.DONE and row.target]
    made, more = every[:MOST_PAIRS], len(every) - MOST_PAIRS
    if not made:
        return None
    rest = el("p", f"… and {more:,} more.") if more > 0 else None
    previews = Previews(pictures, 2 * len(made), most_bytes=min(PICTURE_BYTES, 80_000 * len(made)))
    return el("div", Inline("style", _STYLE), *(_pair(previews, row) for row in made), rest, class_="kroma-pairs")


def _pair(previews: Previews, row: ToolRow) -> Element:
    assert row.target is not None
    name = PurePath(row.target).name
    before = _picture(previews, row.source, row.sha256_before, f"Source of {name}")
    after = _picture(previews, row.target, row.sha256, name)
    return el("figure", el("div", before, after), el("figcaption", el("bdi", name)))


def _picture(previews: Previews, path: str, sha256: str | None, alt: str) -> Element:
    shown = previews.of(path, sha256 or "")
    if isinstance(shown, Gap):
        return el("div", "no picture: ", shown.cause, class_="none")
    if shown.changed:
        return el("div", "it was changed since", class_="none")
    share = min(1.0, TALLEST / shown.size[1])
    size = {"width": round(shown.size[0] * share), "height": round(shown.size[1] * share)}
    return el("img", src=embedded(shown.data), alt=alt, class_="cut" if shown.cutout else None, **size)
