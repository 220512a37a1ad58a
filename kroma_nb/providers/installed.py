"""Which optional packages are installed, found out without loading them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec


def installed_version(module: str, *distributions: str) -> str | None:
    """Give the version of a package, or None where it is not installed; nothing of it is run.

    Parameters
    ----------
    module : str
        What is imported.
    *distributions : str
        The names under which it may have been installed; by default the module's.

    Returns
    -------
    str or None
        ``"unknown"`` where the package is there and says no version.

    Examples
    --------
    >>> installed_version("no_such_brush") is None
    True
    >>> installed_version("numpy")[0]
    '2'
    """
    if find_spec(module) is None:
        return None
    for name in distributions or (module,):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"


def runtime_version() -> str | None:
    """Give the version of onnxruntime, which is built for several kinds of machines under several names."""
    return installed_version(
        "onnxruntime", "onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml"
    )
