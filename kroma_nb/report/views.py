"""Plans, runs and candidates as small tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.project import ProjectStatus
from kroma_nb.model.words import CandidateStatus, Gate
from kroma_nb.report import finishing, phrases, spending
from kroma_nb.report.costs import budget_words
from kroma_nb.report.elements import el
from kroma_nb.report.journey import shown_file
from kroma_nb.report.previews import Gap, Previews, embedded
from kroma_nb.report.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kroma_nb.model.asset import AssetLink, AssetRecord
    from kroma_nb.model.money import Forecast, Money
    from kroma_nb.model.plan import Plan
    from kroma_nb.model.project import ProjectCard
    from kroma_nb.model.rows import ProjectRow, RunRow, Unreadable
    from kroma_nb.model.runlog import CandidateRecord, JobRecord, RunLog
    from kroma_nb.report.elements import Element
    from kroma_nb.report.previews import Preview

ONE_PICTURE_BYTES = 120_000
NOT_REVIEWED = "Not reviewed: ranks are measured, nobody has approved anything."


def size(size_bytes: int) -> str:
    """Say how many bytes, as people do.

    Examples
    --------
    >>> size(0), size(1_500), size(2_340_000), size(7_100_000_000)
    ('0 bytes', '1.5 KB', '2.3 MB', '7.1 GB')
    """
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes} bytes"


def plan_view(plan: Plan, forecast: Forecast) -> View:
    """Show what a run would make."""
    rows = tuple(
        (
            job.name,
            job.id,
            str(job.size),
            str(len(job.candidates)),
            " ".join(str(candidate.seeds.of(job.mode)) for candidate in job.candidates),
        )
        for job in plan.jobs
    )
    light = phrases.of_plan(plan)
    title = f"{plan.project} · {light} · planned with {plan.card.provider} {plan.card.model}"
    return View(title, ("scene", "job", "size", "candidates", "seeds"), rows, (_promised(plan, forecast), *plan.notes))


def _promised(plan: Plan, forecast: Forecast) -> str:
    cost = phrases.between(forecast.cost_low, forecast.cost_high)
    pictures = phrases.counted(forecast.pictures, "picture")
    disk = f", about {size(forecast.size_bytes)}" if forecast.size_bytes is not None else ""
    time = f", about {phrases.lasting(forecast.seconds)}" if forecast.seconds else ""
    order = " → ".join(plan.postprocess.pipeline_order)
    bought = f", {forecast.already_paid} of them bought already" if forecast.already_paid else ""
    doubt = f", {forecast.in_doubt} in doubt and not bought" if forecast.in_doubt else ""
    as_of = f"prices of {forecast.prices_as_of}"
    calls = "".join(
        f" Calls: {one.calls} to {one.provider} {one.model} at up to {one.upper_price}, {as_of}."
        for one in forecast.calls
    )
    most = f" At most {plan.max_cost} is spent." if plan.max_cost is not None else ""
    engine = " of a paid engine" if forecast.paid_pictures else ""
    promised = f"{pictures}{engine}{bought}{doubt}: {cost}{disk}{time}."
    return f"{promised}{calls}{most} Passes: {order}."


def run_view(log: RunLog) -> View:
    """Show a run's candidates in the order of their ranks."""
    light = phrases.of_run(log)
    title = f"{log.project} · {light} · {log.status.value} · {log.run_id}"
    ordered = [(job, c) for job in log.jobs for c in sorted(job.candidates, key=_by_rank)]
    reviewed = (NOT_REVIEWED,) if log.gate is Gate.OFF else ()
    mended = log.imported.mended if log.imported else ()
    notes = (*reviewed, *log.notes, *mended, *finishing.told(log), *spending.told(log))
    return View(title, COLUMNS, tuple(_row(*one) for one in ordered), notes)


def candidates_view(log: RunLog, candidates: Sequence[tuple[JobRecord, CandidateRecord]]) -> View:
    """Show some candidates of a run, in their order."""
    title = f"{phrases.counted(len(candidates), 'candidate')} of {log.project} · {log.run_id}"
    return View(title, COLUMNS, tuple(_row(job, record) for job, record in candidates))


def candidate_view(log: RunLog, job: JobRecord, record: CandidateRecord) -> View:
    """Show one candidate."""
    file = shown_file(record)
    where = (file.path,) if file else ()
    return View(f"c{record.candidate_index} of {job.name} · {log.run_id}", COLUMNS, (_row(job, record),), where)


