"""Reads the candidates of one job of the predecessor, and ranks them as it did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from kroma_nb.exchange.fields import clean, number, objects, path_of, shown, text_of, whole, word_of
from kroma_nb.exchange.kroma_fields import CANDIDATE, note_unread
from kroma_nb.exchange.kroma_values import KromaCandidate, KromaPass
from kroma_nb.model.quality import FileReport, HardReason, Rank, SoftWarning
from kroma_nb.model.run import Failure
from kroma_nb.model.words import CandidateStatus, PassName

if TYPE_CHECKING:
    from kroma_nb.exchange.fields import Mended
    from kroma_nb.model.quality import GuardSettings

LARGEST_INDEX = 255
PASSES = {"bg_remove": PassName.BG_REMOVE, "upscale": PassName.UPSCALE, "color": PassName.COLOR}
FOLDERS = {
    "outputs": PassName.GENERATE,
    "background_removed": PassName.BG_REMOVE,
    "upscaled": PassName.UPSCALE,
    "color_corrected": PassName.COLOR,
}


@dataclass(frozen=True)
class Reading:
    """What the candidates of one job are read with."""

    job_id: str
    guard: GuardSettings
    mended: Mended

    def note(self, sentence: str, index: int) -> None:
        """Say what was mended in a candidate."""
        self.mended.note(sentence, f"{self.job_id} c{index}")


def read_candidates(documents: list[dict[str, Any]], reading: Reading) -> tuple[KromaCandidate, ...]:
    """Read every candidate of a job; none is passed over, and each gets an index of its own."""
    indexes = _indexes(documents, reading)
    return tuple(_candidate(document, index, reading) for document, index in zip(documents, indexes, strict=True))


def _indexes(documents: list[dict[str, Any]], reading: Reading) -> list[int]:
    wanted = [whole(document.get("candidate_index"), least=1, most=LARGEST_INDEX) for document in documents]
    given: list[int] = []
    for place, index in enumerate(wanted, 1):
        if index is not None and index not in given:
            given.append(index)
            continue
        fits = index is None and place not in wanted and place not in given
        given.append(place if fits else next(i for i in count(1) if i not in wanted and i not in given))
        sentence = (
            "it has no usable candidate_index, and was numbered by its place in the job."
            if index is None
            else f"another candidate has its index {index} already, so it got the next free."
        )
        reading.note(sentence, given[-1])
    return given


def _candidate(document: dict[str, Any], index: int, reading: Reading) -> KromaCandidate:
    note_unread(document, CANDIDATE, reading.mended, f"{reading.job_id} c{index}")
    passes = _passes(document, index, reading)
    final = _final(document, passes, index, reading)
    status = _status(document, final, index, reading)
    if final is not None and all(made.output != final for made in passes):
        name = FOLDERS.get(final.split("/")[-2] if "/" in final else "", PassName.GENERATE)
        reading.note("its final picture is of no pass that the log tells of; it is kept as one by its folder.", index)
        passes = (*passes, KromaPass(name, passes[-1].output if passes else None, final, ""))
    elif final is not None and passes[-1].output != final:
        reading.note("its final picture is not that of its last pass; the pass that made it is told last.", index)
        passes = tuple(sorted(passes, key=lambda made: made.output == final))
    rank = _rank(document, index, reading)
    guard, said = _guard(document, passes[-1].output if passes else "", rank, reading)
    return KromaCandidate(
        index=index,
        status=status,
        output=passes[0].output if passes else None,
        final_output=final if status is CandidateStatus.DONE else None,
        passes=passes,
        archived=_archived(document),
        rank=rank,
        guard=guard,
        notes=(*said, *_unnamed(status, guard), *_refined(document)),
        failure=_failure(document, status),
    )


def _passes(document: dict[str, Any], index: int, reading: Reading) -> tuple[KromaPass, ...]:
    later: list[KromaPass] = []
    for key, name in PASSES.items():
        told = document.get(key)
        output = path_of(told)
        if output is not None:
            facts = told if isinstance(told, dict) else {}
            later.append(KromaPass(name, path_of(facts.get("input")), output, *_made_by(name, facts)))
        elif told:
            reading.note(f"its {key} names no output; that pass stands in imported.json alone.", index)
    generated = path_of(document.get("output")) or (later[0].input if later else None)
    if generated is None or any(made.output == generated for made in later):
        generated = later[0].input if later else None
    first = (KromaPass(PassName.GENERATE, None, generated, ""),) if generated else ()
    return (*first, *later)


def _made_by(name: PassName, facts: dict[str, Any]) -> tuple[str, str]:
    """Give backend and version in words."""
    if name is PassName.COLOR:
        profile, settings = text_of(facts.get("profile")), text_of(facts.get("settings"))
        return f"profile {profile}" + (f" ({settings})" if settings else "") if profile else "", ""
    scale = number(facts.get("scale"))
    model = " ".join(filter(None, (text_of(facts.get("model")), f"×{scale:g}" if scale else "")))
    return text_of(facts.get("backend")), model if name is PassName.UPSCALE else ""


def _final(document: dict[str, Any], passes: tuple[KromaPass, ...], index: int, reading: Reading) -> str | None:
    final = path_of(document.get("final_output"))
    if final is None and text_of(document.get("status")).lower() == "done" and passes:
        reading.note("it is done and names no final picture, so the last one that it reached was taken.", index)
        return passes[-1].output
    return final


def _status(document: dict[str, Any], final: str | None, index: int, reading: Reading) -> CandidateStatus:
    written = text_of(document.get("status")).lower()
    known = word_of(CandidateStatus, written)
    if known is not None:
        return known
    if not written and path_of(document.get("final_output")) is not None and final is not None:
        reading.note("it has no status; since it names a final picture it was read as done.", index)
        return CandidateStatus.DONE
    kind = CandidateStatus.FAILED_PROVIDER if written.startswith("failed") else CandidateStatus.CANCELED
    called = f"status {shown(written)}" if written else "no status"
    reading.note(f"it has {called}, which says nothing of a finished picture; it was read as {kind.value}.", index)
    return kind


def _rank(document: dict[str, Any], index: int, reading: Reading) -> Rank:
    told = document.get("rank")
    guard = document.get("output_guard")
    summary = guard.get("summary") if isinstance(guard, dict) else None
    facts = told if isinstance(told, dict) else summary if isinstance(summary, dict) else None
    if facts is None:
        reading.note("it has no rank; its numbers were read as 0, as the predecessor does.", index)
        facts = {}
    exceed = number(facts.get("avg_chroma_exceed"))
    return Rank(
        hard_failures=whole(facts.get("hard_failures")) or 0,
        soft_warnings=whole(facts.get("soft_warnings")) or 0,
        avg_chroma_exceed=max(0.0, exceed) if exceed is not None else 0.0,
    )


def _guard(
    document: dict[str, Any], looked_at: str, rank: Rank, reading: Reading
) -> tuple[FileReport | None, tuple[str, ...]]:
    """Give the guard's word on the picture, and what it said in words that are not known here."""
    told = document.get("output_guard")
    files = objects(told.get("files")) if isinstance(told, dict) else []
    if not files:
        return None, ()
    entry = files[0]
    chroma = number(entry.get("chroma_delta"))
    words = [text_of(word) for key in ("hard_fail_reasons", "soft_warnings") for word in _list(entry.get(key))]
    hard = tuple(HardReason(word) for word in map(text_of, _list(entry.get("hard_fail_reasons"))) if word in _HARD)
    soft = tuple(SoftWarning(word) for word in map(text_of, _list(entry.get("soft_warnings"))) if word in _SOFT)
    if not words and chroma is not None and (rank.hard_failures or rank.soft_warnings):
        hard, soft = _worked_out(chroma, rank, reading)
    grayscale_like = entry.get("grayscale_like")
    report = FileReport(
        file=looked_at,
        chroma_delta=max(0.0, chroma) if chroma is not None else None,
        grayscale_like=grayscale_like if isinstance(grayscale_like, bool) else None,
        hard_fail_reasons=hard,
        soft_warnings=soft,
        error=text_of(entry.get("error")) or None,
    )
    return report, tuple(f"The guard said: {word}." for word in words if word and word not in _HARD | _SOFT)


