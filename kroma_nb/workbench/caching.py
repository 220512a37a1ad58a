"""The pass cache of a project: where it lies, how much it may hold."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kroma_nb import run
from kroma_nb.errors import ValidationFailed

if TYPE_CHECKING:
    from kroma_nb.workbench.project import Project

CACHE = "cache"


def cache_of(project: Project) -> run.PassCache:
    """Give a project's pass cache, as large as its setting ``cache_mb`` says.

    Raises
    ------
    SettingsInvalid
        If a settings file cannot be used.
    """
    return run.PassCache(project.root / CACHE, project.settings().get("cache_mb") * 1_000_000)


def kept_passes(project: Project) -> run.PassCache | None:
    """Give the cache that a run uses; None where the project is to keep none, and what was kept is then gone."""
    cache = cache_of(project)
    if cache.limit_bytes:
        return cache
    cache.trim()
    return None


def trim_when_due(project: Project) -> None:
    """Hold a project's cache to its limit after a run that could not do so; where the limit is not known, it stays."""
    with contextlib.suppress(ValidationFailed):
        cache = cache_of(project)
        if cache.is_due():
            cache.trim()
