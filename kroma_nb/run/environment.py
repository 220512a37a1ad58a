"""What made the pictures: library versions, processor features, library builds."""

from __future__ import annotations

import hashlib
import json
import platform
from functools import cache
from importlib.metadata import version

import cv2

from kroma_nb.model.run import Environment

LIBRARIES = ("numpy", "opencv-python-headless", "pillow", "pydantic", "scikit-image")


@cache
def code_class() -> str:
    """Give what a local picture depends on beside its input and parameters, as a hash: code, libraries, processor."""
    seen = environment().model_dump(mode="json", exclude={"python"})
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


@cache
def environment() -> Environment:
    """Describe this process for the record.

    Pictures are bit-exact on one class of processor: `cpu_features` is what OpenCV dispatches on, `opencv_build` a
    sha256 of its build information.
    """
    return Environment(
        kroma_nb=version("kroma-nb"),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        libraries={name: version(name) for name in LIBRARIES},
        cpu_features=tuple(cv2.getCPUFeaturesLine().split()),
        opencv_build=hashlib.sha256(cv2.getBuildInformation().encode()).hexdigest(),
    )