_HARD, _SOFT = frozenset(HardReason), frozenset(SoftWarning)


def _worked_out(chroma: float, rank: Rank, reading: Reading) -> tuple[tuple[HardReason, ...], tuple[SoftWarning, ...]]:
    """Give the reasons that the predecessor counted and did not keep, by its own rule."""
    guard = reading.guard
    named_hard = guard.enforce_grayscale or guard.fail_on_chroma_exceed
    if chroma <= guard.max_chroma_delta or bool(rank.hard_failures) is not named_hard:
        return (), ()
    reading.mended.note("The log counts the guard's reasons and names none; its chroma and settings tell which.")
    gray = (HardReason.NOT_GRAYSCALE_LIKE,) if guard.enforce_grayscale else ()
    if guard.fail_on_chroma_exceed:
        return (*gray, HardReason.CHROMA_EXCEEDS_THRESHOLD), ()
    return gray, (SoftWarning.CHROMA_EXCEEDS_THRESHOLD,) if rank.soft_warnings else ()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _archived(document: dict[str, Any]) -> str | None:
    guard = document.get("output_guard")
    told = guard.get("bad_archive") if isinstance(guard, dict) else None
    if isinstance(told, dict):
        moved = objects(told.get("moved"))
        told = moved[0].get("to") if moved else told.get("to", told.get("output"))
    return path_of(told)


