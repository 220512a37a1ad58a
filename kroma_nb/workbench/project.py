"""A project: plans, plays and publishes its runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb import report, run
from kroma_nb.blobs import sha256_bytes, write_atomic
from kroma_nb.errors import ContentDamaged, FileMissing, PathRefused, RecordInvalid, RequestInvalid
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.model.plan import Followed
from kroma_nb.model.words import Stage
from kroma_nb.planning import plan
from kroma_nb.settings import load_settings
from kroma_nb.workbench.painters import painter_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor
    from threading import Event as Flag

    from kroma_nb.model.plan import Plan, PlanRequest
    from kroma_nb.model.run import Event, StoredFile
    from kroma_nb.model.runlog import RunLog
    from kroma_nb.settings import Settings


STAGES = tuple(Stage)


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
        """Read one run; ``latest`` is the newest that has begun.

        Raises
        ------
        RequestInvalid
            If there is no such run.
        RecordInvalid
            If its files are damaged.
        """
        ids = self.run_ids
        wanted = next((name for name in ids if self._has_begun(name)), run_id) if run_id == "latest" else run_id
        if wanted not in ids:
            hint = did_you_mean(run_id, ids) if ids else "the project has no runs yet"
            raise RequestInvalid("request", "run", f"there is no run {run_id!r} in project {self.slug}", hint)
        return run.read_run(self.root / "runs" / wanted)

    def _has_begun(self, run_id: str) -> bool:
        return any((self.root / "runs" / run_id / name).exists() for name in ("journal.jsonl", "run.json"))

    def follow(self, run_id: str, stage: Stage) -> tuple[Followed, ...]:
        """Give the winners of a run, for a later stage that keeps their hand and light.

        Parameters
        ----------
        run_id : str
            ``latest`` is the newest run of an earlier stage that has winners.
        stage : Stage
            The stage that follows.

        Raises
        ------
        RequestInvalid
            If there is no such run, or nothing in it was won.
        """
        if run_id != "latest":
            followed = _winners(self.read(run_id))
            if not followed:
                problem = f"run {run_id} has no winner whose scene and seeds are known"
                raise RequestInvalid("request", "follow", problem, "follow another run")
            return followed
        for name in self.run_ids:
            try:
                log = self.read(name)
            except RecordInvalid:
                continue
            if STAGES.index(log.stage) < STAGES.index(stage) and (followed := _winners(log)):
                return followed
        problem = f"no run of a stage before {stage.value} has a winner"
        raise RequestInvalid("request", "follow", problem, "make a run of an earlier stage first")

    def picture(self, path: str) -> bytes:
        """Read a stored file by its path in the project.

        Raises
        ------
        PathRefused
            If the path leads out of the project.
        FileMissing
            If it is gone.
        """
        whole = self.root / path
        if not whole.resolve().is_relative_to(self.root.resolve()):
            raise PathRefused(path, "the run log", "it leads out of the project")
        try:
            return whole.read_bytes()
        except OSError as cause:
            raise FileMissing(whole, "the run log", cause.strerror or str(cause)) from cause

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

        Every picture is checked first, so that nothing is copied unless everything can be.

        Raises
        ------
        RequestInvalid
            If the run has no winner, the folder is none, or a file of that name is already there.
        FileMissing, ContentDamaged
            If a winner is gone, or is no longer what the run made.
        WriteFailed
            If the disk refuses.
        """
        finals = [job.winner.final for job in log.jobs if job.winner and job.winner.final]
        if not finals:
            raise RequestInvalid("request", "run", f"run {log.run_id} has no winner", "name another run")
        if os.path.lexists(to) and not to.is_dir():
            raise RequestInvalid("request", "to", f"{to} is no folder", "name a folder")
        targets = tuple(to / Path(final.path).name for final in finals)
        for target in targets:
            if os.path.lexists(target):
                raise RequestInvalid("request", "to", f"{target} is already there", "name another folder")
        for final in finals:
            self._verified(final)
        for final, target in zip(finals, targets, strict=True):
            write_atomic(target, self._verified(final))
        return targets

    def _verified(self, file: StoredFile) -> bytes:
        data = self.picture(file.path)
        found = sha256_bytes(data)
        if found != file.sha256:
            raise ContentDamaged(self.root / file.path, file.sha256, found)
        return data


def _winners(log: RunLog) -> tuple[Followed, ...]:
    """Give what a later stage can follow; an imported run has winners, but no seeds that would draw them again."""
    won = ((job, job.winner) for job in log.jobs)
    return tuple(
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
        if winner is not None and winner.final is not None and winner.seeds is not None and job.scene_sha256 is not None
    )
