"""The invariants of a whole chain cost at most half of Pillow's Lanczos enlargement of the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from kroma_nb.model.postprocess import ColorProfile
from kroma_nb.passes import color
from kroma_nb.qa import check_color, check_cutout, check_upscale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .conftest import Ratios

pytestmark = pytest.mark.benchmark

WARM = ColorProfile(
    brightness=0.98,
    contrast=1.12,
    saturation=1.08,
    sharpness=1.04,
    gamma=1.03,
    red_multiplier=1.04,
    blue_multiplier=0.96,
)


def cut_out(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Keep the middle of a picture, with a soft edge."""
    height, width = picture.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    cv2.ellipse(alpha, (width // 2, height // 2), (width // 3, height // 3), 10, 0, 360, 255, -1, cv2.LINE_AA)
    return np.dstack([picture, cv2.GaussianBlur(alpha, (0, 0), 1.5)])


def enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (picture.shape[1] * 2, picture.shape[0] * 2)
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def test_all_invariants_of_a_chain_cost_at_most_half_of_pillows_enlargement(
    ratios: Ratios, photographs: list[NDArray[np.uint8]]
) -> None:
    chains = []
    for picture in photographs[:3]:
        cut = cut_out(picture)
        large = enlarged(cut)
        chains.append((picture, cut, large, color(large, WARM), Image.fromarray(picture)))

    def by_pillow(index: int) -> object:
        picture = chains[index % len(chains)][4]
        return picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.LANCZOS)

    def invariants(index: int) -> object:
        picture, cut, large, colored, _ = chains[index % len(chains)]
        return check_cutout(picture, cut), check_upscale(cut, large, 2), check_color(large, colored, WARM)

    found = ratios(by_pillow, invariants=invariants)

    print(f"invariants {found['invariants']:.2f} of Pillow's enlargement")
    assert found["invariants"] <= 0.5
