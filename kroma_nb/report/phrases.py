"""Statuses, reasons and warnings in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.invariants import Strictness
from kroma_nb.model.quality import HardReason, SoftWarning
from kroma_nb.model.words import CandidateStatus, Gate, JobStatus, RunStatus, Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kroma_nb.model.brief import Size
    from kroma_nb.model.money import Money
    from kroma_nb.model.plan import Plan
    from kroma_nb.model.quality import FileReport, Measures, Rank
    from kroma_nb.model.runlog import CandidateRecord, JobRecord, RunLog

RUN_STATUS = {
    RunStatus.PLANNED: "planned, not started",
    RunStatus.RUNNING: "still running",
    RunStatus.OK: "complete",
    RunStatus.PARTIAL: "some pictures are missing",
    RunStatus.FAILED: "failed",
    RunStatus.INTERRUPTED: "stopped before its end",
}
CANDIDATE_STATUS = {
    CandidateStatus.DONE: "done",
    CandidateStatus.FAILED_OUTPUT_GUARD: "failed the guard",
    CandidateStatus.FAILED_PROVIDER: "could not be made",
    CandidateStatus.SKIPPED_BUDGET: "skipped for the budget",
    CandidateStatus.IN_DOUBT: "in doubt",
    CandidateStatus.CANCELED: "canceled",
}
WAY_OUT = {
    CandidateStatus.FAILED_OUTPUT_GUARD: "`kroma retry` draws it with other seeds; or change the guard's settings.",
    CandidateStatus.FAILED_PROVIDER: "Mend the cause, then give `kroma resume`.",
    CandidateStatus.SKIPPED_BUDGET: "Raise the budget or the run's limit, then give `kroma resume`.",
    CandidateStatus.IN_DOUBT: "It may have been billed, so it is bought again only with `kroma resume --pay-again`.",
    CandidateStatus.CANCELED: "`kroma resume` draws it.",
}
GIVEN_WAY_OUT = {
    CandidateStatus.FAILED_OUTPUT_GUARD: "`kroma finish` makes it with other settings; or change the guard's.",
    CandidateStatus.CANCELED: "`kroma resume` finishes it.",
}
IMPORTED_WAY_OUT = "Only the program that made it can go on with it; to draw it here, plan its scene anew."
GATE = {
    Gate.OFF: "Not reviewed: the gate is off, and a rank is no approval. Look before you build on these pictures.",
    Gate.BASELINE: "The gate asks for a reviewed baseline; a rank is no approval.",
}
IN_DOUBT = "in_doubt"
"""The error code of a candidate of which nobody knows whether it was billed."""
# What an import knows of a candidate that was not finished is a word of the other program, and no error of ours.
_FAILURE = {"imported_status": "Imported as"}
_HARD = {
    HardReason.IMAGE_READ_FAILED: "The file cannot be read as a picture",
    HardReason.INPUT_NOT_FOUND: "The file is not there",
    HardReason.NO_IMAGES_FOUND: "There was no picture to look at",
    HardReason.BLANK: "Nothing is drawn on it",
    HardReason.INVARIANT_BROKEN: "What must hold after a pass does not",
}
_SOFT: dict[SoftWarning, tuple[str, Callable[[Measures], str]]] = {
    SoftWarning.SOFT_FOCUS: ("Edges are soft", lambda measures: f"sharpness {_level(measures.sharpness)}"),
    SoftWarning.CLIPPED: ("Tones are lost at the ends of the scale", lambda measures: f"{measures.clipping:.1%}"),
    SoftWarning.NOISY: ("It is grainy", lambda measures: f"noise {_level(measures.noise)} levels"),
    SoftWarning.LOW_CONTRAST: (
        "Dark and light lie close together",
        lambda measures: f"contrast {_level(measures.contrast)}",
    ),
}


def listed(items: list[str]) -> str:
    """Join items as a sentence does.

    Examples
    --------
    >>> listed(["c1", "c2", "c3"])
    'c1, c2 and c3'
    """
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def sentence(text: str) -> str:
    """Let a text begin and end as a sentence does.

    Examples
    --------
    >>> sentence("it is gone"), sentence("It is gone.")
    ('It is gone.', 'It is gone.')
    """
    text = text.rstrip()
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?", "…")) else ".")


def ordinal(number: int) -> str:
    """Give a rank as people say it.

    Examples
    --------
    >>> [ordinal(n) for n in (1, 2, 3, 11, 12, 23)]
    ['1st', '2nd', '3rd', '11th', '12th', '23rd']
    """
    teen = number % 100 in {11, 12, 13}
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def counted(number: int, noun: str) -> str:
    """Count something.

    Examples
    --------
    >>> counted(1, "candidate"), counted(3, "candidate")
    ('1 candidate', '3 candidates')
    """
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def between(low: Money, high: Money) -> str:
    """Give an amount that is known only as a range.

    Examples
    --------
    >>> from kroma_nb.model.money import Money
    >>> between(Money.of("0.04"), Money.of("0.04")), between(Money.of("0.04"), Money.of(1))
    ('$0.04', '$0.04 to $1.00')
    """
    return str(low) if low == high else f"{low} to {high}"


def light(stage: Stage, time: str, weather: str) -> str:
    """Say what a stage draws; a stage names only the light and weather that it uses.

    Examples
    --------
    >>> light(Stage.STYLE, "day", "clear"), light(Stage.WEATHER, "night", "rain")
    ('Style', 'Weather: rain, night')
    """
    used = {Stage.STYLE: [], Stage.WEATHER: [weather, time]}.get(stage, [time])
    return stage.value.capitalize() + (f": {', '.join(used)}" if used else "")


def of_job(job: JobRecord) -> str:
    """Say what a job draws, or that its picture was drawn before and is finished."""
    return _finished(light(job.mode, job.time, job.weather), given=job.given)


def of_run(log: RunLog) -> str:
    """Say what a run draws, or that its pictures were drawn before and are finished."""
    return _finished(light(log.stage, log.time, log.weather), given=any(job.given for job in log.jobs))


def of_plan(plan: Plan) -> str:
    """Say what a plan draws, or that its pictures were drawn before and are finished."""
    return _finished(light(plan.stage, plan.time, plan.weather), given=not plan.draws)


def _finished(text: str, *, given: bool) -> str:
    return f"{text}, finished" if given else text


def progress(job: JobRecord) -> str:
    """Say how far a job came."""
    if job.status is JobStatus.FAILED:
        return "no usable candidate"
    done = sum(candidate.status is CandidateStatus.DONE for candidate in job.candidates)
    return f"{done} of {counted(job.planned_candidates, 'candidate')} done"


def standing(rank: Rank, job: JobRecord) -> str:
    """Say where a candidate stands among those that are ranked."""
    if rank.position < 1:
        return "outside the ranking"
    ranked = sum(candidate.rank.position > 0 for candidate in job.candidates)
    return f"{ordinal(rank.position)} of {ranked}"


def tie(rank: Rank) -> str:
    """Name the candidates that cannot be told apart from this one; empty where there are none."""
    names = [f"c{index}" for index in sorted(rank.tied_with)]
    return f"Tied with {listed(names)}" if names else ""


def _level(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2g}" if value < 1 else f"{value:.1f}"


def _above(value: float | None, most: float) -> str:
    """Give a number and the limit that it passes, with as many decimals as tell the two apart."""
    limit = f"{most:.15g}"
    shown = _level(value)
    if value is not None and value > most:
        finer = (f"{value:.{decimals}f}" for decimals in range(2, 18))
        shown = next((text for text in (shown, *finer) if float(text) > float(limit)), repr(value))
    return f"(chroma {shown}, at most {limit})"


def _wrong_size(measures: Measures | None, size: Size | None) -> str:
    found = f"{measures.width} × {measures.height}" if measures else "another size"
    asked = f"{size.width} × {size.height} pixels were" if size else "another size was"
    return f"It is {found} where {asked} asked for"


def quality(candidate: CandidateRecord) -> str:
    """Give a candidate's quality as a number, or say that there is none."""
    value = candidate.quality
    return "not measured" if value is None else f"{value:.2f}"