def candidate_page(log: RunLog, job: JobRecord, record: CandidateRecord, pictures: Callable[[str], bytes]) -> str:
    """Show one candidate with its picture, as HTML."""
    file = shown_file(record)
    shown = Previews(pictures, 1, most_bytes=ONE_PICTURE_BYTES).of(file.path, file.sha256) if file else None
    if shown is None or isinstance(shown, Gap):
        return candidate_view(log, job, record).html()
    return candidate_view(log, job, record).html(_small(shown, f"Candidate {record.candidate_index} of {job.name}"))


def _small(shown: Preview, alt: str) -> Element:
    return el("img", src=embedded(shown.data), alt=alt, width=shown.size[0], height=shown.size[1])


def asset_view(asset: AssetRecord) -> View:
    """Show one picture's record."""
    of = f"candidate {asset.candidate} of {asset.job_id} in run {asset.run_id}" if asset.run_id else ""
    known = asset.size_bytes is not None
    rows = (
        ("kind", f"{asset.kind.value}, {of}" if of else asset.kind.value),
        ("made by", f"{asset.pass_name.value}: {asset.backend}, version {asset.version}" if asset.pass_name else ""),
        ("size", f"{asset.width} x {asset.height}" if asset.width else ""),
        ("bytes", f"{asset.size_bytes:,} ({asset.media_type})" if known else "missing: it was not there to import"),
        ("sha256", asset.sha256 or ""),
        ("at", phrases.moment(asset.created_at)),
    )
    return View(asset.path, (), tuple(row for row in rows if row[1]))


def links_view(links: Sequence[AssetLink]) -> View:
    """Show what pictures were made of, and what was made of them."""
    if not links:
        return View("Nothing is linked to it.")
    return View("Links", ("from", "how", "to"), tuple((link.parent, link.type.value, link.child) for link in links))


def asset_page(asset: AssetRecord, pictures: Callable[[str], bytes]) -> str:
    """Show one picture's record with the picture, as HTML."""
    shown = Previews(pictures, 1, most_bytes=ONE_PICTURE_BYTES).of(asset.path, asset.sha256 or "")
    if isinstance(shown, Gap):
        return asset_view(asset).html(el("p", f"No picture: {shown.cause}"))
    return asset_view(asset).html(_small(shown, asset.path))


def assets_view(assets: Sequence[AssetRecord], count: int) -> View:
    """Show the newest pictures of a project."""
    columns = ("picture", "kind", "made by", "size", "bytes", "at")
    rows = tuple(
        (
            asset.path,
            asset.kind.value,
            f"{asset.pass_name.value}: {asset.backend}" if asset.pass_name else "",
            f"{asset.width} x {asset.height}" if asset.width else "",
            size(asset.size_bytes) if asset.size_bytes is not None else "missing",
            phrases.moment(asset.created_at),
        )
        for asset in assets
    )
    left = (f"The newest {len(assets)}; frame() has all of them.",) if count > len(assets) else ()
    return View(phrases.counted(count, "picture"), columns, rows, left)


def runs_view(slug: str, runs: Sequence[RunRow], lost: Sequence[Unreadable] = (), *, hidden: int = 0) -> View:
    """Show runs, newest first, and what there is to say below.

    Those that cannot be read stand among them; those that are put away and not shown are counted.
    """
    columns = ("run", "stage", "status", "pictures", "size")
    rows = [_run_row(row) for row in runs] + [(one.run_id, "", "unreadable", "", "") for one in lost]
    said = [(row.run_id, _run_says(row)) for row in runs] + [(one.run_id, one.says) for one in lost]
    # A run's id begins with its time.
    notes = [f"{run_id}: {text}" for run_id, text in sorted(said, reverse=True) if text]
    return View(f"Runs of {slug}", columns, tuple(sorted(rows, reverse=True)), (*notes, *_hidden(hidden, "run")))


def _run_row(row: RunRow) -> tuple[str, ...]:
    return (
        row.run_id,
        phrases.light(row.stage, row.time, row.weather),
        row.status.value,
        f"{row.pictures} in {phrases.counted(row.jobs, 'scene')}",
        size(row.size_bytes),
    )


