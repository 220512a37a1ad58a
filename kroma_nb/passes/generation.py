"""The generate pass: a local painter draws a scene, and its answer is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kroma_nb.errors import ProviderFailed
from kroma_nb.images import is_picture
from kroma_nb.passes.asking import asking

if TYPE_CHECKING:
    from kroma_nb.images import Picture
    from kroma_nb.model.brief import Brief, Painted, Painter


def generate(scene: Picture, *, painter: Painter, brief: Brief) -> Painted:
    """Draw a scene, and make sure that what comes back is a picture of the size asked for.

    Parameters
    ----------
    scene : uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
        sRGB, levels 0-255, straight alpha.
    painter : Painter
        The engine.
    brief : Brief
        What it is told; its size is the answer's.

    Returns
    -------
    Painted
        The picture, uint8 of shape (H, W), (H, W, 3) or (H, W, 4), and the painter's notes.

    Raises
    ------
    ProviderFailed
        If the painter raises, or answers with something else than such a picture.
    """
    with asking(painter.provider):
        painted = painter.paint(scene, brief)
    problem = _problem(painted, brief) or ("" if painted.drawn_of(scene).size else "the part that it drew is empty")
    if problem:
        raise ProviderFailed(painter.provider, problem)
    return painted


def _problem(painted: Painted, brief: Brief) -> str:
    # A painter is a third party's: its types are promises that nothing has checked.
    picture: Any = getattr(painted, "picture", painted)
    if not is_picture(picture):
        kind = f"{getattr(picture, 'dtype', type(picture).__name__)} of shape {getattr(picture, 'shape', ())}"
        return f"its answer is no picture: {kind} in place of uint8 of shape (H, W), (H, W, 3) or (H, W, 4)"
    height, width = picture.shape[:2]
    if (width, height) != (brief.size.width, brief.size.height):
        return f"its answer is {width}x{height} pixels in place of {brief.size}"
    return ""
