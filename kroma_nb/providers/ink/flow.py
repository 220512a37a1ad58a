"""Where forms run: the smoothed structure tensor, and integrals along its flow.

References
----------
H. Kang, S. Lee, C. K. Chui: Coherent line drawing. NPAR 2007 (edge tangent flow, flow-guided filtering).
J. E. Kyprianidis, J. Döllner: Image abstraction by structure adaptive filtering. TPCG 2008
(the smoothed structure tensor in place of the iterated flow).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kroma_nb.providers.ink.pixels import Plane, cv


@dataclass(frozen=True)
class Flow:
    """Direction of the forms at every pixel of a plane.

    Attributes
    ----------
    along_x, along_y : float32 arrays, shape (H, W)
        Unit tangent; its sign is arbitrary.
    strength, energy : float32 arrays, shape (H, W)
        Difference and sum of the tensor's eigenvalues; their ratio, 0 to 1, tells how much one direction rules.
    """

    along_x: Plane
    along_y: Plane
    strength: Plane
    energy: Plane


def find_flow(plane: Plane, sigma: float) -> Flow:
    """Compute the tangent field of a plane from its Gaussian-smoothed structure tensor.

    Parameters
    ----------
    plane : float32 array, shape (H, W)
        Lightness.
    sigma : float, pixels
        How far the tensor is averaged.
    """
    gx, gy = cv.Scharr(plane, cv.CV_32F, 1, 0), cv.Scharr(plane, cv.CV_32F, 0, 1)
    xx, yy, xy = (cv.GaussianBlur(cv.multiply(a, b), (0, 0), sigma) for a, b in ((gx, gx), (gy, gy), (gx, gy)))
    spread, twice = cv.subtract(yy, xx), cv.add(xy, xy) * np.float32(-1.0)
    strength = cv.magnitude(spread, twice)
    # The minor eigenvector's doubled angle is the major one's, turned by 180 degrees.
    angle = cv.phase(spread, twice) * np.float32(0.5)
    along_x, along_y = cv.polarToCart(np.ones_like(angle), angle)
    return Flow(along_x, along_y, strength, cv.add(xx, yy))


class Walker:
    """Samples planes at offsets along and across a flow, with maps made once."""

    def __init__(self, flow: Flow) -> None:
        height, width = flow.along_x.shape
        self._x, self._y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        self._flow = flow

    def along(self, plane: Plane, step: float) -> Plane:
        """Sample a plane ``step`` pixels along the flow."""
        at_x = cv.scaleAdd(self._flow.along_x, step, self._x)
        at_y = cv.scaleAdd(self._flow.along_y, step, self._y)
        sampled: Plane = cv.remap(plane, at_x, at_y, cv.INTER_LINEAR, borderMode=cv.BORDER_REPLICATE)
        return sampled

    def across(self, plane: Plane, step: float) -> Plane:
        """Sample a plane ``step`` pixels across the flow."""
        at_x = cv.scaleAdd(self._flow.along_y, -step, self._x)
        at_y = cv.scaleAdd(self._flow.along_x, step, self._y)
        sampled: Plane = cv.remap(plane, at_x, at_y, cv.INTER_LINEAR, borderMode=cv.BORDER_REPLICATE)
        return sampled

    def smooth(self, plane: Plane, reach: float, passes: int) -> Plane:
        """Average along the flow, with doubled reach in each pass, so that bends are followed.

        Parameters
        ----------
        plane : float32 array, shape (H, W)
            What is averaged.
        reach : float, pixels
            Distance of the first pass's two samples.
        passes : int
            The last pass samples ``reach * 2 ** (passes - 1)`` pixels away.
        """
        for turn in range(passes):
            step = reach * 2**turn
            sides = cv.add(self.along(plane, step), self.along(plane, -step))
            plane = cv.addWeighted(sides, 0.25, plane, 0.5, 0.0)
        return plane