def made_by(provider: str, model: str) -> str:
    """Name the engine, as far as it is known.

    Examples
    --------
    >>> made_by("openai", "gpt-image-1"), made_by("openai", ""), made_by("", "")
    ('openai, gpt-image-1', 'openai', 'an engine that is not known')
    """
    return ", ".join(filter(None, (provider, model))) or "an engine that is not known"


def way_out(candidate: CandidateRecord, log: RunLog) -> str:
    """Say how a candidate without a good picture may get one; empty for one that has it."""
    given = any(job.given for job in log.jobs)
    said = (GIVEN_WAY_OUT if given else WAY_OUT).get(candidate.status) or WAY_OUT.get(candidate.status, "")
    return IMPORTED_WAY_OUT if said and log.imported else said


def failure(error_code: str) -> str:
    """Name what went wrong with a candidate.

    Examples
    --------
    >>> failure("imported_status"), failure("provider_failed")
    ('Imported as', 'provider_failed')
    """
    return _FAILURE.get(error_code, error_code)


def hard(reason: HardReason, report: FileReport, *, log: RunLog, job: JobRecord) -> str:
    """Say why a picture cannot be used, with its numbers."""
    chroma = _above(report.chroma_delta, log.guard.max_chroma_delta)
    match reason:
        case HardReason.WRONG_SIZE:
            upscale = log.postprocess_plan.upscale if log.postprocess_plan else None
            said = _wrong_size(report.measures, job.size.times(upscale.scale) if job.size and upscale else job.size)
        case HardReason.NOT_GRAYSCALE_LIKE:
            said = f"It has colour where plain black and white was asked for {chroma}"
        case HardReason.CHROMA_EXCEEDS_THRESHOLD:
            said = f"It is more colourful than allowed {chroma}"
        case _:
            said = _HARD[reason]
    return f"{said}: {report.error}" if report.error and reason is HardReason.IMAGE_READ_FAILED else f"{said}."


