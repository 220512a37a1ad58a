"""kroma_nb: a notebook workbench that keeps one look across a long illustrated story.

The public names load when they are first used, so that ``import kroma_nb`` stays light::

    import kroma_nb as kn

    bench = kn.open_workbench()
    plan = kn.planning.plan(request)
    for event in kn.run.execute(plan, root=folder, painter=painter):
        ...
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kroma_nb import (
        batch,
        blobs,
        errors,
        exchange,
        images,
        model,
        passes,
        planning,
        qa,
        report,
        run,
        settings,
        workbench,
    )
    from kroma_nb.workbench import open_workbench, tools

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "batch",
    "blobs",
    "errors",
    "exchange",
    "images",
    "model",
    "open_workbench",
    "passes",
    "planning",
    "qa",
    "report",
    "run",
    "settings",
    "tools",
    "workbench",
]

# What IPython looks for on `%load_ext kroma_nb` stands beside the public names.
_FROM = {
    "open_workbench": "kroma_nb.workbench",
    "load_ipython_extension": "kroma_nb.cli.magic",
    "unload_ipython_extension": "kroma_nb.cli.magic",
}


def __getattr__(name: str) -> object:
    if name == "tools":
        return import_module("kroma_nb.workbench.tools")
    if name in _FROM:
        return getattr(import_module(_FROM[name]), name)
    if name in __all__:
        return import_module(f"kroma_nb.{name}")
    raise AttributeError(f"module 'kroma_nb' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
