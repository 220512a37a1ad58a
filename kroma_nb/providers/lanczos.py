"""STANDIN."""

from dataclasses import dataclass, field

import cv2
import numpy as np


@dataclass(frozen=True)
class Lanczos:
    backend: str = "lanczos"
    version: str = "0"
    settings: dict = field(default_factory=dict)
    takes_alpha: bool = True

    def enlarge(self, picture, scale):
        return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LANCZOS4))