def _unnamed(status: CandidateStatus, guard: FileReport | None) -> tuple[str, ...]:
    """Say that a picture was refused for a reason that nobody wrote down."""
    if status is not CandidateStatus.FAILED_OUTPUT_GUARD or (guard is not None and guard.hard_fail_reasons):
        return ()
    return ("The guard refused it, and the record does not say why.",)


def _refined(document: dict[str, Any]) -> tuple[str, ...]:
    cut = document.get("bg_remove")
    if not isinstance(cut, dict):
        return ()
    said = ["The cut-out's edges were refined by openai, in the same file."] if cut.get("refine_openai") is True else []
    error = text_of(cut.get("refine_error"))
    return (*said, *([f"The cut-out's edges could not be refined: {error}"] if error else []))


def _failure(document: dict[str, Any], status: CandidateStatus) -> Failure | None:
    if status in {CandidateStatus.DONE, CandidateStatus.FAILED_OUTPUT_GUARD}:
        return None
    why = next((text for key in ("failure_reason", "error") if (text := text_of(document.get(key)))), "")
    written = text_of(document.get("status")) or "nothing"
    message = why or f"The imported log calls it {clean(shown(written))}."
    return Failure(error_kind="unknown", error_code="imported_status", message=message)


def ranked(candidates: tuple[KromaCandidate, ...], selected: int | None) -> tuple[KromaCandidate, ...]:
    """Give the candidates with their places: the chosen one first, then as the predecessor ranks them.

    Its order is hard failures, soft warnings, mean chroma beyond the limit, index; only finished ones take part.
    """
    able = [candidate for candidate in candidates if candidate.final_output is not None]
    able.sort(key=lambda c: (c.index != selected, *order_of(c)))
    places = {candidate.index: place for place, candidate in enumerate(able, 1)}
    return tuple(
        replace(c, rank=c.rank.model_copy(update={"position": places.get(c.index, 0)}))
        for c in sorted(candidates, key=lambda c: c.index)
    )


def order_of(candidate: KromaCandidate) -> tuple[int, int, float, int]:
    """Give what the predecessor compares, smaller is better."""
    return *candidate.rank.unmeasured, candidate.index
