"""The array types of the engine, and OpenCV as it is called on them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Rgb8 = NDArray[np.uint8]
Plane = NDArray[np.float32]
Points = NDArray[np.float64]

# OpenCV's stubs know no element types, so every result would have to be cast; here results are annotated instead.
cv: Any = cv2