def soft(warning: SoftWarning, report: FileReport, *, log: RunLog) -> str:
    """Say what a picture could do better, with its number."""
    if warning is SoftWarning.INVARIANT_BROKEN:
        return f"{_HARD[HardReason.INVARIANT_BROKEN]}."
    if warning is SoftWarning.CHROMA_EXCEEDS_THRESHOLD:
        return f"More colourful than the story allows {_above(report.chroma_delta, log.guard.max_chroma_delta)}."
    said, measured = _SOFT[warning]
    return f"{said}." if report.measures is None else f"{said} ({measured(report.measures)})."


def reasons(candidate: CandidateRecord, log: RunLog, job: JobRecord) -> tuple[str, ...]:
    """Give every hard reason of the guard as a sentence."""
    report = candidate.output_guard
    if report is None:
        return ()
    known = [one for one in report.hard_fail_reasons if one is not HardReason.INVARIANT_BROKEN]
    broken = _broken(candidate, log, Strictness.HARD) if len(known) < len(report.hard_fail_reasons) else ()
    return (*(hard(one, report, log=log, job=job) for one in known), *broken)


def warnings(candidate: CandidateRecord, log: RunLog) -> tuple[str, ...]:
    """Give every soft warning of the guard as a sentence."""
    report = candidate.output_guard
    if report is None:
        return ()
    known = [one for one in report.soft_warnings if one is not SoftWarning.INVARIANT_BROKEN]
    broken = _broken(candidate, log, Strictness.SOFT) if len(known) < len(report.soft_warnings) else ()
    return (*(soft(one, report, log=log) for one in known), *broken)


def _broken(candidate: CandidateRecord, log: RunLog, strictness: Strictness) -> tuple[str, ...]:
    """Say what does not hold that must hold after the passes."""
    plan = log.postprocess_plan
    found = [one for made in candidate.passes for one in made.invariants]
    said = tuple(sentence(one.says) for one in plan.invariants.broken(found, strictness)) if plan else ()
    return said or (f"{_HARD[HardReason.INVARIANT_BROKEN]}.",)


def moment(at: datetime | None) -> str:
    """Give a time in UTC, to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "not yet"


def took(start: datetime | None, end: datetime | None) -> str:
    """Say how long something took.

    Examples
    --------
    >>> from datetime import datetime, timedelta
    >>> start = datetime(2026, 1, 1)
    >>> [took(start, start + timedelta(seconds=s)) for s in (0.042, 4.2, 75)]
    ['42 ms', '4.2 s', '1 min 15 s']
    """
    if start is None or end is None:
        return "time unknown"
    return lasting(max(0.0, (end - start).total_seconds()))


def lasting(seconds: float) -> str:
    """Say a time span."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