def _run_says(row: RunRow) -> str:
    imported = f"Imported from {row.imported_from}." if row.imported_from else ""
    archived, made = "Put away." if row.archived else "", f"Made by {row.notebook}." if row.notebook else ""
    return " ".join(text for text in (archived, imported, made, row.says) if text)


def _hidden(count: int, what: str) -> tuple[str, ...]:
    if not count:
        return ()
    return (
        f"{phrases.counted(count, what)} put away: --all, or archived=True, shows {'it' if count == 1 else 'them'}.",
    )


def project_view(
    card: ProjectCard, counted: ProjectRow | None, why_not: str, root: str, *, month: Money | None = None
) -> View:
    """Show one project; without the numbers of the index, with the reason why there are none.

    Parameters
    ----------
    month : Money, optional
        What is charged to the month that it is.
    """
    rows = [("name", card.name), ("made", phrases.moment(card.created_at)), ("folder", root)]
    if card.description:
        rows.insert(1, ("description", card.description))
    if counted is not None:
        rows += [
            ("runs", f"{counted.runs:,}"),
            ("pictures", f"{counted.pictures:,}"),
            ("disk use", f"{size(counted.used_bytes)} in pictures and inputs"),
        ]
    limits = card.budget.per_run, card.budget.per_month
    if month or any(limit is not None for limit in limits):
        rows.append(("budget", budget_words(card.budget).removeprefix("Budget: ").rstrip(".")))
    if month is not None and (month or card.budget.per_month is not None):
        rows.append(("this month", _month(month, card.budget.per_month)))
    archived = ("It is put away: lists leave it out.",) if card.status is ProjectStatus.ARCHIVED else ()
    return View(f"Project {card.slug}", (), tuple(rows), (*archived, *([why_not] if why_not else [])))


def projects_view(home: str, projects: Sequence[ProjectRow], unreadable: Sequence[Unreadable] = ()) -> View:
    """Show the projects of a workspace; those that are put away are only counted."""
    columns = ("project", "name", "runs", "pictures", "disk", "made")
    shown = [row for row in projects if row.status is ProjectStatus.ACTIVE]
    rows = tuple(
        (
            row.slug,
            row.name,
            str(row.runs),
            str(row.pictures),
            size(row.used_bytes),
            phrases.moment(row.created_at),
        )
        for row in shown
    )
    none = () if projects or unreadable else ("None yet: `kroma init NAME`, or create_project, makes one.",)
    lost = (f"Cannot be read: {one.says}" for one in unreadable)
    hidden = _hidden(len(projects) - len(shown), "project")
    return View(f"Projects in {home}", columns, rows, (*none, *lost, *hidden))


def _month(charged: Money, limit: Money | None) -> str:
    if limit is None:
        return f"{charged} charged"
    return f"{charged} of {limit} charged, {limit - charged} left"


COLUMNS = ("scene", "candidate", "place", "quality", "tied with", "cost", "call", "says")


def _row(job: JobRecord, candidate: CandidateRecord) -> tuple[str, ...]:
    rank = candidate.rank
    place = "winner" if candidate.candidate_index == job.selected_candidate else str(rank.position or "–")
    ties = ", ".join(f"c{index}" for index in rank.tied_with)
    quality = "not measured" if candidate.quality is None else f"{candidate.quality:.3f}"
    doubtful = spending.doubtful(candidate)
    call = doubtful.request_id or doubtful.call_id if doubtful else ""
    says = ", ".join(_says(candidate))
    return job.name, f"c{candidate.candidate_index}", place, quality, ties, spending.cost(candidate), call, says


def _says(candidate: CandidateRecord) -> list[str]:
    guard = candidate.output_guard
    says: list[str] = [*guard.hard_fail_reasons, *guard.soft_warnings] if guard else []
    if candidate.failure is not None:
        says.append(candidate.failure.message)
    if candidate.status in {CandidateStatus.IN_DOUBT, CandidateStatus.SKIPPED_BUDGET}:
        says = [": ".join(filter(None, (phrases.CANDIDATE_STATUS[candidate.status], ", ".join(says))))]
    elif not says and candidate.status is not CandidateStatus.DONE:
        says.append(candidate.status.value)
    told = (spending.REUSED if candidate.reused else "", spending.added(candidate))
    return [*says, *filter(None, told)]


def _by_rank(candidate: CandidateRecord) -> tuple[bool, int, int]:
    return candidate.rank.position == 0, candidate.rank.position, candidate.candidate_index
