"""How many candidates and how many pictures a plan may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.errors import LimitExceeded, RequestInvalid
from kroma_nb.planning.scenes import REQUEST

if TYPE_CHECKING:
    from kroma_nb.model.money import ModelCard
    from kroma_nb.model.plan import PlanRequest
    from kroma_nb.planning.manifest import LoadedManifest

ABSOLUTE_MAX_CANDIDATES = 255


def candidate_count(asked: int | None, loaded: LoadedManifest) -> int:
    """Give the number of candidates that each job has: what the request asks for, else the manifest's.

    Raises
    ------
    RequestInvalid
        If the request asks for less than one.
    LimitExceeded
        If it is more than `generation.max_candidates`, or than 255.
    """
    section = loaded.manifest.generation
    count = section.candidates if asked is None else asked
    file, field = (loaded.file, "generation.candidates") if asked is None else (REQUEST, "candidates")
    if count < 1:
        raise RequestInvalid(file, field, f"{count} is no number of candidates", "ask for at least 1")
    if count > ABSOLUTE_MAX_CANDIDATES:
        problem = f"{count} candidates are more than {ABSOLUTE_MAX_CANDIDATES}, which no run exceeds"
        raise LimitExceeded(file, field, problem, "ask for fewer, or make several runs")
    if count > section.max_candidates:
        problem = f"{count} candidates are more than generation.max_candidates, which is {section.max_candidates}"
        raise LimitExceeded(file, field, problem, f"ask for fewer, or raise that limit in {loaded.file}")
    return count


def check_batch(pictures: int, *, card: ModelCard, request: PlanRequest, loaded: LoadedManifest) -> None:
    """Refuse a plan that makes more pictures than its batch limit.

    A paid engine is always held to `safe_batch_limit`. A local one costs nothing and is held to it only where the
    manifest names it.

    Raises
    ------
    LimitExceeded
        If there are more, and the request does not say `allow_large_batch`.
    """
    manifest = loaded.manifest
    held = card.paid or "safe_batch_limit" in manifest.model_fields_set
    if not held or request.allow_large_batch or pictures <= manifest.safe_batch_limit:
        return
    kind = "paid pictures" if card.paid else "pictures"
    problem = f"{pictures:,} {kind} are more than the limit of {manifest.safe_batch_limit:,}"
    raise LimitExceeded(loaded.file, "safe_batch_limit", problem, "pass allow_large_batch=True, or raise the limit")
