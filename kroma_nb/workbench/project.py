"""A project: plans, plays and publishes its runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb import report, run
from kroma_nb.blobs import write_atomic
from kroma_nb.errors import FileMissing, RequestInvalid, WriteFailed
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.model.plan import Followed
from kroma_nb.planning import plan
from kroma_nb.settings import load_settings
from kroma_nb.workbench.painters import painter_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor
    from threading import Event as Flag

    from kroma_nb.model.plan import Plan, PlanRequest
    from kroma_nb.model.run import Event
    from kroma_nb.model.runlog import RunLog
    from kroma_nb.settings import Settings


@dataclass(frozen=True, slots=True)
class Publication:
    """Where a run can be looked at."""

    gallery: Path
    contact_sheet: Path


@dataclass(frozen=True, slots=True)
class Project:
    """A universe: its folder, its plans and its runs.

    Attributes
    ----------
    home : Path
        The workspace.
    slug : str
    """

    home: Path
    slug: str

    @property
    def root(self) -> Path:
        """The project's own folder."""
        return self.home / "var" / "projects" / self.slug

    def settings(self, *, app_path: Path | None = None, project_path: Path | None = None) -> Settings:
        """Load the layers of settings that hold here.

        Raises
        ------
        SettingsInvalid, FileMissing
            With file, field and the way out.
        """
        return load_settings(self.home, self.root, app_path=app_path, project_path=project_path)

    def plan(self, request: PlanRequest, *, settings: Settings | None = None) -> Plan:
        """Plan a run; nothing is written.

        Raises
        ------
        ValidationFailed
            With file, field and the way out.
        """
        return plan(request, settings=settings or self.settings())

    def run(self, plan: Plan, *, executor: Executor | None = None, stop: Flag | None = None) -> Iterator[Event]:
        """Play a plan and yield what happens; see `kroma_nb.run.execute`.

        Raises
        ------
        ValidationFailed
            Before anything is created.
        """
        return run.execute(plan, root=self.root, painter=painter_for(plan.card), executor=executor, stop=stop)

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs that are there, newest first."""
        return tuple(path.name for path in run.run_folders(self.root))

    def read(self, run_id: str) -> RunLog:
        """Read one run; ``latest`` is the newest.

        Raises
        ------
        RequestInvalid
            If there is no such run.
        RecordInvalid
            If its files are damaged.
        """
        ids = self.run_ids
        wanted = ids[0] if run_id == "latest" and ids else run_id
        if wanted not in ids:
            hint = did_you_mean(run_id, ids) if ids else "the project has no runs yet"
            raise RequestInvalid("request", "run", f"there is no run {run_id!r} in project {self.slug}", hint)
        return run.read_run(self.root / "runs" / wanted)

    def follow(self, run_id: str) -> tuple[Followed, ...]:
        """Give the winners of a run, for a later stage that keeps their hand and light.

        Raises
        ------
        RequestInvalid
            If there is no such run, or nothing in it was won.
        """
        log = self.read(run_id)
        won = ((job, job.winner) for job in log.jobs)
        followed = tuple(
            Followed(
                scene_sha256=job.scene_sha256,
                stage=log.stage,
                run_id=log.run_id,
                job_id=job.id,
                candidate=winner.candidate_index,
                sha256=winner.final.sha256,
                seeds=winner.seeds,
            )
            for job, winner in won
            if winner is not None and winner.final is not None
        )
        if not followed:
            raise RequestInvalid("request", "follow", f"run {log.run_id} has no winner", "follow another run")
        return followed

    def picture(self, path: str) -> bytes:
        """Read a stored file by its path in the project.

        Raises
        ------
        FileMissing
            If it is gone.
        """
        try:
            return (self.root / path).read_bytes()
        except OSError as cause:
            raise FileMissing(self.root / path, "the run log", cause.strerror or str(cause)) from cause

    def publish(self, logs: Sequence[RunLog]) -> Publication:
        """Write gallery and contact sheet of one run, or of a chain of runs, beside the last one's log.

        Raises
        ------
        WriteFailed
            If the disk refuses.
        """
        folder = self.root / "runs" / logs[-1].run_id
        made = Publication(folder / "gallery.html", folder / "contact_sheet.png")
        write_atomic(made.gallery, report.gallery(logs, self.picture).encode())
        write_atomic(made.contact_sheet, report.contact_sheet(logs, self.picture))
        return made

    def export_winners(self, log: RunLog, to: Path) -> tuple[Path, ...]:
        """Copy the winners of a run into a folder, one file a scene; nothing there is overwritten.

        Raises
        ------
        RequestInvalid
            If a file of that name is already there; nothing is copied then.
        WriteFailed
            If the disk refuses.
        """
        finals = [(job, job.winner.final) for job in log.jobs if job.winner and job.winner.final]
        targets = [to / Path(final.path).name for _, final in finals]
        for target in targets:
            if target.exists():
                raise RequestInvalid("request", "to", f"{target} is already there", "name another folder")
        try:
            to.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise WriteFailed(to, cause.strerror or str(cause)) from cause
        for (_, final), target in zip(finals, targets, strict=True):
            write_atomic(target, self.picture(final.path))
        return tuple(targets)
